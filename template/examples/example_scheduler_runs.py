"""Runs: what came of each planned time, runs by hand, and the dead letters with their redrive.

The states and who moves a run from one to the next are drawn in the migration. Here a person looks on and does two
things: start a run now, and send a dead one back into the queue. All else is done by ``example_scheduler_tick``.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from example_scheduler_models import RunFilter, RunResponse, StateFilter
from exceptions import ConflictError, NotFoundError
from helpers import by_method, entrypoint, fetch_one
from models import PaginatedResponse
from paging import Listing, fetch_page
from params import path_param, query_params, which_param

RUNS = Listing(
    select="SELECT * FROM schedule_runs",
    count="SELECT count(*) FROM schedule_runs",
    where={"state": "state = %(state)s", "schedule_id": "schedule_id = %(schedule_id)s"},
    sort={"created_at": "created_at"},
)


@entrypoint
def main() -> Any:
    """List, read, start and redrive runs.

    ```fission
    {
      "name": "your-service-scheduler-runs",
      "http_triggers": {
        "runs-of-schedule": {"url": "/schedules/{scheduleid}/runs", "methods": ["GET", "POST"]},
        "runs": {"url": "/schedule-runs", "methods": ["GET"]},
        "run": {"url": "/schedule-runs/{runid}", "methods": ["GET"]},
        "redrive": {"url": "/schedule-runs/{runid}/redrive", "methods": ["POST"]}
      }
    }
    ```
    """
    match which_param("scheduleid", "runid"):
        case "scheduleid":
            return by_method(GET=list_runs_of_schedule, POST=run_now)
        case "runid":
            return by_method(GET=read_run, POST=redrive_run)
    return by_method(GET=list_runs)


def list_runs() -> Any:
    """Answer one page of the runs of all schedules: ``?state=dead`` are the dead letters."""
    page = fetch_page(RUNS, query_params(RunFilter))
    return PaginatedResponse[RunResponse].model_validate(page)


def list_runs_of_schedule() -> Any:
    """Answer one page of the history of a schedule, newest first, or 404."""
    query = query_params(StateFilter)
    scheduleid = id_from(path_param("scheduleid"))
    found(fetch_one("SELECT id FROM schedules WHERE id = %(id)s", {"id": scheduleid}))
    page = fetch_page(RUNS, RunFilter(**query.model_dump(), schedule_id=UUID(scheduleid)))
    return PaginatedResponse[RunResponse].model_validate(page)


def run_now() -> Any:
    """Queue a run beside the planned ones and answer 201; the next tick launches it, also of a disabled schedule."""
    row = fetch_one(
        "INSERT INTO schedule_runs (schedule_id) SELECT id FROM schedules WHERE id = %(id)s RETURNING *",
        {"id": id_from(path_param("scheduleid"))},
    )
    run = RunResponse.model_validate(found(row))
    return run, 201, {"Location": f"/schedule-runs/{run.id}"}


def read_run() -> Any:
    """Answer the run, or 404."""
    row = fetch_one("SELECT * FROM schedule_runs WHERE id = %(id)s", {"id": id_from(path_param("runid"))})
    return RunResponse.model_validate(found(row))


def redrive_run() -> Any:
    """Send a dead run back into the queue with all its attempts; 409 if it is not dead.

    It uses the schedule as it is now. If Dagster has a run of it after all, that one is followed and no second one is
    started.
    """
    runid = id_from(path_param("runid"))
    row = fetch_one(
        """
        UPDATE schedule_runs
        SET state = 'queued', attempts = 0, run_at = now(), finished_at = NULL, launched_at = NULL,
            dagster_run_id = NULL, dagster_status = NULL
        WHERE id = %(id)s AND state = 'dead'
        RETURNING *
        """,
        {"id": runid},
    )
    if row is None:
        found(fetch_one("SELECT id FROM schedule_runs WHERE id = %(id)s", {"id": runid}))
        raise ConflictError("Only a dead run can be redriven; start another one with POST /schedules/{id}/runs.")
    return RunResponse.model_validate(row)


def id_from(text: str) -> str:
    """Return an id as PostgreSQL reads it. What is not a UUID cannot be one, so it is not found."""
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFoundError("There is no such schedule or run.") from None


def found(result: Any) -> Any:
    """Return the result of a statement, unless it is empty."""
    if not result:
        raise NotFoundError("There is no such schedule or run.")
    return result
