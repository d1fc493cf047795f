"""The areas of the storage service: their names, their buckets, and what is missing without settings."""

from __future__ import annotations

from typing import Any

import pytest

import example_storage_s3 as store
from helpers import execute
from kit.pod import Pod

PHOTO = {"name": "photo.png", "content_type": "image/png", "size_bytes": 11}
ADA = {"X-User": "ada"}


def new_area(client: Any, name: str) -> str:
    return client.post("/storage", json={"name": name}, headers=ADA).json["id"]


def test_areas_are_created_listed_and_deleted(client: Any, s3: str):
    first, second = new_area(client, "first"), new_area(client, "second")
    assert client.post("/storage", json={"name": "first"}, headers=ADA).status_code == 409
    assert [item["id"] for item in client.get("/storage?limit=5", headers=ADA).json["items"]] == [second, first]
    assert [item["id"] for item in client.get("/storage?search=FIR", headers=ADA).json["items"]] == [first]
    assert client.get(f"/storage/{first}", headers=ADA).json["kind"] == "prefix"
    assert client.delete(f"/storage/{first}", headers=ADA).status_code == 204
    assert client.get(f"/storage/{first}", headers=ADA).status_code == 404
    assert client.post(f"/storage/{first}/files", json=PHOTO, headers=ADA).status_code == 404
    new_area(client, "first")  # the name is free again


def test_a_refused_name_makes_no_bucket(client: Any, s3: str):
    wanted = {"name": "reports", "kind": "bucket"}
    answers = [client.post("/storage", json=wanted, headers=ADA).status_code for _ in range(4)]
    assert answers == [201, 409, 409, 409]
    buckets = [each["Name"] for each in store._client().list_buckets()["Buckets"]]
    assert len([name for name in buckets if name.startswith(f"{s3[:30]}-")]) == 1


def test_a_bucket_that_is_made_too_late_is_no_area(client: Any, s3: str, monkeypatch: pytest.MonkeyPatch):
    make_bucket = store.make_bucket

    def slowly(name: str) -> None:
        make_bucket(name)
        execute("UPDATE storage_areas SET changed_at = now() - interval '10 minutes'")
        assert client.timer("sweep").status_code == 200  # of another pod

    monkeypatch.setattr(store, "make_bucket", slowly)
    assert client.post("/storage", json={"name": "reports", "kind": "bucket"}, headers=ADA).status_code == 503
    assert client.get("/storage", headers=ADA).json["items"] == []


def test_a_missing_setting_is_named_in_the_log_only(client: Any, pod: Pod, capfd: pytest.CaptureFixture[str]):
    answer = client.post("/storage", json={"name": "reports"}, headers=ADA)
    assert (answer.status_code, answer.json["error_code"]) == (500, "CONFIGURATION_ERROR")
    assert "S3_BUCKET" not in answer.text
    assert "the store needs the setting S3_BUCKET" in capfd.readouterr().out
