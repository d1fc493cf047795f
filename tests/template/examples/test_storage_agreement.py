"""Rows and objects agree in the end, whatever happened in between, and whenever a pod was killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import warnings
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import example_storage_s3 as store
import example_storage_sweep as sweeper
import pytest
import requests
from helpers import execute, fetch_all, fetch_one
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.pod import Pod
from kit.testing import object_store, s3  # noqa: F401 - fixtures

ADA = {"X-User": "ada"}
LARGE = 9 * 2**20
PATIENCE = 30  # seconds; only a broken test needs them


class Story:
    """What somebody does with an area, whose files are told apart by their number."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.area = client.post("/storage", json={"name": str(uuid4())}, headers=ADA).json["id"]
        self.files: list[dict[str, Any]] = []

    def announce(self, size_bytes: int = 5) -> Any:
        body = {"name": "a.bin", "content_type": "image/png", "size_bytes": size_bytes}
        answer = self.client.post(f"/storage/{self.area}/files", json=body, headers=ADA)
        if answer.status_code == 201:
            self.files.append(answer.json)
        return answer

    def upload(self, file: dict[str, Any]) -> None:
        request = file["uploads"][0]
        assert requests.put(request["url"], b"x" * 5, headers=request["headers"], timeout=20).status_code in (200, 403)

    def complete(self, file: dict[str, Any]) -> Any:
        return self.client.post(self.url(file) + "/complete", json={}, headers=ADA)

    def delete(self, file: dict[str, Any]) -> Any:
        return self.client.delete(self.url(file), headers=ADA)

    def url(self, file: dict[str, Any]) -> str:
        return f"/storage/{file['area_id']}/files/{file['id']}"

    def act(self, action: str, number: int) -> None:
        """Do one thing; what needs a file takes the one that the number says."""
        if action == "announce":
            self.announce()
        elif action == "announce large":
            self.announce(LARGE)
        elif action == "stray":
            put(f"{self.area}/{uuid4()}/stray.bin")
        elif action == "expire":
            execute("UPDATE storage_files SET expires_at = now() - interval '1 hour'")
        elif action == "sweep":
            sweep(self.client)
        elif self.files:
            file = self.files[number % len(self.files)]
            key = f"{self.area}/{file['id']}/a.bin"
            {
                "upload": lambda: self.upload(file) if file["size_bytes"] == 5 else None,
                "complete": lambda: self.complete(file),
                "delete": lambda: self.delete(file),
                "lose": lambda: store.remove(store.shared_bucket(), key),
                "replace": lambda: put(key),
                "mark only": lambda: execute("UPDATE storage_files SET state = 'deleting' WHERE id = %(id)s", file),
            }[action]()


ACTIONS = [
    *("announce", "announce large", "upload", "complete", "delete", "lose", "replace", "mark only", "stray"),
    *("expire", "sweep"),
]


def put(key: str) -> None:
    store._client().put_object(Bucket=store.shared_bucket(), Key=key, Body=b"other", ContentType="image/png")


def without_grace(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let objects of this moment count as old."""
    monkeypatch.setattr("example_storage_sweep.LEAST_GRACE_HOURS", 0)  # of the module as it is imported now
    pod.set_config("S3_ORPHAN_GRACE_HOURS", "0")


def sweep(client: Any) -> dict[str, Any]:
    answer = client.timer("your-service-storage-sweep-sweep")
    assert answer.status_code == 200, answer.text
    return {name: value for name, value in answer.json.items() if value}


def check_agreement(area: str) -> None:
    """Every stored row has its object, every object its row, and nothing is under way."""
    rows = fetch_all("SELECT key, etag, state FROM storage_files WHERE area_id = %(area)s", {"area": area})
    objects = {each.key: each.etag for each in store.list_objects(store.shared_bucket(), f"{area}/")[0]}
    assert {row["key"]: row["etag"] for row in rows if row["state"] == "stored"} == {
        key: etag for key, etag in objects.items() if key not in {row["key"] for row in rows if row["state"] == "lost"}
    }
    assert {row["state"] for row in rows} <= {"stored", "lost"}
    for row in rows:
        assert row["state"] == "stored" or objects.get(row["key"]) != row["etag"]
    assert not uploads_below(f"{area}/")


def uploads_below(prefix: str) -> list[Any]:
    """Return the uploads in parts that are under way; rclone answers 404 while a bucket never had any."""
    client = store._client()
    try:
        return client.list_multipart_uploads(Bucket=store.shared_bucket(), Prefix=prefix).get("Uploads", [])
    except client.exceptions.NoSuchUpload:
        return []


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(actions=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 3)), max_size=14))
def test_after_any_story_a_sweep_makes_rows_and_objects_agree(
    client: Any,
    s3: str,  # noqa: F811 - a fixture
    pod: Pod,
    monkeypatch: pytest.MonkeyPatch,
    actions: list[tuple[str, int]],
):
    without_grace(pod, monkeypatch)
    story = Story(client)
    story.announce()
    for action, number in actions:
        story.act(action, number)
    execute("UPDATE storage_files SET expires_at = now() - interval '1 hour'")
    sweep(client)
    check_agreement(story.area)
    assert sweep(client) == {}  # and there is nothing left to do


@pytest.fixture
def hanging() -> Iterator[socket.socket]:
    """A store that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener


def kill_while_it_waits_for_the_store(pod: Pod, hanging: socket.socket, work: Any, *arguments: Any) -> None:
    """Run the request in a process of its own, and kill that process when the store has got its request."""
    endpoint = (pod.configs / "S3_ENDPOINT").read_text()
    pod.set_config("S3_ENDPOINT", f"http://127.0.0.1:{hanging.getsockname()[1]}")
    process = multiprocessing.get_context("fork").Process(target=_alone, args=(work, arguments))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of forks where threads run
        process.start()
    with closing(hanging.accept()[0]):
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL
    pod.set_config("S3_ENDPOINT", endpoint)


def _alone(work: Any, arguments: tuple[Any, ...]) -> None:
    work(*arguments)
    os._exit(0)


@pytest.mark.parametrize("step", ["announce", "complete", "delete", "area"])
def test_a_pod_that_is_killed_at_the_store_leaves_only_what_the_sweep_cleans(
    client: Any,
    s3: str,  # noqa: F811 - a fixture
    pod: Pod,
    hanging: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
):
    without_grace(pod, monkeypatch)
    story = Story(client)
    file = story.announce().json
    story.upload(file)
    if step == "delete":
        assert story.complete(file).status_code == 200
    work = {
        "announce": lambda: story.announce(LARGE),
        "complete": lambda: story.complete(file),
        "delete": lambda: story.delete(file),
        "area": lambda: client.post("/storage", json={"name": "own", "kind": "bucket"}, headers=ADA),
    }[step]
    kill_while_it_waits_for_the_store(pod, hanging, work)
    states = [row["state"] for row in fetch_all("SELECT state FROM storage_files ORDER BY created_at")]
    assert states == {"announce": ["pending", "pending"], "delete": ["deleting"]}.get(step, ["pending"])
    if step == "complete":
        assert story.complete(file).json["state"] == "stored"  # nothing was lost
    execute("UPDATE storage_files SET expires_at = now() - interval '1 hour'")
    execute("UPDATE storage_areas SET changed_at = now() - interval '1 hour' WHERE state = 'creating'")
    sweep(client)
    check_agreement(story.area)
    left = fetch_one("SELECT count(*) AS number FROM storage_areas WHERE state = 'creating'")
    assert left == {"number": 0}
