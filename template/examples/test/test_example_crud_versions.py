"""ETag, If-Match and If-None-Match of items: nobody undoes, without knowing it, what others did."""

from __future__ import annotations

from typing import Any

import pytest

from kit.parallel import at_once


@pytest.fixture
def lamp(client: Any) -> str:
    """The path of an item of version 1."""
    response = client.post("/items", json={"name": "Lamp", "price": 1})
    assert (response.status_code, response.headers["ETag"], response.json["version"]) == (201, '"1"', 1)
    return str(response.headers["Location"])


def put(client: Any, path: str, if_match: str | None, **fields: Any) -> Any:
    headers = {} if if_match is None else {"If-Match": if_match}
    return client.put(path, json={"name": "Lamp", "price": 2, **fields}, headers=headers)


def test_each_change_has_a_new_version_and_answers_with_it(client: Any, lamp: str):
    assert client.get(lamp).headers["ETag"] == '"1"'
    assert put(client, lamp, '"1"').headers["ETag"] == '"2"'
    assert put(client, lamp, '"2"').json["version"] == 3
    assert client.get(lamp).headers["ETag"] == '"3"'


def test_a_change_that_is_based_on_an_old_version_is_refused_with_the_current_one(client: Any, lamp: str):
    put(client, lamp, '"1"', description="first")
    response = put(client, lamp, '"1"', description="second")
    assert (response.status_code, response.json["error_code"]) == (412, "VERSION_MISMATCH")
    assert response.json["details"] == {"version": 2}
    assert client.get(lamp).json["description"] == "first"


def test_a_change_that_names_no_version_is_refused_and_changes_nothing(client: Any, lamp: str):
    response = put(client, lamp, None)
    assert (response.status_code, response.json["error_code"]) == (428, "PRECONDITION_REQUIRED")
    assert client.get(lamp).json["version"] == 1


@pytest.mark.parametrize("if_match", ["*", ' "1" ', '"7","1"', '"a,b", "1"', ',, "1" ,', 'W/"7", "1"'])
def test_a_version_that_is_named_matches(client: Any, lamp: str, if_match: str):
    assert put(client, lamp, if_match).status_code == 200


@pytest.mark.parametrize(
    "if_match",
    ['"2"', '"01"', '"1 "', 'W/"1"', '"*"', '""', "", ",", '"9999999999999999999999"', '"1\' OR 1=1"', '"é"'],
)
def test_anything_else_does_not_match_weak_tags_included(client: Any, lamp: str, if_match: str):
    status = 400 if " " in if_match else 412  # a tag holds no blank
    assert put(client, lamp, if_match).status_code == status
    assert client.delete(lamp, headers={"If-Match": if_match}).status_code == status
    assert client.get(lamp).json["version"] == 1


@pytest.mark.parametrize(
    "if_match", ["1", '"1', '1"', '"1" "2"', '*, "1"', 'w/"1"', "W/1", '"1";"2"', " " * 5000 + "x"]
)
def test_a_malformed_if_match_is_refused_by_name(client: Any, lamp: str, if_match: str):
    response = put(client, lamp, if_match)
    assert (response.status_code, response.json["details"][0]["loc"]) == (400, "header.If-Match")


def test_deleting_needs_no_version_but_heeds_one(client: Any, lamp: str):
    put(client, lamp, '"1"')
    assert client.delete(lamp, headers={"If-Match": '"1"'}).json["details"] == {"version": 2}
    assert client.delete(lamp, headers={"If-Match": '"2"'}).status_code == 204
    assert client.delete(lamp).status_code == 404


def test_what_a_client_has_already_is_not_sent_again(client: Any, lamp: str):
    for known in ('"1"', 'W/"1"', '"7", "1"', "*"):
        response = client.get(lamp, headers={"If-None-Match": known})
        assert (response.status_code, response.data, response.headers["ETag"]) == (304, b"", '"1"')
    assert client.get(lamp, headers={"If-None-Match": '"7"'}).json["version"] == 1
    assert client.get(lamp, headers={"If-None-Match": "1"}).status_code == 400


def test_no_change_of_parallel_clients_is_lost(client: Any, lamp: str):
    """Each of 8 processes adds 5 to the price, one by one: read, change, put, and again if it came too late."""
    at_once(8, add, client, lamp, 5)
    item = client.get(lamp).json
    assert (item["price"], item["version"]) == ("41.00", 41)


def add(_number: int, client: Any, path: str, times: int) -> None:
    done = 0
    while done < times:
        read = client.get(path)
        price = float(read.json["price"]) + 1
        status = put(client, path, read.headers["ETag"], price=price).status_code
        assert status in (200, 412)
        done += status == 200
