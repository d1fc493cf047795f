"""The clockwork of the scheduler: a timer calls it every minute, and it does what is due.

Three steps, and each may be interrupted or done twice at once without harm (see ``example_scheduler_queue``): plan the
runs whose time has come, hand them to Dagster, and ask how those stand that Dagster has.

Fission's timers are no help with failures: they drop an answer of 500 and repeat one of 404. So nothing here relies on
the timer trying again. What went wrong stays in the queue with its reason, and the answer is 200.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import Any, Final

import example_scheduler_dagster as dagster
import example_scheduler_queue as queue
from helpers import by_method, entrypoint

LAUNCH_BUDGET_SECONDS: Final = 40  # then no new launch begins, so that a tick ends before the next one starts
TICK_BUDGET_SECONDS: Final = 55
FINAL: Final = {"SUCCESS": "succeeded", "FAILURE": "failed", "CANCELED": "canceled"}

_log = logging.getLogger(__name__)


@entrypoint
def main() -> Any:
    """Plan, launch and follow runs.

    The time limit leaves room for what has begun when the budgets are over, and is shorter than a lease.

    ```fission
    {
      "name": "your-service-scheduler-tick",
      "timeout_seconds": 120,
      "timers": {
        "scheduler": {"cron": "* * * * *"}
      }
    }
    ```
    """
    return by_method(POST=tick)


def tick() -> dict[str, Any]:
    """Do what is due; answer how many runs were planned, launched, put back, given up and finished."""
    started = time.monotonic()
    done: Counter[str] = Counter(planned=queue.plan_due_runs(), dead=queue.bury_lost_runs())
    problem = launch_runs(done, started + LAUNCH_BUDGET_SECONDS)
    # Whatever the problem: a proxy that fails at one launch, each time, must not keep all others from being followed.
    problem = follow_runs(done, started + TICK_BUDGET_SECONDS) or problem
    if problem is not None:
        _log.error("Dagster cannot be asked", extra={"reason": problem})
    names = ("planned", "launched", "queued", "dead", "succeeded", "failed", "canceled")
    counts = {name: done[name] for name in names}
    if any(counts.values()):
        _log.info("tick", extra=counts)
    return {**counts, "problem": problem}


def launch_runs(done: Counter[str], until: float) -> str | None:
    """Hand due runs to Dagster, one by one, and count what became of them.

    One lease at a time: whoever is killed leaves one run to wait for the end of its lease, not a hundred.

    Returns:
        Why Dagster cannot be asked at all, if that is so; this run and the others then wait and lose no attempt.
    """
    while time.monotonic() < until:
        lease = queue.lease_run()
        if lease is None:
            return None
        problem = None
        try:
            # Somebody may have launched it and been killed, or Dagster's answer been lost. Then it is there already.
            known = None if lease.is_first else dagster.find_run(lease.id)
            dagster_run_id = known or dagster.launch(lease.id, lease.launch)
            outcome: str | None = "launched" if queue.settle_launched(lease, dagster_run_id) else None
        except dagster.RefusedError as error:
            outcome = "dead" if queue.settle_dead(lease, str(error)) else None
        except dagster.UnreachableError as error:
            problem = str(error)
            outcome = "queued" if queue.settle_waiting(lease, problem) else None
        except dagster.DagsterError as error:
            outcome = queue.settle_retry(lease, str(error))
        if outcome is None:
            _log.warning("a lease had ended before its run was settled", extra={"run": lease.id})
        else:
            done[outcome] += 1
        if problem is not None:
            return problem
    return None


def follow_runs(done: Counter[str], until: float) -> str | None:
    """Ask Dagster how its runs stand, write it down, and count those that ended. Returns as ``launch_runs`` does."""
    runs = queue.launched_runs()
    try:
        known = dagster.statuses([run.dagster_run_id for run in runs]) if runs else {}
    except dagster.DagsterError as error:
        return str(error)
    for run in runs:
        if time.monotonic() > until:
            break
        status = known.get(run.dagster_run_id)
        try:
            state, reason = _verdict(run, status)
        except dagster.DagsterError as error:  # the next tick asks again; the other runs must not wait for this one
            _log.warning("a run cannot be ended", extra={"run": run.id, "reason": str(error)})
            continue
        if queue.settle_followed(run, state, status, reason) and state != "launched":
            done[state] += 1
    return None


def _verdict(run: queue.Launched, status: str | None) -> tuple[str, str | None]:
    """Return the state that follows from Dagster's status, and the reason if it is not a good one."""
    if status is None:
        return "dead", f"Dagster does not know its run {run.dagster_run_id} any more."
    if status == "FAILURE":
        return "failed", f"Dagster says FAILURE; failed steps: {_failed_steps(run)}."
    if status in FINAL:
        return FINAL[status], None if status == "SUCCESS" else f"Dagster says {status}."
    if run.overdue:
        dagster.terminate(run.dagster_run_id)
        return "failed", f"It was {status} when timeout_seconds were over; Dagster was asked to end it."
    return "launched", None


def _failed_steps(run: queue.Launched) -> str:
    try:
        return ", ".join(dagster.failed_steps(run.dagster_run_id)) or "none, the run itself could not go on"
    except dagster.DagsterError:
        return "unknown, see Dagster"  # that it failed is known, and matters more than where
