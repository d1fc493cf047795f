"""The shapes of what the webhook example answers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel

from models import Line, ListQuery


class EventState(StrEnum):
    """Where an event stands: it waits (perhaps for its next attempt), took effect, or was given up."""

    RECEIVED = "received"
    DONE = "done"
    DEAD = "dead"


class WebhookReceipt(BaseModel):
    """What a sender gets, for the first delivery of an event as for every further one."""

    source: str
    event_id: str


class InboxFilter(ListQuery):
    """Which events the inbox shows; all conditions must hold."""

    state: EventState | None = None
    source: Line | None = None
    event_type: Line | None = None


class InboxEntry(BaseModel):
    """An event without what it says."""

    id: UUID
    source: str
    event_id: str
    event_type: str
    state: EventState
    attempts: int
    due_at: datetime
    last_error: str | None
    received_at: datetime
    done_at: datetime | None


class InboxEvent(InboxEntry):
    """An event with what it says: the body as it was signed."""

    headers: dict[str, str]
    body: str


class WorkReport(BaseModel):
    """What one run did: events that took effect, that will be tried again, that were given up, that were removed."""

    done: int = 0
    failed: int = 0
    dead: int = 0
    removed: int = 0


class EventCount(BaseModel):
    """How many events of a type took effect, and when the first and the last of them arrived."""

    source: str
    event_type: str
    number: int
    first_at: datetime
    last_at: datetime


class EventCounts(BaseModel):
    """All of them."""

    items: list[EventCount]
