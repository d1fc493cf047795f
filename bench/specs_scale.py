"""How the time of `python -m kit specs` grows with the number of functions: `python -m bench.specs_scale`.

Sample projects with every kind of function; each run is a process of its own, as a user would start it, into an empty
folder; the best of three counts. Growth is judged by processor time, which other work on the computer does not change.
Exits with 1 if the largest project takes longer than the limit, or if time grows faster than the size.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "template")]

from tests.template.specs.sample import sample  # noqa: E402 - the import path is completed first

SIZES = (125, 250, 500)
LIMIT_SECONDS = 2.0
LIMIT_RATIO = 2.4  # doubling the size may cost this much; 2 is linear
RUNS = 3


def main() -> int:
    """Measure, print, and return the exit status."""
    measured = [_best(size) for size in SIZES]
    seconds, processor = ([pair[i] for pair in measured] for i in (0, 1))
    ratios = [1.0, *(after / before for before, after in pairwise(processor))]
    print("functions  seconds  processor  ms each  ratio")
    for size, taken, cpu, ratio in zip(SIZES, seconds, processor, ratios, strict=True):
        print(f"{size:9}  {taken:7.2f}  {cpu:9.2f}  {cpu / size * 1000:7.2f}  {ratio:5.2f}")
    good = seconds[-1] < LIMIT_SECONDS and max(ratios) < LIMIT_RATIO
    print(f"{'ok' if good else 'too slow'}: {SIZES[-1]} functions in {seconds[-1]:.2f} s, limit {LIMIT_SECONDS:.0f} s")
    return 0 if good else 1


def _best(size: int) -> tuple[float, float]:
    """Return the least seconds and the least processor seconds of a few runs."""
    with tempfile.TemporaryDirectory() as name:
        root = sample(Path(name) / "project", size)
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "template")}
        times = []
        for run in range(RUNS):
            command = [sys.executable, "-m", "kit", "specs", "--output", f"specs{run}"]
            start, before = time.perf_counter(), os.times()
            subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
            after = os.times()
            used = after.children_user + after.children_system - before.children_user - before.children_system
            times.append((time.perf_counter() - start, used))
        return min(seconds for seconds, _ in times), min(used for _, used in times)


if __name__ == "__main__":
    sys.exit(main())
