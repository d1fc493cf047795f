"""The storage service, through the local router, on a real database and a real object store."""

from __future__ import annotations

import hashlib
import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from werkzeug.http import parse_options_header

import example_storage_s3 as store
from helpers import execute, fetch_all, fetch_one
from kit.pod import Pod

PHOTO = {"name": "Zoë's photo.png", "content_type": "image/png", "size_bytes": 11}
CONTENT = b"hello world"
ADA = {"X-User": "ada"}


def send(request: dict[str, Any], body: bytes, **changes: str) -> tuple[int, bytes, dict[str, str]]:
    """Send one request of an announced file to the store, as a client does; return status, body and headers."""
    url = urlsplit(request["url"])
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    try:
        path = f"{url.path}?{url.query}"
        connection.request(request.get("method", "GET"), path, body, {**request.get("headers", {}), **changes})
        response = connection.getresponse()
        return response.status, response.read(), dict(response.getheaders())
    finally:
        connection.close()


def new_area(client: Any, name: str = "reports", **fields: Any) -> str:
    response = client.post("/storage", json={"name": name, **fields}, headers=ADA)
    assert response.status_code == 201, response.text
    return response.json["id"]


def announce(client: Any, area: str, **fields: Any) -> dict[str, Any]:
    response = client.post(f"/storage/{area}/files", json={**PHOTO, **fields}, headers=ADA)
    assert response.status_code == 201, response.text
    assert response.headers["Cache-Control"] == "no-store"
    return response.json


def complete(client: Any, file: dict[str, Any], parts: list[dict[str, Any]] | None = None) -> Any:
    body = {} if parts is None else {"parts": parts}
    return client.post(f"/storage/{file['area_id']}/files/{file['id']}/complete", json=body, headers=ADA)


def stored_file(client: Any, area: str, content: bytes = CONTENT, **fields: Any) -> dict[str, Any]:
    file = announce(client, area, size_bytes=len(content), **fields)
    assert send(file["uploads"][0], content)[0] == 200
    assert complete(client, file).status_code == 200
    return file


def read(client: Any, file: dict[str, Any]) -> Any:
    return client.get(f"/storage/{file['area_id']}/files/{file['id']}", headers=ADA)


def row_of(file: dict[str, Any]) -> dict[str, Any]:
    row = fetch_one("SELECT * FROM storage_files WHERE id = %(id)s", file)
    assert row is not None
    return row


@pytest.fixture
def area(client: Any, s3: str) -> str:
    """An area of ada's, below a prefix of this test's bucket."""
    return new_area(client)


def test_a_file_is_announced_uploaded_completed_downloaded_and_deleted(client: Any, area: str, s3: str):
    file = announce(client, area, md5=hashlib.md5(CONTENT).hexdigest())
    assert (file["state"], len(file["uploads"])) == ("pending", 1)
    assert send(file["uploads"][0], CONTENT)[0] == 200
    done = complete(client, file).json
    assert (done["state"], done["name"], done["size_bytes"]) == ("stored", PHOTO["name"], 11)

    answer = read(client, file)
    assert answer.headers["Cache-Control"] == "no-store"
    status, content, headers = send({"url": answer.json["download_url"]}, b"")
    assert (status, content, headers["Content-Type"]) == (200, CONTENT, "image/png")
    assert filename(headers["Content-Disposition"]) == PHOTO["name"]

    assert client.delete(f"/storage/{area}/files/{file['id']}", headers=ADA).status_code == 204
    assert read(client, file).status_code == 404
    assert store.list_objects(s3, "") == ([], False)
    assert fetch_all("SELECT 1 FROM storage_files") == []


def test_the_key_holds_nothing_that_a_client_chose_but_letters(client: Any, area: str):
    for name in ("../../etc/passwd", "a/b\\c", "..", "naïve \u5e74 file?.txt", "-", "x" * 200):
        file = announce(client, area, name=name)
        folder, own, last = row_of(file)["key"].split("/")
        assert (folder, own) == (area, file["id"])
        assert last
        assert set(last) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
        assert not last.startswith((".", "-"))
        assert len(last) <= 100
        assert file["name"] == name


@pytest.mark.parametrize(
    "name", ['a"; filename="evil.exe', "semi;colon", "a'b", "100% \u20ac \U0001f600.txt", "back\\slash"]
)
def test_no_name_can_break_out_of_the_header_of_a_download(client: Any, area: str, name: str):
    file = stored_file(client, area, name=name)
    status, _, headers = send({"url": read(client, file).json["download_url"]}, b"")
    assert status == 200
    header = headers["Content-Disposition"]
    assert header.startswith("attachment; ")
    assert header.isascii()
    assert header.count(";") == 2
    assert filename(header) == name


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: x=1", "tab\there", "\u202egnp.exe", "", " ", "x" * 201, "nul\0"])
def test_names_with_controls_are_refused(client: Any, area: str, name: str):
    response = client.post(f"/storage/{area}/files", json={**PHOTO, "name": name}, headers=ADA)
    assert response.status_code == 400
    assert response.json["details"][0]["loc"] == "body.name"


@pytest.mark.parametrize(
    "fields",
    [
        {"size_bytes": -1},
        {"size_bytes": 5 * 2**30},
        {"size_bytes": "11"},
        {"content_type": "image"},
        {"content_type": "text/html\r\nX-Evil: 1"},
        {"content_type": "a/b; boundary=x"},
        {"md5": "d41d8cd98f00b204"},
        {"md5": "D41D8CD98F00B204E9800998ECF8427E"},
        {"size_bytes": 9 * 2**20, "md5": "d41d8cd98f00b204e9800998ecf8427e"},
        {"key": "mine"},
        {"bucket": "mine"},
    ],
)
def test_a_wrong_announcement_is_refused(client: Any, area: str, fields: dict[str, Any]):
    response = client.post(f"/storage/{area}/files", json={**PHOTO, **fields}, headers=ADA)
    assert response.status_code == 400, response.text
    assert fetch_all("SELECT 1 FROM storage_files") == []


@pytest.mark.parametrize(
    ("body", "changes", "md5"),
    [
        (CONTENT, {"Content-Type": "text/html"}, None),
        (CONTENT + b"!", {"Content-Length": "12"}, None),
        (CONTENT[:-1], {"Content-Length": "10"}, None),
        (b"HELLO WORLD", {}, hashlib.md5(CONTENT).hexdigest()),
    ],
    ids=["type", "longer", "shorter", "content"],
)
def test_the_store_refuses_what_was_not_announced(
    client: Any, area: str, s3: str, body: bytes, changes: dict[str, str], md5: str | None
):
    file = announce(client, area, md5=md5)
    assert 400 <= send(file["uploads"][0], body, **changes)[0] < 500
    assert store.describe(s3, row_of(file)["key"]) is None
    assert complete(client, file).status_code == 409


def test_an_upload_url_is_of_no_use_for_another_file(client: Any, area: str):
    mine, other = announce(client, area), announce(client, area)
    url = mine["uploads"][0]["url"].replace(mine["id"], other["id"])
    assert send({**mine["uploads"][0], "url": url}, CONTENT)[0] == 403


def test_a_file_that_differs_from_its_announcement_is_not_taken(client: Any, area: str, s3: str):
    file = announce(client, area)
    store._client().put_object(Bucket=s3, Key=row_of(file)["key"], Body=b"other", ContentType="text/plain")
    refused = complete(client, file)
    assert refused.status_code == 409
    assert refused.json["details"] == ["size_bytes", "content_type"]
    assert read(client, file).json["state"] == "pending"
    assert read(client, file).json["download_url"] is None


def test_a_file_with_another_content_is_not_taken(client: Any, area: str, s3: str):
    file = announce(client, area, md5=hashlib.md5(CONTENT).hexdigest())
    store._client().put_object(Bucket=s3, Key=row_of(file)["key"], Body=b"HELLO WORLD", ContentType="image/png")
    assert complete(client, file).json["details"] == ["md5"]


def test_completing_again_is_harmless(client: Any, area: str):
    file = stored_file(client, area)
    first = read(client, file).json["stored_at"]
    assert complete(client, file).json["stored_at"] == first


def test_a_large_file_goes_up_in_parts(client: Any, area: str, s3: str):
    content = bytes(range(256)) * (40 * 2**10)  # 10 MiB
    file = announce(client, area, size_bytes=len(content))
    assert [request["size_bytes"] for request in file["uploads"]] == [8 * 2**20, 2 * 2**20]
    parts, start = [], 0
    for request in file["uploads"]:
        piece = content[start : (start := start + request["size_bytes"])]
        assert send(request, piece[:5], **{"Content-Length": "5"})[0] == 403
        status, _, headers = send(request, piece)
        assert status == 200
        parts.append({"number": request["number"], "etag": {k.lower(): v for k, v in headers.items()}["etag"]})
    for wrong in ([], parts[:1], [*parts, parts[0]], [parts[0], {**parts[1], "number": 3}]):
        assert complete(client, file, wrong).status_code == 400
    assert complete(client, file, parts).json["state"] == "stored"
    assert send({"url": read(client, file).json["download_url"]}, b"")[1] == content
    assert complete(client, file, parts).status_code == 200  # the answer of the first time was lost


def test_an_upload_in_parts_that_never_began_is_a_conflict_that_no_waiting_ends(client: Any, area: str):
    file = announce(client, area, size_bytes=9 * 2**20)
    execute("UPDATE storage_files SET upload_id = NULL")  # the pod ended before it could be written down
    parts = [{"number": number, "etag": "d41d8cd98f00b204e9800998ecf8427e"} for number in (1, 2)]
    answer = complete(client, file, parts)
    assert (answer.status_code, "Retry-After" in answer.headers) == (409, False)


def test_parts_that_the_store_does_not_have_are_a_conflict(client: Any, area: str):
    file = announce(client, area, size_bytes=9 * 2**20)
    parts = [{"number": number, "etag": "d41d8cd98f00b204e9800998ecf8427e"} for number in (1, 2)]
    assert complete(client, file, parts).status_code == 409


def test_deleting_ends_an_upload_in_parts(client: Any, area: str, s3: str):
    file = announce(client, area, size_bytes=9 * 2**20)
    assert store._client().list_multipart_uploads(Bucket=s3)["Uploads"]
    assert client.delete(f"/storage/{area}/files/{file['id']}", headers=ADA).status_code == 204
    assert not store._client().list_multipart_uploads(Bucket=s3).get("Uploads")


def test_files_are_listed_filtered_and_paged(client: Any, area: str):
    for number in range(3):
        stored_file(client, area, b"x" * (number + 1), name=f"file {number}", content_type="text/plain")
    announce(client, area, name="waiting")
    url = f"/storage/{area}/files"

    def names(query: str) -> list[str]:
        response = client.get(f"{url}?{query}", headers=ADA)
        assert response.status_code == 200, response.text
        return [item["name"] for item in response.json["items"]]

    assert names("") == ["waiting", "file 2", "file 1", "file 0"]
    assert names("state=pending") == ["waiting"]
    assert names("content_type=text/plain&sort=size_bytes&min_size_bytes=2") == ["file 1", "file 2"]
    assert names("max_size_bytes=1&search=FILE") == ["file 0"]
    first = client.get(f"{url}?sort=name&limit=2", headers=ADA).json
    assert names(f"sort=name&limit=2&cursor={first['next_cursor']}") == ["file 2", "waiting"]
    assert client.get(f"{url}?area_id={uuid4()}", headers=ADA).status_code == 400
    assert client.get(f"{url}?owner=bob", headers=ADA).status_code == 400
    assert "url" not in client.get(url, headers=ADA).text


def test_areas_and_files_exist_for_their_owner_only(client: Any, area: str):
    file = stored_file(client, area)
    bob = {"X-User": "bob"}
    for method, path, body in (
        ("GET", f"/storage/{area}", None),
        ("DELETE", f"/storage/{area}", None),
        ("GET", f"/storage/{area}/files", None),
        ("POST", f"/storage/{area}/files", PHOTO),
        ("GET", f"/storage/{area}/files/{file['id']}", None),
        ("POST", f"/storage/{area}/files/{file['id']}/complete", {}),
        ("DELETE", f"/storage/{area}/files/{file['id']}", None),
    ):
        options = {} if body is None else {"json": body}
        assert client.open(method, path, headers=bob, **options).status_code == 404, (method, path)
        anonymous = client.open(method, path, **options)
        assert (anonymous.status_code, anonymous.headers["WWW-Authenticate"]) == (401, "X-User"), (method, path)
    assert client.get("/storage", headers=bob).json["items"] == []
    assert client.get("/storage").status_code == 401
    own = client.post("/storage", json={"name": "reports"}, headers=bob)  # the same name as ada's
    assert client.get(f"/storage/{own.json['id']}/files/{file['id']}", headers=bob).status_code == 404
    assert read(client, file).status_code == 200


def test_a_file_is_found_in_its_own_area_only(client: Any, area: str):
    file, other = stored_file(client, area), new_area(client, "other")
    assert client.get(f"/storage/{other}/files/{file['id']}", headers=ADA).status_code == 404
    assert client.get(f"/storage/{other}/files", headers=ADA).json["items"] == []


def test_an_area_that_holds_files_is_not_deleted(client: Any, area: str):
    file = stored_file(client, area)
    assert client.delete(f"/storage/{area}", headers=ADA).status_code == 409
    assert read(client, file).status_code == 200


def test_an_area_can_have_a_bucket_of_its_own(client: Any, s3: str):
    area = new_area(client, kind="bucket")
    file = stored_file(client, area)
    row = fetch_one("SELECT bucket FROM storage_areas WHERE id = %(id)s", {"id": area})
    assert row is not None
    assert row["bucket"] != s3
    assert store.describe(row["bucket"], row_of(file)["key"]) is not None
    assert send({"url": read(client, file).json["download_url"]}, b"")[1] == CONTENT


def test_a_header_that_a_client_makes_up_chooses_no_other_operation(client: Any, area: str):
    file = announce(client, area)
    for path, variable, value in (
        (f"/storage/{area}", "Homeid", area),
        (f"/storage/{area}/files", "Areaid", area),
        (f"/storage/{area}/files/{file['id']}", "Homeid", area),
        (f"/storage/{area}/files/{file['id']}", "Areaid", area),
    ):
        answer = client.get(path, headers={**ADA, f"X-Fission-Params-{variable}": value})
        assert (answer.status_code, answer.json["error_code"]) == (400, "VALIDATION_ERROR")


def test_urls_are_signed_for_the_address_that_clients_reach(client: Any, area: str, pod: Pod):
    pod.set_config("S3_PUBLIC_ENDPOINT", "https://files.example.com")
    file = announce(client, area)
    assert file["uploads"][0]["url"].startswith("https://files.example.com/")
    assert complete(client, file).status_code == 409  # the service itself still asks the store


def test_no_url_and_no_key_reaches_the_log(client: Any, area: str, pod: Pod, capfd: pytest.CaptureFixture[str]):
    file = stored_file(client, area)
    url = read(client, file).json["download_url"]
    execute("UPDATE storage_areas SET bucket = 'no-such-bucket'")
    assert complete(client, announce(client, area)).status_code == 409
    assert client.timer("sweep").status_code == 200
    pod.set_secret("S3_SECRET_KEY", "a-wrong-secret-key")
    refused = complete(client, announce(client, area))
    assert (refused.status_code, refused.json["error_code"]) == (500, "CONFIGURATION_ERROR")
    shown = capfd.readouterr().out
    assert "BUCKET_MISSING" in shown or "NoSuchBucket" in shown
    for secret in ("X-Amz-Signature", "a-wrong-secret-key", url, (pod.secrets / "S3_ACCESS_KEY").read_text()):
        assert secret not in shown


@pytest.mark.parametrize(
    ("endpoint", "status", "code"),
    [("http://127.0.0.1:1", 503, "UNAVAILABLE"), ("not a URL", 500, "CONFIGURATION_ERROR")],
)
def test_a_store_that_is_away_is_answered_as_such(
    client: Any, area: str, pod: Pod, endpoint: str, status: int, code: str
):
    file = announce(client, area)
    pod.set_config("S3_ENDPOINT", endpoint)
    answer = complete(client, file)
    assert (answer.status_code, answer.json["error_code"]) == (status, code)
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert "127.0.0.1" not in answer.text


@pytest.mark.parametrize(
    "bad", ["x", "1", "'; DROP TABLE storage_files; --", "..", "00000000-0000-0000-0000-00000000000g"]
)
def test_ids_that_cannot_be_are_not_found(client: Any, area: str, bad: str):
    for path in (f"/storage/{bad}", f"/storage/{area}/files/{bad}", f"/storage/{bad}/files/{uuid4()}"):
        assert client.get(path, headers=ADA).status_code == 404
    assert client.post(f"/storage/{area}/files/{bad}/complete", json={}, headers=ADA).status_code == 404


def test_importing_the_modules_does_not_import_boto3():
    folders = [str(Path(path).resolve()) for path in sys.path if path]
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "import example_storage, example_storage_sweep\n"
        "print([name for name in sys.modules if name.partition('.')[0] in ('boto3', 'botocore')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *folders], capture_output=True, text=True, check=True, timeout=60, cwd="/"
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []


def filename(header: str) -> str:
    """Return the name under which a browser saves: ``filename*`` wins."""
    return parse_options_header(header)[1]["filename"]
