"""The quota service under 16 clients at once, each a process with its own connection."""

from __future__ import annotations

from collections import Counter
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pytest
from helpers import execute, fetch_all, fetch_one

from .parallel_clients import Answer, Request, at_once

CLIENTS = 16


@pytest.fixture
def quota(client: Any) -> str:
    """The path of a quota of 500 per day."""
    fields = {"user_id": "ada", "resource": "tokens", "limit": 500, "period": "day"}
    return client.post("/quotas", json=fields).headers["Location"]


def consume(quota: str, amount: int) -> Request:
    return ("POST", f"{quota}/consume", {"amount": amount})


def release(quota: str, amount: int) -> Request:
    return ("POST", f"{quota}/release", {"amount": amount})


def statuses(answers: list[list[Answer]]) -> Counter[int]:
    return Counter(answer.status for answer in chain(*answers))


def audit() -> list[dict[str, Any]]:
    return fetch_all("SELECT * FROM quota_changes ORDER BY id")


def test_parallel_clients_get_exactly_what_the_limit_allows(client: Any, quota: str, tmp_path: Path):
    found = statuses(at_once([[consume(quota, 3)] * 20] * CLIENTS, tmp_path))
    assert found == {200: 166, 429: 154}
    assert client.get(quota).json["used"] == 166 * 3
    assert len(audit()) == 1 + 166


def test_what_the_clients_were_granted_is_what_is_used_whatever_the_amounts(client: Any, quota: str, tmp_path: Path):
    plans = [[consume(quota, number + 1)] * 12 for number in range(CLIENTS)]
    answers = at_once(plans, tmp_path)
    assert statuses(answers).keys() == {200, 429}
    granted = sum(
        body["amount"]
        for plan, got in zip(plans, answers, strict=True)
        for (_, _, body), answer in zip(plan, got, strict=True)
        if answer.status == 200
    )
    assert granted == client.get(quota).json["used"] <= 500
    assert all(answer.json["used"] <= 500 for answer in chain(*answers) if answer.status == 200)


def test_consuming_and_releasing_at_once_loses_nothing_and_never_leaves_the_bounds(
    client: Any, quota: str, tmp_path: Path
):
    plan = [consume(quota, 40), release(quota, 25), consume(quota, 10), release(quota, 25)]
    answers = at_once([plan * 4] * CLIENTS, tmp_path)
    assert statuses(answers).keys() <= {200, 409, 429}
    lines = audit()
    assert len(lines) == 1 + statuses(answers)[200]
    assert all(before["used_after"] == after["used_before"] for before, after in pairwise(lines))
    assert all(0 <= line["used_after"] <= 500 for line in lines)
    assert client.get(quota).json["used"] == lines[-1]["used_after"]


def test_a_period_that_ends_is_begun_once_by_many_clients(client: Any, quota: str, tmp_path: Path):
    client.post(f"{quota}/consume", json={"amount": 490})
    execute("UPDATE quotas SET resets_at = now() - interval '1 second'")
    found = statuses(at_once([[consume(quota, 5)] * 7] * CLIENTS, tmp_path))
    assert found == {200: 100, 429: 12}
    assert [line["used_before"] for line in audit()].count(0) == 2


def test_limits_that_change_meanwhile_are_kept(client: Any, quota: str, tmp_path: Path):
    changing = [("PUT", quota, {"limit": limit}) for limit in (100, 400, 50, 300)]
    answers = at_once([[consume(quota, 7)] * 12] * (CLIENTS - 2) + [changing * 2] * 2, tmp_path)
    assert statuses(answers).keys() <= {200, 429}
    lines = audit()
    for before, after in pairwise(lines):
        assert (before["limit_after"], before["used_after"]) == (after["limit_before"], after["used_before"])
        assert after["used_after"] == after["used_before"] or after["used_after"] <= after["limit_after"]
    row = fetch_one('SELECT "limit", used FROM quotas')
    assert row == {"limit": lines[-1]["limit_after"], "used": lines[-1]["used_after"]}
