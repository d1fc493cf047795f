"""Whatever breaks off between database and store, the sweep makes both agree again, and touches nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import example_storage_s3 as store
import example_storage_sweep as sweeper
from helpers import execute, fetch_all, fetch_one
from kit.objectstore import ObjectStore
from kit.pod import Pod

ADA = {"X-User": "ada"}
CONTENT = b"hello world"
LARGE = 9 * 2**20


@pytest.fixture
def area(client: Any, s3: str) -> str:
    """An area of ada's, below a prefix of this test's bucket."""
    return new_area(client)


@pytest.fixture
def own_store(pod: Pod, tmp_path: Path) -> Iterator[Callable[[], ObjectStore]]:
    """Start, and start again, a store of this test's own, with the data and the address of the time before."""
    started: list[ObjectStore] = []

    def start() -> ObjectStore:
        started.append(ObjectStore.start(tmp_path / "s3"))
        keys, configs = started[-1].settings("own-bucket")
        for key, value in keys.items():
            pod.set_secret(key, value)
        for key, value in configs.items():
            pod.set_config(key, value)
        return started[-1]

    (tmp_path / "s3" / "own-bucket").mkdir(parents=True)
    yield start
    for each in started:
        each.stop()


def new_area(client: Any, **fields: Any) -> str:
    response = client.post("/storage", json={"name": f"area {uuid4()}", **fields}, headers=ADA)
    assert response.status_code == 201, response.text
    return response.json["id"]


def announce(client: Any, area: str, size_bytes: int = len(CONTENT)) -> Any:
    body = {"name": "a.png", "content_type": "image/png", "size_bytes": size_bytes}
    return client.post(f"/storage/{area}/files", json=body, headers=ADA)


def uploaded(client: Any, area: str) -> dict[str, Any]:
    file = announce(client, area).json
    put(row_of(file)["key"])
    return file


def stored(client: Any, area: str) -> dict[str, Any]:
    file = uploaded(client, area)
    assert complete(client, file).status_code == 200
    return file


def complete(client: Any, file: dict[str, Any]) -> Any:
    return client.post(f"/storage/{file['area_id']}/files/{file['id']}/complete", json={}, headers=ADA)


def delete(client: Any, file: dict[str, Any]) -> Any:
    return client.delete(f"/storage/{file['area_id']}/files/{file['id']}", headers=ADA)


def state(client: Any, file: dict[str, Any]) -> Any:
    answer = client.get(f"/storage/{file['area_id']}/files/{file['id']}", headers=ADA)
    assert (answer.json.get("download_url") is not None) == (answer.json.get("state") == "stored")
    return answer.json.get("state")


def put(key: str, content: bytes = CONTENT) -> None:
    store._client().put_object(Bucket=store.shared_bucket(), Key=key, Body=content, ContentType="image/png")


def row_of(file: dict[str, Any]) -> dict[str, Any]:
    row = fetch_one("SELECT * FROM storage_files WHERE id = %(id)s", file)
    assert row is not None
    return row


def keys() -> set[str]:
    return {each.key for each in store.list_objects(store.shared_bucket(), "")[0]}


def bucket_exists(bucket: str) -> bool:
    return bucket in {each["Name"] for each in store._client().list_buckets()["Buckets"]}


def expire() -> None:
    execute("UPDATE storage_files SET expires_at = now() - interval '1 hour' WHERE state = 'pending'")


def without_grace(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let objects of this moment count as old."""
    monkeypatch.setattr(sweeper, "LEAST_GRACE_HOURS", 0)
    pod.set_config("S3_ORPHAN_GRACE_HOURS", "0")


def age_areas() -> None:
    execute("UPDATE storage_areas SET changed_at = now() - interval '2 days'")


def sweep(client: Any) -> dict[str, Any]:
    """Fire the timer; return what the report says beside "nothing"."""
    answer = client.timer("your-service-storage-sweep-sweep")
    assert answer.status_code == 200, answer.text
    return {name: value for name, value in answer.json.items() if value}


def test_an_upload_that_was_never_completed_is_removed(client: Any, area: str):
    uploaded(client, area)
    announce(client, area)
    announce(client, area, LARGE)
    assert sweep(client) == {}  # there is still time
    expire()
    assert sweep(client) == {"expired": 3, "removed": 3}
    assert (keys(), fetch_all("SELECT 1 FROM storage_files")) == (set(), [])
    assert not store._client().list_multipart_uploads(Bucket=store.shared_bucket()).get("Uploads")
    assert sweep(client) == {}


def test_a_file_that_was_given_up_cannot_be_completed(client: Any, area: str):
    file = uploaded(client, area)
    expire()
    sweeper.expire_uploads()
    assert complete(client, file).status_code == 404
    assert state(client, file) is None


def test_a_file_that_was_completed_in_time_stays(client: Any, area: str):
    file = stored(client, area)
    execute("UPDATE storage_files SET expires_at = now() - interval '1 year'")
    assert sweep(client) == {}
    assert state(client, file) == "stored"


def test_a_missing_object_is_reported_once_and_found_again(client: Any, area: str, capfd: pytest.CaptureFixture[str]):
    file, other = stored(client, area), stored(client, area)
    key = row_of(file)["key"]
    store.remove(store.shared_bucket(), key)
    assert sweep(client) == {"lost": [file["id"]]}
    assert file["id"] in capfd.readouterr().out
    assert (state(client, file), state(client, other)) == ("lost", "stored")
    assert complete(client, file).status_code == 409
    assert sweep(client) == {}
    put(key)  # from a backup
    assert sweep(client) == {"found": [file["id"]]}
    assert state(client, file) == "stored"


def test_an_object_that_was_replaced_counts_as_lost(client: Any, area: str):
    file = stored(client, area)
    put(row_of(file)["key"], b"HELLO WORLD")
    assert sweep(client) == {"lost": [file["id"]]}


def test_a_lost_file_can_be_deleted(client: Any, area: str):
    file = stored(client, area)
    store.remove(store.shared_bucket(), row_of(file)["key"])
    sweep(client)
    assert delete(client, file).status_code == 204
    assert fetch_all("SELECT 1 FROM storage_files") == []


def test_objects_without_a_file_are_deleted_after_the_grace_period_only(
    client: Any, area: str, pod: Pod, monkeypatch: pytest.MonkeyPatch
):
    file = stored(client, area)
    orphan = f"{area}/{uuid4()}/a.txt"
    put(orphan)
    assert sweep(client) == {}
    without_grace(pod, monkeypatch)
    assert sweep(client) == {"orphans": 1}
    assert keys() == {row_of(file)["key"]}


def test_what_is_in_the_bucket_beside_our_areas_is_left_alone(
    client: Any, area: str, pod: Pod, monkeypatch: pytest.MonkeyPatch
):
    without_grace(pod, monkeypatch)
    others = {"backup.tar", f"{uuid4()}/{uuid4()}/a.txt", f"{area}x/a.txt"}
    for key in others:
        put(key)
    assert sweep(client) == {}
    assert keys() == others


def test_all_pages_are_compared_in_both_directions(client: Any, area: str, pod: Pod, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "PAGE_KEYS", 2)
    without_grace(pod, monkeypatch)
    files = [stored(client, area) for _ in range(7)]
    lost = {file["id"] for file in files[::2]}
    for file in files[::2]:
        store.remove(store.shared_bucket(), row_of(file)["key"])
    for _ in range(5):
        put(f"{area}/{uuid4()}/a.txt")
    report = sweep(client)
    assert (set(report.pop("lost")), report) == (lost, {"orphans": 5})
    assert keys() == {row_of(file)["key"] for file in files[1::2]}


def test_a_run_stops_in_time_and_the_next_one_goes_on(client: Any, area: str, monkeypatch: pytest.MonkeyPatch):
    file = stored(client, area)
    store.remove(store.shared_bucket(), row_of(file)["key"])
    with monkeypatch.context() as patch:
        patch.setattr(sweeper, "RUN_SECONDS", -1)
        assert sweep(client) == {"more": True}
    assert sweep(client) == {"lost": [file["id"]]}


def test_a_large_area_is_continued_where_the_last_run_stopped(client: Any, area: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "PAGE_KEYS", 2)
    files = sorted((stored(client, area) for _ in range(4)), key=lambda file: file["id"])
    for file in files:
        store.remove(store.shared_bucket(), row_of(file)["key"])
    row = fetch_one("SELECT *, now() AS listed_at, now() AS old FROM storage_areas")
    assert row is not None
    report = sweeper.SweepReport()
    swept_to = sweeper.compare_page(row, report)
    assert (set(report.lost), swept_to) == ({file["id"] for file in files[:2]}, row_of(files[1])["key"])
    execute("UPDATE storage_areas SET swept_to = %(swept_to)s", {"swept_to": swept_to})
    assert set(sweep(client)["lost"]) == {file["id"] for file in files[2:]}


@pytest.mark.parametrize("kind", ["prefix", "bucket"])
def test_a_deleted_area_goes_when_nobody_can_upload_to_it_any_more(client: Any, s3: str, kind: str):
    area = new_area(client, kind=kind)
    bucket = (fetch_one("SELECT bucket FROM storage_areas") or {})["bucket"]
    assert (bucket == s3) == (kind == "prefix")
    assert client.delete(f"/storage/{area}", headers=ADA).status_code == 204
    assert sweep(client) == {}
    assert len(fetch_all("SELECT 1 FROM storage_areas")) == 1
    late = f"{area}/{uuid4()}/late.txt"
    store._client().put_object(Bucket=bucket, Key=late, Body=b"x")  # with a URL from before
    age_areas()
    assert sweep(client) == {}  # there is something in it
    store.remove(bucket, late)
    assert sweep(client) == {"areas": 1}
    assert fetch_all("SELECT 1 FROM storage_areas") == []
    assert bucket_exists(bucket) == (kind == "prefix")


def test_a_bucket_that_holds_something_of_others_stays(client: Any, s3: str):
    area = new_area(client, kind="bucket")
    bucket = (fetch_one("SELECT bucket FROM storage_areas") or {})["bucket"]
    store._client().put_object(Bucket=bucket, Key="theirs.txt", Body=b"x")
    assert client.delete(f"/storage/{area}", headers=ADA).status_code == 204
    age_areas()
    assert sweep(client) == {}
    assert bucket_exists(bucket)


def test_an_area_whose_bucket_is_gone_does_not_hold_up_the_others(client: Any, area: str):
    file, broken = stored(client, area), new_area(client)
    execute("UPDATE storage_areas SET bucket = 'no-such-bucket' WHERE id = %(id)s", {"id": broken})
    store.remove(store.shared_bucket(), row_of(file)["key"])
    assert sweep(client) == {"lost": [file["id"]], "unreachable": [broken]}
    execute("UPDATE storage_areas SET state = 'deleting'  WHERE id = %(id)s", {"id": broken})
    age_areas()
    assert sweep(client)["areas"] == 1


@pytest.mark.parametrize("hours", ["a day", "0", "1", "-1", "1.5", "8761", "10000000000"])
def test_a_grace_period_that_would_delete_new_objects_is_refused(
    client: Any, area: str, pod: Pod, capfd: pytest.CaptureFixture[str], hours: str
):
    put(f"{area}/{uuid4()}/just-written.txt")
    pod.set_config("S3_ORPHAN_GRACE_HOURS", hours)
    assert client.timer("your-service-storage-sweep-sweep").status_code == 500
    assert "S3_ORPHAN_GRACE_HOURS is not a whole number from 2 to 8760" in capfd.readouterr().out
    assert len(keys()) == 1


def test_a_name_is_free_again_soon_after_a_pod_ended_while_it_made_the_bucket(client: Any, s3: str):
    area = new_area(client, name="reports", kind="bucket")
    execute("UPDATE storage_areas SET state = 'creating', changed_at = now() - interval '10 minutes'")
    assert client.post("/storage", json={"name": "reports"}, headers=ADA).status_code == 409
    assert sweep(client) == {}
    assert new_area(client, name="reports") != area
    age_areas()
    assert sweep(client) == {"areas": 1}


# Between any two steps the store may go away, or the pod. From here on it really does.


def test_an_area_whose_bucket_was_not_made_leaves_nothing(client: Any, own_store: Callable[[], ObjectStore]):
    own_store().stop()
    answer = client.post("/storage", json={"name": "reports", "kind": "bucket"}, headers=ADA)
    assert (answer.status_code, answer.json["error_code"]) == (503, "UNAVAILABLE")
    assert client.get("/storage", headers=ADA).json["items"] == []
    own_store()
    assert client.post("/storage", json={"name": "reports", "kind": "bucket"}, headers=ADA).status_code == 201
    assert sweep(client) == {}
    age_areas()
    assert sweep(client) == {"areas": 1}
    assert len(client.get("/storage", headers=ADA).json["items"]) == 1


def test_a_large_file_that_the_store_never_heard_of_leaves_nothing(client: Any, own_store: Callable[[], ObjectStore]):
    running = own_store()
    area = new_area(client)
    running.stop()
    assert announce(client, area, LARGE).status_code == 503
    assert announce(client, area).status_code == 201  # a URL is made without the store
    expire()
    assert client.timer("your-service-storage-sweep-sweep").status_code == 503
    own_store()
    assert sweep(client) == {"removed": 2}
    assert fetch_all("SELECT 1 FROM storage_files") == []


def test_an_upload_in_parts_whose_id_was_lost_is_ended(client: Any, area: str):
    file = announce(client, area, LARGE).json
    store.begin_parts(store.shared_bucket(), row_of(file)["key"], "text/plain")
    execute("UPDATE storage_files SET upload_id = NULL")
    expire()
    assert sweep(client) == {"expired": 1, "removed": 1}
    assert not store._client().list_multipart_uploads(Bucket=store.shared_bucket()).get("Uploads")


def test_a_file_can_be_completed_when_the_store_is_back(client: Any, own_store: Callable[[], ObjectStore]):
    running = own_store()
    file = uploaded(client, new_area(client))
    running.stop()
    assert complete(client, file).status_code == 503
    assert state(client, file) == "pending"
    own_store()
    assert complete(client, file).json["state"] == "stored"


def test_a_file_that_was_deleted_without_the_store_is_removed_later(client: Any, own_store: Callable[[], ObjectStore]):
    running = own_store()
    area = new_area(client)
    file, other = stored(client, area), stored(client, area)
    running.stop()
    assert delete(client, file).status_code == 204
    assert state(client, file) is None
    assert delete(client, file).status_code == 404
    own_store()
    assert len(keys()) == 2
    assert sweep(client) == {"removed": 1}
    assert keys() == {row_of(other)["key"]}


def test_a_deletion_that_ended_before_its_last_step_is_finished(client: Any, area: str):
    file = stored(client, area)
    execute("UPDATE storage_files SET state = 'deleting'")
    store.remove(store.shared_bucket(), row_of(file)["key"])
    assert sweep(client) == {"removed": 1}
    assert fetch_all("SELECT 1 FROM storage_files") == []
