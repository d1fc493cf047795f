"""The inbox is worked off: each event takes effect once, failures are tried again, and nothing is lost."""

from __future__ import annotations

import re
import select
from typing import Any
from uuid import uuid4

import pytest

import example_webhook_work as worker
import paging
from example_webhook_events import Event
from helpers import execute, fetch_all, fetch_one, init_db_connection
from kit.pod import Pod


def arrive(
    event_id: str = "msg_1", event_type: str = "invoice.paid", source: str = "standard", body: str = "{}"
) -> str:
    row = fetch_one(
        """
        INSERT INTO webhook_inbox (source, event_id, event_type, headers, body)
        VALUES (%(source)s, %(event_id)s, %(event_type)s, '{}', convert_to(%(body)s, 'UTF8')) RETURNING id
        """,
        {"source": source, "event_id": event_id, "event_type": event_type, "body": body},
    )
    assert row is not None
    return row["id"]


def event(inbox_id: str) -> dict[str, Any]:
    row = fetch_one("SELECT *, due_at > now() AS waits FROM webhook_inbox WHERE id = %(id)s", {"id": inbox_id})
    assert row is not None
    return row


def make_due() -> None:
    execute("UPDATE webhook_inbox SET due_at = now() WHERE state = 'received'")


def work(client: Any) -> dict[str, int]:
    response = client.timer("inbox")
    assert response.status_code == 200, response.text
    return response.json


def counts(client: Any) -> dict[str, int]:
    return {row["event_type"]: row["number"] for row in client.get("/webhooks/events").json["items"]}


def test_a_run_lets_everything_take_effect_that_waits(client: Any):
    for number in range(3):
        arrive(f"msg_{number}", "invoice.paid" if number else "user.created")
    assert work(client) == {"done": 3, "failed": 0, "dead": 0, "removed": 0}
    assert counts(client) == {"invoice.paid": 2, "user.created": 1}
    assert work(client)["done"] == 0
    assert {row["state"] for row in fetch_all("SELECT state FROM webhook_inbox")} == {"done"}


def test_the_effect_knows_what_was_sent(client: Any, monkeypatch: pytest.MonkeyPatch):
    seen: list[Event] = []
    monkeypatch.setattr(worker, "apply_event", seen.append)  # as a team replaces it
    arrive("msg_1", "invoice.paid", body='{"amount": "1.10", "url": "http://169.254.169.254/"}')
    work(client)
    assert [(one.source, one.event_id, one.event_type) for one in seen] == [("standard", "msg_1", "invoice.paid")]
    assert seen[0].payload == {"amount": "1.10", "url": "http://169.254.169.254/"}


def test_what_an_effect_wrote_before_it_failed_is_undone(client: Any, monkeypatch: pytest.MonkeyPatch):
    def half(one: Event) -> None:
        execute("INSERT INTO webhook_events VALUES ('standard', 'half', 1, now(), now())")
        raise RuntimeError("the other half")

    monkeypatch.setattr(worker, "apply_event", half)
    failed = arrive()
    assert work(client) == {"done": 0, "failed": 1, "dead": 0, "removed": 0}
    assert counts(client) == {}
    row = event(failed)
    assert (row["state"], row["attempts"], row["last_error"]) == ("received", 1, "RuntimeError: the other half")


def test_an_effect_that_leaves_the_database_alone_for_too_long_is_cut_off_undone_and_tried_again(
    client: Any, monkeypatch: pytest.MonkeyPatch
):
    def slow(one: Event) -> None:
        execute("INSERT INTO webhook_events VALUES ('standard', 'half', 1, now(), now())")
        execute("SET LOCAL idle_in_transaction_session_timeout = 1")  # instead of a minute
        assert select.select([init_db_connection()], [], [], 20)[0], "PostgreSQL never cut it off"

    with monkeypatch.context() as patch:
        patch.setattr(worker, "apply_event", slow)
        event_id = arrive()
        assert work(client)["failed"] == 1
    assert counts(client) == {}
    assert "connection" in event(event_id)["last_error"]
    make_due()
    assert work(client)["done"] == 1


def test_an_event_that_fails_waits_longer_each_time_and_does_not_hold_up_the_others(client: Any):
    bad, good = arrive("msg_1", "not a type"), arrive("msg_2")
    assert work(client) == {"done": 1, "failed": 1, "dead": 0, "removed": 0}
    assert event(good)["state"] == "done"
    assert event(bad)["waits"]
    assert work(client)["failed"] == 0, "it is not due yet"
    pauses = []
    for _ in range(3):
        make_due()
        work(client)
        row = fetch_one(
            "SELECT extract(epoch FROM due_at - now())::float8 AS s FROM webhook_inbox WHERE id = %s", (bad,)
        )
        pauses.append(row["s"] if row else 0)
    assert 10 <= pauses[0] + 1 <= 21 <= pauses[2] + 2
    assert 40 <= pauses[2] + 1 <= 81


def test_an_event_is_dead_after_its_last_attempt_and_says_why(client: Any, pod: Pod, capsys: Any):
    pod.set_config("WEBHOOK_MAX_ATTEMPTS", "2")
    bad = arrive("msg_1", "not a type")
    work(client)
    make_due()
    assert work(client) == {"done": 0, "failed": 0, "dead": 1, "removed": 0}
    row = event(bad)
    assert (row["state"], row["attempts"]) == ("dead", 2)
    assert row["last_error"].startswith("CheckViolation: ")
    assert "webhook_events_type_is_a_name" in row["last_error"]
    make_due()
    assert work(client) == {"done": 0, "failed": 0, "dead": 0, "removed": 0}
    log = capsys.readouterr().out
    assert "webhook event is dead" in log
    assert "not a type" not in log


def test_a_dead_event_is_tried_again_on_demand_and_then_takes_effect_once(client: Any, pod: Pod):
    pod.set_config("WEBHOOK_MAX_ATTEMPTS", "1")
    bad = arrive("msg_1", "not a type")
    work(client)
    assert [row["id"] for row in client.get("/webhooks/inbox?state=dead").json["items"]] == [str(bad)]
    execute("ALTER TABLE webhook_events DROP CONSTRAINT webhook_events_type_is_a_name")  # the cause is put right
    answer = client.post(f"/webhooks/inbox/{bad}/retry")
    assert (answer.status_code, answer.json["state"], answer.json["attempts"]) == (200, "received", 0)
    assert client.post(f"/webhooks/inbox/{bad}/retry").status_code == 409
    assert work(client)["done"] == 1
    assert client.post(f"/webhooks/inbox/{bad}/retry").status_code == 409
    assert work(client)["done"] == 0
    assert counts(client) == {"not a type": 1}


def test_an_event_whose_workers_never_come_back_is_given_up_with_that_reason(client: Any, pod: Pod):
    pod.set_config("WEBHOOK_MAX_ATTEMPTS", "2")
    bad = arrive()
    for _ in range(2):
        assert worker.claim_next() is not None  # and the worker is gone
        assert worker.claim_next() is None, "it is claimed"
        make_due()
    assert worker.claim_next() is None, "it had all its attempts"
    assert work(client) == {"done": 0, "failed": 0, "dead": 1, "removed": 0}
    assert event(bad)["last_error"].startswith("The worker ended in the middle")
    assert counts(client) == {}


def test_a_worker_whose_claim_ran_out_does_nothing(client: Any):
    late = arrive()
    first = worker.claim_next()
    make_due()
    second = worker.claim_next()
    assert first is not None
    assert second is not None
    assert worker.carry_out(first) == "lost"
    assert worker.carry_out(second) == "done"
    assert worker.carry_out(second) == "lost"
    assert worker.give_back(first, RuntimeError("late")) == "lost"
    assert event(late)["state"] == "done"
    assert counts(client) == {"invoice.paid": 1}


def test_a_run_ends_before_its_function_and_its_function_before_its_claims():
    found = re.search(r'"timeout_seconds": (\d+)', worker.main.__doc__ or "")
    assert found is not None
    assert worker.RUN_SECONDS < int(found[1]) < worker.CLAIM_SECONDS


def test_events_that_were_done_long_ago_are_removed_and_dead_ones_are_kept(client: Any):
    for number in range(3):
        arrive(f"msg_{number}")
    work(client)
    execute("UPDATE webhook_inbox SET done_at = now() - interval '91 days' WHERE event_id = 'msg_0'")
    execute("UPDATE webhook_inbox SET done_at = now() - interval '89 days' WHERE event_id = 'msg_1'")
    execute("UPDATE webhook_inbox SET done_at = NULL, state = 'dead', received_at = now() - interval '1 year'"
            " WHERE event_id = 'msg_2'")  # fmt: skip
    assert work(client)["removed"] == 1
    assert {row["event_id"] for row in fetch_all("SELECT event_id FROM webhook_inbox")} == {"msg_1", "msg_2"}


def test_of_many_old_events_each_run_removes_some_the_oldest_first(client: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker, "REMOVED_AT_ONCE", 2)
    for number in range(5):
        arrive(f"msg_{number}")
    work(client)
    execute("UPDATE webhook_inbox SET done_at = now() - interval '99 days' + right(event_id, 1)::int * interval '1 h'")
    left = []
    for removed in (2, 2, 1, 0):
        assert work(client)["removed"] == removed
        left.append([row["event_id"] for row in fetch_all("SELECT event_id FROM webhook_inbox ORDER BY event_id")])
    assert left == [["msg_2", "msg_3", "msg_4"], ["msg_4"], [], []]


def test_dead_events_are_found_among_many_without_reading_the_others(client: Any, monkeypatch: pytest.MonkeyPatch):
    execute(
        """
        INSERT INTO webhook_inbox (source, event_id, event_type, headers, body, state, done_at, received_at)
        SELECT 'standard', n, 'a', '{}', '{}', s, CASE s WHEN 'done' THEN now() END, now() - n * interval '1 s'
        FROM (SELECT n, CASE n % 1000 WHEN 0 THEN 'dead' ELSE 'done' END s FROM generate_series(1, 20000) n) rows
        """
    )
    execute("ANALYZE webhook_inbox")
    asked: list[tuple[str, Any]] = []
    monkeypatch.setattr(paging, "fetch_all", lambda sql, values: asked.append((sql, values)) or fetch_all(sql, values))
    page = client.get("/webhooks/inbox?state=dead&limit=5").json
    assert len(page["items"]) == 5
    assert len(client.get(f"/webhooks/inbox?state=dead&limit=5&cursor={page['next_cursor']}").json["items"]) == 5
    assert len(asked) == 2
    for sql, values in asked:
        plan = "\n".join(row["QUERY PLAN"] for row in fetch_all(f"EXPLAIN {sql}", values))
        assert "Index Scan Backward using webhook_inbox_dead" in plan, plan


@pytest.mark.parametrize("text", ["", "a\0b", "\ud800", "first\nsecond 4242", "x" * 10_000])
def test_any_text_of_an_error_can_be_stored(client: Any, monkeypatch: pytest.MonkeyPatch, text: str):
    def fail(one: Event) -> None:
        raise ValueError(text)

    monkeypatch.setattr(worker, "apply_event", fail)
    bad = arrive()
    assert work(client)["failed"] == 1
    reason = event(bad)["last_error"]
    assert reason.startswith("ValueError: ")
    assert len(reason) <= 500
    assert "second" not in reason


def test_the_list_filters_and_pages_and_shows_no_body(client: Any):
    for number in range(5):
        arrive(f"msg_{number}", "a" if number % 2 else "b", "github" if number < 2 else "stripe")
    work(client)
    dead = arrive("msg_9")
    execute("UPDATE webhook_inbox SET state = 'dead' WHERE id = %(id)s", {"id": dead})
    assert client.get("/webhooks/inbox?total=true").json["total"] == 6
    assert [row["event_id"] for row in client.get("/webhooks/inbox?state=dead").json["items"]] == ["msg_9"]
    found = client.get("/webhooks/inbox?source=stripe&event_type=a&sort=received_at").json["items"]
    assert [row["event_id"] for row in found] == ["msg_3"]
    assert not {"body", "headers"} & found[0].keys()
    first = client.get("/webhooks/inbox?limit=4").json
    second = client.get(f"/webhooks/inbox?limit=4&cursor={first['next_cursor']}").json
    assert [row["event_id"] for row in first["items"] + second["items"]] == [
        "msg_9",
        *(f"msg_{n}" for n in range(4, -1, -1)),
    ]


@pytest.mark.parametrize("query", ["state=lost", "sort=body", "limit=0", "x=1", "source=", "event_type=%00"])
def test_a_wrong_query_is_refused(client: Any, query: str):
    assert client.get(f"/webhooks/inbox?{query}").status_code == 400


def test_one_event_is_shown_with_its_body_as_it_was_signed(client: Any):
    body = '{ "type":"a",\n "name": "Jürgen", "n": 1.10 }'
    found = client.get(f"/webhooks/inbox/{arrive(body=body)}")
    assert (found.status_code, found.json["body"]) == (200, body)


@pytest.mark.parametrize("inboxid", [str(uuid4()), "7", "x" * 500, "J%C3%BCrgen", "a%2Fb"])
def test_an_event_that_does_not_exist_is_not_found(client: Any, inboxid: str):
    assert client.get(f"/webhooks/inbox/{inboxid}").status_code == 404
    assert client.post(f"/webhooks/inbox/{inboxid}/retry").status_code == 404


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "101", "9" * 30])
def test_a_number_of_attempts_that_makes_no_sense_stops_the_run_and_changes_nothing(client: Any, pod: Pod, value: str):
    waiting = arrive()
    pod.set_config("WEBHOOK_MAX_ATTEMPTS", value)
    assert client.timer("inbox").json["error_code"] == "CONFIGURATION_ERROR"
    assert (event(waiting)["state"], event(waiting)["attempts"]) == ("received", 0)
