"""The scripts behind the guide site: what pages include, and how every block on them is proved."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

if str(ROOT / "template") not in sys.path:
    sys.path.append(str(ROOT / "template"))  # for the package kit, however a script is started
