"""Schedules and their runs over HTTP, through the local router and a real database."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from helpers import execute, fetch_all, fetch_one

NIGHTLY = {
    "name": "Nightly report",
    "cron": "30 6 * * MON-FRI",
    "time_zone": "Europe/Berlin",
    "launch": {
        "repository_location": "reports",
        "job": "nightly_report",
        "run_config": {"ops": {"load": {"config": {"day": "yesterday"}}}},
        "tags": {"team": "lab"},
    },
}


def create(client: Any, **fields: Any) -> dict[str, Any]:
    response = client.post("/schedules", json={**NIGHTLY, **fields})
    assert response.status_code == 201, response.text
    return response.json


def run_of(client: Any, schedule: dict[str, Any], state: str = "queued") -> dict[str, Any]:
    run = client.post(f"/schedules/{schedule['id']}/runs").json
    execute(
        """
        UPDATE schedule_runs SET state = %(state)s, last_error = 'told to', finished_at = now(), attempts = 3,
                                 dagster_run_id = 'dagster-7' WHERE id = %(id)s AND %(state)s <> 'queued'
        """,
        {"id": run["id"], "state": state},
    )
    return client.get(f"/schedule-runs/{run['id']}").json


def problems(response: Any) -> list[str]:
    assert response.status_code == 400, response.text
    return [problem["loc"] for problem in response.json["details"]]


def test_a_created_schedule_can_be_read_where_its_location_says(client: Any):
    response = client.post("/schedules", json=NIGHTLY)
    assert response.status_code == 201
    assert response.json["launch"] == {**NIGHTLY["launch"], "repository": "__repository__"}
    assert response.json | {**NIGHTLY, "launch": response.json["launch"]} == response.json
    read = client.get(response.headers["Location"])
    assert read.json == response.json


def test_an_answer_says_the_cron_expression_in_words_and_the_next_three_times(client: Any):
    schedule = create(client)
    assert schedule["reads_as"] == "At 06:30, Monday through Friday"
    times = [datetime.fromisoformat(text) for text in schedule["next_runs"]]
    assert len(times) == 3
    assert times[0] == datetime.fromisoformat(schedule["next_at"])
    assert all(timedelta(hours=22) < after - before < timedelta(days=4) for before, after in pairwise(times))


def test_a_macro_and_lower_case_are_stored_as_five_fields(client: Any):
    assert create(client, name="a", cron="@hourly")["cron"] == "0 * * * *"
    assert create(client, name="b", cron="  0  6 * jan  mon ")["cron"] == "0 6 * JAN MON"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cron", "61 * * * *"),
        ("cron", "0 0 30 2 *"),
        ("cron", "* * * * * *"),
        ("cron", "@every 5m"),
        ("cron", "TZ=UTC 0 0 * * *"),
        ("cron", ""),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "Europe"),
        ("name", " "),
        ("max_attempts", 0),
        ("max_attempts", "3"),
        ("timeout_seconds", 10**9),
        ("next_at", "2030-01-01T00:00:00Z"),
    ],
)
def test_a_wrong_field_is_refused_by_name(client: Any, field: str, value: object):
    assert problems(client.post("/schedules", json={**NIGHTLY, field: value})) == [f"body.{field}"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("job", ""),
        ("run_config", []),
        ("run_config", {"text": "\0"}),
        ("run_config", {"\0": 1}),
        ("run_config", {"text": "x" * 70_000}),
        ("tags", {"your-service/run": "mine"}),
        ("tags", {f"key{number}": "x" for number in range(21)}),
        ("url", "http://elsewhere.example"),
    ],
)
def test_a_wrong_field_of_what_to_launch_is_refused(client: Any, field: str, value: object):
    launch = {**NIGHTLY["launch"], field: value}
    assert problems(client.post("/schedules", json={**NIGHTLY, "launch": launch})) == [f"body.launch.{field}"]


def test_numbers_that_json_cannot_hold_are_refused(client: Any):
    body = (
        '{"name": "a", "cron": "@daily", "launch": {"repository_location": "x", "job": "y", "run_config": {"a": %s}}}'
    )
    for number in ("NaN", "1e999", "-Infinity", "9" * 5_000):
        answer = client.post("/schedules", data=body % number, headers={"Content-Type": "application/json"})
        assert problems(answer)[0] in ("body", "body.launch.run_config"), number  # refused before the database sees it
    answer = client.post("/schedules", data=body % r'"\\u0000"', headers={"Content-Type": "application/json"})
    assert answer.json["launch"]["run_config"] == {"a": "\\u0000"}, "a backslash and six characters are just text"


def test_two_schedules_cannot_have_the_same_name(client: Any):
    create(client)
    response = client.post("/schedules", json=NIGHTLY)
    assert (response.status_code, response.json["details"]) == (409, {"constraint": "schedules_name_is_unique"})


def test_a_disabled_schedule_plans_nothing_and_goes_on_from_now_when_enabled(client: Any):
    schedule = create(client, enabled=False)
    assert (schedule["next_at"], schedule["next_runs"]) == (None, [])
    enabled = client.put(f"/schedules/{schedule['id']}", json=NIGHTLY).json
    assert enabled["next_at"] == enabled["next_runs"][0]
    assert client.put(f"/schedules/{schedule['id']}", json={**NIGHTLY, "enabled": False}).json["next_at"] is None


def test_a_time_that_is_due_survives_a_change_of_other_fields_but_not_of_the_times(client: Any):
    schedule = create(client)
    execute("UPDATE schedules SET next_at = '2026-01-01T00:00:00Z'")
    renamed = client.put(f"/schedules/{schedule['id']}", json={**NIGHTLY, "name": "Renamed"}).json
    assert renamed["next_at"].startswith("2026-01-01T00:00:00")
    for change in ({"cron": "@daily"}, {"cron": "@daily", "time_zone": "UTC"}):
        execute("UPDATE schedules SET next_at = '2026-01-01T00:00:00Z'")
        changed = client.put(f"/schedules/{schedule['id']}", json={**NIGHTLY, **change}).json
        assert changed["next_at"] == changed["next_runs"][0]


def test_replacing_and_deleting_what_is_not_there_is_not_found(client: Any):
    for scheduleid in (str(uuid4()), "7", "x" * 500, "Jürgen", "%27%3B--"):
        assert client.get(f"/schedules/{scheduleid}").status_code == 404
        assert client.put(f"/schedules/{scheduleid}", json=NIGHTLY).status_code == 404
        assert client.delete(f"/schedules/{scheduleid}").status_code == 404
        assert client.get(f"/schedules/{scheduleid}/runs").status_code == 404
        assert client.post(f"/schedules/{scheduleid}/runs").status_code == 404
        assert client.get(f"/schedule-runs/{scheduleid}").status_code == 404
        assert client.post(f"/schedule-runs/{scheduleid}/redrive").status_code == 404


def test_a_deleted_schedule_takes_its_runs_along(client: Any):
    schedule = create(client)
    run = run_of(client, schedule)
    assert client.delete(f"/schedules/{schedule['id']}").status_code == 204
    assert client.get(f"/schedule-runs/{run['id']}").status_code == 404


def test_filters_select_and_sort_keys_order(client: Any):
    for number, enabled in enumerate([True, False, True]):
        create(client, name=f"100%_{number}", enabled=enabled, launch={**NIGHTLY["launch"], "job": f"job{number}"})

    def names(query: str) -> list[str]:
        return [item["name"] for item in client.get(f"/schedules?{query}").json["items"]]

    assert names("enabled=true&sort=name") == ["100%_0", "100%_2"]
    assert names("job=job1") == ["100%_1"]
    assert names("search=%25_2") == ["100%_2"]
    assert names("sort=-name&limit=1") == ["100%_2"]
    assert client.get("/schedules?total=true&enabled=false").json["total"] == 1
    assert problems(client.get("/schedules?enabled=perhaps&x=1&sort=secret")) == ["query.enabled", "query.x"]


def test_a_run_by_hand_is_queued_beside_the_planned_ones_even_of_a_disabled_schedule(client: Any):
    schedule = create(client, enabled=False)
    response = client.post(f"/schedules/{schedule['id']}/runs")
    assert response.status_code == 201
    assert client.get(response.headers["Location"]).json == response.json
    assert (response.json["state"], response.json["tick"], response.json["attempts"]) == ("queued", None, 0)
    assert client.post(f"/schedules/{schedule['id']}/runs").json["id"] != response.json["id"]


def test_the_history_shows_the_runs_of_one_schedule_newest_first(client: Any):
    schedule, other = create(client), create(client, name="Other")
    runs = [run_of(client, schedule)["id"] for _ in range(3)]
    run_of(client, other)
    history = client.get(f"/schedules/{schedule['id']}/runs?limit=2").json
    assert [run["id"] for run in history["items"]] == [runs[2], runs[1]]
    rest = client.get(f"/schedules/{schedule['id']}/runs?limit=2&cursor={history['next_cursor']}").json
    assert [run["id"] for run in rest["items"]] == [runs[0]]
    assert problems(client.get(f"/schedules/{schedule['id']}/runs?schedule_id={other['id']}")) == ["query.schedule_id"]
    assert client.get("/schedule-runs?total=true").json["total"] == 4
    assert client.get(f"/schedule-runs?total=true&schedule_id={other['id']}").json["total"] == 1


def test_dead_letters_are_listed_with_their_reason_and_can_be_redriven(client: Any):
    schedule = create(client)
    run_of(client, schedule)
    dead = run_of(client, schedule, "dead")
    letters = client.get("/schedule-runs?state=dead").json["items"]
    assert [(letter["id"], letter["last_error"]) for letter in letters] == [(dead["id"], "told to")]
    redriven = client.post(f"/schedule-runs/{dead['id']}/redrive")
    assert redriven.status_code == 200
    assert (redriven.json["state"], redriven.json["attempts"], redriven.json["finished_at"]) == ("queued", 0, None)
    assert client.get("/schedule-runs?state=dead").json["items"] == []


def test_a_variable_that_a_client_made_up_does_not_choose_another_operation(client: Any):
    scheduleid = create(client)["id"]
    made_up = {"X-Fission-Params-Scheduleid": scheduleid}
    answer = client.post(f"/schedule-runs/{scheduleid}/redrive", headers=made_up)
    assert (answer.status_code, answer.json["error_code"]) == (400, "VALIDATION_ERROR")
    assert client.get(f"/schedules/{scheduleid}/runs").json["items"] == []


@pytest.mark.parametrize("state", ["queued", "succeeded", "failed", "canceled"])
def test_only_dead_runs_can_be_redriven(client: Any, state: str):
    run = run_of(client, create(client), state)
    answer = client.post(f"/schedule-runs/{run['id']}/redrive")
    assert (answer.status_code, answer.json["error_code"]) == (409, "CONFLICT")
    assert client.get(f"/schedule-runs/{run['id']}").json == run


def test_sql_in_any_text_is_stored_as_text(client: Any):
    evil = "'; DROP TABLE schedules; --"
    launch = {
        "repository_location": evil,
        "repository": evil,
        "job": evil,
        "run_config": {evil: evil},
        "tags": {"a": evil},
    }
    schedule = create(client, name=evil, launch=launch)
    assert client.get(f"/schedules/{schedule['id']}").json["launch"] == launch
    assert [row["name"] for row in fetch_all("SELECT name FROM schedules")] == [evil]
    assert client.get("/schedules", query_string={"search": evil, "job": evil}).json["items"][0]["name"] == evil


def test_the_database_itself_refuses_states_that_make_no_sense(client: Any):
    from psycopg2.errors import CheckViolation

    schedule = create(client)
    for column, value in {"state": "'lost'", "lease_until": "now()", "finished_at": "now()"}.items():
        run = run_of(client, schedule)
        with pytest.raises(CheckViolation):
            execute(f"UPDATE schedule_runs SET {column} = {value} WHERE id = %(id)s", {"id": run["id"]})
    assert fetch_one("SELECT count(*) FROM schedule_runs WHERE state = 'queued'") == {"count": 3}
