"""Schedules: which Dagster job shall run when. Create, list, read, replace and delete them.

Read it from top to bottom, then ``example_scheduler_runs`` (what came of them) and ``example_scheduler_tick`` (what
makes them run). The times that a schedule is due are computed from the database's clock when it is put, and by the
tick from then on; between the two, ``next_at`` is all that has to be looked at.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from database import Row
from example_scheduler_cron import describe, next_runs
from example_scheduler_models import ScheduleDetail, ScheduleFilter, ScheduleIn, ScheduleResponse
from exceptions import NotFoundError
from helpers import by_method, entrypoint, execute, fetch_one
from models import PaginatedResponse
from paging import Listing, fetch_page
from params import json_body, path_param, query_params

SCHEDULES = Listing(
    select="SELECT * FROM schedules",
    count="SELECT count(*) FROM schedules",
    where={
        "enabled": "enabled = %(enabled)s",
        "job": "job = %(job)s",
        "search": "strpos(lower(name), lower(%(search)s)) > 0",
    },
    sort={"created_at": "created_at", "name": "name"},
)
SHOWN_RUNS = 3


@entrypoint
def main() -> Any:
    """Create, list, read, replace and delete schedules.

    ```fission
    {
      "name": "your-service-scheduler",
      "http_triggers": {
        "schedules": {"url": "/schedules", "methods": ["GET", "POST"]},
        "schedule": {"url": "/schedules/{scheduleid}", "methods": ["GET", "PUT", "DELETE"]}
      }
    }
    ```
    """
    if path_param("scheduleid", None) is None:
        return by_method(GET=list_schedules, POST=create_schedule)
    return by_method(GET=read_schedule, PUT=replace_schedule, DELETE=delete_schedule)


def create_schedule() -> Any:
    """Answer 201 with the new schedule; 409 if the name is taken."""
    row = fetch_one(
        """
        INSERT INTO schedules (name, cron, time_zone, enabled, repository_location, repository, job, run_config, tags,
                               max_attempts, timeout_seconds, next_at)
        VALUES (%(name)s, %(cron)s, %(time_zone)s, %(enabled)s, %(repository_location)s, %(repository)s, %(job)s,
                %(run_config)s, %(tags)s, %(max_attempts)s, %(timeout_seconds)s, %(next_at)s)
        RETURNING *, now() AS now
        """,
        columns_of(json_body(ScheduleIn)),
    )
    schedule = ScheduleDetail.model_validate(detailed(row or {}))
    return schedule, 201, {"Location": f"/schedules/{schedule.id}"}


def list_schedules() -> Any:
    """Answer one page: ``?enabled=true&job=nightly_report&sort=name``, then ``&cursor=`` with its next_cursor."""
    page = fetch_page(SCHEDULES, query_params(ScheduleFilter))
    page["items"] = [shown(row) for row in page["items"]]
    return PaginatedResponse[ScheduleResponse].model_validate(page)


def read_schedule() -> Any:
    """Answer the schedule with its next planned times, or 404."""
    row = fetch_one("SELECT *, now() AS now FROM schedules WHERE id = %(id)s", {"id": schedule_id()})
    return ScheduleDetail.model_validate(detailed(found(row)))


def replace_schedule() -> Any:
    """Put all fields of the schedule anew.

    A time that is due and not yet planned stays due if cron, time_zone and enabled stay as they are; otherwise the
    schedule goes on with the first time after now. Times while it was disabled are not made up for.
    """
    row = fetch_one(
        """
        UPDATE schedules
        SET next_at = CASE WHEN (cron, time_zone, enabled) = (%(cron)s, %(time_zone)s, %(enabled)s)
                           THEN coalesce(next_at, %(next_at)s) ELSE %(next_at)s END,
            name = %(name)s, cron = %(cron)s, time_zone = %(time_zone)s, enabled = %(enabled)s,
            repository_location = %(repository_location)s, repository = %(repository)s, job = %(job)s,
            run_config = %(run_config)s, tags = %(tags)s, max_attempts = %(max_attempts)s,
            timeout_seconds = %(timeout_seconds)s, updated_at = now()
        WHERE id = %(id)s
        RETURNING *, now() AS now
        """,
        {**columns_of(json_body(ScheduleIn)), "id": schedule_id()},
    )
    return ScheduleDetail.model_validate(detailed(found(row)))


def delete_schedule() -> Any:
    """Answer 204; its runs are forgotten with it, and what Dagster runs goes on. 404 if there was nothing to delete."""
    found(execute("DELETE FROM schedules WHERE id = %(id)s", {"id": schedule_id()}))
    return None


def schedule_id() -> str:
    """Return the id from the URL. What is not a UUID cannot be the id of a schedule, so it is not found."""
    try:
        return str(UUID(path_param("scheduleid")))
    except ValueError:
        raise NotFoundError("There is no such schedule.") from None


def found(result: Any) -> Any:
    """Return the result of a statement, unless it touched nothing."""
    if not result:
        raise NotFoundError("There is no such schedule.")
    return result


def columns_of(schedule: ScheduleIn) -> Row:
    """Return the values for the columns, with the next planned time by the database's clock."""
    values = schedule.model_dump(exclude={"launch"}) | schedule.launch.model_dump()
    values |= {name: json.dumps(values[name]) for name in ("run_config", "tags")}
    clock = fetch_one("SELECT now() AS now")
    return values | {"next_at": next(iter(upcoming({**values, **(clock or {})}, 1)), None)}


def upcoming(row: Row, count: int = SHOWN_RUNS) -> list[datetime]:
    """Return the next planned times of a schedule, none while it is disabled."""
    return next_runs(row["cron"], row["time_zone"], row["now"], count) if row["enabled"] else []


def shown(row: Row) -> Row:
    """Return a row as clients get it: the cron expression also in words, what to launch as one object."""
    launch = {name: row[name] for name in ("repository_location", "repository", "job", "run_config", "tags")}
    return {**row, "reads_as": describe(row["cron"]), "launch": launch}


def detailed(row: Row) -> Row:
    """Return a row like ``shown``, with the next planned times."""
    return {**shown(row), "next_runs": upcoming(row)}
