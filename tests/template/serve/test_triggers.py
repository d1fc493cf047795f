"""Timers, queues and watches reach functions with the headers of FACTS 8 and 9."""

from __future__ import annotations

import json
import time
from pathlib import Path

import flask
import pytest
from kit.errors import KitError
from kit.serve.environment import FunctionApp
from kit.serve.functions import Function, Served
from kit.serve.gateway import Gateway, Record
from kit.serve.router import Router
from kit.serve.triggers import Triggers
from kit.serve.wsgi import call_wsgi
from kit.specs.docstring import read_functions

BLOCK = """
"timers": {"nightly": {"cron": "0 3 * * *"}, "odd": {"cron": "@hourly", "method": "GET", "subpath": "/a/b"}},
"queues": {
  "orders": {"type": "kafka", "topic": "new-orders", "response_topic": "done", "error_topic": "bad", "max_retries": 2},
  "own": {"type": "kafka", "kind": "fission", "topic": "own", "content_type": "text/plain", "max_retries": 1}},
"watches": {"pods": {"type": "POD"}}
"""


def echo():
    seen = flask.request
    wanted = int(seen.get_data(as_text=True).partition("status=")[2] or 200)
    return {
        "method": seen.method,
        "path": seen.path,
        "headers": dict(seen.headers),
        "body": seen.get_data(as_text=True),
    }, wanted


@pytest.fixture
def calls() -> list[Record]:
    return []


@pytest.fixture
def triggers(write_function, project, calls) -> Triggers:
    write_function("job", "pass", block=BLOCK.replace("\n", ""))
    block = next(b for b in read_functions(project / "src") if b.module == "job")
    function = Function(block.config.name, "shop", "job.main", 60, Path("job.py"))
    app = FunctionApp()
    app.function = echo
    gateway = Gateway(Router([]), lambda _, environ: call_wsgi(app, environ), calls.append)
    return Triggers(Served([block], [function], []), gateway.call)


def test_a_timer_sends_its_name_and_nothing_else(triggers, calls):
    outcome = triggers.fire("nightly")
    seen = json.loads(outcome.body)
    assert (outcome.status, outcome.trigger, outcome.note) == (200, "acme-orders-job-nightly", "done")
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/", "")
    headers = seen["headers"]
    assert headers["X-Fission-Timer-Name"] == "acme-orders-job-nightly"
    assert headers["X-Fission-Function-Name"] == "acme-orders-job"
    assert headers["X-Fission-Full-Url"] == "/fission-function/shop/acme-orders-job/"
    assert headers["Content-Length"] == "0"
    assert headers["X-Fission-Request-Id"]
    assert "Content-Type" not in headers
    assert not [name for name in headers if "Params" in name]
    assert [(call.method, call.status, call.function) for call in calls] == [("POST", 200, "acme-orders-job")]


def test_method_and_subpath_of_a_timer(triggers):
    seen = json.loads(triggers.fire("acme-orders-job-odd").body)
    assert (seen["method"], seen["path"]) == ("GET", "/a/b")


def test_a_message_of_keda(triggers):
    (outcome,) = triggers.send("new-orders", b'{"a": 1}')
    headers = json.loads(outcome.body)["headers"]
    assert headers["Content-Type"] == "application/json"
    assert headers["Keda-Topic"] == "new-orders"
    assert headers["Keda-Response-Topic"] == "done"
    assert headers["Keda-Error-Topic"] == "bad"
    assert headers["Keda-Source-Name"] == "acme-orders-job-orders"
    assert (outcome.attempts, outcome.note) == (1, "the answer goes to done")
    assert triggers.send("orders", b"status=202")[0].attempts == 1


def test_a_message_that_fails_is_repeated_and_described(triggers, calls):
    (outcome,) = triggers.send("new-orders", b"status=500")
    assert (outcome.attempts, outcome.status, len(calls)) == (3, 500, 3)
    assert outcome.note == "a description of the error goes to bad"


def test_fission_s_own_consumer_wants_exactly_200(triggers):
    (outcome,) = triggers.send("own", b"status=201")
    headers = json.loads(outcome.body)["headers"]
    assert headers["X-Fission-Mqtrigger-Topic"] == "own"
    assert headers["Content-Type"] == "text/plain"
    assert (outcome.attempts, outcome.note) == (2, "the message is lost")


def test_an_event_of_kubernetes(triggers):
    outcome = triggers.notify("pods", "DELETED", b'{"kind": "Pod"}')
    seen = json.loads(outcome.body)
    assert seen["headers"]["X-Kubernetes-Event-Type"] == "DELETED"
    assert seen["headers"]["X-Kubernetes-Object-Type"] == "Pod"
    assert seen["headers"]["Content-Type"] == "application/json"
    assert seen["body"] == '{"kind": "Pod"}'


def test_what_is_not_there_is_named_with_what_is(triggers):
    for call, text in [
        (lambda: triggers.fire("daily"), "there is no timer called daily; there are: nightly, odd"),
        (
            lambda: triggers.send("x", b""),
            "no function listens to the topic x; topics of this project: new-orders, own",
        ),
        (lambda: triggers.notify("x", "ADDED", b""), "there is no watch called x; there are: pods"),
        (
            lambda: triggers.notify("pods", "GONE", b""),
            "GONE is no event of Kubernetes; there are: ADDED, MODIFIED, DELETED",
        ),
    ]:
        with pytest.raises(KitError) as error:
            call()
        assert str(error.value) == text


def test_the_commands_reach_the_running_server(serve, write_function, run_kit):
    body = """data = flask.request.get_data(as_text=True)
return flask.request.headers.get('X-Fission-Timer-Name') or data, 500 if data == 'no' else 200"""
    write_function("job", body, top="import flask", block=BLOCK.replace("\n", ""))
    missing = run_kit("fire", "nightly")
    assert (missing.returncode, missing.stderr) == (
        1,
        "error: no local server runs in this project; start it with: make run\n",
    )
    running = serve()
    fired = run_kit("fire", "nightly")
    assert fired.stdout == "acme-orders-job-nightly: acme-orders-job answered 200; done\nacme-orders-job-nightly\n"
    sent = run_kit("send", "new-orders", "-", input="hello")
    assert sent.stdout == "acme-orders-job-orders: acme-orders-job answered 200; the answer goes to done\nhello\n"
    failed = run_kit("send", "new-orders", "no")
    assert (failed.returncode, "answered 500 after 3 attempts" in failed.stdout) == (1, True)
    assert run_kit("send", "pods", "{}", "--event", "ADDED").returncode == 0
    unknown = run_kit("fire", "daily")
    assert (unknown.returncode, unknown.stderr) == (
        1,
        "error: there is no timer called daily; there are: inbox, nightly, odd, scheduler, sweep\n",
    )
    running.wait_for(r"POST /fission-function/acme-orders-job/ 200 \d+\.\d ms acme-orders-job")
    running.end()
    assert "start it with: make run" in run_kit("fire", "nightly").stderr


def test_timers_fire_on_schedule_only_when_asked_and_never_overlap(serve, write_function, project):
    marks = project / "marks.txt"
    body = f"with open({str(marks)!r}, 'a') as file:\n    file.write(f'begin {{time.time()}}\\n')\ntime.sleep(1.2)\n"
    body += f"with open({str(marks)!r}, 'a') as file:\n    file.write('end\\n')\nreturn 'ok'"
    write_function("job", body, top="import time", block='"timers": {"often": {"cron": "* * * * * *"}}')
    running = serve()
    time.sleep(1.5)
    assert not marks.exists()
    running.end()
    running = serve("--timers")
    running.wait_for(r"(?s)timer acme-orders-job-often: 200, done.*timer acme-orders-job-often: 200, done")
    running.end()
    lines = [line.split()[0] for line in marks.read_text().splitlines()]
    assert lines[:4] == ["begin", "end", "begin", "end"]
