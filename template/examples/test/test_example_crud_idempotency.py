"""POST /items with an Idempotency-Key: however often it is sent, one item."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from helpers import execute, fetch_one, transaction
from kit.parallel import Running, at_once

LAMP = {"name": "Lamp", "price": "9.90"}


def post(client: Any, key: str | None = '"k-1"', user: str = "ada", **fields: Any) -> Any:
    headers = {"X-User": user} | ({} if key is None else {"Idempotency-Key": key})
    return client.post("/items", json=LAMP | fields, headers=headers)


def count(table: str = "items") -> int:
    row = fetch_one(f"SELECT count(*) FROM {table}")
    assert row is not None
    return int(row["count"])


def test_a_repetition_gets_the_first_answer_and_makes_nothing(client: Any):
    first, second = post(client), post(client)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.data == second.data
    assert {name: second.headers[name] for name in ("Location", "ETag", "Content-Type")} == {
        name: first.headers[name] for name in ("Location", "ETag", "Content-Type")
    }
    assert ("Idempotent-Replayed" in first.headers, second.headers["Idempotent-Replayed"]) == (False, "true")
    assert count() == 1


def test_the_answer_is_repeated_as_it_was_although_the_item_was_changed(client: Any):
    first = post(client)
    client.put(first.headers["Location"], json={"name": "Pot", "price": 1}, headers={"If-Match": "*"})
    assert post(client).data == first.data
    client.delete(first.headers["Location"])
    assert post(client).data == first.data
    assert count() == 0


def test_the_same_key_with_another_body_is_refused(client: Any):
    post(client)
    response = post(client, name="Pot")
    assert (response.status_code, response.json["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert count() == 1


def test_the_same_body_written_otherwise_is_the_same_body(client: Any):
    first = post(client)
    headers = {"X-User": "ada", "Idempotency-Key": "k-1", "Content-Type": "application/json"}
    again = client.post("/items", data=json.dumps(dict(reversed(LAMP.items())), indent=7), headers=headers)
    assert again.data == first.data


def test_a_key_belongs_to_the_user_who_sent_it(client: Any):
    post(client)
    response = post(client, user="bob", name="Pot")
    assert (response.status_code, response.json["name"]) == (201, "Pot")
    assert post(client, user="").status_code == 409  # the name is taken: nobody's key is not ada's


def test_without_a_key_every_request_stands_for_itself(client: Any):
    assert post(client, key=None).status_code == 201
    assert post(client, key=None).status_code == 409
    assert count("item_requests") == 0


def test_a_failed_request_is_not_kept_so_that_its_repetition_may_succeed(client: Any):
    taken = post(client, key=None)
    assert post(client).status_code == 409
    client.delete(taken.headers["Location"])
    assert post(client).status_code == 201


def test_an_error_of_the_server_keeps_neither_item_nor_answer(client: Any):
    execute("ALTER TABLE item_requests ADD CONSTRAINT broken CHECK (key <> 'k-1')")
    assert post(client).status_code >= 400
    assert (count(), count("item_requests")) == (0, 0)
    execute("ALTER TABLE item_requests DROP CONSTRAINT broken")
    assert post(client).status_code == 201


def test_a_key_expires_after_a_day_and_is_taken_over(client: Any):
    first = post(client)
    execute("UPDATE item_requests SET expires_at = expires_at - INTERVAL '24 hours'")
    second = post(client, name="Pot")
    assert second.status_code == 201
    assert second.json["id"] != first.json["id"]
    assert post(client, name="Pot").data == second.data
    assert count("item_requests") == 1


def test_expired_answers_are_swept_away(client: Any):
    for number in range(3):
        post(client, key=f"old-{number}", name=f"old {number}")
    execute("UPDATE item_requests SET expires_at = now() WHERE key LIKE 'old-%%'")
    post(client)
    assert count("item_requests") == 1


@pytest.mark.parametrize("key", ["k", "8e03978e-40d5-43e8-bc93-6894a57f9324", '"a b, c;=?~{}"', '"' + "x" * 200 + '"'])
def test_a_well_formed_key_is_taken(client: Any, key: str):
    assert post(client, key=key).status_code == 201
    assert post(client, key=key).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    "key", ["", '""', "a b", '"a', 'a"', '"a", "b"', '"a";b=1', '"é"', "é", "x" * 201, '"\\""', "a;b"]
)
def test_a_malformed_key_is_refused_by_name(client: Any, key: str):
    response = post(client, key=key)
    assert (response.status_code, response.json["details"][0]["loc"]) == (400, "header.Idempotency-Key")
    assert count() == 0


def test_while_the_first_request_runs_its_repetition_is_told_so_at_once(client: Any):
    with transaction():  # an open request of another pod holds the name's lock, so the first one waits for it
        execute("INSERT INTO items (name, price) VALUES ('Lamp', 1)")
        first = Running(told, 1, client, "k-1")
        wait_for_waiting()
        assert Running(told, 2, client, "k-1").result() == (409, "REQUEST_IN_PROGRESS", "1")
        execute("DELETE FROM items")
    assert first.result()[0] == 201
    assert post(client).headers["Idempotent-Replayed"] == "true"


def test_16_clients_that_send_the_same_request_at_once_make_one_item(client: Any):
    answers = Counter(at_once(16, told, client, str(uuid4())))
    assert count() == 1
    created = {answer: times for answer, times in answers.items() if answer[0] == 201}
    assert len({answer[1] for answer in created}) == 1  # all of them tell of the same item
    assert created.keys() | {(409, "REQUEST_IN_PROGRESS", "1")} >= answers.keys()
    assert sum(times for answer, times in created.items() if answer[2] is None) == 1


def told(_number: int, client: Any, key: str) -> tuple[Any, ...]:
    """Send the request; return its status and what tells the answers apart."""
    response = post(client, key=key)
    what = response.json.get("id", response.json.get("error_code"))
    return response.status_code, what, response.headers.get("Idempotent-Replayed", response.headers.get("Retry-After"))


def wait_for_waiting() -> None:
    """Return as soon as another session waits for a lock of ours."""
    for _ in range(10_000):
        row = fetch_one("SELECT count(*) FROM pg_locks WHERE NOT granted")
        if row and row["count"]:
            return
    pytest.fail("nobody waits")
