"""A real Dagster: its own virtual environment, made once, and one webserver for the whole run."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PLACE = ROOT / ".cache/dagster"
PINNED = ROOT / "requirements/dagster.txt"
DEFINITIONS = Path(__file__).with_name("dagster_definitions.py")
LOCATION = "lab"
PATIENCE_SECONDS = 180  # a webserver loads the definitions in another process; on a busy machine that takes a while

# The default coordinator leaves runs in a queue for a daemon, which is another heavy process; this one starts them.
INSTANCE = """
telemetry:
  enabled: false
run_coordinator:
  module: dagster._core.run_coordinator
  class: DefaultRunCoordinator
"""
WORKSPACE = f"""
load_from:
  - python_file:
      relative_path: {DEFINITIONS}
      location_name: {LOCATION}
"""


def environment() -> Path:
    """Return the folder with Dagster's programs; make the environment if it is not there or pins something else.

    Raises:
        subprocess.CalledProcessError: the packages cannot be installed; its output says why.
    """
    stamp = hashlib.sha256(PINNED.read_bytes() + sys.version.encode()).hexdigest()
    PLACE.parent.mkdir(exist_ok=True)
    with (PLACE.parent / "dagster.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker = PLACE / ".installed"
        if not marker.is_file() or marker.read_text() != stamp:
            uv = str(Path(sys.executable).with_name("uv"))
            python = ["--python", str(PLACE / "bin/python")]
            for command in (
                [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(PLACE)],
                [uv, "pip", "sync", "--quiet", "--require-hashes", *python, str(PINNED)],
            ):
                subprocess.run(command, check=True, capture_output=True, text=True)
            marker.write_text(stamp)
    return PLACE / "bin"


class Webserver:
    """`dagster-webserver` on a free port of loopback; it can be stopped and started again on the same one.

    Args:
        programs: the folder with Dagster's programs.
        home: an empty folder for Dagster's data.
    """

    def __init__(self, programs: Path, home: Path) -> None:
        self.programs, self.home = programs, home
        (home / "dagster.yaml").write_text(INSTANCE)
        (home / "workspace.yaml").write_text(WORKSPACE)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PG", "DAGSTER"))}
        environ |= {"DAGSTER_HOME": str(self.home)}
        program = str(self.programs / "dagster-webserver")
        with (self.home / "log").open("a") as log:
            self.process = subprocess.Popen(
                [program, "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(self.port)],
                cwd=self.home,
                env=environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with urllib.request.urlopen(self.url + "/server_info", timeout=5):
                    return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    pytest.fail("Dagster's webserver does not start:\n" + (self.home / "log").read_text()[-3000:])
            time.sleep(0.1)

    def stop(self) -> None:
        """End it with all that it has started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait()
            self.process = None


class Proxy(ThreadingHTTPServer):
    """Forwards requests to Dagster, and loses those answers that it is told to lose."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.target = target
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.lose = b""  # a piece of a request whose answer will not arrive
        self.lost: list[bytes] = []


class _Forward(BaseHTTPRequestHandler):
    server: Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {"Content-Type": self.headers["Content-Type"]}
        with urllib.request.urlopen(urllib.request.Request(self.server.target + self.path, body, headers)) as answer:
            found = answer.read()
        if self.server.lose and self.server.lose in body:
            self.server.lost.append(found)
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def webserver(required: set[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webserver]:
    try:
        programs = environment()
    except (subprocess.CalledProcessError, OSError) as error:
        reason = f"Dagster cannot be installed into {PLACE}: {getattr(error, 'stderr', '') or error}"
        assert "dagster" not in required, reason
        pytest.skip(reason + "; the recorded answers stand in for it, see examples/test/test_example_scheduler_tick.py")
    server = Webserver(programs, tmp_path_factory.mktemp("dagster"))
    server.start()
    yield server
    server.stop()
