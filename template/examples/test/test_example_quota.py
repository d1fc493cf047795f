"""The quota service, through the local router and a real database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest

import example_quota
from helpers import execute, fetch_all, fetch_one
from kit.parallel import wait_until_blocking

GPU = {"user_id": "ada", "resource": "gpu-hours", "limit": 10, "period": "day"}
EVERYTHING = "SELECT count(*) AS number, sum(used) AS used FROM quotas"


def define(client: Any, **fields: Any) -> str:
    response = client.post("/quotas", json={**GPU, **fields})
    assert response.status_code == 201, response.text
    return response.json["id"]


def consume(client: Any, quota: str, amount: int, **options: Any) -> Any:
    return client.post(f"/quotas/{quota}/consume", json={"amount": amount}, **options)


def release(client: Any, quota: str, amount: int) -> Any:
    return client.post(f"/quotas/{quota}/release", json={"amount": amount})


def numbers(client: Any, quota: str) -> tuple[int, int, int]:
    report = client.get(f"/quotas/{quota}").json
    return report["limit"], report["used"], report["remaining"]


def changes(client: Any, quota: str, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"/quotas/{quota}/changes{query}")
    assert response.status_code == 200, response.text
    return response.json["items"]


def let_the_period_end(quota: str) -> None:
    execute("UPDATE quotas SET resets_at = now() - interval '1 second' WHERE id = %(id)s", {"id": quota})


def test_a_defined_quota_can_be_read_where_its_location_says(client: Any):
    response = client.post("/quotas", json=GPU)
    assert response.status_code == 201
    assert client.get(response.headers["Location"]).json == response.json
    assert {**response.json, **GPU, "used": 0, "remaining": 10} == response.json


def test_a_user_has_one_quota_per_resource_and_period(client: Any):
    define(client)
    define(client, period="month", limit=100)
    define(client, resource="tokens")
    define(client, user_id="grace")
    response = client.post("/quotas", json={**GPU, "limit": 99})
    assert response.status_code == 409
    assert response.json["details"] == {"constraint": "quotas_user_resource_period_is_unique"}


def test_what_is_consumed_is_used_and_what_is_released_is_free_again(client: Any):
    quota = define(client)
    assert consume(client, quota, 4).json["remaining"] == 6
    assert consume(client, quota, 6).json["remaining"] == 0
    assert release(client, quota, 3).json["used"] == 7
    assert numbers(client, quota) == (10, 7, 3)


def test_more_than_what_remains_is_refused_as_a_whole(client: Any):
    quota = define(client)
    consume(client, quota, 8)
    response = consume(client, quota, 3)
    assert (response.status_code, response.json["error_code"]) == (429, "QUOTA_EXCEEDED")
    details = response.json["details"]
    assert {**details, "requested": 3, "limit": 10, "used": 8, "remaining": 2} == details
    assert details["resets_at"] == client.get(f"/quotas/{quota}").json["resets_at"]
    assert numbers(client, quota) == (10, 8, 2)
    assert consume(client, quota, 2).status_code == 200


@pytest.mark.parametrize(("period", "seconds"), [("minute", 60), ("hour", 3600), ("day", 86_400), ("month", 2_678_400)])
def test_a_refusal_says_after_how_many_seconds_the_period_ends(client: Any, period: str, seconds: int):
    quota = define(client, period=period, limit=1)
    consume(client, quota, 1)
    assert 1 <= int(consume(client, quota, 1).headers["Retry-After"]) <= seconds


@pytest.mark.parametrize(
    "fields", [{"period": "none", "limit": 1}, {"period": "day", "limit": 1}], ids=lambda f: f["period"]
)
def test_there_is_no_retry_after_where_waiting_does_not_help(client: Any, fields: dict[str, Any]):
    quota = define(client, **fields)
    response = consume(client, quota, 2)
    assert response.status_code == 429
    assert "Retry-After" not in response.headers


@pytest.mark.parametrize("fields", [{"period": "none"}, {"period": "month"}], ids=lambda f: f["period"])
def test_a_refusal_after_which_there_is_enough_again_says_so_at_once(
    client: Any, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
):
    quota = define(client, **fields)
    consume(client, quota, 10)
    look_up = example_quota.quota_now

    def look_up_after_a_release(key: str) -> Any:
        execute("UPDATE quotas SET used = used - 3 WHERE id = %(id)s", {"id": key})
        return look_up(key)

    monkeypatch.setattr(example_quota, "quota_now", look_up_after_a_release)
    response = consume(client, quota, 3)
    assert (response.status_code, response.json["details"]["remaining"]) == (429, 3)
    assert response.headers["Retry-After"] == "1"


def test_more_than_what_is_used_cannot_be_released(client: Any):
    quota = define(client)
    consume(client, quota, 2)
    response = release(client, quota, 3)
    assert (response.status_code, response.json["error_code"]) == (409, "RELEASE_EXCEEDS_USE")
    assert response.json["details"]["used"] == 2
    assert numbers(client, quota) == (10, 2, 8)


def test_a_period_that_has_passed_counts_from_zero(client: Any):
    quota = define(client)
    consume(client, quota, 9)
    let_the_period_end(quota)
    assert numbers(client, quota) == (10, 0, 10)
    assert client.get("/quotas?exhausted=false").json["items"][0]["used"] == 0
    assert release(client, quota, 1).status_code == 409
    assert consume(client, quota, 7).json["used"] == 7
    assert consume(client, quota, 4).status_code == 429
    assert numbers(client, quota) == (10, 7, 3)


def test_a_report_shows_the_end_of_the_period_that_runs_now(client: Any):
    quota = define(client)
    before = client.get(f"/quotas/{quota}").json["resets_at"]
    let_the_period_end(quota)
    assert client.get(f"/quotas/{quota}").json["resets_at"] == before
    assert consume(client, quota, 1).json["resets_at"] == before


def test_a_quota_without_period_never_resets(client: Any):
    quota = define(client, period="none")
    assert consume(client, quota, 10).json["resets_at"] is None
    assert consume(client, quota, 1).status_code == 429
    with pytest.raises(psycopg2.errors.CheckViolation):
        let_the_period_end(quota)


@pytest.mark.parametrize(
    ("period", "at", "end"),
    [
        ("minute", "2026-03-01T10:20:59.999Z", "2026-03-01T10:21:00Z"),
        ("minute", "2026-03-01T10:21:00Z", "2026-03-01T10:22:00Z"),
        ("hour", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
        ("day", "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z"),
        ("day", "2026-03-29T23:30:00-05:00", "2026-03-31T00:00:00Z"),
        ("month", "2024-02-29T12:00:00Z", "2024-03-01T00:00:00Z"),
        ("month", "2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z"),
        ("month", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_periods_are_calendar_periods_in_utc_whatever_the_time_zone_of_the_session(
    client: Any, period: str, at: str, end: str, zone: str
):
    execute("SELECT set_config('TimeZone', %(zone)s, false)", {"zone": zone})
    row = fetch_one("SELECT quota_resets_at(%(period)s, %(at)s) AS end", {"period": period, "at": at})
    assert row["end"].astimezone(UTC) == datetime.fromisoformat(end)


def test_a_limit_below_what_is_used_takes_nothing_back(client: Any):
    quota = define(client)
    consume(client, quota, 8)
    response = client.put(f"/quotas/{quota}", json={"limit": 5})
    assert response.status_code == 200
    assert numbers(client, quota) == (5, 8, 0)
    assert consume(client, quota, 1).status_code == 429
    release(client, quota, 4)
    assert consume(client, quota, 1).json["remaining"] == 0
    let_the_period_end(quota)
    assert numbers(client, quota) == (5, 0, 5)


def test_a_raised_limit_holds_at_once(client: Any):
    quota = define(client, limit=0)
    assert consume(client, quota, 1).status_code == 429
    client.put(f"/quotas/{quota}", json={"limit": 3})
    assert consume(client, quota, 3).json["remaining"] == 0


def test_changing_the_limit_of_a_passed_period_begins_the_next(client: Any):
    quota = define(client)
    consume(client, quota, 8)
    let_the_period_end(quota)
    assert client.put(f"/quotas/{quota}", json={"limit": 5}).json["used"] == 0


def test_a_removed_quota_is_gone_but_its_changes_can_be_read(client: Any):
    quota = define(client)
    assert client.delete(f"/quotas/{quota}").status_code == 204
    for response in [client.get(f"/quotas/{quota}"), client.delete(f"/quotas/{quota}"), consume(client, quota, 1)]:
        assert response.status_code == 404
    assert [line["action"] for line in changes(client, quota)] == ["remove", "define"]
    assert {line["user_id"] for line in changes(client, quota)} == {"ada"}


def test_the_audit_says_who_changed_what_before_and_after(client: Any):
    quota = client.post("/quotas", json=GPU, headers={"X-User": "root"}).json["id"]
    consume(client, quota, 4, headers={"X-User": "ada", "X-Fission-Request-ID": "request-7"})
    consume(client, quota, 99, headers={"X-User": "ada"})
    release(client, quota, 1)
    client.put(f"/quotas/{quota}", json={"limit": 2}, headers={"X-User": "root"})
    client.delete(f"/quotas/{quota}", headers={"X-User": "root"})
    columns = ("action", "changed_by", "limit_before", "limit_after", "used_before", "used_after")
    assert [tuple(line[name] for name in columns) for line in reversed(changes(client, quota))] == [
        ("define", "root", None, 10, None, 0),
        ("consume", "ada", 10, 10, 0, 4),
        ("release", None, 10, 10, 4, 3),
        ("change_limit", "root", 10, 2, 3, 3),
        ("remove", "root", 2, None, 3, None),
    ]
    assert changes(client, quota, "?action=consume")[0]["request_id"] == "request-7"
    assert len(changes(client, quota, "?changed_by=root")) == 3
    assert changes(client, quota, "?changed_by=nobody") == []


def test_a_quota_whose_old_changes_were_deleted_has_none_and_is_still_found(client: Any):
    quota, gone = define(client), define(client, user_id="grace")
    client.delete(f"/quotas/{gone}")
    execute("DELETE FROM quota_changes")
    assert changes(client, quota) == []
    assert client.get(f"/quotas/{gone}/changes").status_code == 404


def test_the_first_consumption_of_a_period_starts_at_zero_in_the_audit(client: Any):
    quota = define(client)
    consume(client, quota, 9)
    let_the_period_end(quota)
    consume(client, quota, 2)
    assert [(line["used_before"], line["used_after"]) for line in changes(client, quota, "?limit=1")] == [(0, 2)]


def test_the_changes_of_one_quota_are_paged_and_never_mixed_with_those_of_another(client: Any):
    quota, other = define(client), define(client, user_id="grace")
    for _ in range(4):
        consume(client, quota, 1)
        consume(client, other, 2)
    seen: list[int] = []
    query = "?limit=2"
    while query:
        page = client.get(f"/quotas/{quota}/changes{query}").json
        seen += [line["used_after"] for line in page["items"]]
        assert {line["quota_id"] for line in page["items"]} == {quota}
        query = page["has_more"] and f"?limit=2&cursor={page['next_cursor']}"
    assert seen == [4, 3, 2, 1, 0]
    assert client.get(f"/quotas/{quota}/changes?quota_id={other}").status_code == 400


def test_a_list_shows_the_quotas_that_were_asked_for(client: Any):
    define(client)
    define(client, resource="tokens", period="none", limit=0)
    define(client, user_id="grace", period="hour")

    def found(query: str) -> list[tuple[str, str]]:
        response = client.get(f"/quotas?{query}")
        assert response.status_code == 200, response.text
        return [(quota["user_id"], quota["resource"]) for quota in response.json["items"]]

    assert found("user_id=ada&sort=created_at") == [("ada", "gpu-hours"), ("ada", "tokens")]
    assert found("exhausted=true") == [("ada", "tokens")]
    assert found("period=hour") == [("grace", "gpu-hours")]
    assert found("resource=gpu-hours&sort=-user_id") == [("grace", "gpu-hours"), ("ada", "gpu-hours")]
    page = client.get("/quotas?limit=1&sort=user_id&total=true").json
    assert (page["total"], page["has_more"]) == (3, True)
    assert found(f"limit=100&sort=user_id&cursor={page['next_cursor']}")[-1] == ("grace", "gpu-hours")


def test_what_another_pod_has_just_consumed_counts_although_it_was_not_visible_yet(client: Any, second_connection: Any):
    quota = define(client)
    with second_connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("UPDATE quotas SET used = 8 WHERE id = %s", (quota,))
        answer = pool.submit(consume, client, quota, 3)
        wait_until_blocking(second_connection)
        second_connection.commit()
        assert answer.result().status_code == 429
    assert numbers(client, quota) == (10, 8, 2)


def test_a_period_that_ended_while_we_waited_is_not_begun_twice(client: Any, second_connection: Any):
    quota = define(client, period="minute")
    consume(client, quota, 9)
    let_the_period_end(quota)
    with second_connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute(
            "UPDATE quotas SET used = 4, resets_at = date_trunc('minute', now()) + interval '2 minutes' WHERE id = %s",
            (quota,),
        )
        answer = pool.submit(consume, client, quota, 5)
        wait_until_blocking(second_connection)
        second_connection.commit()
        assert answer.result().json["used"] == 9
    row = fetch_one("SELECT resets_at > date_trunc('minute', now()) + interval '1 minute' AS kept FROM quotas")
    assert row == {"kept": True}


def test_a_report_does_not_wait_for_who_consumes(client: Any, second_connection: Any):
    quota = define(client)
    with second_connection.cursor() as cursor:
        cursor.execute("UPDATE quotas SET used = 8 WHERE id = %s", (quota,))
        assert numbers(client, quota) == (10, 0, 10)


def test_the_audit_follows_the_limits_of_two_pods_that_change_one_after_the_other(client: Any, second_connection: Any):
    quota = define(client)
    with second_connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute('UPDATE quotas SET "limit" = 7 WHERE id = %s', (quota,))
        answer = pool.submit(client.put, f"/quotas/{quota}", json={"limit": 5})
        wait_until_blocking(second_connection)
        second_connection.commit()
        assert answer.result().json["limit"] == 5
    line = changes(client, quota)[0]
    assert (line["limit_before"], line["limit_after"]) == (7, 5)


@pytest.mark.parametrize("used", [-1, 11])
def test_the_table_itself_refuses_what_no_quota_allows(client: Any, used: int):
    define(client)
    with pytest.raises(psycopg2.errors.CheckViolation, match="quotas_used_within_limit"):
        execute("UPDATE quotas SET used = %(used)s", {"used": used})
    assert fetch_all("SELECT used FROM quotas") == [{"used": 0}]
