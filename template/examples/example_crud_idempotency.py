"""A POST that may be repeated: the first answer is kept for a day and given again.

A client that gets no answer cannot know whether its item was made. If it sends the header ``Idempotency-Key`` with a
text of its own making, a UUID at best, it may simply send the request again: the item is made once.

* The answer is kept in the transaction that makes the item, so there is never one without the other. What fails is
  not kept: a repetition tries again.
* A key belongs to the user who sent it (``X-User``); nobody gets an answer that was meant for somebody else.
* The same key with another body is a mistake of the client: 422.
* While the first request is still running, its repetition is told so at once: 409. It does not wait, because a pod
  that waits serves nobody else.

Source: draft-ietf-httpapi-idempotency-key-header
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any

from flask import request
from pydantic import BaseModel

from exceptions import ServiceException, ValidationError
from helpers import execute, fetch_one, get_user_from_headers

KEPT_HOURS = 24
SWEEP_ROWS = 10  # expired answers that a request removes on its way; more than it adds

# A string as the draft wants it, "in quotes"; without them, as many clients send it, fewer characters are possible.
KEY = re.compile(r'"([ !#-\[\]-~]{1,200})"|([\w.:+/=-]{1,200})', re.ASCII)


def idempotency_key() -> str | None:
    """Return the key of the request, or None if it has none.

    Raises:
        ValidationError: It is empty, too long, or has other characters than printable ones of ASCII.
    """
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return None
    match = KEY.fullmatch(given.strip(" \t"))
    if match is None:
        message = 'expected 1 to 200 printable ASCII characters in quotes, without " and \\ among them'
        problem = {"loc": "header.Idempotency-Key", "msg": message, "type": "value_error"}
        raise ValidationError("A header is not valid.", details=[problem])
    return str(match[1] or match[2])


def kept_answer(key: str, payload: BaseModel) -> tuple[str, int, dict[str, str]] | None:
    """Return the answer that was given to this key, or None if the request is new or its answer has expired.

    Call it within ``transaction()``: until its end no other request with this key gets past here.

    Args:
        key: From ``idempotency_key``.
        payload: The body of the request.

    Raises:
        ServiceException: 409 while another request with this key is running, 422 if the key came with another body.
    """
    names = {"requested_by": get_user_from_headers() or "", "key": key}
    lock = fetch_one(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(%(name)s, 0)) AS taken",
        {"name": json.dumps(["item_requests", *names.values()])},
    )
    if not (lock and lock["taken"]):
        busy = ServiceException("REQUEST_IN_PROGRESS", 409, "The first request with this Idempotency-Key still runs.")
        busy.headers["Retry-After"] = "1"
        raise busy
    row = fetch_one(
        """
        SELECT payload_sha256, status, headers, body FROM item_requests
        WHERE requested_by = %(requested_by)s AND key = %(key)s AND expires_at > now()
        """,
        names,
    )
    if row is None:
        return None
    if row["payload_sha256"] != fingerprint(payload):
        raise ServiceException("IDEMPOTENCY_KEY_REUSED", 422, "This Idempotency-Key came with another body before.")
    replayed = {"Content-Type": "application/json", "Idempotent-Replayed": "true"}
    return row["body"], row["status"], {**row["headers"], **replayed}


def keep_answer(key: str, payload: BaseModel, answer: tuple[BaseModel, int, dict[str, str]]) -> None:
    """Keep the answer for repetitions. Call it in the transaction of ``kept_answer``, when all else is done."""
    body, status, headers = answer
    values: dict[str, Any] = {
        "requested_by": get_user_from_headers() or "",
        "key": key,
        "payload_sha256": fingerprint(payload),
        "status": status,
        "headers": json.dumps(headers),
        "body": body.model_dump_json(),
        "hours": KEPT_HOURS,
    }
    execute(
        """
        INSERT INTO item_requests (requested_by, key, payload_sha256, status, headers, body, expires_at)
        VALUES (%(requested_by)s, %(key)s, %(payload_sha256)s, %(status)s, %(headers)s, %(body)s,
                now() + %(hours)s * INTERVAL '1 hour')
        ON CONFLICT (requested_by, key) DO UPDATE
        SET payload_sha256 = excluded.payload_sha256, status = excluded.status, headers = excluded.headers,
            body = excluded.body, expires_at = excluded.expires_at
        """,
        values,
    )
    # SKIP LOCKED: requests that sweep at the same time neither wait for one another nor block each other for good.
    execute(
        """
        DELETE FROM item_requests
        WHERE (requested_by, key) IN (
            SELECT requested_by, key FROM item_requests
            WHERE expires_at <= now() ORDER BY expires_at LIMIT %(rows)s FOR UPDATE SKIP LOCKED
        )
        """,
        {"rows": SWEEP_ROWS},
    )


def fingerprint(payload: BaseModel) -> str:
    """Return the SHA-256 of what a client sent, whatever the order of its keys and its blanks."""
    return sha256(payload.model_dump_json(exclude_unset=True).encode()).hexdigest()
