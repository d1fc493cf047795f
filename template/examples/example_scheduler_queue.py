"""The queue of runs in PostgreSQL: planned once per tick, leased to one worker at a time, settled by its holder only.

The migration draws the states. Whoever calls these functions may be killed between any two of them, run twenty times
at once, or be slower than its lease: what holds then is in the statements. The clock is the database's, ``now()``, so
that pods whose clocks differ agree on what is due.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from database import Row
from example_scheduler_cron import latest_run, next_runs
from helpers import execute, fetch_all, fetch_one, transaction

LEASE_SECONDS: Final = 300  # longer than the time limit of the function that leases, see example_scheduler_tick
BACKOFF_SECONDS: Final = 30  # before the second attempt; doubles with each one
MAX_BACKOFF_SECONDS: Final = 3_600
PLANNED_AT_ONCE: Final = 100
FOLLOWED_AT_ONCE: Final = 100
MAX_REASON_CHARS: Final = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lease:
    """A run that the caller may launch, until ``LEASE_SECONDS`` are over; ``epoch`` is the proof that it is theirs."""

    id: str
    epoch: int
    launch: dict[str, Any]

    @property
    def is_first(self) -> bool:
        """Whether nobody can have launched it before, not even somebody who was killed right afterwards."""
        return self.epoch == 1


@dataclass(frozen=True)
class Launched:
    """A run that Dagster has."""

    id: str
    epoch: int
    dagster_run_id: str
    overdue: bool


def plan_due_runs() -> int:
    """Queue one run for each schedule whose time has come, move the schedule on, and return how many were queued.

    However many times were missed, one run is queued: for the last of them. Schedules that another tick is planning
    are skipped, and if both came to plan the same time, ``schedule_runs_once_per_tick`` lets one of them win.
    """
    planned = 0
    while True:
        with transaction():
            due = fetch_all(
                """
                SELECT id, cron, time_zone, next_at, now() AS now
                FROM schedules
                WHERE next_at <= now()
                ORDER BY next_at
                LIMIT %(limit)s
                FOR UPDATE SKIP LOCKED
                """,
                {"limit": PLANNED_AT_ONCE},
            )
            planned += sum(map(_plan, due))
        if len(due) < PLANNED_AT_ONCE:
            return planned


def _plan(schedule: Row) -> int:
    """Queue the run of one due schedule. One that cannot be computed must not stop the others: its run is born dead."""
    values: dict[str, Any] = {"id": schedule["id"], "state": "queued", "reason": None, "next_at": None}
    try:
        cron, zone, now = schedule["cron"], schedule["time_zone"], schedule["now"]
        values["tick"] = latest_run(cron, zone, schedule["next_at"], now)
        values["next_at"] = next(iter(next_runs(cron, zone, now)), None)
    except Exception as error:
        _log.exception("schedule %s cannot be planned", schedule["id"])
        reason = f"The next time cannot be computed ({type(error).__name__}); put the schedule again."
        values |= {"tick": schedule["next_at"], "state": "dead", "reason": reason}
    return execute(
        """
        WITH moved AS (
            UPDATE schedules SET next_at = %(next_at)s WHERE id = %(id)s
        )
        INSERT INTO schedule_runs (schedule_id, tick, state, last_error, finished_at)
        VALUES (%(id)s, %(tick)s, %(state)s, %(reason)s, CASE WHEN %(state)s = 'dead' THEN now() END)
        ON CONFLICT ON CONSTRAINT schedule_runs_once_per_tick DO NOTHING
        """,
        values,
    )


def bury_lost_runs() -> int:
    """Give up runs whose last lease ended without a word, and return how many.

    A run that kills the worker that launches it, each time, must not go round for ever.
    """
    return execute(
        """
        UPDATE schedule_runs AS run
        SET state = 'dead', lease_until = NULL, finished_at = now(),
            last_error = 'The lease ended without a result: whoever launched it was stopped, in the last attempt, too.'
        FROM schedules AS schedule
        WHERE schedule.id = run.schedule_id
          AND run.state = 'leased' AND run.lease_until <= now() AND run.attempts >= schedule.max_attempts
        """
    )


def lease_run() -> Lease | None:
    """Take the run that has been due for longest, or None if there is none.

    ``SKIP LOCKED`` lets parallel callers take different runs instead of waiting for each other. What to launch is read
    now and not when the run was planned, so a run that is redriven uses the schedule that was put right.
    """
    row = fetch_one(
        """
        WITH due AS (
            SELECT run.id
            FROM schedule_runs AS run
            JOIN schedules AS schedule ON schedule.id = run.schedule_id
            WHERE (state = 'queued' AND run_at <= now())
               OR (state = 'leased' AND lease_until <= now() AND attempts < max_attempts)
            ORDER BY run_at
            LIMIT 1
            FOR UPDATE OF run SKIP LOCKED
        )
        UPDATE schedule_runs AS run
        SET state = 'leased', epoch = run.epoch + 1, attempts = run.attempts + 1,
            lease_until = now() + make_interval(secs => %(lease)s)
        FROM due, schedules AS schedule
        WHERE run.id = due.id AND schedule.id = run.schedule_id
        RETURNING run.id, run.epoch, run.tick, schedule.repository_location, schedule.repository, schedule.job,
                  schedule.run_config, schedule.tags, schedule.name
        """,
        {"lease": LEASE_SECONDS},
    )
    return None if row is None else Lease(row.pop("id"), row.pop("epoch"), row)


def settle_launched(lease: Lease, dagster_run_id: str) -> bool:
    """Note that Dagster has the run. False, as for the others: the lease had passed to somebody else."""
    return bool(
        execute(
            """
            UPDATE schedule_runs
            SET state = 'launched', lease_until = NULL, last_error = NULL, launched_at = now(), checked_at = NULL,
                dagster_run_id = %(dagster_run_id)s, dagster_status = NULL
            WHERE id = %(id)s AND state = 'leased' AND epoch = %(epoch)s
            """,
            {"id": lease.id, "epoch": lease.epoch, "dagster_run_id": dagster_run_id},
        )
    )


def settle_retry(lease: Lease, reason: str) -> str | None:
    """Put the run back for a later attempt, or give it up if this was the last; return which: ``queued``, ``dead``.

    The pause doubles with each attempt. Half of it is random, so that runs which failed together do not come back
    together.
    """
    row = fetch_one(
        """
        UPDATE schedule_runs AS run
        SET state = CASE WHEN attempts < max_attempts THEN 'queued' ELSE 'dead' END,
            finished_at = CASE WHEN attempts < max_attempts THEN NULL ELSE now() END,
            run_at = now() + make_interval(
                secs => least(%(pause)s * 2 ^ (attempts - 1), %(longest)s) * (0.5 + random() / 2)),
            lease_until = NULL, last_error = %(reason)s
        FROM schedules AS schedule
        WHERE schedule.id = run.schedule_id AND run.id = %(id)s AND state = 'leased' AND epoch = %(epoch)s
        RETURNING state
        """,
        {
            "id": lease.id,
            "epoch": lease.epoch,
            "reason": short(reason),
            "pause": BACKOFF_SECONDS,
            "longest": MAX_BACKOFF_SECONDS,
        },
    )
    return None if row is None else str(row["state"])


def settle_waiting(lease: Lease, reason: str) -> bool:
    """Put the run back and return its attempt: whoever launches runs is away, and however long, no run dies of that.

    The epoch is not returned. A proxy may say that Dagster is away when Dagster has taken the run, so whoever leases it
    next is not the first, and asks before it launches. The pause gives such a launch time to be seen.
    """
    return bool(
        execute(
            """
            UPDATE schedule_runs
            SET state = 'queued', attempts = attempts - 1, lease_until = NULL, last_error = %(reason)s,
                run_at = now() + make_interval(secs => %(pause)s * (0.5 + random() / 2))
            WHERE id = %(id)s AND state = 'leased' AND epoch = %(epoch)s
            """,
            {"id": lease.id, "epoch": lease.epoch, "reason": short(reason), "pause": BACKOFF_SECONDS},
        )
    )


def settle_dead(lease: Lease, reason: str) -> bool:
    """Give the run up: another attempt would end the same way."""
    return bool(
        execute(
            """
            UPDATE schedule_runs
            SET state = 'dead', lease_until = NULL, finished_at = now(), last_error = %(reason)s
            WHERE id = %(id)s AND state = 'leased' AND epoch = %(epoch)s
            """,
            {"id": lease.id, "epoch": lease.epoch, "reason": short(reason)},
        )
    )


def launched_runs() -> list[Launched]:
    """Return runs that Dagster has, those first that nobody has asked about for longest."""
    rows = fetch_all(
        """
        WITH oldest AS (
            SELECT id
            FROM schedule_runs
            WHERE state = 'launched'
            ORDER BY checked_at NULLS FIRST
            LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED
        )
        UPDATE schedule_runs AS run
        SET checked_at = now()
        FROM oldest, schedules AS schedule
        WHERE run.id = oldest.id AND schedule.id = run.schedule_id
        RETURNING run.id, epoch, dagster_run_id,
                  launched_at + make_interval(secs => timeout_seconds) <= now() AS overdue
        """,
        {"limit": FOLLOWED_AT_ONCE},
    )
    return [Launched(**row) for row in rows]


def settle_followed(run: Launched, state: str, dagster_status: str | None, reason: str | None = None) -> bool:
    """Write down how Dagster's run stands: ``launched`` while it goes on, else where it ended.

    False if nothing changed: it has been settled already, or was redriven and is another run now.
    """
    return bool(
        execute(
            """
            UPDATE schedule_runs
            SET state = %(state)s, dagster_status = %(dagster_status)s, last_error = %(reason)s,
                finished_at = CASE WHEN %(state)s = 'launched' THEN NULL ELSE now() END
            WHERE id = %(id)s AND state = 'launched' AND epoch = %(epoch)s
            """,
            {
                "id": run.id,
                "epoch": run.epoch,
                "state": state,
                "dagster_status": dagster_status,
                "reason": reason and short(reason),
            },
        )
    )


def short(reason: str) -> str:
    """Return a reason in one line that fits its place."""
    line = " ".join(reason.replace("\0", " ").split())
    return line if len(line) <= MAX_REASON_CHARS else line[: MAX_REASON_CHARS - 1] + "…"
