"""Which lines of the template its own tests run: once for each state of template/, and kept in .cache/."""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT, archive, environments, state

_SCRIPT = Path(__file__).with_name("tested_lines.py")
_PINS = ROOT / "requirements/kit.txt"
FOLDERS = ("src", "examples")  # whose lines are watched


@dataclass(frozen=True)
class Tested:
    """What became of one run of the template's tests.

    Attributes:
        statements: For each file, by its path in the template, the lines on which a statement begins.
        executed: Those of them that ran.
        failed: For each test that failed, by its pytest id, what it says.
        failed_lines: For each test that failed and each file the lines that ran in it.
        broken: Why the tests could not be run at all, or nothing.
    """

    statements: dict[str, list[int]]
    executed: dict[str, list[int]]
    failed: dict[str, str]
    failed_lines: dict[str, dict[str, list[int]]]
    broken: str

    def count(self, file: str, lines: set[int]) -> tuple[int, int]:
        """Return how many of some lines of a file ran, and how many could."""
        return len(lines & set(self.executed.get(file, []))), len(lines & set(self.statements.get(file, [])))

    def failed_in(self, file: str, lines: set[int]) -> list[str]:
        """Return the tests that failed and ran one of these lines, with what they say."""
        return [f"{t}: {says}" for t, says in self.failed.items() if lines & set(self.failed_lines[t].get(file, []))]


class _RedError(Exception):
    """Tests failed: that is no result to keep."""


def of(template: Path) -> Tested:
    """Run the tests of a template, or return what is known of this state of it.

    Only a run without failures is kept: others may fail for a reason that does not lie in the template.
    """
    files = archive.listing(template)
    state_of_all = state.of_files(files, template) + state.of_files([_SCRIPT, _PINS], ROOT) + environments.PYTHON_KEY
    version = hashlib.sha256(state_of_all.encode()).hexdigest()[:12]
    found: list[Tested] = []

    def make(place: Path) -> None:
        place.mkdir()
        found.append(_run(template, files, place / "lines.json"))
        if found[0].failed or found[0].broken:
            raise _RedError

    try:
        place = environments.made_once("tested", version, make)
    except _RedError:
        return found[0]
    return found[0] if found else Tested(**json.loads((place / "lines.json").read_text("utf-8")))


def _run(template: Path, files: list[Path], result: Path) -> Tested:
    """Run them in a copy, so that what is edited meanwhile does not come into it by halves."""
    print("The template's tests run, once for this state of template/ ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="kit-tested-", ignore_cleanup_errors=True) as name:
        copy = Path(name).resolve() / archive.NAME
        for file in files:
            place = copy / file.relative_to(template)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
        # -P: beside the script lie modules that are named like others, such as site
        command = [sys.executable, "-P", str(_SCRIPT), str(result), *FOLDERS]
        # no test file of the copy may be found in a cache; ctrace is the only core that knows which test ran a line
        env = environments.environment() | {"COVERAGE_CORE": "ctrace", "PYTHONDONTWRITEBYTECODE": "1"}
        with subprocess.Popen(command, cwd=copy, env=env, stdout=subprocess.PIPE, text=True) as run:
            try:
                said, _ = run.communicate()
            except BaseException:
                run.send_signal(signal.SIGINT)  # so that pytest stops its database
                raise
        if run.returncode or not result.exists():
            return Tested({}, {}, {}, {}, said.strip()[-1500:])
        return Tested(**json.loads(result.read_text("utf-8")))


def bodies(text: str, first: int, last: int) -> set[int]:
    """Return the lines inside of functions between two lines of a module, without signatures and docstrings."""
    found: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and first <= node.lineno <= last:
            body = node.body[ast.get_docstring(node) is not None :]
            found |= {line for inner in body for line in range(inner.lineno, (inner.end_lineno or inner.lineno) + 1)}
    return found
