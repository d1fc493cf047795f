"""Receive webhooks: check who sent them, put them into an inbox, answer at once. The work is done later.

``receive`` is the whole way of a delivery. Who may send, with which secrets, what it signs and how it names an event is
one entry of ``SOURCES``. The signatures are in ``example_webhook_signatures``, the work is in ``example_webhook_work``,
the effect in ``example_webhook_events``. URLs in a payload are data: nothing here follows them.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import request

from example_webhook_models import WebhookReceipt
from example_webhook_settings import is_gone, tolerance_seconds
from example_webhook_signatures import (
    Delivery,
    SignatureInvalidError,
    verify_github,
    verify_standard,
    verify_stripe,
)
from exceptions import ConfigurationError, NotFoundError, ServiceException, ValidationError
from helpers import by_method, entrypoint, fetch_one, get_secret, request_id
from params import path_param

MAX_BODY_BYTES: Final = 1_048_576  # Standard Webhooks recommends 20 kB; GitHub's largest are 25 MB
MAX_TYPE_CHARS: Final = 200
UNKNOWN_TYPE: Final = "unknown"  # of an event that does not say what it is
KEPT_HEADERS: Final = ("content-type", "user-agent", "webhook-timestamp")

_EVENT_ID = re.compile(r"[!-~]{1,200}")
_log = logging.getLogger(__name__)

Payload = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """One kind of sender.

    Args:
        secrets: Reads what it may sign with, separated by blanks: several while a secret is rotated, none if the source
            is not in use. The name of the setting must be a literal, so that ``python -m kit env`` finds it.
        verify: Raises unless the delivery was signed with one of the secrets.
        name_event: Returns id and type of an event. The id must stay the same when the delivery is repeated.
    """

    secrets: Callable[[], str | None]
    verify: Callable[[Delivery, Sequence[str]], None]
    name_event: Callable[[Delivery, Payload], tuple[Any, Any]]


SOURCES: Final = {
    "standard": Source(
        secrets=lambda: get_secret("WEBHOOK_STANDARD_SECRETS"),
        verify=verify_standard,
        name_event=lambda sent, payload: (sent.header("webhook-id"), payload.get("type")),
    ),
    "github": Source(
        secrets=lambda: get_secret("WEBHOOK_GITHUB_SECRETS"),
        verify=verify_github,
        name_event=lambda sent, _: (sent.header("x-github-delivery"), sent.header("x-github-event")),
    ),
    "stripe": Source(
        secrets=lambda: get_secret("WEBHOOK_STRIPE_SECRETS"),
        verify=verify_stripe,
        name_event=lambda _, payload: (payload.get("id"), payload.get("type")),
    ),
}


@entrypoint
def main() -> Any:
    """Receive webhooks of senders that sign them.

    ```fission
    {
      "name": "your-service-webhook",
      "http_triggers": {
        "deliveries": {"url": "/webhooks/{source}", "methods": ["POST"]}
      }
    }
    ```
    """
    return by_method(POST=receive)


def receive() -> Any:
    """Answer 202 once the event is in the inbox, also if it already was; 401 if the signature is not valid.

    The body is any JSON object, signed as the source prescribes: ``standard``, ``github`` or ``stripe``. Of two
    deliveries with one id the first counts, whatever the second one says.
    """
    name = path_param("source")
    if name not in SOURCES:
        raise NotFoundError("There is no such source.")
    if is_gone(name):
        raise ServiceException("GONE", 410, "This source is not received any more; end the subscription.")
    sent = delivery()
    secrets = (SOURCES[name].secrets() or "").split()
    if not secrets:  # for the sender the same as a source that never existed
        _log.warning("webhook source without a secret", extra={"source": name})
        raise NotFoundError("There is no such source.")
    try:
        SOURCES[name].verify(sent, secrets)
    except SignatureInvalidError as error:
        _log.warning("webhook refused", extra={"source": name, "reason": error.reason})
        raise
    except ConfigurationError as error:
        raise ConfigurationError(f"secrets of the webhook source {name}: {error}") from None
    event_id, event_type = SOURCES[name].name_event(sent, parsed(sent.body))
    if not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id):
        raise ValidationError("The event has no id that could tell it from others.")
    store(name, event_id, event_type, sent)
    return WebhookReceipt(source=name, event_id=event_id), 202


def delivery() -> Delivery:
    """Return what arrived.

    The time is this pod's, not the database's: whoever can be refused without the database must not reach it, and a
    clock that is synchronised at all is right within a tolerance of minutes.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Delivery(headers, raw_body(), int(time.time()), tolerance_seconds())


def raw_body() -> bytes:
    """Return the body as it was signed; 413 if it is too large, before more of it is read than that."""
    too_large = ServiceException("TOO_LARGE", 413, f"The body is larger than {MAX_BODY_BYTES} bytes.")
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise too_large
    # A chunked body says nothing of its length, and werkzeug cuts it off at its limit without a word.
    request.max_content_length = MAX_BODY_BYTES + 1
    body = request.get_data()
    if len(body) > MAX_BODY_BYTES:
        raise too_large
    return body


def parsed(body: bytes) -> Payload:
    """Return the JSON object of a body whose signature is valid.

    Raises:
        ValidationError: It is something else. GitHub must be told to send ``application/json``.
    """
    from pydantic_core import from_json  # stricter than json.loads: no lone surrogates, no endless nesting

    try:
        payload = from_json(body, allow_inf_nan=False)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise ValidationError("The body is not a JSON object.")
    return payload


def store(source: str, event_id: str, event_type: Any, sent: Delivery) -> None:
    """Put the event into the inbox, unless it is there: one statement, so parallel deliveries cannot both do it."""
    known = isinstance(event_type, str) and 0 < len(event_type) <= MAX_TYPE_CHARS and event_type.isprintable()
    headers = {name: printable(sent.header(name)) for name in KEPT_HEADERS if sent.header(name)}
    row = fetch_one(
        """
        INSERT INTO webhook_inbox (source, event_id, event_type, headers, body)
        VALUES (%(source)s, %(event_id)s, %(event_type)s, %(headers)s, %(body)s)
        ON CONFLICT ON CONSTRAINT webhook_inbox_event_is_unique DO NOTHING
        RETURNING id
        """,
        {
            "source": source,
            "event_id": event_id,
            "event_type": event_type if known else UNKNOWN_TYPE,
            "headers": json.dumps({**headers, "x-fission-request-id": request_id()}),
            "body": sent.body,
        },
    )
    _log.info("webhook stored" if row else "webhook repeated", extra={"source": source, "event_id": event_id})


def printable(text: str) -> str:
    """Return what of a header can be stored and shown."""
    return "".join(filter(str.isprintable, text))[:200]
