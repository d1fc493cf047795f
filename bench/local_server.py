"""How fast the local server is.

python -m bench.local_server

Three numbers, each with its target:

* overhead of one request through `python -m kit serve` over the same function in bare Flask, at the median: 1 ms.
  Bare Flask is asked twice: in werkzeug's server over HTTP, as `flask run` does it, and called directly, without any
  HTTP. The overhead over the direct call is the one that has the target; it includes HTTP, routing and the process.
* seconds from saving a file to the first answer of the new code: under 1 s.
* seconds from the start of the command to its first answer, with data of an earlier run: under 2 s.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import EnvironBuilder, run_wsgi_app

ROOT = Path(__file__).resolve().parents[1]
REQUESTS = 2000
WARM_UP = 200
ROUNDS = 5
FUNCTION = '''
def main():
    """Answer at once.

    ```fission
    {"name": "your-service-bare", "http_triggers": {"bare": {"url": "/bare", "methods": ["GET"]}}}
    ```
    """
    return {"answer": %d}
'''


def main() -> int:
    """Measure, print, and return 0 if all targets are met."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "your-service")
        ignored = shutil.ignore_patterns(".kit", ".venv", "__pycache__", ".*_cache")
        shutil.copytree(ROOT / "template", project, ignore=ignored)
        (project / "src/bare.py").write_text(FUNCTION % 0)
        with running(project):
            pass  # makes the data directory and applies the migrations
        starts, reloads = [], []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            with running(project) as port:
                ask(http.client.HTTPConnection("127.0.0.1", port), "/health")
                starts.append(time.perf_counter() - begin)
        with running(project) as port:
            ours = over_http(port)
            for turn in range(1, ROUNDS + 1):
                reloads.append(reload(project, port, turn))
    with bare_flask() as (app, port):
        flask_http, flask_direct = over_http(port), directly(app)
    print(f"bare Flask, called directly      {flask_direct * 1000:7.3f} ms per request (median of {REQUESTS})")
    print(f"bare Flask, werkzeug over HTTP   {flask_http * 1000:7.3f} ms; ours is {ours / flask_http:.2f} times that")
    print(f"python -m kit serve over HTTP    {ours * 1000:7.3f} ms")
    return sum(
        [
            verdict("overhead per request", ours - flask_direct, 0.001),
            verdict("reload", statistics.median(reloads), 1.0),
            verdict("start to first answer", statistics.median(starts), 2.0),
        ]
    )


def verdict(name: str, seconds: float, target: float) -> int:
    """Print a number with its target; 1 if it is missed."""
    met = seconds <= target
    print(f"{name:<32} {seconds * 1000:7.1f} ms, target {target * 1000:.0f} ms: {'met' if met else 'MISSED'}")
    return int(not met)


@contextlib.contextmanager
def running(project: Path) -> Iterator[int]:
    """Run the local server of a project and yield its port."""
    command = [sys.executable, "-m", "kit", "serve", "--port", "0"]
    log = project / "serve.log"
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=project, stdout=file, stderr=subprocess.STDOUT)
    try:
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/", log.read_text())):
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.005)
        yield int(found[1])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


@contextlib.contextmanager
def bare_flask() -> Iterator[tuple[Flask, int]]:
    """Serve the function with nothing but Flask."""
    app = Flask("bare")
    app.add_url_rule("/bare", view_func=lambda: {"answer": 0}, endpoint="bare")

    class Quiet(WSGIRequestHandler):
        def log(self, *_: object) -> None:
            pass

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield app, server.server_port
    server.shutdown()


def over_http(port: int) -> float:
    """Return the median seconds of one request; the connection is kept if the server keeps it."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    return median(lambda: ask(connection, "/bare"))


def directly(app: Flask) -> float:
    """Return the median seconds of one call of the WSGI application."""
    environ = EnvironBuilder("/bare").get_environ()
    return median(lambda: run_wsgi_app(app, environ, buffered=True))


def median(call: Callable[[], object]) -> float:
    """Return the median seconds of a call after a warm-up."""
    for _ in range(WARM_UP):
        call()
    times = []
    for _ in range(REQUESTS):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def ask(connection: http.client.HTTPConnection, path: str) -> bytes:
    """Return the body of an answer, whatever its status."""
    connection.request("GET", path)
    return connection.getresponse().read()


def reload(project: Path, port: int, turn: int) -> float:
    """Return the seconds until a change is served."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    (project / "src/bare.py").write_text(FUNCTION % turn)
    begin = time.perf_counter()
    while ask(connection, "/bare") != b'{"answer":%d}\n' % turn:
        time.sleep(0.005)
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
