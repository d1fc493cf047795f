"""The shapes of the user administration: what clients create, change, ask for and get."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from models import Line, ListQuery, Search, StrictModel

MAX_ATTRIBUTES = 50


class Role(StrEnum):
    """What a user may do in the AI lab."""

    ADMIN = "admin"
    ANALYST = "analyst"
    ANNOTATOR = "annotator"
    DEVELOPER = "developer"
    VIEWER = "viewer"


def _each_once(roles: list[Role]) -> list[Role]:
    return sorted(set(roles))


Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,49}$")]
TagPrefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,50}$")]
# Only sending a mail proves an address; this refuses what cannot be one.
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")]
Roles = Annotated[list[Role], Field(min_length=1, max_length=20), AfterValidator(_each_once)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,49}$")]


class UserIn(StrictModel):
    """A user as clients create one."""

    tag: Tag
    name: Line
    email: Email
    roles: Roles
    active: bool = True
    attributes: Annotated[dict[AttributeName, Line], Field(max_length=MAX_ATTRIBUTES, default_factory=dict)]


class UserChange(StrictModel):
    """What is to change of a user: a field that is not given stays. No field can be null.

    ``attributes`` are merged one by one, and null removes one.
    """

    # The factories make the fields optional, and show no default in OpenAPI; what they make is never used.
    tag: Tag = Field(default_factory=str)
    name: Line = Field(default_factory=str)
    email: Email = Field(default_factory=str)
    roles: Roles = Field(default_factory=list)
    active: bool = Field(default_factory=bool)
    attributes: Annotated[dict[AttributeName, Line | None], Field(max_length=2 * MAX_ATTRIBUTES)] = Field(
        default_factory=dict
    )


class UserResponse(BaseModel):
    """A user as clients get it."""

    id: UUID
    tag: str
    name: str
    email: str
    roles: list[Role]
    active: bool
    attributes: dict[str, str]
    created_at: datetime
    updated_at: datetime


class UserFilter(ListQuery):
    """Which users a list shows; all conditions must hold."""

    search: Search | None = None
    tag_prefix: TagPrefix | None = None
    role: Role | None = None
    active: bool | None = None
    created_after: AwareDatetime | None = None
    created_before: AwareDatetime | None = None
