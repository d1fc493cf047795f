"""Start the servers that are measured, and stop them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench import ROOT

PATIENCE = 30  # seconds for a server to answer for the first time

# Name of a peer to what people see, in the order of tables and of the chart.
PEERS = {
    "bare": "bare limit: libpq prepared statement, JSON by hand",
    "ours": "this template",
    "fastapi_asyncpg": "FastAPI + asyncpg pool, uvicorn",
    "sqlalchemy_gunicorn": "Flask + SQLAlchemy, gunicorn",
    "naive": "naive: secrets and connect per request",
}


@contextmanager
def running(names: Iterable[str], environment: Mapping[str, str], work: Path) -> Iterator[dict[str, str]]:
    """Start servers and yield the URL of each.

    Args:
        names: keys of ``PEERS``, which are modules of ``bench.servers``.
        environment: variables that tell them where the database and the pod's files are.
        work: a folder for their logs.

    Raises:
        RuntimeError: a server does not start; the message holds the end of its log.
    """
    started: list[subprocess.Popen[bytes]] = []
    try:
        urls = {}
        for name in names:
            port = _free_port()
            log = work / f"{name}.log"
            with log.open("wb") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", f"bench.servers.{name}", str(port)],
                    cwd=ROOT,
                    env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            started.append(process)
            _wait(name, process, port, log)
            urls[name] = f"http://127.0.0.1:{port}"
        yield urls
    finally:
        for process in started:
            _stop(process)


def _wait(name: str, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
    raise RuntimeError(f"the server {name} does not start; the end of {log} says: {' / '.join(tail) or 'nothing'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Kill the server and its workers: an idle bjoern would survive SIGTERM."""
    if process.poll() is None:
        os.killpg(process.pid, 9)  # the group was made for it
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
