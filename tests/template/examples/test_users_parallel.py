"""The administration of users under 16 clients at once, each a process with its own connection."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

from helpers import fetch_all

from .parallel_clients import Answer, at_once

CLIENTS = 16
USERS = "/ai/admin/users"
ADA: dict[str, Any] = {"tag": "ada.l", "name": "Ada", "email": "ada@example.org", "roles": ["viewer"]}


def create(client: Any, **fields: Any) -> str:
    response = client.post(USERS, json={**ADA, **fields})
    assert response.status_code == 201, response.text
    return response.headers["Location"]


def outcomes(answers: list[list[Answer]]) -> Counter[int | str]:
    """Count the error codes, and where there is none the statuses."""
    return Counter(answer.json["error_code"] if answer.status >= 400 else answer.status for answer in chain(*answers))


def test_no_change_undoes_another_one(client: Any, tmp_path: Path):
    user = create(client)
    plans = [[("PUT", user, {"attributes": {f"c{n}.{k}": "x"}}) for k in range(3)] for n in range(CLIENTS)]
    assert outcomes(at_once(plans, tmp_path)) == {200: 48}
    assert set(client.get(user).json["attributes"]) == {f"c{n}.{k}" for n in range(CLIENTS) for k in range(3)}


def test_changes_of_different_fields_do_not_undo_each_other(client: Any, tmp_path: Path):
    user = create(client)
    changes: list[dict[str, Any]] = [
        {"name": "Augusta"},
        {"email": "augusta@example.org"},
        {"roles": ["analyst", "viewer"]},
        {"attributes": {"team": "vision"}},
    ]
    plans = [[("PUT", user, change)] for change in changes * (CLIENTS // len(changes))]
    assert outcomes(at_once(plans, tmp_path)) == {200: CLIENTS}
    found = client.get(user).json
    assert all(found[name] == value for change in changes for name, value in change.items())


def test_sixteen_admins_who_are_all_taken_away_at_once_leave_one(client: Any, tmp_path: Path):
    ends = [("DELETE", None), ("PUT", {"active": False}), ("PUT", {"roles": ["viewer"]})]
    plans = []
    for number in range(CLIENTS):
        method, body = ends[number % len(ends)]
        plans.append([(method, create(client, tag=f"admin-{number}", roles=["admin"]), body)])
    answers = at_once(plans, tmp_path)
    assert outcomes(answers)["LAST_ADMIN"] == 1
    assert outcomes(answers).keys() == {200, 204, "LAST_ADMIN"}
    assert len(fetch_all("SELECT 1 FROM ai_users WHERE active AND roles @> '{admin}'")) == 1


def test_clients_that_take_locks_in_every_order_never_wait_for_each_other_for_ever(client: Any, tmp_path: Path):
    users = [create(client, tag=f"admin-{number}", roles=["admin"]) for number in range(4)]
    plans = []
    for number in range(CLIENTS):
        shifted = users[number % 4 :] + users[: number % 4]
        plans.append([("PUT", user, {"active": active}) for active in (False, True) for user in shifted])
    found = outcomes(at_once(plans, tmp_path))
    assert found.keys() <= {200, "LAST_ADMIN"}
    assert fetch_all("SELECT 1 FROM ai_users WHERE active")


def test_users_who_become_admins_and_end_at_once_leave_one_admin(client: Any, tmp_path: Path):
    users = [create(client, tag=f"user-{number}", roles=["admin" if number == 0 else "viewer"]) for number in range(4)]
    plans = []
    for number in range(CLIENTS):
        shifted = users[number % 4 :] + users[: number % 4]
        plans.append([("PUT", user, {"roles": [role]}) for role in ("admin", "viewer") for user in shifted])
    assert outcomes(at_once(plans, tmp_path)).keys() <= {200, "LAST_ADMIN"}
    assert fetch_all("SELECT 1 FROM ai_users WHERE roles @> '{admin}'")


def test_a_tag_is_given_once_to_clients_that_want_it_at_once(client: Any, tmp_path: Path):
    plans = [[("POST", USERS, {**ADA, "tag": "Ada.L" if number % 2 else "ada.l"})] for number in range(CLIENTS)]
    assert outcomes(at_once(plans, tmp_path)) == {201: 1, "DUPLICATE_TAG": CLIENTS - 1}
    assert len(fetch_all("SELECT 1 FROM ai_users")) == 1
