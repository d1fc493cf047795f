"""The environment answers as python/server.py of Fission's Python environment 1.35.0 does.

`observed/` holds what the real server answered in both of its modes; `record.py` makes it anew. The same requests go
to ours in every run, and to a real server.py if FISSION_PYTHON_SERVER has its path (and FISSION_PYTHON the path of an
interpreter that has its requirements).

What the router adds and takes was not observed but read in its source, FACTS 1; see test_router.py, test_gateway.py.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.serve.functions import Function
from kit.serve.gateway import Gateway
from kit.serve.http import HttpServer
from kit.serve.router import Route, Router
from kit.serve.workers import Workers

_spec = importlib.util.spec_from_file_location("pods", Path(__file__).with_name("pods.py"))
pods = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pods)

CASES = pods.corpus()
OURS = [sys.executable, str(pods.HERE / "ours.py")]
ADDED = [["Vary", "Origin"], ["X-Content-Type-Options", "nosniff"]]  # by the router, to every answer


def ids(case: dict) -> str:
    return case["id"]


@pytest.fixture(scope="module", params=pods.MODES)
def mode(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def answers(mode, tmp_path_factory) -> dict:
    """What ours answers. All requests go to one process, in their order, because some load functions."""
    with pods.running(OURS, mode, tmp_path_factory.mktemp(mode)) as pod:
        return {case["id"]: pod.send(case) for case in CASES}


def test_the_corpus_is_complete():
    names = [case["id"] for case in CASES]
    assert len(names) == len(set(names)) >= 200
    for mode in pods.MODES:
        assert list(pods.recorded(mode)) == names


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_ours_answers_like_the_real_server(answers, mode, case):
    assert answers[case["id"]] == pods.recorded(mode)[case["id"]]


@pytest.mark.skipif("FISSION_PYTHON_SERVER" not in os.environ, reason="FISSION_PYTHON_SERVER names no server.py")
def test_a_real_server_still_answers_as_observed(mode, tmp_path):
    command = [os.environ.get("FISSION_PYTHON", sys.executable), os.environ["FISSION_PYTHON_SERVER"]]
    with pods.running(command, mode, tmp_path) as pod:
        seen = {case["id"]: pod.send(case) for case in CASES}
    assert seen == pods.recorded(mode)


def test_sigterm_ends_ours_and_a_failed_specialisation_keeps_it_alive(tmp_path):
    with pods.running(OURS, "bjoern", tmp_path) as pod:
        assert pod.send(CASES[0])["status"] == 200
        assert pod.end() != 0
        assert "Traceback" not in pod.output()


# Go escapes the raw path, and a worker of its own has its own state
THROUGH = [
    case for case in CASES if case.get("handler", "stateful.main") != "stateful.main" and "raw " not in case["id"]
]


@pytest.fixture(scope="module")
def router_port(tmp_path_factory) -> Iterator[tuple[int, Workers]]:
    """Every function of the corpus behind a trimmed prefix, in worker processes, behind the router."""
    folder = tmp_path_factory.mktemp("router")
    functions = {
        handler: Function(handler.replace(".", "-").replace("_", "-"), "default", handler, 20, Path("x.py"))
        for handler in dict.fromkeys(case["handler"] for case in THROUGH)
    }
    methods = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"})
    routes = [Route(f.name, f"/{f.name}", True, False, methods, f) for f in functions.values()]
    template = Path(__file__).parents[3] / "template"
    workers = Workers(template, [pods.HERE / "functions"], {}, folder)
    workers.start()
    listener = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(listener, Gateway(Router(routes), workers.invoke))
    port = listener.getsockname()[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield port, workers
    server.close()
    workers.stop()


@pytest.mark.parametrize("case", THROUGH, ids=ids)
def test_the_router_passes_answers_on_unchanged(router_port, case):
    port, workers = router_port
    prefix = "/" + case["handler"].replace(".", "-").replace("_", "-")
    seen = pods.exchange(port, case | {"target": prefix + case["target"]})
    workers.reload()  # ends the worker, so that there are never a hundred
    wanted = dict(pods.recorded("bjoern")[case["id"]])
    for name in ("reason", "log"):
        wanted.pop(name, None)
        seen.pop(name, None)
    assert [h for h in seen["headers"] if h[0] == "X-Fission-Request-Id"]
    seen["headers"] = [h for h in seen["headers"] if h[0] != "X-Fission-Request-Id"]
    wanted["headers"] = sorted([*wanted["headers"], *ADDED])
    if case["handler"] == "echo.main" and wanted["status"] == 200:
        seen, wanted = without_headers(seen), without_headers(wanted)
    assert seen == wanted


def without_headers(answer: dict) -> dict:
    """What echo saw, without the headers: the router adds its own; the answer's length follows."""
    kept = {name: value for name, value in answer.items() if name not in ("bytes", "head")}
    kept["headers"] = [header for header in answer["headers"] if header[0] != "Content-Length"]
    if answer.get("body"):
        kept["body"] = {name: value for name, value in json.loads(answer["body"]).items() if name != "headers"}
    return kept
