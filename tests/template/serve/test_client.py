"""The test client of users' tests: timers, messages, events and the time limit."""

from __future__ import annotations

import os
import subprocess
import sys

FUNCTION = '''
import time

import flask


def main():
    """Test.

    ```fission
    {
      "name": "acme-orders-job",
      "timeout_seconds": 1,
      "timers": {"nightly": {"cron": "0 3 * * *"}},
      "queues": {"orders": {"type": "kafka", "topic": "new-orders", "max_retries": 2}},
      "watches": {"pods": {"type": "POD"}},
      "http_triggers": {"slow": {"url": "/slow", "methods": ["GET"]}}
    }
    ```
    """
    if flask.request.method == "GET":
        try:
            time.sleep(30)
        except Exception:
            return "swallowed"
    headers = flask.request.headers
    wanted = ("X-Fission-Timer-Name", "Keda-Topic", "X-Kubernetes-Event-Type")
    return {"header": next(filter(None, map(headers.get, wanted))), "json": flask.request.get_json(silent=True)}
'''
TESTS = """
import time

import pytest
from kit.errors import KitError


def test_a_timer(client):
    answer = client.timer("nightly")
    assert (answer.status_code, answer.json["header"]) == (200, "acme-orders-job-nightly")


def test_a_message(client):
    assert client.message("new-orders", {"id": 7}).json == {"header": "new-orders", "json": {"id": 7}}


def test_an_event(client):
    assert client.event("pods", {"kind": "Pod"}, event="DELETED").json["header"] == "DELETED"


def test_what_is_not_there_is_said(client):
    with pytest.raises(KitError, match="there is no timer called daily; there are: inbox, nightly, scheduler, sweep"):
        client.timer("daily")


def test_a_function_that_hangs_is_a_504_and_not_a_hanging_test(client):
    begin = time.monotonic()
    answer = client.get("/slow")
    assert (answer.status_code, answer.json["reason"]) == (504, "function_timeout")
    assert time.monotonic() - begin < 5
    assert client.timer("nightly").status_code == 200
"""


def test_the_client_in_a_project(project):
    (project / "src" / "job.py").write_text(FUNCTION)
    (project / "test" / "test_job.py").write_text(TESTS)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "test/test_job.py"]
    done = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert "5 passed" in done.stdout, done.stdout
