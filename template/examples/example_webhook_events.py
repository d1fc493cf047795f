"""What an event does: here it is counted by type. Replace ``apply_event``, this route and its table by your own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from example_webhook_models import EventCounts
from helpers import by_method, entrypoint, execute, fetch_all


@dataclass(frozen=True)
class Event:
    """A genuine event.

    Args:
        source: Which sender, e.g. ``"github"``.
        event_id: Unique within its source.
        event_type: What happened, e.g. ``"invoice.paid"``; new types appear without notice.
        payload: What its sender says. Texts in it are still input: never follow its URLs.
        received_at: When it arrived, by the database's clock.
    """

    source: str
    event_id: str
    event_type: str
    payload: dict[str, Any]
    received_at: datetime


def apply_event(event: Event) -> None:
    """Let an event take effect. It runs within the transaction that marks the event as done.

    So what you do with ``execute`` and the like happens exactly once. What leaves the database (a mail, a call) may
    happen again after a crash: hand ``event.event_id`` on as the idempotency key. Raise anything to have the event
    tried again later.

    PostgreSQL cuts off a transaction that leaves it alone for 60 seconds, and the event has failed. So give each call a
    shorter time limit. For what takes longer, only put a row into a table here, and let another timer do the work.
    """
    execute(
        """
        INSERT INTO webhook_events AS known (source, event_type, number, first_at, last_at)
        VALUES (%(source)s, %(event_type)s, 1, %(received_at)s, %(received_at)s)
        ON CONFLICT (source, event_type) DO UPDATE
        SET number = known.number + 1,
            first_at = least(known.first_at, excluded.first_at),
            last_at = greatest(known.last_at, excluded.last_at)
        """,
        {"source": event.source, "event_type": event.event_type, "received_at": event.received_at},
    )


@entrypoint
def main() -> Any:
    """Show what webhooks brought about.

    ```fission
    {
      "name": "your-service-webhook-events",
      "http_triggers": {
        "counts": {"url": "/webhooks/events", "methods": ["GET"]}
      }
    }
    ```
    """
    return by_method(GET=list_counts)


def list_counts() -> Any:
    """Answer how many events of each type took effect."""
    return EventCounts.model_validate(
        {"items": fetch_all("SELECT * FROM webhook_events ORDER BY source, event_type LIMIT 1000")}
    )
