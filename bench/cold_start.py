"""Measure the cold start: a fresh interpreter, the function loaded, the first answer with a row of the database.

Compared with a fresh interpreter that merely imports flask, pydantic and psycopg2. The clock runs from the start of
the process until its answer can be read. Writes bench/results/cold_start.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from bench import BENCH, TEMPLATE, report

TARGET = 1.2  # at most so many times the import
EXAMPLES = """examples:
  bench/.venv/bin/python -m bench.cold_start               about 40 seconds
  bench/.venv/bin/python -m bench.cold_start --quick       a few seconds, rough figures, nothing is written
"""

# What is started, in turn. The target is about the first one. The others are for information: `import pydantic` alone
# loads little of pydantic, which brings in the rest with the first use of BaseModel and with the first model.
IMPORTS = {
    "import": "import flask, pydantic, psycopg2",
    "import_base_model": "import flask, psycopg2; from pydantic import BaseModel",
    "import_model": "import flask, psycopg2; from pydantic import BaseModel; type('Any', (BaseModel,), {})",
}
STEPS = {
    "environment_ms": "Flask and the environment",
    "loaded_ms": "load the function: core, pydantic, models",
    "answered_ms": "first answer: psycopg2, secrets, connect, query",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = report.parser("bench.cold_start", __doc__, EXAMPLES)
    parser.add_argument("--quick", action="store_true", help="5 starts of each, write nothing")
    parser.add_argument("--starts", type=int, default=25, help="how often each is started (default 25)")
    options = parser.parse_args(arguments)
    results = report.attempt(lambda: measure(5 if options.quick else options.starts))
    print(show(results))
    if not options.quick:
        print(f"\nWritten: bench/results/{report.save('cold_start', results).name}")
    return 0


def measure(starts: int) -> dict[str, Any]:
    """Start the interpreters in turn and return what ``bench/results/cold_start.json`` holds.

    Args:
        starts: how often each is started, after one that fills the caches.

    Raises:
        ImportError: a package of bench/requirements.txt is missing.
        RuntimeError: a process failed.
    """
    from bench import stage

    took: dict[str, list[float]] = {name: [] for name in ("ours", *IMPORTS)}
    steps: list[dict[str, float]] = []
    with stage.built() as ground:
        script = [str(BENCH / "servers/first_answer.py"), str(TEMPLATE / "src"), str(TEMPLATE / "examples")]
        commands = {name: ["-c", f"{statement}; print()"] for name, statement in IMPORTS.items()}
        commands["ours"] = [*script, ground.ids[0]]
        for turn in range(starts + 1):
            report.progress(f"cold start {turn} of {starts}")
            for name in sorted(commands, reverse=bool(turn % 2)):
                seconds, line = _start(commands[name], ground.environment)
                if turn:
                    took[name].append(seconds * 1000)
                    if name == "ours":
                        steps.append(json.loads(line))
    report.progress_done()
    return {
        "script": "bench/cold_start.py",
        **report.circumstances(),
        "starts": starts,
        "milliseconds": {name: round(median(values), 1) for name, values in took.items()},
        "steps_ms": _steps(steps),
        "target": TARGET,
        "ratios": {name: _ratio(took["ours"], took[name]) for name in IMPORTS},
        "met": _ratio(took["ours"], took["import"]) <= TARGET,
    }


def show(results: dict[str, Any]) -> str:
    """Return the results as text for a terminal."""
    rows = [["", "milliseconds", "ours is", "target", "verdict"]]
    rows.append(["ours: load, first answer", f"{results['milliseconds']['ours']:.0f}", "", "", ""])
    for name, statement in IMPORTS.items():
        judged = (f"<= {TARGET}", "met" if results["met"] else "missed") if name == "import" else ("-", "-")
        rows.append([statement, f"{results['milliseconds'][name]:.0f}", f"{results['ratios'][name]:.2f} x", *judged])
    steps = [["of ours, after the interpreter's start", "milliseconds"]]
    steps += [[STEPS[step], f"{value:.0f}"] for step, value in results["steps_ms"].items()]
    return report.table(rows) + "\n\n" + report.table(steps)


def _start(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[float, str]:
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
    )
    lines = []
    took = 0.0
    with process:
        for line in process.stdout or ():
            took = time.perf_counter() - started  # the last line is the answer; before it come those of the log
            lines.append(line)
    if process.returncode or not lines:
        raise RuntimeError(f"a fresh interpreter with {arguments[0]} failed with exit status {process.returncode}")
    return took, lines[-1]


def _ratio(ours: Sequence[float], other: Sequence[float]) -> float:
    return round(median(us / them for us, them in zip(ours, other, strict=True)), 3)


def _steps(measured: Sequence[dict[str, float]]) -> dict[str, float]:
    """Turn points in time into how long each step took."""
    spent, before = {}, 0.0
    for step in STEPS:
        reached = median(times[step] for times in measured)
        spent[step] = round(reached - before, 1)
        before = reached
    return spent


if __name__ == "__main__":
    sys.exit(main())
