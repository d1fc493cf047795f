"""Look into the inbox of webhooks, and have dead events tried again. For operators: protect it by your gateway.

Fission knows no login per route. Let the gateway in front of it ask for one below ``/webhooks/inbox``.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from example_webhook_models import InboxEntry, InboxEvent, InboxFilter
from exceptions import ConflictError, NotFoundError
from helpers import by_method, entrypoint, fetch_one
from models import PaginatedResponse
from paging import Listing, fetch_page
from params import path_param, query_params

INBOX = Listing(
    select="""
        SELECT id, source, event_id, event_type, state, attempts, due_at, last_error, received_at, done_at
        FROM webhook_inbox
    """,
    count="SELECT count(*) FROM webhook_inbox",
    where={
        "state": "state = %(state)s",
        "source": "source = %(source)s",
        "event_type": "event_type = %(event_type)s",
    },
    sort={"received_at": "received_at"},
    default_sort="-received_at",
)


@entrypoint
def main() -> Any:
    """Show what arrived and what became of it, and try dead events again. Protect it by your gateway.

    ```fission
    {
      "name": "your-service-webhook-inbox",
      "http_triggers": {
        "list": {"url": "/webhooks/inbox", "methods": ["GET"]},
        "one": {"url": "/webhooks/inbox/{inboxid}", "methods": ["GET"]},
        "retry": {"url": "/webhooks/inbox/{inboxid}/retry", "methods": ["POST"]}
      }
    }
    ```
    """
    if path_param("inboxid", None) is None:
        return by_method(GET=list_inbox)
    return by_method(GET=read_event, POST=retry_event)


def list_inbox() -> Any:
    """Answer one page, newest first: ``?state=dead&source=github``, then ``&cursor=`` with its next_cursor."""
    page = fetch_page(INBOX, query_params(InboxFilter))
    return PaginatedResponse[InboxEntry].model_validate(page)


def read_event() -> Any:
    """Answer one event with its body, or 404."""
    row = fetch_one(
        "SELECT *, convert_from(body, 'UTF8') AS body FROM webhook_inbox WHERE id = %(id)s", {"id": inbox_id()}
    )
    if row is None:
        raise not_found()
    return InboxEvent.model_validate(row)


def retry_event() -> Any:
    """Have a dead event tried again by the next run, with all its attempts; 409 for one that is not dead.

    One that is done had its effect, and one that waits is tried again anyway.
    """
    row = fetch_one(
        """
        UPDATE webhook_inbox SET state = 'received', attempts = 0, due_at = now()
        WHERE id = %(id)s AND state = 'dead'
        RETURNING *
        """,
        {"id": inbox_id()},
    )
    if row is not None:
        return InboxEntry.model_validate(row)
    known = fetch_one("SELECT state FROM webhook_inbox WHERE id = %(id)s", {"id": inbox_id()})
    if known is None:
        raise not_found()
    raise ConflictError(f"Only a dead event can be tried again; this one is {known['state']}.")


def inbox_id() -> str:
    """Return the id from the URL. What is not a UUID cannot be the id of an event, so it is not found."""
    try:
        return str(UUID(path_param("inboxid")))
    except ValueError:
        raise not_found() from None


def not_found() -> NotFoundError:
    """Return the error for an event that is not there."""
    return NotFoundError("There is no such event.")
