"""The queue: planned once, leased to one, settled by its holder only. No Dagster is needed for any of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import example_scheduler_queue as queue
from helpers import execute, fetch_all, fetch_one, transaction

LAUNCH = {"repository_location": "lab", "repository": "__repository__", "job": "report", "run_config": {}, "tags": {}}


@pytest.fixture
def schedule(client: Any) -> Any:
    def add(**fields: Any) -> str:
        body = {"name": "Report", "cron": "* * * * *", "launch": LAUNCH, **fields}
        response = client.post("/schedules", json=body)
        assert response.status_code == 201, response.text
        return response.json["id"]

    return add


def runs() -> list[dict[str, Any]]:
    return fetch_all("SELECT *, run_at - now() AS pause FROM schedule_runs ORDER BY created_at, id")


def the_run() -> dict[str, Any]:
    (run,) = runs()
    return run


def make_due(ago: str = "1 second") -> None:
    execute("UPDATE schedules SET next_at = date_trunc('minute', now() - %(ago)s::interval)", {"ago": ago})


def add_run(scheduleid: str) -> None:
    execute("INSERT INTO schedule_runs (schedule_id) VALUES (%(id)s)", {"id": scheduleid})


def leased() -> queue.Lease:
    lease = queue.lease_run()
    assert lease is not None
    return lease


def end_leases() -> None:
    execute("UPDATE schedule_runs SET lease_until = now() - interval '1 s' WHERE state = 'leased'")


def test_a_due_schedule_is_planned_once_and_moves_on(schedule: Any):
    schedule()
    assert queue.plan_due_runs() == 0, "its first time is in the future"
    make_due()
    assert [queue.plan_due_runs(), queue.plan_due_runs()] == [1, 0]
    assert the_run()["tick"].second == 0
    assert fetch_one("SELECT next_at > now() AS later FROM schedules") == {"later": True}


def test_many_missed_times_cost_one_run_and_it_is_for_the_last_of_them(schedule: Any):
    schedule()
    make_due("30 days")
    assert queue.plan_due_runs() == 1
    assert timedelta(0) <= datetime.now(UTC) - the_run()["tick"] < timedelta(minutes=2)


def test_a_time_that_was_planned_already_is_not_planned_again(schedule: Any):
    schedule(cron="@yearly")
    for planned in (1, 0):
        execute("UPDATE schedules SET next_at = date_trunc('year', now())")
        assert queue.plan_due_runs() == planned
    assert the_run()["state"] == "queued"


def test_more_schedules_than_are_planned_at_once_are_all_planned(schedule: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queue, "PLANNED_AT_ONCE", 2)
    for number in range(5):
        schedule(name=f"Report {number}")
    make_due()
    assert queue.plan_due_runs() == 5


def test_a_schedule_that_cannot_be_computed_becomes_a_dead_letter_and_stops_nobody(schedule: Any):
    broken, _ = schedule(), schedule(name="Fine")
    execute("UPDATE schedules SET time_zone = 'Europe/Atlantis' WHERE id = %(id)s", {"id": broken})
    make_due()
    assert queue.plan_due_runs() == 2
    assert {run["state"]: run["last_error"] for run in runs()} == {
        "queued": None,
        "dead": "The next time cannot be computed (ZoneInfoNotFoundError); put the schedule again.",
    }
    assert queue.plan_due_runs() == 0


def test_runs_are_leased_in_the_order_in_which_they_became_due_and_once(schedule: Any):
    first, second = schedule(name="a"), schedule(name="b")
    add_run(second)
    add_run(first)
    execute("UPDATE schedule_runs SET run_at = now() - interval '1 h' WHERE schedule_id = %(id)s", {"id": first})
    assert [leased().launch["name"], leased().launch["name"], queue.lease_run()] == ["a", "b", None]


def test_what_to_launch_is_read_when_it_is_launched(schedule: Any, client: Any):
    add_run(scheduleid := schedule())
    body = {"name": "Report", "cron": "@daily", "launch": {**LAUNCH, "job": "corrected", "tags": {"a": "b"}}}
    assert client.put(f"/schedules/{scheduleid}", json=body).status_code == 200
    launch = leased().launch
    assert (launch["job"], launch["tags"]) == ("corrected", {"a": "b"})


def test_a_run_that_is_leased_can_be_taken_over_only_when_its_lease_ends(schedule: Any):
    add_run(schedule())
    first = leased()
    assert first.is_first
    assert queue.lease_run() is None
    end_leases()
    second = leased()
    assert (second.id, second.epoch, second.is_first) == (first.id, 2, False)


def test_whoever_is_slower_than_the_lease_cannot_settle(schedule: Any):
    add_run(schedule())
    slow = leased()
    end_leases()
    quick = leased()
    before = the_run()
    assert not queue.settle_launched(slow, "dagster-slow")
    assert queue.settle_retry(slow, "too late") is None
    assert not queue.settle_waiting(slow, "too late")
    assert not queue.settle_dead(slow, "too late")
    assert the_run() | {"pause": None} == before | {"pause": None}
    assert queue.settle_launched(quick, "dagster-quick")
    assert not queue.settle_launched(slow, "dagster-slow")
    assert (the_run()["state"], the_run()["dagster_run_id"]) == ("launched", "dagster-quick")


def test_the_pause_doubles_with_each_attempt_is_partly_random_and_has_an_end(schedule: Any):
    add_run(scheduleid := schedule(max_attempts=20))
    for attempt in range(1, 12):
        assert queue.settle_retry(leased(), "no answer") == "queued"
        most = min(30 * 2 ** (attempt - 1), 3600)
        pause = the_run()["pause"].total_seconds()
        assert most / 2 - 1 <= pause <= most
        assert queue.lease_run() is None, "it has to wait"
        execute("UPDATE schedule_runs SET run_at = now()")
    for _ in range(20):
        add_run(scheduleid)
        queue.settle_retry(leased(), "no answer")
    assert len({round(run["pause"].total_seconds()) for run in runs()}) > 5


def test_a_run_that_waits_gets_its_attempt_back_and_its_pause_does_not_grow(schedule: Any):
    add_run(schedule(max_attempts=1))
    for epoch in range(1, 5):
        lease = leased()
        assert (lease.epoch, lease.is_first) == (epoch, epoch == 1), "whoever had it before may have launched it"
        assert queue.settle_waiting(lease, "away")
        run = the_run()
        assert (run["state"], run["attempts"], run["last_error"]) == ("queued", 0, "away")
        assert 14 <= run["pause"].total_seconds() <= 30
        assert queue.lease_run() is None, "it has to wait"
        execute("UPDATE schedule_runs SET run_at = now()")
    assert queue.settle_retry(leased(), "no answer") == "dead"


def test_after_the_last_attempt_a_run_is_dead_with_the_true_reason(schedule: Any):
    add_run(schedule(max_attempts=2))
    assert queue.settle_retry(leased(), "first") == "queued"
    execute("UPDATE schedule_runs SET run_at = now()")
    assert queue.settle_retry(leased(), "Dagster is  not\navailable\0") == "dead"
    run = the_run()
    assert (run["state"], run["attempts"], run["last_error"]) == ("dead", 2, "Dagster is not available")
    assert run["finished_at"] is not None


def test_a_run_that_kills_whoever_launches_it_is_given_up_in_the_end(schedule: Any):
    add_run(schedule(max_attempts=2))
    for _ in range(2):
        leased()
        assert queue.bury_lost_runs() == 0
        end_leases()
    assert queue.lease_run() is None
    assert queue.bury_lost_runs() == 1
    assert the_run()["last_error"].startswith("The lease ended without a result")


def test_fewer_attempts_than_a_waiting_run_has_had_leave_it_one_more(schedule: Any):
    add_run(schedule(max_attempts=5))
    execute("UPDATE schedule_runs SET attempts = 4")
    execute("UPDATE schedules SET max_attempts = 1")
    assert queue.settle_retry(leased(), "no") == "dead"


def test_a_redriven_run_starts_again_but_its_old_followers_cannot_settle_it(schedule: Any, client: Any):
    add_run(schedule())
    assert queue.settle_launched(leased(), "dagster-1")
    (old,) = queue.launched_runs()
    assert queue.settle_followed(old, "dead", None, "gone")
    assert client.post(f"/schedule-runs/{old.id}/redrive").status_code == 200
    again = leased()
    assert (again.epoch, again.is_first) == (2, False), "so Dagster is asked whether it has the run after all"
    assert queue.settle_launched(again, "dagster-2")
    assert not queue.settle_followed(old, "succeeded", "SUCCESS")
    assert (the_run()["state"], the_run()["dagster_run_id"]) == ("launched", "dagster-2")


def test_runs_that_were_not_asked_about_for_longest_are_followed_first(schedule: Any, monkeypatch: pytest.MonkeyPatch):
    scheduleid = schedule(timeout_seconds=60)
    monkeypatch.setattr(queue, "FOLLOWED_AT_ONCE", 2)
    for _ in range(3):
        add_run(scheduleid)
        queue.settle_launched(leased(), "dagster")
    first, second = ({run.id for run in queue.launched_runs()} for _ in range(2))
    assert len(first) == len(second) == 2
    assert len(first | second) == 3
    execute("UPDATE schedule_runs SET launched_at = now() - interval '61 s'")
    assert [run.overdue for run in queue.launched_runs()] == [True, True]


def test_nothing_waits_for_a_run_that_another_worker_holds(schedule: Any, database_url: str):
    import psycopg2

    add_run(scheduleid := schedule())
    add_run(scheduleid)
    other = psycopg2.connect(database_url)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT id FROM schedule_runs ORDER BY run_at LIMIT 1 FOR UPDATE")
            (held,) = cursor.fetchone()
        with transaction():
            execute("SET LOCAL lock_timeout = 200")
            assert leased().id != held
            assert queue.lease_run() is None
    finally:
        other.close()
