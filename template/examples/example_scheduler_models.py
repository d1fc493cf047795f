"""The shapes of schedules and runs: what clients send, what they may ask for, what they get."""

from __future__ import annotations

import json
import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from example_scheduler_cron import MAX_CRON_CHARS, normalise, time_zone
from example_scheduler_dagster import OWN_TAGS
from models import Line, ListQuery, StrictModel

MAX_RUN_CONFIG_CHARS: Final = 65_536

_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")  # as JSON writes it; after an odd backslash it is just text


def _storable(config: dict[str, Any]) -> dict[str, Any]:
    """Refuse what PostgreSQL's jsonb cannot hold, and what is too large to be a configuration."""
    try:
        text = json.dumps(config, allow_nan=False)
    except ValueError:
        raise ValueError("a number is not finite, or too large") from None
    if len(text) > MAX_RUN_CONFIG_CHARS:
        raise ValueError(f"longer than {MAX_RUN_CONFIG_CHARS} characters")
    if _NUL.search(text):
        raise ValueError("NUL characters cannot be stored")
    return config


def _foreign(tags: dict[str, str]) -> dict[str, str]:
    if any(key.startswith(OWN_TAGS) for key in tags):
        raise ValueError(f"tags that begin with {OWN_TAGS} are the scheduler's own")
    return tags


Cron = Annotated[str, StringConstraints(max_length=MAX_CRON_CHARS), AfterValidator(normalise)]
TimeZone = Annotated[str, StringConstraints(max_length=100), AfterValidator(time_zone)]
RunConfig = Annotated[dict[str, Any], AfterValidator(_storable)]
TagKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,62}(/[A-Za-z0-9_.-]{1,63})?$")]
Tags = Annotated[dict[TagKey, Line], Field(max_length=20), AfterValidator(_foreign)]


class DagsterJob(StrictModel):
    """What to launch, as Dagster names it; ``run_config`` and ``tags`` go to the run."""

    repository_location: Line
    repository: Line = "__repository__"
    job: Line
    run_config: RunConfig = Field(default_factory=dict)
    tags: Tags = Field(default_factory=dict)


class ScheduleIn(StrictModel):
    """A schedule as clients send it, to create one or to replace one completely.

    ``max_attempts`` is how often Dagster is asked to start a run before it is given up; while Dagster is away, nothing
    is counted. ``timeout_seconds`` is how long a run may take after Dagster has accepted it.
    """

    name: Line
    cron: Cron
    time_zone: TimeZone = "UTC"
    enabled: bool = True
    launch: DagsterJob
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 8
    timeout_seconds: Annotated[int, Field(ge=60, le=604_800)] = 86_400


class ScheduleResponse(BaseModel):
    """A schedule as clients get it. ``reads_as`` is its cron expression in words."""

    id: UUID
    name: str
    cron: str
    reads_as: str
    time_zone: str
    enabled: bool
    launch: DagsterJob
    max_attempts: int
    timeout_seconds: int
    next_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ScheduleDetail(ScheduleResponse):
    """One schedule, with its next three planned times, none while it is disabled."""

    next_runs: list[datetime]


class ScheduleFilter(ListQuery):
    """Which schedules a list shows; all conditions must hold."""

    enabled: bool | None = None
    job: Line | None = None
    search: Line | None = None


class RunState(StrEnum):
    """Where a run stands; the migration says who moves it from one to the next."""

    QUEUED = "queued"
    LEASED = "leased"
    LAUNCHED = "launched"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    DEAD = "dead"


class RunResponse(BaseModel):
    """A run as clients get it. Without ``tick`` it was started by hand; ``last_error`` is why it is not further."""

    id: UUID
    schedule_id: UUID
    tick: datetime | None
    state: RunState
    attempts: int
    run_at: datetime
    dagster_run_id: str | None
    dagster_status: str | None
    last_error: str | None
    created_at: datetime
    launched_at: datetime | None
    finished_at: datetime | None


class StateFilter(ListQuery):
    """Which runs of a schedule a list shows."""

    state: RunState | None = None


class RunFilter(StateFilter):
    """Which runs of all schedules a list shows; ``state=dead`` are those that wait for a person."""

    schedule_id: Annotated[UUID, AfterValidator(str)] | None = None  # as text, because psycopg2 knows no UUIDs
