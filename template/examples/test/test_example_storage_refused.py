"""What the store refuses to remove holds up nothing else; only a store that is away as a whole ends the sweep."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

import example_storage_s3 as store
import example_storage_sweep as sweeper
from helpers import execute, fetch_all, fetch_one
from kit.pod import Pod

ADA = {"X-User": "ada"}
REFUSALS = {"AccessDenied": 403, "InternalError": 500}


class Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@pytest.fixture
def refuse(s3: str) -> Iterator[Callable[..., None]]:
    """Let the store refuse an operation for addresses that hold a text, instead of sending it there."""
    from botocore.awsrequest import AWSResponse

    events = store._client().meta.events
    registered: list[tuple[str, Callable[..., Any]]] = []

    def start(operation: str, part: str, code: str = "AccessDenied") -> None:
        body = f"<Error><Code>{code}</Code></Error>".encode()

        def answer(request: Any, **_: Any) -> AWSResponse | None:
            return AWSResponse(request.url, REFUSALS[code], {}, Raw(body)) if part in request.url else None

        registered.append((f"before-send.s3.{operation}", answer))
        events.register(*registered[-1])

    yield start
    for each in registered:
        events.unregister(*each)


def new_area(client: Any, **fields: Any) -> str:
    return client.post("/storage", json={"name": f"area {uuid4()}", **fields}, headers=ADA).json["id"]


def stored(client: Any, area: str) -> str:
    """Announce, upload and complete a file; return its id."""
    body = {"name": "a.png", "content_type": "image/png", "size_bytes": 5}
    file = client.post(f"/storage/{area}/files", json=body, headers=ADA).json
    put(f"{area}/{file['id']}/a.png")
    assert client.post(f"/storage/{area}/files/{file['id']}/complete", json={}, headers=ADA).status_code == 200
    return file["id"]


def put(key: str) -> None:
    store._client().put_object(Bucket=store.shared_bucket(), Key=key, Body=b"hello", ContentType="image/png")


def sweep(client: Any) -> dict[str, Any]:
    answer = client.timer("your-service-storage-sweep-sweep")
    assert answer.status_code == 200, answer.text
    return {name: value for name, value in answer.json.items() if value}


def bucket_of(area: str) -> str:
    row = fetch_one("SELECT bucket FROM storage_areas WHERE id = %(area)s", {"area": area})
    return str(row and row["bucket"])


@pytest.mark.parametrize("code", REFUSALS)
def test_a_file_that_cannot_be_removed_holds_up_no_other(
    client: Any, s3: str, refuse: Callable[..., None], capfd: pytest.CaptureFixture[str], code: str
):
    area = new_area(client)
    locked, other, lost = (stored(client, area) for _ in range(3))
    execute("UPDATE storage_files SET state = 'deleting' WHERE id <> %(lost)s", {"lost": lost})
    execute("UPDATE storage_files SET expires_at = '2020-01-01' WHERE id = %(locked)s", {"locked": locked})
    store.remove(s3, f"{area}/{lost}/a.png")
    refuse("DeleteObject", locked, code)
    assert sweep(client) == {"removed": 1, "failed": 1, "lost": [lost]}
    assert locked in capfd.readouterr().out
    assert {row["id"] for row in fetch_all("SELECT id FROM storage_files")} == {locked, lost}
    assert fetch_all("SELECT 1 FROM storage_files WHERE id = %(other)s", {"other": other}) == []
    assert sweep(client) == {"failed": 1}


def test_files_that_cannot_be_removed_are_tried_after_all_others(
    client: Any, refuse: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sweeper, "BATCH_ROWS", 1)
    area = new_area(client)
    locked, other, lost = (stored(client, area) for _ in range(3))
    execute(
        "UPDATE storage_files SET state = 'deleting', expires_at = '2020-01-02' WHERE id <> %(lost)s", {"lost": lost}
    )
    execute("UPDATE storage_files SET expires_at = '2020-01-01' WHERE id = %(locked)s", {"locked": locked})
    store.remove(store.shared_bucket(), f"{area}/{lost}/a.png")
    refuse("DeleteObject", locked)
    assert sweep(client) == {"failed": 1, "lost": [lost], "more": True}
    assert sweep(client) == {"removed": 1, "more": True}
    left = fetch_all("SELECT id FROM storage_files")
    assert other not in {row["id"] for row in left}


def test_an_orphan_that_cannot_be_removed_holds_up_no_other(
    client: Any, s3: str, pod: Pod, refuse: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sweeper, "LEAST_GRACE_HOURS", 0)
    pod.set_config("S3_ORPHAN_GRACE_HOURS", "0")
    area = new_area(client)
    keys = sorted(f"{area}/{uuid4()}/a.png" for _ in range(3))
    for key in keys:
        put(key)
    refuse("DeleteObject", keys[1])
    assert sweep(client) == {"orphans": 2, "failed": 1}
    assert [each.key for each in store.list_objects(s3, "")[0]] == [keys[1]]


def test_an_area_that_cannot_be_listed_holds_up_no_other(client: Any, s3: str, refuse: Callable[..., None]):
    closed, area = new_area(client, kind="bucket"), new_area(client)
    lost = stored(client, area)
    store.remove(s3, f"{area}/{lost}/a.png")
    refuse("ListObjectsV2", bucket_of(closed))
    assert sweep(client) == {"lost": [lost], "failed": 1}
    assert sweep(client) == {"failed": 1}


def test_a_bucket_that_cannot_be_removed_holds_up_no_other(client: Any, s3: str, refuse: Callable[..., None]):
    areas = [new_area(client, kind="bucket") for _ in range(2)]
    for area in areas:
        assert client.delete(f"/storage/{area}", headers=ADA).status_code == 204
    execute("UPDATE storage_areas SET changed_at = now() - interval '2 days'")
    execute("UPDATE storage_areas SET changed_at = '2020-01-01' WHERE id = %(first)s", {"first": areas[0]})
    refuse("DeleteBucket", bucket_of(areas[0]))
    assert sweep(client) == {"areas": 1, "failed": 1}
    assert [row["id"] for row in fetch_all("SELECT id FROM storage_areas")] == areas[:1]
    assert sweep(client) == {}  # it is tried again after the grace period


@pytest.mark.parametrize(("code", "status"), [("AccessDenied", 500), ("InternalError", 503)])
def test_a_store_that_refuses_everything_is_no_success(
    client: Any, s3: str, refuse: Callable[..., None], code: str, status: int
):
    stored(client, new_area(client))
    execute("UPDATE storage_files SET state = 'deleting', expires_at = '2020-01-01'")
    refuse("*", s3, code)
    assert client.timer("your-service-storage-sweep-sweep").status_code == status
    assert fetch_all("SELECT 1 FROM storage_files WHERE expires_at > '2020-01-02'") == []
