"""How results are kept and shown. Only ratios mean something: the machine is shared, and not yours."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from bench import RESULTS

Results = TypeVar("Results")

SHOWN = (
    "Flask",
    "bjoern",
    "psycopg2-binary",
    "pydantic",
    "PyNaCl",
    "fastapi",
    "uvicorn",
    "asyncpg",
    "SQLAlchemy",
    "gunicorn",
)


def parser(module: str, description: str | None, examples: str) -> argparse.ArgumentParser:
    """Return a parser whose help shows description and examples as they are written."""
    return argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def machine() -> dict[str, Any]:
    """Return when and on what a measurement was made."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def circumstances() -> dict[str, Any]:
    """Return when, on what and with which versions a measurement was made."""
    return {**machine(), "versions": {name: version(name) for name in SHOWN}}


def save(name: str, content: Mapping[str, Any]) -> Path:
    """Write results as ``bench/results/<name>.json`` and return the path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as text with aligned columns; the first row is the heading, the first column is to the left."""
    lines = [list(row) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    shown = []
    for line in lines:
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        shown.append("  ".join([first, *others]).rstrip())
    shown.insert(1, "-" * max(map(len, shown)))
    return "\n".join(shown)


def progress(text: str) -> None:
    """Show on a terminal what is going on, in one line that overwrites itself; elsewhere one line each."""
    end, start = ("", "\r\033[K") if sys.stderr.isatty() else ("\n", "")
    print(f"{start}{text}", end=end, file=sys.stderr, flush=True)


def progress_done() -> None:
    """Remove the line of ``progress``."""
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def attempt(measure: Callable[[], Results]) -> Results:
    """Return what a measurement returns; end the program with one sentence if it cannot be made.

    Raises:
        SystemExit: 2 if a package of ``bench/requirements.txt`` is missing, 1 if the measurement failed.
    """
    try:
        return measure()
    except ImportError as error:
        print(explain_missing(error), file=sys.stderr)
        raise SystemExit(2) from None
    except RuntimeError as error:
        print(f"The measurement failed: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def explain_missing(error: ImportError) -> str:
    """Return what to do when a package of ``bench/requirements.txt`` is missing."""
    return (
        f"{error.name} is missing: run `make bench`, which installs bench/requirements.txt into bench/.venv. bjoern is "
        "built from source and needs a compiler and libev; on Debian: apt-get install gcc libev-dev"
    )
