"""What the quota service refuses, and that refusing changes nothing."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from helpers import fetch_one

GPU = {"user_id": "ada", "resource": "gpu-hours", "limit": 10, "period": "day"}
EVERYTHING = "SELECT count(*) AS number, sum(used) AS used FROM quotas"


def define(client: Any, user_id: str = "ada") -> str:
    return client.post("/quotas", json={**GPU, "user_id": user_id}).json["id"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"user_id", "resource", "limit"}),
        ({**GPU, "limit": -1, "period": "week", "resource": "GPU hours"}, {"limit", "period", "resource"}),
        ({**GPU, "limit": 1.5}, {"limit"}),
        ({**GPU, "limit": True}, {"limit"}),
        ({**GPU, "limit": 10**13}, {"limit"}),
        ({**GPU, "user_id": " ", "used": 3}, {"user_id", "used"}),
        ({**GPU, "user_id": "a\0b"}, {"user_id"}),
        ({**GPU, "resource": "a\n"}, {"resource"}),
    ],
)
def test_a_wrong_definition_is_refused_with_every_field_that_is_wrong(client: Any, body: Any, wrong: set[str]):
    response = client.post("/quotas", json=body)
    assert (response.status_code, response.json["error_code"]) == (400, "VALIDATION_ERROR")
    assert {problem["loc"] for problem in response.json["details"]} == {f"body.{name}" for name in wrong}
    assert fetch_one(EVERYTHING)["number"] == 0


@pytest.mark.parametrize("amount", [0, -1, 1.5, "3", True, None, [], 10**10, 10**40, "1; DROP TABLE quotas", "\0"])
@pytest.mark.parametrize("what", ["consume", "release"])
def test_a_wrong_amount_changes_nothing(client: Any, what: str, amount: Any):
    quota = define(client)
    client.post(f"/quotas/{quota}/consume", json={"amount": 5})
    response = client.post(f"/quotas/{quota}/{what}", json={"amount": amount})
    assert response.status_code == 400
    report = client.get(f"/quotas/{quota}").json
    assert (report["limit"], report["used"], report["remaining"]) == (10, 5, 5)


@pytest.mark.parametrize("quota", [str(uuid4()), "7", "x" * 500, "Jürgen", "a%2Fb", "..%5c", "'%20OR%201=1--"])
def test_a_quota_that_does_not_exist_is_not_found(client: Any, quota: str):
    answers = [
        client.get(f"/quotas/{quota}"),
        client.put(f"/quotas/{quota}", json={"limit": 1}),
        client.delete(f"/quotas/{quota}"),
        client.post(f"/quotas/{quota}/consume", json={"amount": 1}),
        client.post(f"/quotas/{quota}/release", json={"amount": 1}),
        client.get(f"/quotas/{quota}/changes"),
    ]
    assert {answer.status_code for answer in answers} == {404}


def test_a_header_that_a_client_makes_up_chooses_no_other_operation(client: Any):
    quota = define(client)
    client.post(f"/quotas/{quota}/consume", json={"amount": 5})
    before = client.get(f"/quotas/{quota}/changes").json["items"]
    for made_up in ("Consumeid", "Quotaid", "Changesid"):
        answer = client.post(
            f"/quotas/{quota}/release", json={"amount": 2}, headers={f"X-Fission-Params-{made_up}": quota}
        )
        assert (answer.status_code, answer.json["error_code"]) == (400, "VALIDATION_ERROR")
    assert client.get(f"/quotas/{quota}/changes").json["items"] == before


@pytest.mark.parametrize(
    "query",
    [
        "sort=used",
        "sort=id;DROP TABLE quotas",
        "user_id=%00",
        "exhausted=perhaps",
        "period=week",
        "resource=%27%20OR%201=1",
        "limit=1000",
        "cursor=x",
        "nothing=1",
    ],
)
def test_a_wrong_query_is_refused(client: Any, query: str):
    assert client.get(f"/quotas?{query}").status_code == 400


@pytest.mark.parametrize("text", ["' OR '1'='1", "'; DROP TABLE quotas; --", "%s", "%(id)s", "\\'", "$$"])
def test_sql_in_a_field_is_text(client: Any, text: str):
    quota = define(client, user_id=text)
    define(client, user_id="grace")
    client.post(f"/quotas/{quota}/consume", json={"amount": 1}, headers={"X-User": text})
    found = client.get("/quotas", query_string={"user_id": text}).json["items"]
    assert [item["id"] for item in found] == [quota]
    lines = client.get(f"/quotas/{quota}/changes").json["items"]
    assert [line["changed_by"] for line in lines] == [text, None]
