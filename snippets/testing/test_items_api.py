import pytest


@pytest.fixture
def kettle(client):
    response = client.post("/items", json={"name": "Kettle", "price": "12.50"})
    assert response.status_code == 201
    return response.json


def test_an_item_can_be_read_back(client, kettle):
    assert client.get(f"/items/{kettle['id']}").json == kettle


def test_a_name_can_be_used_once(client, kettle):
    response = client.post("/items", json={"name": kettle["name"], "price": 1})
    assert response.status_code == 409
    assert response.json["details"] == {"constraint": "items_name_is_unique"}


def test_an_error_says_who_asked_and_for_what(client, user_headers):
    response = client.get("/items/7", headers=user_headers)
    assert response.json["x_user"] == user_headers["X-User"]
    assert response.json["instance"] == "/items/7"


def test_each_test_has_a_database_of_its_own(client):
    assert client.get("/items").json["items"] == []
