"""Work off the inbox: a timer calls this function every minute, and several calls at a time do no harm.

An event is first claimed and then carried out, in two transactions. The claim counts the attempt and moves the event
into the future, so that an event that kills its worker each time comes to an end, too. The second transaction lets the
event take effect and marks it as done: both or neither. Whose claim was taken over meanwhile does nothing.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from database import Row
from example_webhook_events import Event, apply_event
from example_webhook_models import WorkReport
from example_webhook_settings import max_attempts
from helpers import by_method, entrypoint, execute, fetch_one, transaction
from settings import redact

RUN_SECONDS: Final = 40  # after which a run takes no further event; well below the timer's minute
CLAIM_SECONDS: Final = 180  # then others may have the event, unless its row is locked: a slow worker is still at it
FIRST_PAUSE_SECONDS: Final = 10  # after a failure; doubled each time
LONGEST_PAUSE_SECONDS: Final = 3_600
KEEP_DONE_DAYS: Final = 90  # events that are done are still needed to recognise repeated deliveries
REMOVED_AT_ONCE: Final = 1_000  # by one run, so that a large backlog does not take longer than a statement may
MAX_REASON_CHARS: Final = 500

_log = logging.getLogger(__name__)


@entrypoint
def main() -> Any:
    """Carry out the events that wait in the inbox.

    ```fission
    {
      "name": "your-service-webhook-work",
      "timeout_seconds": 120,
      "timers": {"inbox": {"cron": "* * * * *"}}
    }
    ```
    """
    return by_method(POST=work)


def work() -> Any:
    """Carry out one event after the other until none is due or the time is up."""
    until = time.monotonic() + RUN_SECONDS
    counts = {"done": 0, "failed": 0, "dead": bury_lost()}
    while time.monotonic() < until and (claimed := claim_next()) is not None:
        outcome = carry_out(claimed)
        if outcome in counts:
            counts[outcome] += 1
    return WorkReport(**counts, removed=remove_old())


def claim_next() -> Row | None:
    """Take the event that is due first. Until proved otherwise, this attempt counts as failed."""
    return fetch_one(
        """
        UPDATE webhook_inbox
        SET attempts = attempts + 1,
            due_at = now() + %(claim_seconds)s * interval '1 second',
            last_error = 'The worker ended in the middle: a crash, a restart or the time limit.'
        WHERE id = (
            SELECT id FROM webhook_inbox
            WHERE state = 'received' AND due_at <= now() AND attempts < %(max_attempts)s
            ORDER BY due_at, id
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        )
        RETURNING id, body, attempts
        """,
        {"claim_seconds": CLAIM_SECONDS, "max_attempts": max_attempts()},
    )


def carry_out(claimed: Row) -> str:
    """Let a claimed event take effect; return done, failed, dead, or lost if the claim is somebody else's by now."""
    from pydantic_core import from_json

    try:
        with transaction():
            mine = fetch_one(
                """
                SELECT source, event_id, event_type, received_at FROM webhook_inbox
                WHERE id = %(id)s AND state = 'received' AND attempts = %(attempts)s
                FOR UPDATE
                """,
                {"id": claimed["id"], "attempts": claimed["attempts"]},
            )
            if mine is None:
                return "lost"
            apply_event(Event(**mine, payload=from_json(bytes(claimed["body"]))))
            # Last, not first: a redelivery waits for whoever has changed the row, but not for whoever has locked it.
            execute(
                "UPDATE webhook_inbox SET state = 'done', done_at = now(), last_error = NULL WHERE id = %(id)s",
                {"id": claimed["id"]},
            )
    except Exception as error:
        return give_back(claimed, error)
    return "done"


def give_back(claimed: Row, error: Exception) -> str:
    """Note why the event failed, and when it is due again: after 5-10 seconds, then twice as long each time."""
    row = fetch_one(
        """
        UPDATE webhook_inbox
        SET last_error = %(reason)s,
            state = CASE WHEN attempts >= %(max_attempts)s THEN 'dead' ELSE 'received' END,
            due_at = now() + least(%(first)s * 2.0 ^ (attempts - 1), %(longest)s)
                             * (0.5 + random() / 2) * interval '1 second'
        WHERE id = %(id)s AND state = 'received' AND attempts = %(attempts)s
        RETURNING state
        """,
        {
            "id": claimed["id"],
            "attempts": claimed["attempts"],
            "reason": reason_of(error),
            "max_attempts": max_attempts(),
            "first": FIRST_PAUSE_SECONDS,
            "longest": LONGEST_PAUSE_SECONDS,
        },
    )
    if row is None:
        return "lost"
    # Only the class of the error: its text may quote the payload, which is for the inbox, not for the log.
    told = {"inbox_id": claimed["id"], "attempts": claimed["attempts"], "error": type(error).__name__}
    if row["state"] == "dead":
        _log.error("webhook event is dead", extra=told)
        return "dead"
    _log.warning("webhook event failed", extra=told)
    return "failed"


def bury_lost() -> int:
    """Give up the events whose last worker never reported back."""
    buried = execute(
        """
        UPDATE webhook_inbox SET state = 'dead'
        WHERE id IN (
            SELECT id FROM webhook_inbox
            WHERE state = 'received' AND due_at <= now() AND attempts >= %(max_attempts)s
            FOR UPDATE SKIP LOCKED -- a worker that is late, but at it, may still finish
        )
        """,
        {"max_attempts": max_attempts()},
    )
    if buried:
        _log.error("webhook events are dead", extra={"number": buried})
    return buried


def remove_old() -> int:
    """Remove events that were done long ago; bodies often are personal data. Dead ones stay until they are seen to."""
    return execute(
        """
        WITH old AS (
            SELECT id FROM webhook_inbox
            WHERE state = 'done' AND done_at < now() - %(days)s * interval '1 day'
            ORDER BY done_at
            LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED -- another run is removing those
        )
        DELETE FROM webhook_inbox USING old WHERE webhook_inbox.id = old.id
        """,
        {"days": KEEP_DONE_DAYS, "limit": REMOVED_AT_ONCE},
    )


def reason_of(error: Exception) -> str:
    """Return the first line of an error in a form that can be stored and shown."""
    first = (str(error).strip().splitlines() or [""])[0]
    text = f"{type(error).__name__}: {first}".encode("utf-8", "replace").decode().replace("\0", "")
    return redact(text)[:MAX_REASON_CHARS]
