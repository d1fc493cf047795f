"""How fast the docs are proved and built: `python -m bench.docs_speed`.

Three figures, each with its target: blocks verified per second in a full run, seconds to build the site, and seconds
until one changed page is verified again. Blocks that install packages or run tests cost what those cost, so the first
figure is given with and without them, and its target is for the run without.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

from bench import ROOT, report
from tools.expand import Block, Page
from tools.proving import WORKERS, pool, start_all
from tools.verify import own_stage, read_pages

TARGETS = {"blocks_per_second": 10.0, "site_seconds": 5.0, "page_seconds": 3.0}
PAGE = "docs/errors.md"  # it starts a server, and has Python inside and outside of the template
RUNS = 3


def main() -> int:
    """Measure, print, keep the results, and return 1 if a target is missed."""
    report.parser("bench.docs_speed", __doc__, "examples:\n  .venv/bin/python -m bench.docs_speed").parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as on a writer's machine, modules are compiled once
    _run("tools.verify", PAGE)  # makes what is kept between runs
    results: dict[str, Any] = {
        **report.machine(),
        "load_before": round(os.getloadavg()[0], 1),
        "targets": TARGETS,
        "page": PAGE,
        "page_seconds": round(min(_run("tools.verify", PAGE)[0] for _ in range(RUNS)), 2),
        "site_seconds": round(min(_site() for _ in range(RUNS)), 2),
        **_full(),
    }
    report.save("docs_speed", results)
    print(json.dumps(results, indent=2))
    return 0 if _reached(results) else 1


def _reached(results: dict[str, Any]) -> bool:
    return bool(
        results["without_them"]["blocks_per_second"] >= TARGETS["blocks_per_second"]
        and results["site_seconds"] <= TARGETS["site_seconds"]
        and results["page_seconds"] <= TARGETS["page_seconds"]
    )


def _run(*arguments: str) -> tuple[float, str]:
    """Run a tool of the kit as `make` does, and return its seconds and what it prints."""
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"python -m {' '.join(arguments)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return time.perf_counter() - started, done.stdout


def _site() -> float:
    """Return what `make site` says of the site itself; the copy for reading without a server is packed after it."""
    said = re.search(r"Built site/ in ([\d.]+) s", _run("tools.site", "build")[1])
    assert said is not None
    return float(said[1])


def _full() -> dict[str, Any]:
    """Verify all blocks, then all but those that install packages or run tests."""
    pages = read_pages()
    short = [replace(page, blocks=[b for b in page.blocks if not _is_long(b)]) for page in pages if not _installs(page)]
    left_out = sum(len(page.blocks) for page in pages) - sum(len(page.blocks) for page in short)
    return {
        "processes": WORKERS,
        "with_tests_and_installs": _measured(pages),
        "without_them": _measured(short),
        "tests_and_installs": {"blocks": left_out},
    }


def _is_long(block: Block) -> bool:
    """Whether a terminal runs tests. Nothing on a page lives on that, so the rest can be measured without it."""
    tests = r"(?m)^\$ .*\b(make (test|check|lint)|pytest)\b"
    return block.lang == "console" and "kit" not in block.options and bool(re.search(tests, block.source))


def _installs(page: Page) -> bool:
    """Whether a page installs all packages, as a newcomer does; the rest of such a page lives on it."""
    return page.meta.get("workspace") == "empty" and any("$ make run" in block.source for block in page.blocks)


def _measured(pages: list[Page]) -> dict[str, Any]:
    started = time.perf_counter()
    with own_stage() as stage, pool(stage.parts()) as workers:
        done = [future.result() for future in start_all(pages, workers).values()]
    seconds = time.perf_counter() - started
    found = [outcome for outcomes, _ in done for outcome in outcomes]
    if wrong := [outcome.error for outcome in found if not outcome.proof]:
        sys.exit("\n\n".join(wrong))
    rate = round(len(found) / seconds, 1)
    return {"blocks": len(found), "seconds": round(seconds, 1), "blocks_per_second": rate}


if __name__ == "__main__":
    sys.exit(main())
