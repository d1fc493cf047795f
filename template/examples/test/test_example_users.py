"""The administration of users, through the local router and a real database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from helpers import execute, fetch_all, fetch_one
from kit.parallel import wait_until_blocking

USERS = "/ai/admin/users"
ADA = {"tag": "ada.l", "name": "Ada Lovelace", "email": "ada@example.org", "roles": ["developer"]}
ADMIN = {"roles": ["admin"]}


def create(client: Any, tag: str = "ada.l", **fields: Any) -> str:
    response = client.post(USERS, json={**ADA, "tag": tag, **fields})
    assert response.status_code == 201, response.text
    return f"{USERS}/{response.json['id']}"


def tags(client: Any, query: str = "") -> list[str]:
    response = client.get(f"{USERS}?{query}")
    assert response.status_code == 200, response.text
    return [user["tag"] for user in response.json["items"]]


def error(response: Any) -> tuple[int, str]:
    return response.status_code, response.json["error_code"]


def test_a_created_user_can_be_read_where_the_location_says(client: Any):
    response = client.post(USERS, json={**ADA, "attributes": {"team": "vision"}})
    assert response.status_code == 201
    assert client.get(response.headers["Location"]).json == response.json
    assert {**response.json, **ADA, "active": True, "attributes": {"team": "vision"}} == response.json


@pytest.mark.parametrize("tag", ["ada.l", "Ada.L", "ADA.L"])
def test_a_tag_belongs_to_one_user_in_upper_and_lower_case(client: Any, tag: str):
    create(client)
    response = client.post(USERS, json={**ADA, "tag": tag})
    assert error(response) == (409, "DUPLICATE_TAG")
    assert response.json["details"] == {"tag": tag}
    assert tags(client) == ["ada.l"]


def test_a_user_cannot_take_the_tag_of_another_but_may_write_the_own_one_differently(client: Any):
    ada, grace = create(client), create(client, "grace")
    assert error(client.put(grace, json={"tag": "Ada.L", "name": "Nobody"})) == (409, "DUPLICATE_TAG")
    assert client.get(grace).json["name"] == ADA["name"]
    assert client.put(ada, json={"tag": "Ada.L"}).json["tag"] == "Ada.L"


def test_a_change_touches_only_the_fields_that_are_given(client: Any):
    user = create(client, attributes={"team": "vision"})
    before = client.get(user).json
    response = client.put(user, json={"name": "Augusta Ada King"})
    assert response.status_code == 200
    assert response.json["updated_at"] > before["updated_at"]
    assert {**before, "name": "Augusta Ada King", "updated_at": response.json["updated_at"]} == response.json


@pytest.mark.parametrize(
    "change", [{}, {"name": ADA["name"]}, {"roles": ["developer"]}, {"attributes": {"none": None}}]
)
def test_a_change_that_changes_nothing_writes_nothing(client: Any, change: dict[str, Any]):
    user = create(client)
    before = client.get(user).json
    response = client.put(user, json=change)
    assert (response.status_code, response.json) == (200, before)


def test_attributes_are_merged_and_null_removes_one(client: Any):
    user = create(client, attributes={"team": "vision", "floor": "3"})
    response = client.put(user, json={"attributes": {"floor": None, "phone": "17"}})
    assert response.json["attributes"] == {"team": "vision", "phone": "17"}


def test_a_change_is_refused_if_the_user_would_have_too_many_attributes(client: Any):
    user = create(client, attributes={f"a{number}": "x" for number in range(50)})
    response = client.put(user, json={"attributes": {"one": "more"}})
    assert error(response) == (400, "VALIDATION_ERROR")
    assert [problem["loc"] for problem in response.json["details"]] == ["body.attributes"]
    assert client.put(user, json={"attributes": {"one": "more", "a0": None}}).status_code == 200


def test_roles_are_kept_once_each(client: Any):
    user = create(client, roles=["viewer", "analyst", "viewer"])
    assert client.get(user).json["roles"] == ["analyst", "viewer"]


def test_a_deleted_user_is_gone_and_the_tag_is_free(client: Any):
    user = create(client)
    assert client.delete(user).status_code == 204
    for response in [client.get(user), client.delete(user), client.put(user, json={"name": "x"})]:
        assert response.status_code == 404
    create(client)


@pytest.mark.parametrize(
    "change", [{"active": False}, {"roles": ["viewer"]}, {"active": False, "roles": ["admin"]}, None]
)
def test_the_last_active_admin_stays(client: Any, change: dict[str, Any] | None):
    def end(user: str) -> Any:
        return client.delete(user) if change is None else client.put(user, json=change)

    create(client, "viewer")
    create(client, "left", **ADMIN, active=False)
    first, second = create(client, "first", **ADMIN), create(client, "second", roles=["admin", "viewer"])
    assert end(first).status_code in (200, 204)
    response = end(second)
    assert error(response) == (409, "LAST_ADMIN")
    assert tags(client, "role=admin&active=true") == ["second"]
    assert client.put(second, json={"roles": ["admin"], "name": "New name"}).status_code == 200


def test_users_who_are_no_admins_can_always_be_changed_and_deleted(client: Any):
    user = create(client)
    assert client.put(user, json={"active": False, "roles": ["viewer"]}).status_code == 200
    assert client.delete(user).status_code == 204


def test_a_list_shows_the_users_that_were_asked_for(client: Any):
    create(client, "ada.l", name="Ada Lovelace", roles=["admin", "developer"])
    create(client, "grace", name="Grace Hopper", email="hopper@navy.example", active=False)
    create(client, "Adele", name="Adele Goldberg", roles=["analyst"])
    assert tags(client, "sort=name") == ["ada.l", "Adele", "grace"]
    assert tags(client, "search=HOPPER") == ["grace"]
    assert tags(client, "search=navy") == ["grace"]
    assert tags(client, "search=%25") == []
    assert tags(client, "tag_prefix=AD&sort=name") == ["ada.l", "Adele"]
    assert tags(client, "role=developer&active=true") == ["ada.l"]
    assert tags(client, "active=false") == ["grace"]
    execute("UPDATE ai_users SET created_at = '2020-05-01T12:00:00Z' WHERE tag = 'grace'")
    assert tags(client, "created_before=2020-05-01T12:00:01Z") == ["grace"]
    assert tags(client, "created_after=2020-05-01T14:00:00%2B02:00&sort=-name") == ["Adele", "ada.l"]
    assert tags(client, "role=admin&active=false") == []


@pytest.mark.parametrize("sort", ["name", "-name", "tag", "-tag", "created_at", "-created_at"])
def test_pages_show_every_user_once(client: Any, sort: str):
    for number in range(7):
        create(client, f"user-{number}", name=f"Name {number // 2}")
    seen: list[str] = []
    query = f"limit=3&sort={sort}"
    while query:
        page = client.get(f"{USERS}?{query}").json
        seen += [user["tag"] for user in page["items"]]
        query = page["has_more"] and f"limit=3&sort={sort}&cursor={page['next_cursor']}"
    assert sorted(seen) == [f"user-{number}" for number in range(7)]
    assert client.get(f"{USERS}?total=true&limit=1").json["total"] == 7


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"tag", "name", "email", "roles"}),
        ({**ADA, "tag": "a", "email": "nobody", "roles": [], "name": " "}, {"tag", "email", "roles", "name"}),
        ({**ADA, "roles": ["developer", "root"]}, {"roles.1"}),
        ({**ADA, "roles": ["viewer"] * 21}, {"roles"}),
        ({**ADA, "tag": "ada l"}, {"tag"}),
        ({**ADA, "tag": "ada.l\n"}, {"tag"}),
        ({**ADA, "email": "a\0@b.c"}, {"email"}),
        ({**ADA, "email": "a" * 251 + "@b.c"}, {"email"}),
        ({**ADA, "name": "a\0b", "active": 1, "id": "7"}, {"name", "active", "id"}),
        ({**ADA, "attributes": {"team": 3}}, {"attributes.team"}),
        ({**ADA, "attributes": {f"a{number}": "x" for number in range(51)}}, {"attributes"}),
    ],
)
def test_a_wrong_user_is_refused_with_every_field_that_is_wrong(client: Any, body: Any, wrong: set[str]):
    response = client.post(USERS, json=body)
    assert error(response) == (400, "VALIDATION_ERROR")
    assert {problem["loc"] for problem in response.json["details"]} == {f"body.{name}" for name in wrong}
    assert fetch_one("SELECT count(*) FROM ai_users") == {"count": 0}


@pytest.mark.parametrize("field", ["tag", "name", "email", "roles", "active", "attributes"])
def test_a_field_cannot_become_null(client: Any, field: str):
    user = create(client)
    response = client.put(user, json={field: None})
    assert error(response) == (400, "VALIDATION_ERROR")
    assert [problem["loc"] for problem in response.json["details"]] == [f"body.{field}"]


@pytest.mark.parametrize("user", [str(uuid4()), "7", "x" * 500, "Jürgen", "a%2Fb", "..%5c", "'%20OR%201=1--"])
def test_a_user_who_does_not_exist_is_not_found(client: Any, user: str):
    path = f"{USERS}/{user}"
    answers = [client.get(path), client.put(path, json={"active": False}), client.delete(path)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


@pytest.mark.parametrize(
    "query",
    [
        "role=root",
        "active=perhaps",
        "search=%00",
        "tag_prefix=%27%20OR%201=1",
        "created_after=2020-05-01T12:00:00",
        "created_before=yesterday",
        "created_before=9999-12-31T23:59:59-23:59",
        "sort=email",
        "sort=name;DROP TABLE ai_users",
        "cursor=x",
        "limit=0",
        "tag=ada.l",
    ],
)
def test_a_wrong_query_is_refused(client: Any, query: str):
    assert client.get(f"{USERS}?{query}").status_code == 400


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-12:00"])
def test_the_ends_of_time_can_be_asked_for(client: Any, moment: str):
    create(client)
    assert len(tags(client, f"created_after={moment}")) + len(tags(client, f"created_before={moment}")) == 1


@pytest.mark.parametrize("text", ["' OR '1'='1", "'; DROP TABLE ai_users; --", "%s", "%(id)s", "\\'", "{}", "$$"])
def test_sql_in_a_field_is_text(client: Any, text: str):
    create(client, "grace")
    user = create(client, name=text, attributes={"note": text})
    assert client.put(user, json={"name": text + text, "attributes": {"more": text}}).status_code == 200
    found = client.get(USERS, query_string={"search": text + text}).json["items"]
    assert [(item["name"], item["attributes"]) for item in found] == [(text + text, {"note": text, "more": text})]


def test_a_change_keeps_what_another_pod_has_just_written(client: Any, second_connection: Any):
    user = create(client)
    with second_connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("""UPDATE ai_users SET email = 'new@example.org', attributes = '{"theirs": "1"}'""")
        answer = pool.submit(client.put, user, json={"attributes": {"ours": "2"}})
        wait_until_blocking(second_connection)
        second_connection.commit()
        assert answer.result().json["attributes"] == {"theirs": "1", "ours": "2"}
    assert client.get(user).json["email"] == "new@example.org"


@pytest.mark.parametrize("change", [{"active": False}, {"roles": ["viewer"]}, None])
def test_two_admins_cannot_end_each_other_at_the_same_moment(
    client: Any, second_connection: Any, change: dict[str, Any] | None
):
    users = [create(client, "first", **ADMIN), create(client, "second", **ADMIN)]
    for mine, theirs in [users, reversed(users)]:
        execute("UPDATE ai_users SET active = true, roles = '{admin}'")
        with second_connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
            cursor.execute("UPDATE ai_users SET active = false WHERE id = %s", (theirs.rpartition("/")[2],))
            answer = pool.submit(client.delete, mine) if change is None else pool.submit(client.put, mine, json=change)
            wait_until_blocking(second_connection)
            second_connection.commit()
            assert error(answer.result()) == (409, "LAST_ADMIN")
        assert fetch_all("SELECT id FROM ai_users WHERE active") == [{"id": mine.rpartition("/")[2]}]


def test_admins_are_locked_in_the_order_of_their_ids(client: Any, second_connection: Any):
    low, high = f"{0:032x}", f"{1:032x}"
    for tag, key in [("high", high), ("low", low)]:
        create(client, tag, **ADMIN)
        execute("UPDATE ai_users SET id = %(key)s WHERE tag = %(tag)s", {"tag": tag, "key": key})
    with second_connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("SELECT 1 FROM ai_users WHERE id = %s FOR UPDATE", (low,))
        answer = pool.submit(client.delete, f"{USERS}/{high}")
        wait_until_blocking(second_connection)
        cursor.execute("SELECT 1 FROM ai_users WHERE id = %s FOR UPDATE NOWAIT", (high,))
        second_connection.rollback()
        assert answer.result().status_code == 204


def test_changes_that_take_no_admin_away_do_not_wait_for_the_admins(client: Any, second_connection: Any):
    create(client, "root", **ADMIN)
    user = create(client)
    with second_connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ai_users WHERE tag = 'root' FOR UPDATE")
        assert client.put(user, json={"roles": ["viewer"], "active": False}).status_code == 200
        assert client.put(user, json={"name": "Ada", "active": True, "roles": ["admin"]}).status_code == 200
        assert client.delete(create(client, "grace")).status_code == 204


@pytest.mark.parametrize("change", [{"roles": ["viewer"]}, None])
def test_a_user_who_becomes_the_last_admin_at_this_moment_is_not_taken_away(
    client: Any, second_connection: Any, change: dict[str, Any] | None
):
    def end(user: str) -> Any:
        return client.delete(user) if change is None else client.put(user, json=change)

    user = create(client)
    with second_connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("UPDATE ai_users SET roles = '{admin}'")
        answer = pool.submit(end, user)
        wait_until_blocking(second_connection)
        second_connection.commit()
        assert error(answer.result()) == (409, "LAST_ADMIN")
    create(client, "second", **ADMIN)
    assert end(user).status_code in (200, 204)
