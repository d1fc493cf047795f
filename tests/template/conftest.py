"""Copies of the template that tests may change, servers that run in them, and a PostgreSQL."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import requests
from kit import database
from kit.create import create
from kit.database import Dsn
from kit.postgres import Server

TEMPLATE = Path(__file__).resolve().parents[2] / "template"
PATIENCE = 20  # seconds that a server may take to start, to notice or to end; only a broken one needs them


@pytest.fixture(scope="session")
def template() -> Path:
    """The template itself; not to be changed."""
    return TEMPLATE


@pytest.fixture
def project() -> Iterator[Path]:
    """A project called acme-orders, made from the template; like all of pytest's own folders, root's only."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "acme-orders")
        create(TEMPLATE, "acme-orders", root)
        yield root


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One throw-away server for all tests."""
    with Server.temporary() as server:
        yield server


@pytest.fixture
def empty_database(postgres: Server) -> Iterator[Dsn]:
    """A database without any table."""
    with database.scratch(postgres.dsn) as dsn:
        yield dsn


@pytest.fixture
def query() -> Callable[..., list[tuple[object, ...]]]:
    """Run one statement on a connection of its own."""

    def run(dsn: Dsn, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        with closing(psycopg2.connect(**dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []

    return run


class Running:
    """A `python -m kit serve` in a process of its own."""

    def __init__(self, root: Path, *options: str, **environ: str) -> None:
        self.root = root
        self._log = (root / "serve.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kit", "serve", "--port", "0", *options],
            cwd=root,
            env=os.environ | environ,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.url = self.wait_for(r"(http://127\.0\.0\.1:\d+)/")

    @property
    def output(self) -> str:
        return (self.root / "serve.log").read_text()

    def wait_for(self, pattern: str) -> str:
        """Wait until the output has a line that matches, and return the first group or everything."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.output):
                return found[found.re.groups and 1]
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        pytest.fail(f"no {pattern!r} in the output of the server:\n{self.output}")

    def get(self, path: str, **options: object) -> requests.Response:
        return self.request("GET", path, **options)

    def request(self, method: str, path: str, **options: object) -> requests.Response:
        return requests.request(method, self.url + path, timeout=PATIENCE, **options)

    def until(self, path: str, wanted: Callable[[requests.Response], bool]) -> requests.Response:
        """Ask again and again until the answer is as wanted."""
        deadline = time.monotonic() + PATIENCE
        while not wanted(answer := self.get(path)):
            if time.monotonic() > deadline:
                pytest.fail(f"{path} still answers {answer.status_code} {answer.text!r}\n{self.output}")
            time.sleep(0.05)
        return answer

    def processes(self) -> set[int]:
        """The ids of everything that runs in or for this project: its environment or command line names it."""
        found = set()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                belongs = str(self.root).encode() in (folder / "cmdline").read_bytes() or self._stands_in(folder)
            except OSError:
                continue
            if belongs and int(folder.name) != os.getpid():
                found.add(int(folder.name))
        return found

    def _stands_in(self, folder: Path) -> bool:
        return Path(os.readlink(folder / "cwd")).is_relative_to(self.root)

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.end()
        self._log.close()


@pytest.fixture
def serve_embedded(project: Path) -> Iterator[Callable[..., Running]]:
    """Start the local server in the project, with its embedded database; everything ends with the test."""
    started: list[Running] = []

    def start(*options: str, **environ: str) -> Running:
        started.append(Running(project, *options, **environ))
        return started[-1]

    yield start
    for running in started:
        running.close()


@pytest.fixture
def serve(serve_embedded: Callable[..., Running], empty_database: Dsn) -> Callable[..., Running]:
    """Start the local server with a database on the throw-away server, which is quicker."""
    return lambda *options: serve_embedded(*options, DATABASE_URL=database.to_url(empty_database))


@pytest.fixture
def write_function(project: Path) -> Callable[..., Path]:
    """Write a module with one function to src/."""

    def write(name: str, body: str, *, block: str = "", top: str = "") -> Path:
        path = project / "src" / f"{name}.py"
        trigger = f'"http_triggers": {{"{name}": {{"url": "/{name}", "methods": ["GET", "POST"]}}}}'
        config = f'{{"name": "acme-orders-{name}", {block or trigger}}}'
        head = f'{top}\n\n\ndef main():\n    """Test.\n\n    ```fission\n    {config}\n    ```\n    """\n'
        path.write_text(head + "".join(f"    {line}\n" for line in body.splitlines()))
        return path

    return write


@pytest.fixture
def run_kit(project: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m kit` in the project."""

    def run(*args: str, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kit", *args]
        return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False, **options)

    return run


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """The path of a program that a test needs."""

    def find(name: str) -> str:
        path = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        if not path:
            pytest.fail(f"{name} is needed for this test")
        return path

    return find
