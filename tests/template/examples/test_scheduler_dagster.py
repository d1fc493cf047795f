"""The scheduler with a real Dagster: launched, followed, refused, lost and away."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from kit.pod import Pod

from .dagster_server import LOCATION, PATIENCE_SECONDS, Proxy, Webserver
from .scheduler_ticks import own_tests, serving

TESTS = own_tests()
BAD_CONFIG = {"ops": {"waits": {"config": {"seconds": "x"}}}}
SLOW = {"ops": {"waits": {"config": {"seconds": 600.0}}}}


@pytest.fixture
def dagster(webserver: Webserver, pod: Pod, monkeypatch: pytest.MonkeyPatch) -> Webserver:
    import example_scheduler_dagster

    monkeypatch.setattr(example_scheduler_dagster, "LAUNCH_SECONDS", PATIENCE_SECONDS)  # so that load is no failure
    monkeypatch.setattr(example_scheduler_dagster, "ASK_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(example_scheduler_dagster, "CONNECT_SECONDS", 20)
    pod.set_config("DAGSTER_URL", webserver.url)
    return webserver


@pytest.fixture
def run_now(client: Any) -> Callable[..., str]:
    """Add a schedule with a run that is due, and return the run's id."""

    def add(job: str, run_config: dict[str, Any] | None = None, location: str = LOCATION, **fields: Any) -> str:
        launch = {"repository_location": location, "job": job, "run_config": run_config or {}, "tags": {"team": "lab"}}
        body = {"name": str(uuid4()), "cron": "@daily", "launch": launch, **fields}
        schedule = client.post("/schedules", json=body).json
        return client.post(f"/schedules/{schedule['id']}/runs").json["id"]

    return add


def read(client: Any, run_id: str) -> dict[str, Any]:
    return client.get(f"/schedule-runs/{run_id}").json


def tick_until(condition: Callable[[], object]) -> None:
    from example_scheduler_tick import tick

    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        tick()
        time.sleep(0.2)


def again() -> None:
    from helpers import execute

    execute("UPDATE schedule_runs SET run_at = now() WHERE state = 'queued'")


def runs_with_tag(run_id: str, server: Webserver) -> list[str]:
    import example_scheduler_dagster as dagster

    tags = [{"key": dagster.RUN_TAG, "value": run_id}]
    _, answer = ask(server, dagster.RUNS, {"filter": {"tags": tags}, "limit": 100})
    return [run["runId"] for run in json.loads(answer)["data"]["runsOrError"]["results"]]


def ask(server: Webserver, document: str, variables: dict[str, Any]) -> tuple[int, str]:
    body = json.dumps({"query": document, "variables": variables}).encode()
    request = urllib.request.Request(server.url + "/graphql", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_each_run_ends_as_dagster_says(dagster: Webserver, client: Any, run_now: Any):
    runs = {
        "good": run_now("nightly_report"),
        "bad": run_now("broken_report"),
        "bad config": run_now("slow_report", BAD_CONFIG),
    }
    tick_until(lambda: all(read(client, run)["finished_at"] for run in runs.values()))
    found = {name: read(client, run) for name, run in runs.items()}
    assert {name: (run["state"], run["dagster_status"]) for name, run in found.items()} == {
        "good": ("succeeded", "SUCCESS"),
        "bad": ("failed", "FAILURE"),
        "bad config": ("dead", None),
    }
    assert found["bad"]["last_error"] == "Dagster says FAILURE; failed steps: breaks."
    assert found["bad config"]["last_error"].startswith("RunConfigValidationInvalid: Invalid scalar at path")
    assert [run["attempts"] for run in found.values()] == [1] * 3
    assert [len(runs_with_tag(run, dagster)) for run in runs.values()] == [1, 1, 0]


def test_a_job_or_location_that_dagster_does_not_know_is_asked_for_again_until_the_attempts_are_used_up(
    dagster: Webserver, client: Any, run_now: Any
):
    from example_scheduler_tick import tick

    runs = [run_now("nope", max_attempts=2), run_now("nightly_report", location="elsewhere", max_attempts=2)]
    assert tick()["queued"] == 2
    again()
    assert tick()["dead"] == 2
    for run in runs:
        assert read(client, run)["last_error"].startswith("PipelineNotFoundError: Could not find Pipeline ")
        assert runs_with_tag(run, dagster) == []


def test_a_lost_answer_never_leads_to_a_second_run(dagster: Webserver, client: Any, pod: Pod, run_now: Any):
    run = run_now("nightly_report")
    with serving(Proxy(dagster.url)) as proxy:
        pod.set_config("DAGSTER_URL", proxy.url)
        proxy.lose = b"mutation Launch"
        tick_until(lambda: proxy.lost)
        assert b"LaunchRunSuccess" in proxy.lost[0]
        assert read(client, run)["last_error"] == "no answer from Dagster: RemoteDisconnected"
        again()
        tick_until(lambda: read(client, run)["state"] == "succeeded")
    assert len(proxy.lost) == 1, "it was not launched again"
    assert runs_with_tag(run, dagster) == [read(client, run)["dagster_run_id"]]


def test_a_run_that_takes_too_long_is_ended_in_dagster(dagster: Webserver, client: Any, run_now: Any):
    import example_scheduler_dagster
    from helpers import execute

    run = run_now("slow_report", SLOW)
    tick_until(lambda: read(client, run)["dagster_status"] == "STARTED")
    execute("UPDATE schedule_runs SET launched_at = now() - interval '2 days'")
    tick_until(lambda: read(client, run)["state"] == "failed")
    dagster_run_id = read(client, run)["dagster_run_id"]
    tick_until(lambda: example_scheduler_dagster.statuses([dagster_run_id]) == {dagster_run_id: "CANCELED"})


def test_the_recorded_answers_are_those_of_dagster(dagster: Webserver):
    """Each of them is asked for again; only the ids of runs differ."""
    import example_scheduler_dagster as documents

    def launch(job: str, run_config: dict[str, Any] | None = None) -> tuple[int, str]:
        selector = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__", "jobName": job}
        params = {"selector": selector, "runConfigData": run_config or {}, "executionMetadata": {"tags": []}}
        return ask(dagster, documents.LAUNCH, {"params": params})

    def same(name: str, answer: tuple[int, str], run_id: str = "RUN") -> None:
        status, text = TESTS.RECORDED[name]
        assert (answer[0], json.loads(answer[1])) == (status, json.loads(text.replace("RUN", run_id))), name

    def runs(document: str, *run_ids: str) -> tuple[int, str]:
        return ask(dagster, document, {"filter": {"runIds": [*run_ids]}, "limit": 1})

    def until(status: str, run_id: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while f'"status":"{status}"' not in runs(documents.RUNS, run_id)[1]:
            assert time.monotonic() < deadline
            time.sleep(0.2)

    failing, slow = launch("broken_report"), launch("slow_report", SLOW)
    failed_id, slow_id = (json.loads(text)["data"]["launchRun"]["run"]["runId"] for _, text in (failing, slow))
    nobody = str(uuid4())
    same("launched", failing, failed_id)
    same("no job", launch("nope"))
    same("bad config", launch("slow_report", BAD_CONFIG))
    same("no runs", runs(documents.RUNS, nobody))
    same("bad document", ask(dagster, "query { runsOrError { nonsense } }", {}))
    same("unknown run", ask(dagster, documents.TERMINATE, {"runId": nobody}), nobody)
    until("FAILURE", failed_id)
    same("a run", runs(documents.RUNS, failed_id), failed_id)
    same("steps", runs(documents.STEPS, failed_id), failed_id)
    same("had ended", ask(dagster, documents.TERMINATE, {"runId": failed_id}), failed_id)
    until("STARTED", slow_id)
    same("terminated", ask(dagster, documents.TERMINATE, {"runId": slow_id}), slow_id)


def test_while_dagster_is_away_runs_wait_and_when_it_is_back_they_succeed(
    dagster: Webserver, client: Any, run_now: Any
):
    from example_scheduler_tick import tick

    run = run_now("nightly_report")
    dagster.stop()
    try:
        assert tick()["queued"] == 1
        waiting = read(client, run)
        assert (waiting["state"], waiting["attempts"]) == ("queued", 0)
        assert waiting["last_error"] == "no connection to Dagster: ConnectionRefusedError"
        assert waiting["run_at"] > waiting["created_at"]
    finally:
        dagster.start()
    again()
    tick_until(lambda: read(client, run)["state"] == "succeeded")
    assert read(client, run)["attempts"] == 1
