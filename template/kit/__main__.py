"""`python -m kit`, typed with any Python: the packages it needs lie in the project's environment."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

if not all(map(find_spec, ("click", "psycopg2"))):
    ours = Path(__file__).resolve().parents[1] / os.environ.get("VENV", ".venv") / "bin/python"
    if not ours.exists() or Path(sys.prefix) == ours.parents[1]:
        sys.exit("error: the packages of this project are not installed; run `make setup`, then type the command again")
    os.execv(ours, [str(ours), "-m", "kit", *sys.argv[1:]])  # noqa: S606 - no shell is wanted

from kit.cli import main

main()
