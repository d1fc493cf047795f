"""A pod's environment as a process of its own, real or ours, and exact requests to it."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MODES = ("bjoern", "gevent")
PATIENCE = 20.0  # seconds; only a broken server needs them
QUIET = 0.03  # seconds in which a server that has answered writes its last line
# The garbage collector chooses the request during which this is written about a coroutine of an earlier one.
_COLLECTED = re.compile(
    r"(?m)^.*RuntimeWarning: coroutine .* was never awaited\n(?: .*\n)?RuntimeWarning: Enable tracemalloc .*\n"
)
_VARIES = {"date", "server", "connection", "keep-alive"}  # the router replaces or drops them, and none is a function's


def corpus() -> list[dict[str, Any]]:
    """All requests, in the order in which they are sent."""
    return [
        case | {"id": f"{path.stem}: {case['id']}"}
        for path in sorted((HERE / "corpus").glob("*.json"))
        for case in json.loads(path.read_text("utf-8"))
    ]


def recorded(mode: str) -> dict[str, Any]:
    """What the real server answered, by the id of the request."""
    found: dict[str, Any] = json.loads((HERE / "observed" / f"{mode}.json").read_text("utf-8"))
    return found


class Pod:
    """A running environment.

    Args:
        command: starts it; the port and the folder for `state.json` come in RUNTIME_PORT and USERFUNCVOL.
        mode: one of MODES.
        folder: an empty one, for the functions and the output.
    """

    def __init__(self, command: Sequence[str], mode: str, folder: Path) -> None:
        self.code = folder / "deployarchive"
        shutil.copytree(HERE / "functions", self.code, ignore=shutil.ignore_patterns("__pycache__"))
        (self.code / "broken_syntax.py").write_text("def main(:\n")
        self._files = [folder / "stdout", folder / "stderr"]
        (folder / "away").mkdir()
        self.port = _free_port()
        unwanted = ("PYTHON", "SENTRY", "PYTEST", "FISSION")
        environ = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        environ |= {"RUNTIME_PORT": str(self.port), "USERFUNCVOL": str(folder), "PYTHONUNBUFFERED": "1"}
        environ |= {"PYTHONDONTWRITEBYTECODE": "1"} | ({"WSGI_FRAMEWORK": "GEVENT"} if mode == "gevent" else {})
        with self._files[0].open("wb") as out, self._files[1].open("wb") as err:
            self.process = subprocess.Popen(command, env=environ, cwd=folder / "away", stdout=out, stderr=err)
        self._specialized: str | None = None
        self._wait()

    def send(self, case: dict[str, Any]) -> dict[str, Any]:
        """Send one request of the corpus and return what can be seen of the answer."""
        wanted = case.get("handler")
        if wanted is not None and wanted != self._specialized:
            self.specialize(wanted)
        before = [path.stat().st_size for path in self._files]
        answer = exchange(self.port, case, self._expand)
        if case.get("log"):
            time.sleep(QUIET)
            answer["log"] = [self._log(path, size) for path, size in zip(self._files, before, strict=True)]
        if case["target"].startswith("/v2/") or case["target"].startswith("/specialize"):
            self._specialized = None
        return answer

    def specialize(self, handler: str) -> None:
        """Load a function as Fission's fetcher does."""
        body = json.dumps({"filepath": str(self.code), "functionName": handler})
        headers = [["Content-Type", "application/json"]]
        answer = exchange(self.port, {"method": "POST", "target": "/v2/specialize", "headers": headers, "body": body})
        assert answer["status"] == 200, (handler, self._files[1].read_text())
        self._specialized = handler

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def output(self) -> str:
        """Everything that was written so far."""
        return "".join(path.read_text("utf-8", "replace") for path in self._files)

    def _expand(self, text: str) -> str:
        return text.replace("{code}", str(self.code))

    def _log(self, path: Path, start: int) -> list[str]:
        """The new lines, without times, paths, and the frames of tracebacks."""
        text = path.read_bytes()[start:].decode("utf-8", "replace").replace(str(self.code), "{code}")
        text = re.sub(r"Traceback \(most recent call last\):\n(?: .*\n)+", "Traceback: ", text)
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", "<time>", text)
        text = _COLLECTED.sub("", text)
        text = re.sub(r"(?m)^127\.0\.0\.1 - - \[.*\n", "", text)  # gevent's access log; ours has its own
        return text.splitlines()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"the environment does not start: {self.output()}")


@contextmanager
def running(command: Sequence[str], mode: str, folder: Path) -> Iterator[Pod]:
    """Start an environment and end it."""
    pod = Pod(command, mode, folder)
    try:
        yield pod
    finally:
        pod.end(signal.SIGKILL)


def exchange(port: int, case: dict[str, Any], expand: Any = str) -> dict[str, Any]:
    """Send exactly the bytes that a case describes, and read the answer."""
    body = expand(case.get("body", "")).encode("latin-1") * case.get("times", 1)
    headers = [["Host", "pod.internal:8888"], *case.get("headers", [])]
    if case.get("chunked"):
        headers.append(["Transfer-Encoding", "chunked"])
        half = len(body) // 2
        parts = [part for part in (body[:half], body[half:]) if part]
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    elif body or case["method"] in ("POST", "PUT", "PATCH"):
        headers.append(["Content-Length", str(len(body))])
    lines = [f"{case['method']} {case['target']} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + body)
        answer = http.client.HTTPResponse(connection, method=case["method"])
        answer.begin()
        framed = answer.chunked or answer.getheader("Content-Length") is not None
        try:
            content, complete = answer.read(), True
        except (http.client.IncompleteRead, ConnectionError) as error:
            content, complete = getattr(error, "partial", b""), False
    kept = [[name.title(), _sorted(name, value)] for name, value in answer.getheaders() if name.lower() not in _VARIES]
    if not framed and answer.status not in (204, 304):
        kept.append(["Content-Length", str(len(content))])  # the end of the connection says it; the router writes it
    seen = {"status": answer.status, "reason": answer.reason, "headers": sorted(kept)} | _body(content)
    return seen if complete else seen | {"complete": False}


def _sorted(name: str, value: str) -> str:
    """Werkzeug lists the allowed methods in the order of a set, which is another one in each process."""
    return ", ".join(sorted(value.split(", "))) if name.lower() == "allow" else value


def _body(content: bytes) -> dict[str, Any]:
    if len(content) > 4000:
        return {"bytes": len(content), "head": content[:20].decode("latin-1")}
    try:
        return {"body": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode("ascii")}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
