"""The embedded object store starts when it is needed, keeps what it should keep, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from kit import objectstore
from kit.errors import KitError
from kit.objectstore import LocalStore, ObjectStore
from kit.pod import Settings
from kit.project import Project

READS_STORE = """
from helpers import get_config


def endpoint():
    return get_config("S3_ENDPOINT")
"""


@pytest.fixture(autouse=True)
def no_own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own store must not decide a test."""
    monkeypatch.delenv("S3_ENDPOINT", raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "s3" / "files").mkdir(parents=True)
    return tmp_path / "s3"


def has(store: ObjectStore, key: str) -> bool:
    answer = store.client().list_objects_v2(Bucket="files", Prefix=key)
    return [each["Key"] for each in answer.get("Contents", [])] == [key]


def test_a_throw_away_store_starts_quickly_and_leaves_nothing():
    started = time.perf_counter()
    with ObjectStore.temporary() as store:
        assert time.perf_counter() - started < 5  # it takes a tenth of a second; this machine may be busy
        client = store.client()
        client.create_bucket(Bucket="files")
        client.put_object(Bucket="files", Key="a", Body=b"x")
        assert has(store, "a")
        scratch = store._scratch
        assert scratch is not None
        assert scratch.exists()
    assert not scratch.exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(store.endpoint, timeout=5)
    store.stop()


def test_a_throw_away_store_dies_with_the_process_that_started_it():
    code = """
import time
from kit.objectstore import ObjectStore
store = ObjectStore.temporary()
print(store._process.pid, store._scratch, flush=True)
time.sleep(60)
"""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout
        pid, scratch = process.stdout.readline().split()
        process.kill()
    deadline = time.monotonic() + 15
    while (Path(scratch).exists() or is_alive(int(pid))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(scratch).exists()
    assert not is_alive(int(pid))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_kept_store_has_its_data_keys_and_port_again(home: Path):
    with ObjectStore.start(home) as first:
        first.client().put_object(Bucket="files", Key="a", Body=b"x")
    with ObjectStore.start(home) as again:
        assert (again.endpoint, again.access_key, again.secret_key) == (
            first.endpoint,
            first.access_key,
            first.secret_key,
        )
        assert has(again, "a")


def test_kept_data_survive_kill_9_of_the_store(home: Path):
    with ObjectStore.start(home) as first:
        first.client().put_object(Bucket="files", Key="a", Body=b"x")
        os.kill(first._process.pid, signal.SIGKILL)
    with ObjectStore.start(home) as again:
        assert has(again, "a")


def test_a_second_store_on_the_same_folder_takes_another_port_and_sees_the_same(home: Path):
    with ObjectStore.start(home) as first, ObjectStore.start(home) as second:
        assert first.endpoint != second.endpoint
        first.client().put_object(Bucket="files", Key="a", Body=b"x")
        deadline = time.monotonic() + 15
        while not has(second, "a"):
            assert time.monotonic() < deadline, "the second store does not see it"
            time.sleep(0.05)


def test_the_keys_are_private(home: Path):
    with ObjectStore.start(home) as store:
        note = home.with_name("s3.json")
        assert json.loads(note.read_text())["secret_key"] == store.secret_key
        assert note.stat().st_mode & 0o777 == 0o600
        assert home.stat().st_mode & 0o777 == 0o700
        shown = subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True, check=True).stdout
        assert "serve s3" in shown
        assert store.secret_key not in shown
        assert store.secret_key not in home.with_name("s3.log").read_text()


def test_the_developers_own_rclone_settings_decide_nothing(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RCLONE_AUTH_KEY", '"other,other"')
    monkeypatch.setenv("RCLONE_ADDR", "0.0.0.0:1")
    with ObjectStore.start(home) as store:
        assert store.endpoint.startswith("http://127.0.0.1:")
        store.client().put_object(Bucket="files", Key="a", Body=b"x")


def test_a_missing_rclone_is_named(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setattr(objectstore.metadata, "files", lambda _: [])
    with pytest.raises(KitError, match="there is no rclone; run `make setup`, or set S3_ENDPOINT"):
        ObjectStore.start(home)


def test_an_rclone_that_does_not_start_says_why(home: Path, monkeypatch: pytest.MonkeyPatch):
    program = home.with_name("rclone")
    program.write_text("#!/bin/sh\necho 'Fatal: no memory' >&2\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setattr(objectstore, "binary", lambda: program)
    with pytest.raises(KitError, match="rclone does not start: Fatal: no memory"):
        ObjectStore.start(home)


def test_the_functions_that_use_a_store_are_found_through_their_imports(template: Path, tmp_path: Path):
    assert objectstore.functions_with_store([template / "src"]) == []
    (tmp_path / "places.py").write_text(READS_STORE)
    (tmp_path / "between.py").write_text("import places\n")
    (tmp_path / "photos.py").write_text(
        'from between import x\n\ndef main():\n    """T.\n\n    ```fission\n    {"name": "photos"}\n    ```\n    """\n'
    )
    (tmp_path / "other.py").write_text(
        'def main():\n    """T.\n\n    ```fission\n    {"name": "other"}\n    ```\n    """\n'
    )
    assert objectstore.functions_with_store([template / "src", tmp_path, tmp_path / "none"]) == ["photos"]


@pytest.fixture
def local(project: Path) -> Iterator[LocalStore]:
    store = LocalStore(Project(project), lambda line: lines.append(line))
    lines: list[str] = []
    store.lines = lines  # type: ignore[attr-defined]
    yield store
    store.stop()


@pytest.mark.parametrize(
    ("settings", "environ"),
    [
        (Settings(configs={"S3_ENDPOINT": "https://s3.example.com"}), {}),
        (Settings(), {"S3_ENDPOINT": "https://s3.example.com"}),
    ],
    ids=["of .env", "of the environment"],
)
def test_a_store_of_your_own_is_used_instead(local: LocalStore, project: Path, settings: Settings, environ):
    before = dict(settings.configs)
    local.complete(settings, [project / "examples"], environ)
    assert (settings.configs, settings.secrets, local.place) == (before, {}, "")


def test_nothing_is_started_for_a_project_that_uses_no_store(local: LocalStore, project: Path):
    local.complete(Settings(), [project / "src"], {})
    assert local.place == ""
    assert not (project / ".kit" / "s3").exists()


def test_make_run_starts_a_store_and_ends_it(project: Path, serve):
    running = serve()
    place = running.wait_for(r"S3 on (http://127\.0\.0\.1:\d+)")
    area = running.request("POST", "/storage", json={"name": "reports"}, headers={"X-User": "ada"}).json()["id"]
    answer = running.request(
        "POST",
        f"/storage/{area}/files",
        json={"name": "a.png", "content_type": "image/png", "size_bytes": 5},
        headers={"X-User": "ada"},
    ).json()
    request = answer["uploads"][0]
    assert request["url"].startswith(f"{place}/acme-orders-files/{area}/")
    assert requests.put(request["url"], b"hello", headers=request["headers"], timeout=20).status_code == 200
    done = running.request("POST", f"/storage/{area}/files/{answer['id']}/complete", json={}, headers={"X-User": "ada"})
    assert done.json()["state"] == "stored"
    assert running.end() == 0
    assert running.processes() == set()
    with pytest.raises(requests.ConnectionError):
        requests.get(place, timeout=5)


def test_make_run_starts_a_store_when_code_begins_to_use_one(project: Path, serve, write_function):
    shutil.rmtree(project / "examples")
    running = serve()
    assert "S3 on" not in running.output
    assert not (project / ".kit" / "s3").exists()
    write_function("photos", 'return get_config("S3_ENDPOINT")', top="from helpers import get_config")
    running.until("/photos", lambda answer: answer.status_code == 200 and answer.text.startswith("http://127.0.0.1:"))


def test_make_run_goes_on_without_rclone_and_says_who_lacks_it(project: Path, serve, monkeypatch, tmp_path: Path):
    text = (
        "from kit.errors import KitError\nimport kit.objectstore\n\n\n"
        "def missing():\n    raise KitError('there is no rclone')\n\n\nkit.objectstore.binary = missing\n"
    )
    (tmp_path / "sitecustomize.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{project}")
    running = serve()
    running.wait_for("no object store for acme-orders-storage, acme-orders-storage-sweep: there is no rclone")
    assert running.get("/items").status_code == 200
    answer = running.request("POST", "/storage", json={"name": "reports"}, headers={"X-User": "ada"})
    assert (answer.status_code, answer.json()["error_code"]) == (500, "CONFIGURATION_ERROR")


def test_the_port_of_the_last_time_may_be_taken(home: Path):
    with ObjectStore.start(home) as first:
        pass
    with socket.create_server(("127.0.0.1", int(first.endpoint.rpartition(":")[2]))), ObjectStore.start(home) as again:
        assert again.endpoint != first.endpoint
