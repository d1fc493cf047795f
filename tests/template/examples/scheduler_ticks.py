"""Ticks of the scheduler as processes, and the loopback server of the example's own tests."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

TEMPLATE = Path(__file__).parents[3] / "template"

# One process loads the function, as a pod does, and forks; the children begin when the parent's stdin is closed.
FIRE = """
import json, os, sys
from pathlib import Path
from werkzeug.test import Client
from kit.serve.environment import FunctionApp

template, number = Path(sys.argv[1]), int(sys.argv[2])
app = FunctionApp()
app.specialize([template / "src", template / "examples"], "example_scheduler_tick.main")
import psycopg2, cronsim  # what the first request would import
children = []
for _ in range(number):
    child = os.fork()
    if child == 0:
        sys.stdin.read()
        answer = Client(app).post("/")
        os.write(1, f"ANSWER {answer.status_code} {answer.text}\\n".encode())
        os._exit(0)
    children.append(child)
os.write(1, b"READY\\n")
for child in children:
    os.waitpid(child, 0)
"""


def own_tests() -> ModuleType:
    """Return the module of the example's own tests of the tick, with its server and its recorded answers."""
    path = TEMPLATE / "examples/test/test_example_scheduler_tick.py"
    spec = importlib.util.spec_from_file_location("scheduler_tick_tests", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    """Serve in a thread."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Ticks:
    """Processes that wait to fire the tick at the same moment.

    Args:
        root: their FISSION_POD_ROOT.
        number: how many.
    """

    def __init__(self, root: Path, number: int) -> None:
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "DATABASE_URL"))}
        environ |= {"FISSION_POD_ROOT": str(root), "PYTHONPATH": str(TEMPLATE)}
        command = [sys.executable, "-c", FIRE, str(TEMPLATE), str(number)]
        self.process = subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Ticks:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def fire(self) -> None:
        """Let all begin at once."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "READY\n"
        self.process.stdin.close()
        self.process.stdin = None

    def answers(self, seconds: float = 60) -> list[dict[str, Any]]:
        """Wait for all of them and return what they answered."""
        output, _ = self.process.communicate(timeout=seconds)
        lines = [line.split(" ", 2) for line in output.splitlines() if line.startswith("ANSWER ")]
        assert {status for _, status, _ in lines} <= {"200"}, output
        return [json.loads(text) for _, _, text in lines]

    def kill(self) -> None:
        """End all of them, without any warning."""
        if self.process.returncode is None:
            os.killpg(self.process.pid, 9)
            self.process.communicate()
