"""The shapes of the storage service: what clients announce, ask for and get."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from models import Line, ListQuery, Search, StrictModel

MAX_FILE_BYTES: Final = 4 * 2**30
PART_BYTES: Final = 8 * 2**20  # what is larger is uploaded in parts of this size; S3 wants at least 5 MiB
MAX_PARTS: Final = 10_000  # S3's limit

_TOKEN = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,99}"  # noqa: S105 - RFC 6838's name of a media type, no secret
_CONTROLS = frozenset({"Cc", "Zl", "Zp"})
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # make "exe.png" look like "gnp.exe"


def _shown_as_it_is(name: str) -> str:
    if any(unicodedata.category(letter) in _CONTROLS or letter in _REORDERING for letter in name):
        raise ValueError("control characters are not allowed in a name")
    return name


Name = Annotated[Line, AfterValidator(_shown_as_it_is)]
ContentType = Annotated[
    str, StringConstraints(max_length=200, pattern=rf"^{_TOKEN}/{_TOKEN}(; ?charset=[A-Za-z0-9_-]{{1,40}})?$")
]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Bytes = Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]


class AreaKind(StrEnum):
    """Where the files of an area lie: below a prefix of the shared bucket, or in a bucket of their own."""

    PREFIX = "prefix"
    BUCKET = "bucket"


class FileState(StrEnum):
    """How far a file is: announced, verified in the store, or verified once and missing since."""

    PENDING = "pending"
    STORED = "stored"
    LOST = "lost"


class AreaIn(StrictModel):
    """An area as clients create it."""

    name: Name
    kind: AreaKind = AreaKind.PREFIX


class AreaResponse(BaseModel):
    """An area as its owner gets it."""

    id: UUID
    name: str
    kind: AreaKind
    owner: str
    created_at: datetime


class AreaFilter(ListQuery):
    """Which of the caller's areas a list shows."""

    kind: AreaKind | None = None
    search: Search | None = None


class AreasOfOwner(AreaFilter):
    """The filter with the caller in it; clients cannot send this one."""

    owner: str


class FileIn(StrictModel):
    """A file as clients announce it; the store accepts exactly this and nothing else.

    ``md5`` is the hexadecimal MD5 of the content, which the store compares with what arrives. It finds damage; it is no
    proof against somebody who wants to deceive. Files above 8 MiB are uploaded in parts and have none.
    """

    name: Name
    content_type: ContentType
    size_bytes: Bytes
    md5: Md5 | None = None


class UploadRequest(BaseModel):
    """One request to send to the store, with exactly these headers and the next ``size_bytes`` bytes of the file.

    The URL is a permission in itself: whoever has it can upload until it expires.
    """

    number: int
    method: str = "PUT"
    url: str
    headers: dict[str, str]
    size_bytes: int


class FileResponse(BaseModel):
    """What is known about a file."""

    id: UUID
    area_id: UUID
    name: str
    content_type: str
    size_bytes: int
    md5: str | None
    state: FileState
    created_by: str
    created_at: datetime
    expires_at: datetime
    stored_at: datetime | None


class FileAnnounced(FileResponse):
    """A new file and the requests that upload it; more than one for files above 8 MiB."""

    uploads: list[UploadRequest]


class FileDownload(FileResponse):
    """A file and, while it is in the store, a URL that downloads it for five minutes."""

    download_url: str | None


class PartIn(StrictModel):
    """A part that was uploaded, and the ``ETag`` with which the store answered."""

    number: Annotated[int, Field(ge=1, le=MAX_PARTS)]
    etag: Annotated[str, StringConstraints(pattern=r'^"?[A-Za-z0-9+/=_-]{1,100}"?$')]


class CompleteIn(StrictModel):
    """That everything is uploaded. ``parts`` is empty unless there was more than one upload."""

    parts: Annotated[list[PartIn], Field(default_factory=list, max_length=MAX_PARTS)]


class FileFilter(ListQuery):
    """Which files of an area a list shows; all conditions must hold."""

    state: FileState | None = None
    content_type: ContentType | None = None
    min_size_bytes: Bytes | None = None
    max_size_bytes: Bytes | None = None
    search: Search | None = None


class FilesOfArea(FileFilter):
    """The filter with the area in it; clients cannot send this one."""

    area_id: str


class SweepReport(BaseModel):
    """What a run of the sweep did.

    ``removed`` counts files whose upload was not completed in time or whose deletion was interrupted. ``lost`` are the
    stored files whose object is missing or another one, ``found`` those whose object is back. ``orphans`` counts
    objects without a file. ``unreachable`` are areas whose bucket is missing. ``failed`` counts what the store refused
    to list or to remove; the log names it. ``more`` says that the time was up.
    """

    expired: int = 0
    removed: int = 0
    lost: list[str] = []
    found: list[str] = []
    orphans: int = 0
    areas: int = 0
    unreachable: list[str] = []
    failed: int = 0
    more: bool = False
