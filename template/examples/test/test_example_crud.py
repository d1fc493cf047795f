"""The items of the example, through the local router and a real database."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from helpers import execute

KETTLE = {"name": "Kettle", "price": "12.50", "dimensions": {"width_mm": 200, "height_mm": 250, "depth_mm": 180}}


def create(client: Any, **fields: Any) -> dict[str, Any]:
    response = client.post("/items", json={**KETTLE, **fields})
    assert response.status_code == 201, response.text
    return response.json


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["name"] for item in response.json["items"]]


def test_a_created_item_can_be_read_where_its_location_says(client: Any):
    response = client.post("/items", json=KETTLE)
    assert response.status_code == 201
    assert client.get(response.headers["Location"]).json == response.json
    assert response.json["dimensions"] == KETTLE["dimensions"]
    assert (response.json["price"], response.json["status"]) == ("12.50", "draft")


def test_two_items_cannot_have_the_same_name(client: Any):
    create(client)
    response = client.post("/items", json=KETTLE)
    assert response.status_code == 409
    assert response.json["details"] == {"constraint": "items_name_is_unique"}


def test_replacing_sets_every_field_anew(client: Any):
    item = create(client, description="shiny")
    response = client.put(f"/items/{item['id']}", json={"name": "Pot", "price": 3}, headers={"If-Match": "*"})
    assert response.status_code == 200
    assert (response.json["name"], response.json["description"], response.json["dimensions"]) == ("Pot", "", None)
    assert response.json["created_at"] == item["created_at"]
    assert response.json["updated_at"] > item["updated_at"]
    assert client.get(f"/items/{item['id']}").json == response.json


def test_an_item_cannot_take_the_name_of_another(client: Any):
    create(client)
    item = create(client, name="Pot")
    response = client.put(f"/items/{item['id']}", json=KETTLE, headers={"If-Match": "*"})
    assert (response.status_code, response.json["details"]) == (409, {"constraint": "items_name_is_unique"})


def test_a_deleted_item_is_gone(client: Any):
    item = create(client)
    assert client.delete(f"/items/{item['id']}").status_code == 204
    assert client.get(f"/items/{item['id']}").status_code == 404
    assert client.delete(f"/items/{item['id']}").status_code == 404


@pytest.mark.parametrize("itemid", [str(uuid4()), "7", "x" * 500, "Jürgen", "J%C3%BCrgen", "a%2Fb", "..%5c"])
def test_an_item_that_does_not_exist_is_not_found(client: Any, itemid: str):
    assert client.get(f"/items/{itemid}").status_code == 404
    assert client.put(f"/items/{itemid}", json=KETTLE, headers={"If-Match": '"1"'}).status_code == 404
    assert client.delete(f"/items/{itemid}", headers={"If-Match": "*"}).status_code == 404


def test_filters_select_and_sort_keys_order(client: Any):
    for number, status in enumerate(["draft", "active", "active"]):
        create(client, name=f"100%_{number}", price=number, status=status)
    assert names(client.get("/items?status=active&sort=name")) == ["100%_1", "100%_2"]
    assert names(client.get("/items?min_price=1&max_price=1")) == ["100%_1"]
    assert names(client.get("/items?search=%25_0")) == ["100%_0"]
    assert names(client.get("/items?search=_%25")) == []
    assert names(client.get("/items?sort=-price")) == ["100%_2", "100%_1", "100%_0"]


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "price", "-price", "name", "-name"])
def test_cursors_walk_through_everything_once_although_values_repeat(client: Any, sort: str):
    execute("INSERT INTO items (name, price, created_at) SELECT n::text, n / 4, now() FROM generate_series(1, 25) n")
    seen: list[str] = []
    cursor = ""
    while True:
        page = client.get(f"/items?limit=4&sort={sort}&cursor={cursor}" if cursor else f"/items?limit=4&sort={sort}")
        seen += names(page)
        cursor = page.json["next_cursor"]
        assert page.json["has_more"] == (cursor is not None)
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 25
    offsets = [names(client.get(f"/items?limit=5&offset={at}&sort={sort}")) for at in range(0, 25, 5)]
    assert [name for page in offsets for name in page] == seen


def test_the_total_is_counted_only_on_request(client: Any):
    create(client)
    assert client.get("/items").json["total"] is None
    assert client.get("/items?total=true&status=active").json["total"] == 0


def test_a_cursor_works_only_with_the_filters_that_it_came_from(client: Any):
    execute("INSERT INTO items (name, price) SELECT n::text, 1 FROM generate_series(1, 3) n")
    cursor = client.get("/items?limit=1").json["next_cursor"]
    assert client.get(f"/items?limit=1&status=draft&cursor={cursor}").status_code == 400
    assert client.get(f"/items?limit=1&sort=name&cursor={cursor}").status_code == 400
    assert client.get(f"/items?limit=1&offset=1&cursor={cursor}").status_code == 400
    assert client.get(f"/items?limit=2&cursor={cursor}").status_code == 200


@pytest.mark.parametrize("query", ["sort=secret", "limit=0", "status=sold", "x=1", "cursor=bm8", "limit=1&limit=2"])
def test_a_wrong_query_is_refused_with_the_name_of_the_parameter(client: Any, query: str):
    response = client.get(f"/items?{query}")
    assert response.status_code == 400
    assert response.json["details"][0]["loc"] == "query." + query.split("=")[0]


def test_a_failing_request_is_answered_in_json_with_its_id_and_user(client: Any, user_headers: dict[str, str]):
    response = client.get("/items/7", headers={**user_headers, "X-Fission-Request-Id": "r-7"})
    assert response.content_type == "application/problem+json"
    assert (response.json["request_id"], response.json["x_user"]) == ("r-7", user_headers["X-User"])
    assert response.json["instance"] == "/items/7"
