"""Finish a site that another builder has made: python -m tools.after site/ http://127.0.0.1:8000/."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.after import finish
from tools.expand import published_pages

finish(Path(sys.argv[1]), published_pages(), sys.argv[2])
