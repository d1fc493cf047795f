"""The storage service under clients and sweeps at once, each a process with its own connections."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import uuid4

import example_storage_s3 as store
import pytest
from helpers import execute, fetch_all
from kit.parallel import at_once
from kit.testing import object_store, s3  # noqa: F401 - fixtures

ADA = {"X-User": "ada"}
CLIENTS = 8
PNG = {"name": "a.png", "content_type": "image/png", "size_bytes": 5}


@pytest.fixture
def area(client: Any, s3: str) -> str:  # noqa: F811 - a fixture
    return new_area(client)


def new_area(client: Any) -> str:
    return client.post("/storage", json={"name": str(uuid4())}, headers=ADA).json["id"]


def uploaded(client: Any, area: str) -> str:
    """Announce and upload a file; return its path."""
    file = client.post(f"/storage/{area}/files", json=PNG, headers=ADA).json
    key = f"{area}/{file['id']}/a.png"
    store._client().put_object(Bucket=store.shared_bucket(), Key=key, Body=b"hello", ContentType="image/png")
    return f"/storage/{area}/files/{file['id']}"


def rows() -> list[dict[str, Any]]:
    return fetch_all("SELECT * FROM storage_files")


def keys() -> set[str]:
    return {each.key for each in store.list_objects(store.shared_bucket(), "")[0]}


def complete(client: Any, path: str) -> int:
    return client.post(f"{path}/complete", json={}, headers=ADA).status_code


def sweep(client: Any) -> dict[str, Any]:
    answer = client.timer("your-service-storage-sweep-sweep")
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_file_that_all_complete_at_once_is_stored_once(client: Any, area: str):
    path = uploaded(client, area)
    assert at_once(CLIENTS, lambda _: complete(client, path)) == [200] * CLIENTS
    assert [row["state"] for row in rows()] == ["stored"]


def test_a_file_that_all_delete_at_once_is_gone_without_an_error(client: Any, area: str):
    path = uploaded(client, area)
    assert set(at_once(CLIENTS, lambda _: client.delete(path, headers=ADA).status_code)) <= {204, 404}
    assert (rows(), keys()) == ([], set())


def test_no_file_gets_into_an_area_that_is_being_deleted(client: Any, area: str):
    areas = [new_area(client) for _ in range(20)]

    def work(number: int) -> Counter[int]:
        if number % 2:
            return Counter(client.delete(f"/storage/{each}", headers=ADA).status_code for each in areas)
        return Counter(client.post(f"/storage/{each}/files", json=PNG, headers=ADA).status_code for each in areas)

    found = at_once(CLIENTS, work)
    assert set().union(*found) <= {201, 204, 404, 409}
    broken = """
        SELECT a.id FROM storage_areas a JOIN storage_files f ON f.area_id = a.id WHERE a.state = 'deleting'
    """
    assert fetch_all(broken) == []


def test_a_name_that_all_want_at_once_makes_one_area_and_one_bucket(client: Any, s3: str):  # noqa: F811 - a fixture
    wanted = {"name": "reports", "kind": "bucket"}
    found = Counter(at_once(CLIENTS, lambda _: client.post("/storage", json=wanted, headers=ADA).status_code))
    assert found == {201: 1, 409: CLIENTS - 1}
    buckets = [each["Name"] for each in store._client().list_buckets()["Buckets"]]
    assert len([name for name in buckets if name.startswith(f"{s3[:30]}-")]) == 1


def test_sweeps_at_once_remove_each_file_once(client: Any, area: str):
    for _ in range(20):
        uploaded(client, area)
    execute("UPDATE storage_files SET expires_at = now() - interval '1 hour'")
    reports = at_once(CLIENTS, lambda _: sweep(client))
    assert sum(report["expired"] for report in reports) == 20
    assert sum(report["removed"] for report in reports) == 20
    assert (rows(), keys()) == ([], set())


def test_a_file_is_either_completed_or_swept(client: Any, area: str):
    paths = [uploaded(client, area) for _ in range(20)]
    execute("UPDATE storage_files SET expires_at = now() - interval '1 hour'")

    def work(number: int) -> Counter[int]:
        return Counter(complete(client, path) for path in paths) if number else Counter([sweep(client)["expired"]])

    found = at_once(CLIENTS, work)
    assert set().union(*found[1:]) <= {200, 404, 409}
    sweep(client)
    assert {row["key"] for row in rows()} == keys()
    assert {row["state"] for row in rows()} <= {"stored"}
