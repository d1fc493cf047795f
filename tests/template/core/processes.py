"""A pod as a process: the example behind the environment's application, one request at a time, on a real port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

TEMPLATE = Path(__file__).parents[3] / "template"
SERVE = """
import sys
from pathlib import Path
from werkzeug.serving import WSGIRequestHandler, make_server
from kit.serve.environment import FunctionApp

WSGIRequestHandler.log = lambda *_: None
app = FunctionApp()
app.specialize([Path(sys.argv[1], "src"), Path(sys.argv[1], "examples")], "example_crud.main")
server = make_server("127.0.0.1", 0, app)
print(server.port, flush=True)
server.serve_forever()
"""


@dataclass
class Answer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class PodProcess:
    """A running pod.

    Args:
        root: its FISSION_POD_ROOT; what it logs goes to the file `log` in there.
    """

    root: Path
    process: subprocess.Popen[str] = field(init=False)
    port: int = field(init=False)

    def __enter__(self) -> PodProcess:
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("PG_", "DATABASE_URL"))}
        environ |= {"FISSION_POD_ROOT": str(self.root), "PYTHONPATH": str(TEMPLATE)}
        command = [sys.executable, "-c", SERVE, str(TEMPLATE)]
        self.log = (self.root / "log").open("w+")
        self.process = subprocess.Popen(
            command, env=environ, cwd="/", stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self._drain = subprocess.Popen(["cat"], stdin=self.process.stdout, stdout=self.log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._drain.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.root / "log").read_text().splitlines() if line.startswith("{")]

    def send(self, method: str, path: str, body: Any = None, itemid: str | None = None) -> Answer:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if itemid is not None:
            headers["X-Fission-Params-Itemid"] = itemid
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answer(response.status, dict(response.headers), response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read().decode())
