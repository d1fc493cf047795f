"""The object store: any that speaks S3. Nothing here knows of rows or requests.

boto3 takes a third of a second to import and to make a client, so it is imported by the first call that needs it, and
the client is kept as long as the settings stay. A presigned URL is a secret: none is ever logged, and neither are the
store's own error texts, which quote URLs.
"""

from __future__ import annotations

import base64
import logging
import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar
from urllib.parse import quote

from exceptions import ConfigurationError, ConflictError, ServiceException, UnavailableError
from settings import get_config, get_secret

CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 10  # for one attempt; a caller of ours waits as long
ATTEMPTS: Final = 2
PAGE_KEYS: Final = 1_000  # S3's limit
SAFE_NAME_CHARS: Final = 100
DEFAULT_REGION: Final = "us-east-1"

_MISSING = frozenset({"404", "NoSuchKey", "NoSuchUpload", "NotFound"})
_REFUSED = frozenset({"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})
_PARTS = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall"})

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger(__name__)
_clients: dict[bool, tuple[tuple[str | None, ...], Any]] = {}


@dataclass(frozen=True)
class StoredObject:
    """An object as the store describes it. Lists leave out the content type."""

    key: str
    size_bytes: int
    etag: str
    changed_at: datetime
    content_type: str | None = None
    etag_is_md5: bool = False


def _translated(operation: Callable[P, T]) -> Callable[P, T]:
    """Make what boto3 raises an error of ours, without any text of the store's."""

    @wraps(operation)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return operation(*args, **kwargs)
        except Exception as error:
            if (known := _from_store_error(error)) is None:
                raise
            code = _code(error) or type(error).__name__
            _log.warning("store: %s failed", operation.__name__, extra={"reason": code})
            raise known from None

    return run


@_translated
def make_bucket(name: str) -> None:
    """Create a bucket, and let the pages of CORS_ORIGINS upload to it."""
    region = _region()
    place = {} if region == DEFAULT_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        _client().create_bucket(Bucket=name, **place)
    except Exception as error:
        if _code(error) != "BucketAlreadyOwnedByYou":  # boto3 asks again when the first answer does not come
            raise
    if origins := re.findall(r"[^,\s]+", get_config("CORS_ORIGINS") or ""):
        _allow_origins(name, origins)


@_translated
def drop_bucket(name: str) -> bool:
    """Delete a bucket, unless there is something in it, and return whether it is gone."""
    try:
        _client().delete_bucket(Bucket=name)
    except Exception as error:
        if _code(error) not in ("NoSuchBucket", "BucketNotEmpty"):
            raise
        return _code(error) == "NoSuchBucket"
    return True


@_translated
def presign_upload(
    bucket: str, key: str, content_type: str, size_bytes: int, md5: str | None, seconds: int
) -> tuple[str, dict[str, str]]:
    """Return a URL that accepts one content of exactly this type and length, and the headers that it wants.

    All of them are signed: a request that lacks one or changes it is refused. ``If-None-Match`` makes the store refuse
    a second upload, so that nobody replaces a file after it was verified.
    """
    headers = {"Content-Type": content_type, "Content-Length": str(size_bytes), "If-None-Match": "*"}
    values: dict[str, Any] = {"ContentType": content_type, "ContentLength": size_bytes, "IfNoneMatch": "*"}
    if md5:
        headers["Content-MD5"] = values["ContentMD5"] = base64.b64encode(bytes.fromhex(md5)).decode()
    return _presigned("put_object", seconds, Bucket=bucket, Key=key, **values), headers


@_translated
def presign_part(bucket: str, key: str, upload_id: str, number: int, size_bytes: int, seconds: int) -> str:
    """Return a URL that accepts one part of exactly this length."""
    values = {"UploadId": upload_id, "PartNumber": number, "ContentLength": size_bytes}
    return _presigned("upload_part", seconds, Bucket=bucket, Key=key, **values)


@_translated
def presign_download(bucket: str, key: str, name: str, content_type: str, seconds: int) -> str:
    """Return a URL that downloads an object under its real name; a browser saves it and never shows it."""
    values = {"ResponseContentType": content_type, "ResponseContentDisposition": content_disposition(name)}
    return _presigned("get_object", seconds, Bucket=bucket, Key=key, **values)


@_translated
def begin_parts(bucket: str, key: str, content_type: str) -> str:
    """Begin an upload in parts and return its id."""
    made = _client().create_multipart_upload(Bucket=bucket, Key=key, ContentType=content_type)
    return str(made["UploadId"])


@_translated
def join_parts(bucket: str, key: str, upload_id: str, etags: Mapping[int, str]) -> None:
    """Make one object of the parts; harmless if an interrupted attempt has done it already.

    Raises:
        ConflictError: The store does not have these parts.
    """
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(etags.items())]
    try:
        _client().complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
        )
    except Exception as error:
        if _code(error) in _PARTS:
            raise ConflictError("The store does not have these parts; upload them again.") from None
        if _code(error) not in _MISSING:
            raise


@_translated
def abort_parts(bucket: str, key: str) -> None:
    """End all unfinished uploads in parts for this key, also one whose id nobody knows; none is fine."""
    try:
        for upload in _client().list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads", []):
            if upload["Key"] == key:
                _client().abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload["UploadId"])
    except Exception as error:
        if _code(error) not in _MISSING | {"NoSuchBucket"}:
            raise


@_translated
def describe(bucket: str, key: str) -> StoredObject | None:
    """Return what the store has under the key, or None."""
    try:
        found = _client().head_object(Bucket=bucket, Key=key)
    except Exception as error:
        if _code(error) in _MISSING:
            return None
        raise
    etag = found["ETag"].strip('"')
    return StoredObject(
        key,
        found["ContentLength"],
        etag,
        found["LastModified"],
        found.get("ContentType"),
        # With a key of AWS's key service, or of the client's own, the ETag looks like an MD5 and is none.
        etag_is_md5=len(etag) == 32 and found.get("ServerSideEncryption", "AES256") == "AES256",
    )


@_translated
def remove(bucket: str, key: str) -> None:
    """Delete an object; none is fine."""
    try:
        _client().delete_object(Bucket=bucket, Key=key)
    except Exception as error:
        if _code(error) not in _MISSING | {"NoSuchBucket"}:
            raise


@_translated
def list_objects(bucket: str, prefix: str, after: str = "", number: int = PAGE_KEYS) -> tuple[list[StoredObject], bool]:
    """Return the next objects below a prefix in the order of their keys, and whether there are more."""
    start = {"StartAfter": after} if after else {}
    page = _client().list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=number, **start)
    found = page.get("Contents", [])
    objects = [StoredObject(each["Key"], each["Size"], each["ETag"].strip('"'), each["LastModified"]) for each in found]
    return objects, bool(page.get("IsTruncated"))


def shared_bucket() -> str:
    """Return the name of the bucket in which areas of the kind ``prefix`` lie."""
    return _required("S3_BUCKET", get_config("S3_BUCKET"))


def safe_name(name: str) -> str:
    """Return what is left of a name in plain ASCII; nothing in it means anything to a path or a header."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip(".-")[:SAFE_NAME_CHARS] or "file"


def content_disposition(name: str) -> str:
    """Return the header that saves a file under its name: in ASCII for old clients, in UTF-8 for all others.

    Source: RFC 6266 and RFC 8187; what is not allowed there is percent-encoded, so no name can end the header.
    """
    return f"attachment; filename=\"{safe_name(name)}\"; filename*=UTF-8''{quote(name, safe='!#$&+-.^_`|~')}"


def _allow_origins(bucket: str, origins: list[str]) -> None:
    """Let pages of these origins upload and download. A store without such rules keeps working for all others."""
    rule: dict[str, Any] = {"AllowedOrigins": origins, "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"]}
    rule |= {"ExposeHeaders": ["ETag"], "MaxAgeSeconds": 600}
    try:
        _client().put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    except Exception as error:
        if not (code := _code(error)):
            raise
        _log.warning("store: no CORS rules", extra={"reason": code})


def _presigned(operation: str, seconds: int, **values: Any) -> str:
    return str(_client(public=True).generate_presigned_url(operation, Params=values, ExpiresIn=seconds))


def _client(*, public: bool = False) -> Any:
    """Return the client for the store as we reach it, or as clients do; a new one if settings changed."""
    endpoint = (public and get_config("S3_PUBLIC_ENDPOINT")) or get_config("S3_ENDPOINT") or None  # none: AWS
    settings = (
        str(os.getpid()),  # a forked process must not share its parent's connections
        endpoint,
        _region(),
        _required("S3_ACCESS_KEY", get_secret("S3_ACCESS_KEY")),
        _required("S3_SECRET_KEY", get_secret("S3_SECRET_KEY")),
    )
    known = _clients.get(public)
    if known is None or known[0] != settings:
        _clients[public] = known = (settings, _new_client(*settings[1:]))
    return known[1]


def _new_client(endpoint: str | None, region: str | None, access_key: str | None, secret_key: str | None) -> Any:
    from boto3.session import Session
    from botocore.config import Config

    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},  # the only one that every store has
        request_checksum_calculation="when_required",  # most stores but AWS do not know the new checksums
        response_checksum_validation="when_required",
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    try:
        return Session(access_key, secret_key, region_name=region).client("s3", endpoint_url=endpoint, config=config)
    except ValueError:
        raise ConfigurationError("S3_ENDPOINT, S3_PUBLIC_ENDPOINT or S3_REGION is not valid") from None


def _region() -> str:
    return get_config("S3_REGION") or DEFAULT_REGION


def _required(name: str, value: str | None) -> str:
    if not value:
        raise ConfigurationError(f"the store needs the setting {name}")
    return value


def _code(error: Exception) -> str:
    """Return the store's code for an error, e.g. ``NoSuchBucket``; empty if the error is not the store's."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _from_store_error(error: Exception) -> ServiceException | None:
    code = _code(error)
    if code == "NoSuchBucket":
        return ServiceException("BUCKET_MISSING", 500, "The store does not have the bucket of this area.")
    if code in _REFUSED:
        return ConfigurationError(f"the store refuses S3_ACCESS_KEY and S3_SECRET_KEY: {code}")
    if code or type(error).__module__.partition(".")[0] == "botocore":
        return UnavailableError("The store is not available; try again in a moment.")
    return None
