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
from typing import Any

from bench import ROOT, report
from tools.expand import Block
from tools.proving import WORKERS, pool, start_all
from tools.verify import own_stage, read_pages

TARGETS = {"blocks_per_second": 10.0, "site_seconds": 5.0, "page_seconds": 3.0}
PAGE = "docs/errors.md"  # it starts a server, and has Python inside and outside of the template
RUNS = 3


def main() -> int:
    """Measure, print, keep the results, and return 1 if a target is missed."""
    report.parser("bench.docs_speed", __doc__, "examples:\n  .venv/bin/python -m bench.docs_speed").parse_args()
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
    """Verify all pages, and take out of the result what installs packages or runs tests."""
    pages = read_pages()
    started = time.perf_counter()
    with own_stage() as stage, pool(stage.parts()) as workers:
        done = [future.result() for future in start_all(pages, workers).values()]
    seconds = time.perf_counter() - started
    found = [outcome for outcomes, _ in done for outcome in outcomes]
    if wrong := [outcome.error for outcome in found if not outcome.proof]:
        sys.exit("\n\n".join(wrong))
    empty = {page.path for page in pages if page.meta.get("workspace") == "empty"}
    long = [outcome for outcome in found if _is_long(outcome.block, empty)]
    # The seconds of a page hold what its blocks do not: unpacking a project, ending its server.
    work = sum(of_page for _, of_page in done) - sum(outcome.seconds for outcome in long)
    return {
        "processes": WORKERS,
        "with_tests_and_installs": _rate(len(found), seconds),
        "without_them": _rate(len(found) - len(long), work / WORKERS),
        "tests_and_installs": {
            "blocks": len(long),
            "work_seconds": round(sum(outcome.seconds for outcome in long), 1),
        },
    }


def _is_long(block: Block, empty: set[str]) -> bool:
    """Whether a terminal runs tests, or installs what a project needs, which the first command of make does."""
    if block.lang != "console" or "kit" in block.options:
        return False
    return bool(re.search(r"(?m)^\$ .*\b(make (test|check|lint)|pytest)\b", block.source)) or (
        block.page in empty and "$ make run" in block.source
    )


def _rate(blocks: int, seconds: float) -> dict[str, Any]:
    return {"blocks": blocks, "seconds": round(seconds, 1), "blocks_per_second": round(blocks / seconds, 1)}


if __name__ == "__main__":
    sys.exit(main())
