"""What example_storage relies on, asked of several stores with the same questions.

No free store has everything, so each has a table of what it lacks, with the reason. A gap that is none any more fails
its test, so the tables stay true. With S3_TEST_ENDPOINT (and S3_TEST_ACCESS_KEY, S3_TEST_SECRET_KEY, S3_TEST_BUCKET,
S3_TEST_REGION) the same questions go to a real store, which must not have any gap.
"""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import example_storage_s3 as store
import pytest
import requests
from exceptions import ConfigurationError, ConflictError, ServiceException
from kit.objectstore import ObjectStore
from kit.pod import Pod

CONTENT = b"hello world"
PNG = "image/png"
PART = 5 * 2**20  # the smallest that S3 takes as other than the last one

CHECKS_NO_SIGNATURE = "its server takes every signature; moto is meant for code, not for permissions"
GAPS = {
    "rclone": {
        "test_a_second_upload_is_refused": "does not know conditional writes",
        "test_an_unsigned_request_is_refused": "reads without a signature are answered",
        "test_origins_may_be_allowed": "has no rules per bucket for other origins",
        "test_a_versioned_bucket_keeps_what_was_removed": "has no versions",
        "test_parts_can_be_joined_after_a_wrong_list": "streams the parts to the object; an error ends the upload",
    },
    "moto": {
        "test_a_wrong_secret_is_refused": CHECKS_NO_SIGNATURE,
        "test_an_upload_url_is_for_one_key_only": CHECKS_NO_SIGNATURE,
        "test_a_download_url_is_for_one_key_only": CHECKS_NO_SIGNATURE,
        "test_an_expired_url_is_refused": CHECKS_NO_SIGNATURE,
        "test_another_type_is_refused": CHECKS_NO_SIGNATURE,
        "test_another_length_is_refused": CHECKS_NO_SIGNATURE,
        "test_a_part_of_another_length_is_refused": CHECKS_NO_SIGNATURE,
        "test_damaged_content_is_refused": "does not compare Content-MD5",
    },
    "real": {},
}


@dataclass(frozen=True)
class Backend:
    """A store, and who may use it."""

    name: str
    endpoint: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"
    bucket: str = field(default_factory=lambda: f"test-{uuid4()}")


def rclone() -> Iterator[Backend]:
    with ObjectStore.temporary() as running:
        yield Backend("rclone", running.endpoint, running.access_key, running.secret_key)


def moto() -> Iterator[Backend]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of moto's own dependencies, while they are imported
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
    try:
        host, port = server.get_host_and_port()
        yield Backend("moto", f"http://{host}:{port}", "access", "secret-key")
    finally:
        server.stop()


def real() -> Iterator[Backend]:
    keys = [os.environ[f"S3_TEST_{name}"] for name in ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY")]
    region = os.environ.get("S3_TEST_REGION", "us-east-1")
    yield Backend("real", *keys, region=region, bucket=os.environ["S3_TEST_BUCKET"])


STORES = [rclone, moto, *([real] if os.environ.get("S3_TEST_ENDPOINT") else [])]


@pytest.fixture(scope="module", params=STORES, ids=lambda start: start.__name__)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    yield from request.param()


@pytest.fixture(autouse=True)
def bucket(request: pytest.FixtureRequest, backend: Backend, pod: Pod) -> str:
    """The bucket of the store; what the store lacks is expected to fail."""
    if reason := GAPS[backend.name].get(request.function.__name__):
        request.applymarker(pytest.mark.xfail(reason=f"{backend.name}: {reason}", strict=True))
    pod.set_secret("S3_ACCESS_KEY", backend.access_key)
    pod.set_secret("S3_SECRET_KEY", backend.secret_key)
    pod.set_config("S3_ENDPOINT", backend.endpoint)
    pod.set_config("S3_REGION", backend.region)
    pod.set_config("S3_BUCKET", backend.bucket)
    if backend.name != "real":
        try:
            store.make_bucket(backend.bucket)
        except ServiceException:  # the test before has made it
            assert store.list_objects(backend.bucket, "x")
    return backend.bucket


@pytest.fixture
def key(bucket: str) -> Iterator[str]:
    """A key of this test alone."""
    prefix = f"{uuid4()}/"
    yield f"{prefix}a.png"
    for each in store.list_objects(bucket, prefix)[0]:
        store.remove(bucket, each.key)


def upload(bucket: str, key: str, body: bytes = CONTENT, announced: bytes = CONTENT, **changes: str) -> int:
    md5 = hashlib.md5(announced).hexdigest()
    url, headers = store.presign_upload(bucket, key, PNG, len(announced), md5, 60)
    return requests.put(url, body, headers={**headers, **changes}, timeout=20).status_code


def download(bucket: str, key: str, name: str = "a.png", seconds: int = 60) -> requests.Response:
    return requests.get(store.presign_download(bucket, key, name, PNG, seconds), timeout=20)


def put(bucket: str, key: str) -> None:
    store._client().put_object(Bucket=bucket, Key=key, Body=CONTENT, ContentType=PNG)


def test_what_was_uploaded_is_described_and_downloaded(bucket: str, key: str):
    assert store.describe(bucket, key) is None
    assert upload(bucket, key) == 200
    there = store.describe(bucket, key)
    assert there is not None
    assert (there.size_bytes, there.content_type, there.etag) == (11, PNG, hashlib.md5(CONTENT).hexdigest())
    assert there.etag_is_md5
    answer = download(bucket, key, name='Zoë"s.png')
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, CONTENT, PNG)
    assert answer.headers["Content-Disposition"] == store.content_disposition('Zoë"s.png')


def test_an_empty_file_can_be_uploaded(bucket: str, key: str):
    assert upload(bucket, key, b"", b"") == 200
    assert download(bucket, key).content == b""


def test_a_wrong_secret_is_refused(backend: Backend, bucket: str, key: str, pod: Pod):
    pod.set_secret("S3_SECRET_KEY", "a-wrong-secret")
    try:
        with pytest.raises(ConfigurationError, match="the store refuses S3_ACCESS_KEY and S3_SECRET_KEY"):
            store.list_objects(bucket, "")
        assert upload(bucket, key) == 403
    finally:
        pod.set_secret("S3_SECRET_KEY", backend.secret_key)


def test_an_upload_url_is_for_one_key_only(bucket: str, key: str):
    url, headers = store.presign_upload(bucket, key, PNG, len(CONTENT), None, 60)
    other = url.replace("a.png", "b.png")
    assert requests.put(other, CONTENT, headers=headers, timeout=20).status_code == 403
    assert requests.put(url, CONTENT, headers=headers, timeout=20).status_code == 200


def test_a_download_url_is_for_one_key_only(bucket: str, key: str):
    put(bucket, key)
    put(bucket, key.replace("a.png", "b.png"))
    url = store.presign_download(bucket, key, "a.png", PNG, 60)
    assert requests.get(url.replace("a.png", "b.png"), timeout=20).status_code == 403
    assert requests.get(url.replace(PNG.replace("/", "%2F"), "text%2Fhtml"), timeout=20).status_code == 403
    assert requests.get(url, timeout=20).status_code == 200


def test_an_expired_url_is_refused(bucket: str, key: str):
    put(bucket, key)
    url = store.presign_download(bucket, key, "a.png", PNG, 1)
    deadline = time.monotonic() + 5
    while requests.get(url, timeout=20).status_code == 200:
        assert time.monotonic() < deadline, "it still downloads"
        time.sleep(0.05)
    assert requests.get(url, timeout=20).status_code in (400, 403)  # rclone says 400, AWS 403


def test_another_type_is_refused(bucket: str, key: str):
    assert upload(bucket, key, **{"Content-Type": "text/html"}) == 403
    assert store.describe(bucket, key) is None


def test_another_length_is_refused(bucket: str, key: str):
    assert upload(bucket, key, CONTENT + b"!", **{"Content-Length": "12"}) == 403
    assert upload(bucket, key, CONTENT[:-1], **{"Content-Length": "10"}) == 403
    assert store.describe(bucket, key) is None


def test_damaged_content_is_refused(bucket: str, key: str):
    assert upload(bucket, key, b"HELLO WORLD") == 400
    assert store.describe(bucket, key) is None


def test_a_second_upload_is_refused(bucket: str, key: str):
    assert upload(bucket, key) == 200
    assert upload(bucket, key) == 412


def test_an_unsigned_request_is_refused(backend: Backend, bucket: str, key: str):
    put(bucket, key)
    assert requests.get(f"{backend.endpoint}/{bucket}/{key}", timeout=20).status_code == 403


def begin(bucket: str, key: str) -> tuple[str, dict[int, str]]:
    """Upload two parts; return the id of the upload and the ETags."""
    upload_id, etags = store.begin_parts(bucket, key, PNG), {}
    for number, size_bytes in ((1, PART), (2, 100)):
        url = store.presign_part(bucket, key, upload_id, number, size_bytes, 60)
        answer = requests.put(url, b"x" * size_bytes, timeout=60)
        assert answer.status_code == 200, answer.text
        etags[number] = answer.headers["ETag"]
    return upload_id, etags


def test_parts_become_one_object_of_the_announced_type(bucket: str, key: str):
    upload_id, etags = begin(bucket, key)
    assert store.describe(bucket, key) is None
    store.join_parts(bucket, key, upload_id, etags)
    there = store.describe(bucket, key)
    assert there is not None
    assert (there.size_bytes, there.content_type) == (PART + 100, PNG)
    assert [each.etag for each in store.list_objects(bucket, key)[0]] == [there.etag]  # the sweep compares them
    store.join_parts(bucket, key, upload_id, etags)  # the answer of the first time was lost


def test_a_part_of_another_length_is_refused(bucket: str, key: str):
    upload_id = store.begin_parts(bucket, key, PNG)
    url = store.presign_part(bucket, key, upload_id, 1, 100, 60)
    assert requests.put(url, b"x" * 99, timeout=20).status_code == 403


def test_parts_that_the_store_does_not_have_are_a_conflict(bucket: str, key: str):
    upload_id, etags = begin(bucket, key)
    with pytest.raises(ConflictError):
        store.join_parts(bucket, key, upload_id, {**etags, 2: '"d41d8cd98f00b204e9800998ecf8427e"'})
    assert store.describe(bucket, key) is None


def test_parts_can_be_joined_after_a_wrong_list(bucket: str, key: str):
    upload_id, etags = begin(bucket, key)
    with pytest.raises(ConflictError):
        store.join_parts(bucket, key, upload_id, {**etags, 2: '"d41d8cd98f00b204e9800998ecf8427e"'})
    store.join_parts(bucket, key, upload_id, etags)
    assert store.describe(bucket, key) is not None


def test_uploads_in_parts_are_ended_by_their_key(bucket: str, key: str):
    store.begin_parts(bucket, key, PNG)
    store.begin_parts(bucket, key, PNG)
    longer = f"{key}x"
    store.begin_parts(bucket, longer, PNG)
    store.abort_parts(bucket, key)
    left = store._client().list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads", [])
    assert [each["Key"] for each in left] == [longer]
    store.abort_parts(bucket, longer)
    store.abort_parts(bucket, longer)


def test_lists_come_in_pages_in_the_order_of_keys(bucket: str, key: str):
    prefix = key.removesuffix("a.png")
    names = ["1/B-x.txt", "1/a.txt", "1/b.txt", "2/_.txt", "2/x", "3/y"]
    for name in names:
        put(bucket, prefix + name)
    found: list[str] = []
    more = True
    while more:
        page, more = store.list_objects(bucket, prefix, found[-1] if found else "", 2)
        assert 0 < len(page) <= 2
        found += [each.key for each in page]
    assert found == [prefix + name for name in names]
    assert store.list_objects(bucket, prefix, found[-1]) == ([], False)


def test_removing_what_is_not_there_is_fine(bucket: str, key: str):
    put(bucket, key)
    store.remove(bucket, key)
    store.remove(bucket, key)
    store.remove("no-such-bucket", key)
    assert store.describe(bucket, key) is None


@pytest.fixture
def own_bucket(bucket: str) -> Iterator[str]:
    """The name of a bucket that does not exist yet."""
    name = f"own-{uuid4()}"
    yield name
    for each in _everything_in(name):
        store._client().delete_object(Bucket=name, **each)
    store.drop_bucket(name)


def test_a_bucket_is_made_and_goes_when_it_is_empty(own_bucket: str):
    store.make_bucket(own_bucket)
    put(own_bucket, "a/b/c.png")
    assert not store.drop_bucket(own_bucket)
    store.remove(own_bucket, "a/b/c.png")
    assert store.drop_bucket(own_bucket)
    assert store.drop_bucket(own_bucket)


def test_a_missing_bucket_is_named(own_bucket: str):
    with pytest.raises(ServiceException) as raised:
        store.list_objects(own_bucket, "")
    assert raised.value.error_code == "BUCKET_MISSING"
    with pytest.raises(ServiceException) as raised:
        store.begin_parts(own_bucket, "a", PNG)
    assert raised.value.error_code == "BUCKET_MISSING"


def test_origins_may_be_allowed(own_bucket: str, pod: Pod):
    pod.set_config("CORS_ORIGINS", "https://app.example.com, https://other.example.com")
    store.make_bucket(own_bucket)
    (rule,) = store._client().get_bucket_cors(Bucket=own_bucket)["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://app.example.com", "https://other.example.com"]
    assert rule["AllowedMethods"] == ["GET", "PUT"]


def test_a_store_without_rules_for_origins_still_makes_buckets(own_bucket: str, pod: Pod):
    pod.set_config("CORS_ORIGINS", "https://app.example.com")
    store.make_bucket(own_bucket)
    assert store.list_objects(own_bucket, "") == ([], False)


def test_a_versioned_bucket_keeps_what_was_removed(own_bucket: str):
    store.make_bucket(own_bucket)
    client = store._client()
    client.put_bucket_versioning(Bucket=own_bucket, VersioningConfiguration={"Status": "Enabled"})
    put(own_bucket, "a.png")
    store.remove(own_bucket, "a.png")
    assert store.describe(own_bucket, "a.png") is None
    assert store.list_objects(own_bucket, "") == ([], False)
    assert len(client.list_object_versions(Bucket=own_bucket)["Versions"]) == 1  # a rule of the bucket ends these
    assert not store.drop_bucket(own_bucket)


def _everything_in(bucket: str) -> list[dict[str, Any]]:
    try:
        found = store._client().list_object_versions(Bucket=bucket)
    except Exception:
        return []  # the store has no versions, or the test made no bucket
    kinds = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
    return [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in kinds]


def test_every_gap_belongs_to_a_test():
    assert {name for gaps in GAPS.values() for name in gaps} <= set(globals())
