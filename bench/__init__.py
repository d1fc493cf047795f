"""Measurements of the template against its peers; run them with ``make bench``."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
TEMPLATE = ROOT / "template"
RESULTS = BENCH / "results"
WORK = BENCH / ".work"  # logs of the servers; never committed
