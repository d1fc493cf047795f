"""The tick against an HTTP server on loopback that answers as Dagster does.

RECORDED is what Dagster 1.13 answered, with ids replaced; the kit's own tests compare it with a real Dagster.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest

import example_scheduler_dagster as dagster
import example_scheduler_tick
from helpers import execute, fetch_all, fetch_one

RECORDED: dict[str, tuple[int, str]] = {
    "launched": (200, '{"data":{"launchRun":{"__typename":"LaunchRunSuccess","run":{"runId":"RUN"}}}}'),
    "no job": (
        200,
        '{"data":{"launchRun":{"__typename":"PipelineNotFoundError",'
        '"message":"Could not find Pipeline lab.__repository__.nope"}}}',
    ),
    "bad config": (
        200,
        '{"data":{"launchRun":{"__typename":"RunConfigValidationInvalid","errors":[{"message":"Invalid scalar at path '
        'root:ops:waits:config:seconds. Value \\"x\\" of type \\"<class \'str\'>\\" is not valid for expected type '
        '\\"Float\\"."}]}}}',
    ),
    "no runs": (200, '{"data":{"runsOrError":{"__typename":"Runs","results":[]}}}'),
    "a run": (200, '{"data":{"runsOrError":{"__typename":"Runs","results":[{"runId":"RUN","status":"FAILURE"}]}}}'),
    "steps": (
        200,
        '{"data":{"runsOrError":{"__typename":"Runs","results":[{"runId":"RUN",'
        '"stepStats":[{"stepKey":"breaks","status":"FAILURE"}]}]}}}',
    ),
    "terminated": (200, '{"data":{"terminateRun":{"__typename":"TerminateRunSuccess"}}}'),
    "had ended": (
        200,
        '{"data":{"terminateRun":{"__typename":"TerminateRunFailure",'
        '"message":"Run RUN could not be terminated due to having status FAILURE."}}}',
    ),
    "unknown run": (
        200,
        '{"data":{"terminateRun":{"__typename":"RunNotFoundError","message":"Pipeline run RUN could not be found."}}}',
    ),
    "bad document": (
        400,
        '{"data":null,"errors":[{"message":"Cannot query field \'nonsense\' on type \'RunsOrError\'.",'
        '"locations":[{"line":1,"column":23}]}]}',
    ),
}

Answer = tuple[int, Any]


class Dagster(ThreadingHTTPServer):
    """Launches runs by their tags, as far as one can see from outside; `script` makes single answers special."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.runs: dict[str, dict[str, Any]] = {}  # Dagster's id to status and tags
        self.asked: list[str] = []
        self.headers: list[Any] = []
        self.script: dict[str, list[Any]] = {}

    def answer(self, name: str, variables: dict[str, Any]) -> Answer:
        if name == "Launch":
            run_id = str(uuid4())
            tags = {tag["key"]: tag["value"] for tag in variables["params"]["executionMetadata"]["tags"]}
            self.runs[run_id] = {"status": "STARTED", "tags": tags, "params": variables["params"]}
            return filled("launched", run_id)
        if name == "Terminate":
            self.runs[variables["runId"]]["status"] = "CANCELING"
            return filled("terminated")
        wanted = variables["filter"]
        tags = {tag["key"]: tag["value"] for tag in wanted.get("tags", [])}
        found = [
            run_id
            for run_id, run in self.runs.items()
            if run_id in wanted.get("runIds", [run_id]) and tags.items() <= run["tags"].items()
        ]
        if name == "Steps":
            return filled("steps", found[0])
        status, body = filled("no runs")
        results = [{"runId": run_id, "status": self.runs[run_id]["status"]} for run_id in found]
        return status, body.replace(b"[]", json.dumps(results).encode())


class Handler(BaseHTTPRequestHandler):
    server: Dagster

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = re.search(r"(?:query|mutation) (\w+)", body["query"])[1]
        self.server.asked.append(name)
        self.server.headers.append(self.headers)
        special = self.server.script.get(name, [])
        special = special.pop(0) if special else None
        if callable(special):
            special = special(self, name, body["variables"])
            if special is None:
                return
        self.reply(*(special or self.server.answer(name, body["variables"])))

    def reply(self, status: int, body: Any, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


def filled(name: str, run_id: str = "") -> Answer:
    status, body = RECORDED[name]
    return status, body.replace("RUN", run_id).encode()


def launch_and_hang_up(handler: Handler, name: str, variables: dict[str, Any]) -> None:
    """Do what was asked, and never say so."""
    handler.server.answer(name, variables)
    handler.close_connection = True


def launch_and_give_up(handler: Handler, name: str, variables: dict[str, Any]) -> Answer:
    """Do what was asked, while a proxy has stopped waiting for it."""
    handler.server.answer(name, variables)
    return 504, b"Gateway Timeout"


def redirect(handler: Handler, _name: str, _variables: dict[str, Any]) -> None:
    handler.reply(302, b"", Location=handler.server.url + "/elsewhere")


@pytest.fixture
def server(pod: Any) -> Iterator[Dagster]:
    with Dagster() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        pod.set_config("DAGSTER_URL", running.url)
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def due(client: Any) -> Callable[..., str]:
    """Add a schedule with a run that is due, and return the run's id."""

    def add(**fields: Any) -> str:
        launch = {"repository_location": "lab", "job": "report", "run_config": {"a": 1}, "tags": {"team": "x"}}
        body = {"name": f"Report {uuid4()}", "cron": "@daily", "launch": launch, **fields}
        schedule = client.post("/schedules", json=body).json
        return client.post(f"/schedules/{schedule['id']}/runs").json["id"]

    return add


def tick(client: Any) -> dict[str, Any]:
    response = client.timer("scheduler")
    assert response.status_code == 200, response.text
    return {name: value for name, value in response.json.items() if value}


def run(run_id: str) -> dict[str, Any]:
    row = fetch_one("SELECT *, run_at > now() AS waits FROM schedule_runs WHERE id = %(id)s", {"id": run_id})
    assert row is not None
    return row


def again() -> None:
    """Let the pause after a failure be over."""
    execute("UPDATE schedule_runs SET run_at = now() WHERE state = 'queued'")


def test_a_due_schedule_is_planned_launched_and_followed_to_its_end(
    client: Any, server: Dagster, due: Any, capsys: pytest.CaptureFixture[str]
):
    due()
    execute("DELETE FROM schedule_runs")
    execute("UPDATE schedules SET next_at = date_trunc('day', now())")
    assert tick(client) == {"planned": 1, "launched": 1}
    ((dagster_run_id, launched),) = server.runs.items()
    (row,) = fetch_all("SELECT * FROM schedule_runs")
    assert (row["state"], row["dagster_run_id"], row["dagster_status"]) == ("launched", dagster_run_id, "STARTED")
    tags = {name.removeprefix("your-service/"): value for name, value in launched["tags"].items()}
    assert tags.pop("schedule").startswith("Report ")
    assert tags == {"team": "x", "run": row["id"], "tick": row["tick"].isoformat()}
    selector = {"repositoryLocationName": "lab", "repositoryName": "__repository__", "jobName": "report"}
    assert (launched["params"]["selector"], launched["params"]["runConfigData"]) == (selector, {"a": 1})
    launched["status"] = "SUCCESS"
    assert tick(client) == {"succeeded": 1}
    assert run(row["id"])["state"] == "succeeded"
    assert [line.count('"launched": 1') for line in capsys.readouterr().out.splitlines() if '"msg":"tick"' in line] == [
        1,
        0,
    ]
    server.asked.clear()
    assert (tick(client), server.asked) == ({}, [])


def test_a_failed_run_says_which_steps_failed(client: Any, server: Dagster, due: Any):
    run_id = due()
    tick(client)
    next(iter(server.runs.values()))["status"] = "FAILURE"
    assert tick(client) == {"failed": 1}
    assert run(run_id)["last_error"] == "Dagster says FAILURE; failed steps: breaks."


def test_a_failed_run_is_failed_also_when_its_steps_cannot_be_read(client: Any, server: Dagster, due: Any):
    run_id = due()
    tick(client)
    next(iter(server.runs.values()))["status"] = "FAILURE"
    server.script["Steps"] = [(500, b"oops")]
    assert tick(client) == {"failed": 1}
    assert "unknown" in run(run_id)["last_error"]


def test_a_run_that_dagster_lost_waits_for_a_person(client: Any, server: Dagster, due: Any):
    run_id = due()
    tick(client)
    server.runs.clear()
    assert tick(client) == {"dead": 1}
    assert "does not know" in run(run_id)["last_error"]


def test_a_run_that_takes_too_long_is_ended(client: Any, server: Dagster, due: Any):
    run_id = due(timeout_seconds=60)
    tick(client)
    execute("UPDATE schedule_runs SET launched_at = now() - interval '61 s'")
    server.script["Terminate"] = [(500, b"oops"), filled("had ended")]
    assert tick(client) == {}, "it is not given up before Dagster has understood"
    assert tick(client) == {"failed": 1}
    assert "timeout_seconds" in run(run_id)["last_error"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("bad config", "RunConfigValidationInvalid: Invalid scalar at path root:ops:waits:config:seconds."),
        ("bad document", "HTTP 400: Cannot query field"),
    ],
)
def test_what_can_never_work_is_dead_at_once_with_dagsters_reason(
    client: Any, server: Dagster, due: Any, answer: str, reason: str
):
    run_id = due()
    server.script["Launch"] = [filled(answer)]
    assert tick(client) == {"dead": 1}
    assert run(run_id)["last_error"].startswith(reason)
    assert client.post(f"/schedule-runs/{run_id}/redrive").status_code == 200
    assert tick(client) == {"launched": 1}, "what was wrong has been put right, and the run was redriven"


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"<html>oops</html>"),
        (200, b""),
        (200, b"[" * 100_000),
        (200, b"null"),
        (200, b"\xff\xfe"),
        (200, {"data": None, "errors": []}),
        (200, {"data": {"launchRun": None}, "errors": [{"message": "x" * 10_000}]}),
        (200, {"data": {"launchRun": "yes"}}),
        (200, {"data": {"launchRun": {"__typename": "LaunchRunSuccess", "run": None}}}),
        (200, {"data": {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": 7}}}}),
        (200, {"data": {"launchRun": {"__typename": ["x"], "message": {}, "errors": "no"}}}),
        (200, {"data": {"launchRun": {"__typename": "PythonError", "message": "no space\0 left"}}}),
        (400, b"The plain HTTP request was sent to HTTPS port"),
        (200, RECORDED["launched"][1].encode() + b" " * dagster.MAX_ANSWER_BYTES),
        launch_and_hang_up,
    ],
)
def test_an_answer_that_is_of_no_use_costs_one_attempt_and_is_tried_again(
    client: Any, server: Dagster, due: Any, answer: Any
):
    run_id, other = due(), due()
    server.script["Launch"] = [answer]
    assert tick(client) == {"queued": 1, "launched": 1}, "the run beside it is not held up"
    row = run(run_id)
    assert (row["state"], row["attempts"], row["waits"], run(other)["state"]) == ("queued", 1, True, "launched")
    assert 0 < len(row["last_error"]) <= 500
    again()
    assert tick(client)["launched"] == 1
    assert len(server.runs) == 2, "not one run more than there should be"


def test_a_job_that_dagster_does_not_know_may_be_there_again_before_the_attempts_are_used_up(
    client: Any, server: Dagster, due: Any
):
    patient, hasty = due(max_attempts=2), due(max_attempts=1)
    server.script["Launch"] = [filled("no job"), filled("no job")]
    assert tick(client) == {"queued": 1, "dead": 1}
    for run_id in (patient, hasty):
        assert run(run_id)["last_error"] == "PipelineNotFoundError: Could not find Pipeline lab.__repository__.nope"
    again()
    assert tick(client) == {"launched": 1}, "its code could be loaded again"
    assert [launched["tags"][dagster.RUN_TAG] for launched in server.runs.values()] == [patient]


@pytest.mark.parametrize("answer", [(401, b""), (403, b""), (404, b""), (429, b""), (503, b"away"), redirect])
def test_while_dagster_is_away_runs_wait_and_none_of_them_loses_an_attempt(
    client: Any, server: Dagster, due: Any, answer: Any
):
    first, second = due(), due()
    server.script["Launch"] = [answer]
    done = tick(client)
    assert (done["queued"], "launched" in done) == (1, False)
    assert [(run(one)["state"], run(one)["attempts"]) for one in (first, second)] == [("queued", 0)] * 2
    assert (run(first)["last_error"], run(first)["waits"]) == (done["problem"], True)
    assert server.asked == ["Launch"]


def test_however_long_dagster_is_away_no_run_dies_and_afterwards_each_is_launched_once(
    client: Any, server: Dagster, due: Any
):
    waiting = [due(max_attempts=1), due(max_attempts=1), due(max_attempts=2)]
    server.script = {"Launch": [(503, b"away")] * 20, "Runs": [(503, b"away")] * 20}
    for _ in range(12):
        assert tick(client) == {"queued": 1, "problem": "Dagster is not available (HTTP 503)"}
        again()
    assert [(run(one)["state"], run(one)["attempts"]) for one in waiting] == [("queued", 0)] * 3
    server.script.clear()
    assert tick(client) == {"launched": 3}
    assert sorted(launched["tags"][dagster.RUN_TAG] for launched in server.runs.values()) == sorted(waiting)


def test_a_proxy_that_gives_up_a_launch_which_dagster_takes_does_not_lead_to_a_second_one(
    client: Any, server: Dagster, due: Any
):
    run_id = due(max_attempts=1)
    server.script["Launch"] = [launch_and_give_up]
    assert tick(client) == {"queued": 1, "problem": "Dagster is not available (HTTP 504)"}
    assert (run(run_id)["attempts"], run(run_id)["waits"]) == (0, True)
    again()
    server.script["Runs"] = [(503, b"away")]
    assert tick(client)["queued"] == 1, "as long as nobody can say whether it is there, it is not launched again"
    again()
    assert tick(client) == {"launched": 1}
    assert list(server.runs) == [run(run_id)["dagster_run_id"]]
    assert server.asked.count("Launch") == 1


def test_a_launch_that_always_fails_at_the_proxy_does_not_keep_other_runs_from_being_followed(
    client: Any, server: Dagster, due: Any
):
    other = due()
    tick(client)
    next(iter(server.runs.values()))["status"] = "SUCCESS"
    due()
    server.script["Launch"] = [(502, b"Bad Gateway")]
    assert tick(client) == {"queued": 1, "succeeded": 1, "problem": "Dagster is not available (HTTP 502)"}
    assert run(other)["state"] == "succeeded"


def test_a_lost_answer_does_not_launch_twice(client: Any, server: Dagster, due: Any):
    run_id = due()
    server.script["Launch"] = [launch_and_hang_up]
    assert tick(client) == {"queued": 1}
    again()
    assert tick(client) == {"launched": 1}
    assert list(server.runs) == [run(run_id)["dagster_run_id"]]
    assert server.asked == ["Launch", "Runs", "Runs"], "asked for its tag before a second launch, which did not happen"


def test_an_answer_that_never_comes_is_not_waited_for_longer_than_allowed(
    client: Any, server: Dagster, due: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dagster, "LAUNCH_SECONDS", 0.2)
    ended = threading.Event()
    server.script["Launch"] = [lambda *_: ended.wait(20) and None]
    run_id = due()
    started = time.monotonic()
    assert tick(client) == {"queued": 1}
    assert time.monotonic() - started < 10
    ended.set()
    assert run(run_id)["last_error"] == "no answer from Dagster: TimeoutError"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "configuration DAGSTER_URL is not set"),
        ("http://127.0.0.1:1", "no connection to Dagster: ConnectionRefusedError"),
        ("http://" + "a" * 70 + ".invalid", "no connection to Dagster"),
        ("http://user:secret-7@127.0.0.1", "DAGSTER_URL is not a URL"),
        ("file:///etc/passwd", "DAGSTER_URL is not a URL"),
        ("http://[::1", "DAGSTER_URL is not a URL"),
        ("http://127.0.0.1:99999", "DAGSTER_URL is not a URL"),
        ("http://127.0.0.1/a b", "DAGSTER_URL is not a URL"),
        ("dagster", "DAGSTER_URL is not a URL"),
    ],
)
def test_a_wrong_setting_is_named_in_the_run_and_in_the_log(
    client: Any, pod: Any, due: Any, capsys: pytest.CaptureFixture[str], url: str, reason: str
):
    run_id = due()
    pod.set_config("DAGSTER_URL", url)
    done = tick(client)
    assert (done["queued"], reason in done["problem"], reason in run(run_id)["last_error"]) == (1, True, True)
    log = capsys.readouterr().out
    assert "Dagster cannot be asked" in log
    assert "secret-7" not in log + str(done)


def test_the_token_goes_to_dagster_and_nowhere_else(
    client: Any, pod: Any, server: Dagster, due: Any, capsys: pytest.CaptureFixture[str]
):
    pod.set_secret("DAGSTER_TOKEN", "token-7xyz")
    run_id = due()
    server.script["Launch"] = [(200, {"errors": [{"message": "who is Bearer token-7xyz?"}]})]
    tick(client)
    assert server.headers[0]["Authorization"] == "Bearer token-7xyz"
    assert server.headers[0]["Dagster-Cloud-Api-Token"] == "token-7xyz"
    assert run(run_id)["last_error"] == "HTTP 200: who is Bearer ***?"
    pod.set_secret("DAGSTER_TOKEN", "two\nlines-7xyz")
    again()
    assert "DAGSTER_TOKEN has blanks" in tick(client)["problem"]
    assert "7xyz" not in capsys.readouterr().out


def test_a_url_may_name_a_path_and_the_endpoint_itself(client: Any, pod: Any, server: Dagster, due: Any):
    for path in ("/", "/graphql", "/prod/graphql/"):
        pod.set_config("DAGSTER_URL", server.url + path)
        due()
        assert tick(client)["launched"] == 1


def test_a_tick_begins_no_launch_when_its_time_is_over(
    client: Any, server: Dagster, due: Any, monkeypatch: pytest.MonkeyPatch
):
    due()
    monkeypatch.setattr(example_scheduler_tick, "LAUNCH_BUDGET_SECONDS", 0)
    assert (tick(client), server.asked) == ({}, [])


def test_the_function_is_stopped_long_before_its_leases_end():
    import example_scheduler_queue as queue

    longest = example_scheduler_tick.LAUNCH_BUDGET_SECONDS + 2 * dagster.CONNECT_SECONDS
    longest += dagster.ASK_SECONDS + dagster.LAUNCH_SECONDS
    assert longest + 60 < queue.LEASE_SECONDS
