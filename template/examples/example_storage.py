"""Files in an object store, with their metadata in PostgreSQL. The bytes never pass through a function.

A client announces a file and gets presigned URLs, uploads to the store directly, and says that it is complete; only
then is the file there. Two systems cannot change in one transaction, so each step is in an order that leaves, if it
breaks off, at most something to clean: the row is written before the object and removed after it.
``example_storage_sweep`` cleans.

Everything belongs to the user of the header ``X-User``, which your gateway must set. For others it does not exist.
"""

from __future__ import annotations

import logging
from typing import Any, Final
from uuid import uuid4

import example_storage_s3 as store
from database import Row
from example_storage_files import (
    PARTS_SECONDS,
    UPLOAD_SECONDS,
    area_of_user,
    file_of_user,
    found,
    number_of_parts,
    remove_file,
    uploads_of,
    user,
    uuid,
    verified,
)
from example_storage_models import (
    PART_BYTES,
    AreaFilter,
    AreaIn,
    AreaKind,
    AreaResponse,
    AreasOfOwner,
    CompleteIn,
    FileAnnounced,
    FileDownload,
    FileFilter,
    FileIn,
    FileResponse,
    FilesOfArea,
)
from exceptions import ConflictError, ServiceException, UnavailableError, ValidationError
from helpers import by_method, entrypoint, execute, fetch_one, transaction
from models import PaginatedResponse
from paging import Listing, fetch_page
from params import json_body, path_param, query_params, which_param

DOWNLOAD_SECONDS: Final = 300
PRIVATE: Final = {"Cache-Control": "no-store"}  # answers hold presigned URLs

AREAS = Listing(
    select="SELECT * FROM storage_areas",
    count="SELECT count(*) FROM storage_areas",
    where={
        "owner": "owner = %(owner)s AND state = 'ready'",
        "kind": "kind = %(kind)s",
        "search": "strpos(lower(name), lower(%(search)s)) > 0",
    },
    sort={"created_at": "created_at"},
)
FILES = Listing(
    select="SELECT * FROM storage_files",
    count="SELECT count(*) FROM storage_files",
    where={
        "area_id": "area_id = %(area_id)s AND state <> 'deleting'",
        "state": "state = %(state)s",
        "content_type": "content_type = %(content_type)s",
        "min_size_bytes": "size_bytes >= %(min_size_bytes)s",
        "max_size_bytes": "size_bytes <= %(max_size_bytes)s",
        "search": "strpos(lower(name), lower(%(search)s)) > 0",
    },
    sort={"created_at": "created_at", "size_bytes": "size_bytes", "name": "name"},
)

_log = logging.getLogger(__name__)


@entrypoint
def main() -> Any:
    """Manage areas, and the files in them.

    Each kind of route has a variable of its own name: by it ``main`` and the OpenAPI document know which one it is.

    ```fission
    {
      "name": "your-service-storage",
      "http_triggers": {
        "areas": {"url": "/storage", "methods": ["GET", "POST"]},
        "area": {"url": "/storage/{areaid}", "methods": ["GET", "DELETE"]},
        "files": {"url": "/storage/{homeid}/files", "methods": ["GET", "POST"]},
        "file": {"url": "/storage/{folderid}/files/{fileid}", "methods": ["GET", "DELETE"]},
        "complete": {"url": "/storage/{folderid}/files/{completeid}/complete", "methods": ["POST"]}
      }
    }
    ```
    """
    match which_param("completeid", "fileid", "homeid", "areaid"):
        case "completeid":
            return by_method(POST=complete_file)
        case "fileid":
            return by_method(GET=read_file, DELETE=delete_file)
        case "homeid":
            return by_method(GET=list_files, POST=announce_file)
        case "areaid":
            return by_method(GET=read_area, DELETE=delete_area)
    return by_method(GET=list_areas, POST=create_area)


def create_area() -> Any:
    """Answer 201 with the new area; 409 if the caller has one of this name.

    A bucket of its own is made between two statements: the first takes the name, so no refused request makes a bucket,
    and the bucket always has a row that the sweep finds.
    """
    owner, wanted, area_id, shared = user(), json_body(AreaIn), uuid4(), store.shared_bucket()
    own = wanted.kind is AreaKind.BUCKET
    values = {
        "id": str(area_id),
        "owner": owner,
        **wanted.model_dump(),
        "bucket": f"{shared[:30]}-{area_id.hex}" if own else shared,  # a bucket's name has 63 characters at most
        "state": "creating" if own else "ready",
    }
    row = fetch_one(
        """
        INSERT INTO storage_areas (id, owner, name, kind, bucket, state)
        VALUES (%(id)s, %(owner)s, %(name)s, %(kind)s, %(bucket)s, %(state)s)
        RETURNING *
        """,
        values,
    )
    if own:
        row = with_bucket(values)
    area = AreaResponse.model_validate(row)
    return area, 201, {"Location": f"/storage/{area.id}"}


def with_bucket(area: Row) -> Row:
    """Make the bucket of a new area and return the area's row, now ready; if that fails, the name is free again."""
    try:
        store.make_bucket(area["bucket"])
    except ServiceException:
        execute("UPDATE storage_areas SET state = 'deleting', changed_at = now() WHERE id = %(id)s", area)
        raise
    row = fetch_one(
        """
        UPDATE storage_areas SET state = 'ready', changed_at = now() WHERE id = %(id)s AND state = 'creating'
        RETURNING *
        """,
        area,
    )
    if row is None:  # so late that the sweep has given it up
        raise UnavailableError("The bucket was not made in time; try again.")
    return row


def list_areas() -> Any:
    """Answer one page of the caller's areas."""
    query = AreasOfOwner(owner=user(), **dict(query_params(AreaFilter)))
    return PaginatedResponse[AreaResponse].model_validate(fetch_page(AREAS, query))


def read_area() -> Any:
    """Answer the area, or 404."""
    return AreaResponse.model_validate(area_of_user(path_param("areaid")))


def delete_area() -> Any:
    """Answer 204; 409 while the area holds files. The sweep removes its bucket after ``S3_ORPHAN_GRACE_HOURS``."""
    area = area_of_user(path_param("areaid"))
    with transaction() as cursor:
        # Locked first and counted afterwards: announce_file holds a lock, too, so no file comes in between.
        cursor.execute("SELECT 1 FROM storage_areas WHERE id = %(id)s FOR UPDATE", {"id": area["id"]})
        cursor.execute(
            """
            UPDATE storage_areas SET state = 'deleting', changed_at = now()
            WHERE id = %(id)s
                  AND NOT EXISTS (SELECT 1 FROM storage_files WHERE area_id = %(id)s AND state <> 'deleting')
            """,
            {"id": area["id"]},
        )
        if not cursor.rowcount:
            raise ConflictError("The area holds files; delete them first.")
    return None


def announce_file() -> Any:
    """Answer 201 with the file and one request per part, each of which the store accepts once and as announced."""
    owner, area_id, wanted, file_id = user(), uuid(path_param("homeid")), json_body(FileIn), str(uuid4())
    in_parts = wanted.size_bytes > PART_BYTES
    if in_parts and wanted.md5:
        raise ValidationError("A file in parts cannot have an MD5 of the whole.", details=[{"loc": "body.md5"}])
    row = fetch_one(
        """
        INSERT INTO storage_files
            (id, area_id, key, name, content_type, size_bytes, md5, part_bytes, created_by, expires_at)
        SELECT %(id)s, id, id || '/' || %(id)s || '/' || %(safe_name)s, %(name)s, %(content_type)s, %(size_bytes)s,
               %(md5)s, %(part_bytes)s, owner, now() + make_interval(secs => %(seconds)s)
        FROM storage_areas WHERE id = %(area_id)s AND owner = %(owner)s AND state = 'ready'
        FOR SHARE
        RETURNING *, (SELECT bucket FROM storage_areas WHERE id = area_id)
        """,
        {
            "id": file_id,
            "area_id": area_id,
            "owner": owner,
            **wanted.model_dump(),
            "safe_name": store.safe_name(wanted.name),
            "part_bytes": PART_BYTES if in_parts else None,
            "seconds": PARTS_SECONDS if in_parts else UPLOAD_SECONDS,
        },
    )
    file = found(row)
    announced = FileAnnounced.model_validate({**file, "uploads": uploads_of(file)})
    return announced, 201, {"Location": f"/storage/{area_id}/files/{file_id}", **PRIVATE}


def list_files() -> Any:
    """Answer one page: ``?state=stored&min_size_bytes=1000&sort=-size_bytes``."""
    area = area_of_user(path_param("homeid"))
    query = FilesOfArea(area_id=area["id"], **dict(query_params(FileFilter)))
    return PaginatedResponse[FileResponse].model_validate(fetch_page(FILES, query))


def read_file() -> Any:
    """Answer the file and, while it is in the store, a URL that downloads it for five minutes."""
    file = file_of_user(path_param("folderid"), path_param("fileid"))
    url = None
    if file["state"] == "stored":
        place = file["bucket"], file["key"]
        url = store.presign_download(*place, file["name"], file["content_type"], DOWNLOAD_SECONDS)
    return FileDownload.model_validate({**file, "download_url": url}), 200, PRIVATE


def complete_file() -> Any:
    """Answer the file once the store really has what was announced, else 409. To ask again is harmless.

    It is also 409 if the store has lost the file since, or has never heard of its upload in parts: announce it anew.
    """
    area_id, file_id = path_param("folderid"), path_param("completeid")
    file, parts = file_of_user(area_id, file_id), json_body(CompleteIn).parts
    if file["state"] == "pending":
        if file["part_bytes"]:
            if file["upload_id"] is None:  # the announcement broke off, and nobody has got its URLs
                raise ConflictError("The upload of this file has never begun; announce it anew.")
            etags = {part.number: part.etag for part in parts}
            if len(etags) != len(parts) or sorted(etags) != list(range(1, number_of_parts(file) + 1)):
                raise ValidationError(f"Name each of the {number_of_parts(file)} parts once.")
            store.join_parts(file["bucket"], file["key"], file["upload_id"], etags)
        execute(
            """
            UPDATE storage_files SET state = 'stored', etag = %(etag)s, stored_at = now(), upload_id = NULL
            WHERE id = %(id)s AND state = 'pending'
            """,
            {"id": file["id"], "etag": verified(file).etag},
        )
        file = file_of_user(area_id, file_id)  # the sweep may have been faster: then it is gone
    if file["state"] == "lost":
        raise ConflictError("The store does not have this file any more; announce it anew.")
    return FileResponse.model_validate(file)


def delete_file() -> Any:
    """Answer 204; from then on nobody sees the file. It also ends an upload that was begun.

    If the store is away the object waits for the sweep.
    """
    file = file_of_user(path_param("folderid"), path_param("fileid"))
    execute("UPDATE storage_files SET state = 'deleting' WHERE id = %(id)s", file)
    try:
        remove_file(file)
    except UnavailableError:
        _log.warning("the object is left to the sweep", extra={"file_id": file["id"]})
    return None
