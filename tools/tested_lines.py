"""Run the tests of a project and write down which lines they run.

python -P tested_lines.py RESULT FOLDER ...    in the project; the lines of these folders are watched

A script that imports nothing of the kit: what is measured must not be imported before.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import TextIO

import coverage
import pytest


class Watch:
    """A plugin that tells coverage which test runs, keeps the failures, and says how far the run is.

    Args:
        measure: What watches the lines.
        to: Where progress is said.
    """

    def __init__(self, measure: coverage.Coverage, to: TextIO) -> None:
        self._measure, self._to = measure, to
        self.failed: dict[str, str] = {}
        self.broken: list[str] = []
        self._left: Counter[str] = Counter()
        self._files = 0

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what cannot even be imported."""
        if report.failed:
            self.broken.append(f"{report.nodeid}: {report.longreprtext[-1000:]}")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the tests of each file."""
        self._left = Counter(item.nodeid.partition("::")[0] for item in session.items)
        self._files = len(self._left)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note all lines under the name of the test."""
        self._measure.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a failure with its first line."""
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            says = crash.message if crash else report.longreprtext
            self.failed.setdefault(report.nodeid, says.strip().split("\n")[0])

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Say when a file is done."""
        name = nodeid.partition("::")[0]
        self._left[name] -= 1
        if not self._left[name]:
            done = sum(not left for left in self._left.values())
            print(f"[{done:>3}/{self._files}] {name}", file=self._to, flush=True)


def main() -> int:
    """Read the command line, run the tests, write the result, and return 1 if they could not be run."""
    result, *folders = sys.argv[1:]
    source = [name for name in folders if Path(name).is_dir()]
    measure = coverage.Coverage(data_file=None, source=source, omit=["*/test/*"], config_file=False)
    with os.fdopen(os.dup(2), "w") as to:  # pytest takes the original
        watch = Watch(measure, to)
        measure.start()
        status = pytest.main(["-q", "-p", "no:cacheprovider", "--no-header", "--tb=short"], plugins=[watch])
        measure.stop()
    if watch.broken or status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        print("\n".join(watch.broken))
        return 1
    data, here = measure.get_data(), Path.cwd()
    names = {file: Path(file).relative_to(here).as_posix() for file in data.measured_files()}
    analyses = {name: measure.analysis2(file) for file, name in names.items()}
    failed_lines: dict[str, dict[str, list[int]]] = {}
    for test in watch.failed:
        data.set_query_context(test)
        failed_lines[test] = {name: sorted(data.lines(file) or []) for file, name in names.items()}
    found = {
        "statements": {name: one[1] for name, one in analyses.items()},
        "executed": {name: sorted(set(one[1]) - set(one[3])) for name, one in analyses.items()},
        "failed": watch.failed,
        "failed_lines": failed_lines,
        "broken": "",
    }
    Path(result).write_text(json.dumps(found), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
