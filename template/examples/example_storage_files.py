"""What a row and its object have to do with each other; shared by the routes and the sweep."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import example_storage_s3 as store
from database import Row
from example_storage_models import UploadRequest
from exceptions import ConflictError, NotFoundError, ServiceException
from helpers import execute, fetch_one, get_user_from_headers

UPLOAD_SECONDS: Final = 900  # for a file in one piece
PARTS_SECONDS: Final = 3_600  # for all parts of a large one


def uploads_of(file: Row) -> list[UploadRequest]:
    """Return the requests that upload an announced file."""
    place, size_bytes = (file["bucket"], file["key"]), file["size_bytes"]
    if not file["part_bytes"]:
        announced = file["content_type"], size_bytes, file["md5"]
        url, headers = store.presign_upload(*place, *announced, UPLOAD_SECONDS)
        return [UploadRequest(number=1, url=url, headers=headers, size_bytes=size_bytes)]
    upload_id = store.begin_parts(*place, file["content_type"])
    execute("UPDATE storage_files SET upload_id = %(upload_id)s WHERE id = %(id)s", {**file, "upload_id": upload_id})
    requests = []
    for number in range(1, number_of_parts(file) + 1):
        part_bytes = min(file["part_bytes"], size_bytes - (number - 1) * file["part_bytes"])
        url = store.presign_part(*place, upload_id, number, part_bytes, PARTS_SECONDS)
        headers = {"Content-Length": str(part_bytes)}
        requests.append(UploadRequest(number=number, url=url, headers=headers, size_bytes=part_bytes))
    return requests


def number_of_parts(file: Row) -> int:
    """Return in how many parts a large file is uploaded."""
    return -(-int(file["size_bytes"]) // int(file["part_bytes"]))


def verified(file: Row) -> store.StoredObject:
    """Return what the store has, if it is what was announced.

    Raises:
        ConflictError: There is nothing yet, or ``details`` names what differs.
    """
    there = store.describe(file["bucket"], file["key"])
    if there is None:
        raise ConflictError("The file has not been uploaded.")
    differs = {
        "size_bytes": there.size_bytes != file["size_bytes"],
        "content_type": there.content_type != file["content_type"],
        "md5": there.etag_is_md5 and file["md5"] not in (None, there.etag),
    }
    if any(differs.values()):
        names = [name for name, is_so in differs.items() if is_so]
        raise ConflictError("The store has something else than what was announced.", details=names)
    return there


def remove_file(file: Row) -> int:
    """Remove what the store has of a file that is being deleted, and then its row; return 0 if others did it before.

    To do it again is harmless.
    """
    if file["part_bytes"]:
        store.abort_parts(file["bucket"], file["key"])
    store.remove(file["bucket"], file["key"])
    return execute("DELETE FROM storage_files WHERE id = %(id)s AND state = 'deleting'", file)


def area_of_user(area_id: str) -> Row:
    """Return the row of an area that belongs to the caller, or raise 404."""
    return found(
        fetch_one(
            "SELECT * FROM storage_areas WHERE id = %(id)s AND owner = %(owner)s AND state = 'ready'",
            {"id": uuid(area_id), "owner": user()},
        )
    )


def file_of_user(area_id: str, file_id: str) -> Row:
    """Return the row of a file in an area that belongs to the caller, with its bucket, or raise 404."""
    return found(
        fetch_one(
            """
            SELECT f.*, a.bucket FROM storage_files f JOIN storage_areas a ON a.id = f.area_id
            WHERE f.id = %(id)s AND f.area_id = %(area_id)s AND f.state <> 'deleting' AND a.owner = %(owner)s
            """,
            {"id": uuid(file_id), "area_id": uuid(area_id), "owner": user()},
        )
    )


def user() -> str:
    """Return the caller, or raise 401."""
    if name := get_user_from_headers():
        return name
    refusal = ServiceException("UNAUTHENTICATED", 401, "The header X-User is missing.")
    refusal.headers["WWW-Authenticate"] = "X-User"  # RFC 9110 wants each 401 to say what is missing
    raise refusal


def uuid(text: str) -> str:
    """Return an id from the URL. What is not a UUID is the id of nothing."""
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFoundError("There is no such area or file.") from None


def found(row: Row | None) -> Row:
    """Return the row of a statement, unless there is none."""
    if row is None:
        raise NotFoundError("There is no such area or file.")
    return row
