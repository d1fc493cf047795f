"""What is made once and kept in .cache/: virtual environments from pinned requirements, an empty PostgreSQL."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from kit.postgres import Server

from tools import ROOT

CACHE = ROOT / ".cache"
PYTHON = str(Path(getattr(sys, "_base_executable", sys.executable)))


class EnvironmentNotMade(RuntimeError):  # noqa: N818 - it names what happened
    """The packages cannot be installed; the text is what the installer says."""


def ready(name: str, requirements: Path) -> Path:
    """Return a virtual environment that holds exactly the packages of a file with hashes.

    uv installs in seconds what pip installs in a minute; the way by pip is tested where users go it.

    Raises:
        EnvironmentNotMade: The packages cannot be installed, for example without a network.
    """
    pins = hashlib.sha256(requirements.read_bytes() + PYTHON.encode()).hexdigest()[:12]

    def make(place: Path) -> None:
        _run(PYTHON, "-m", "venv", str(place))
        uv = str(Path(sys.executable).with_name("uv"))
        _run(uv, "pip", "install", "-q", "--require-hashes", "--python", str(place), "-r", str(requirements))
        (place / ".installed").touch()  # what a project's Makefile looks at

    return _made_once(name, pins, make)


def postgres_data() -> Path:
    """Return the data of a PostgreSQL as its first start in a project makes them, still empty; to be copied."""
    return _made_once("postgres", "data", lambda place: Server.start(place).stop())


def _made_once(name: str, version: str, make: Callable[[Path], None]) -> Path:
    place, done = CACHE / f"{name}-{version}", CACHE / f"{name}-{version}.done"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at a time do not make it twice
        if not done.exists():
            for stale in CACHE.glob(f"{name}-*"):
                shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
            make(place)
            done.touch()
    return place


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentNotMade(f"{' '.join(command[:4])}: {done.stderr.strip()[-1500:]}")
