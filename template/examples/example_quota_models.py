"""The shapes of the quota service: what clients define, ask for and get."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, computed_field

from models import Line, ListQuery, StrictModel

# Both are far below 2^53, so that every JSON reader keeps them exact.
Limit = Annotated[int, Field(ge=0, le=1_000_000_000_000)]
Amount = Annotated[int, Field(ge=1, le=1_000_000_000)]
ResourceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]


class Period(StrEnum):
    """How long a limit holds before counting starts again: a calendar period in UTC, or for ever."""

    NONE = "none"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Action(StrEnum):
    """What can be done to a quota."""

    DEFINE = "define"
    CONSUME = "consume"
    RELEASE = "release"
    CHANGE_LIMIT = "change_limit"
    REMOVE = "remove"


class QuotaIn(StrictModel):
    """A quota as clients define it: how much of a resource a user may use in each period."""

    user_id: Line
    resource: ResourceName
    limit: Limit
    period: Period = Period.NONE


class QuotaLimit(StrictModel):
    """The only thing about a quota that can change; user, resource and period are what it is."""

    limit: Limit


class QuotaUse(StrictModel):
    """How much to consume or to release."""

    amount: Amount


class QuotaResponse(BaseModel):
    """A quota as it is now. ``used`` exceeds ``limit`` only where the limit was lowered afterwards."""

    id: UUID
    user_id: str
    resource: str
    period: Period
    limit: int
    used: int
    resets_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @computed_field  # type: ignore[prop-decorator]
    @property
    def remaining(self) -> int:
        """What can still be consumed in this period."""
        return max(self.limit - self.used, 0)


class QuotaFilter(ListQuery):
    """Which quotas a list shows; all conditions must hold."""

    user_id: Line | None = None
    resource: ResourceName | None = None
    period: Period | None = None
    exhausted: bool | None = None


class QuotaChange(BaseModel):
    """One change, as the audit shows it. A definition has nothing before, a removal nothing after."""

    id: int
    quota_id: UUID
    user_id: str
    resource: str
    action: Action
    limit_before: int | None
    limit_after: int | None
    used_before: int | None
    used_after: int | None
    changed_by: str | None
    request_id: str
    changed_at: datetime


class ChangeFilter(ListQuery):
    """Which changes a list shows; all conditions must hold."""

    action: Action | None = None
    changed_by: Line | None = None


class ChangesOfQuota(ChangeFilter):
    """The same for one quota, whose id comes from the path and not from the query."""

    quota_id: str
