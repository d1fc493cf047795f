"""Quotas per user: define how much of a resource somebody may use, consume it, give it back, and see who did what.

Read it from top to bottom. Three decisions carry it:

* Consuming is one statement, which compares and counts in one step. PostgreSQL lets one UPDATE of a row go after the
  other and evaluates each anew on what the one before left, so no number of parallel clients exceeds a limit.
* No timer resets anything. A row says when its period ends, and the first change after that counts from 0.
* Each change writes its line of the audit in the same statement, so there is never one without the other.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from database import Row
from example_quota_models import (
    Action,
    ChangeFilter,
    ChangesOfQuota,
    QuotaChange,
    QuotaFilter,
    QuotaIn,
    QuotaLimit,
    QuotaResponse,
    QuotaUse,
)
from exceptions import NotFoundError, ServiceException
from helpers import by_method, entrypoint, fetch_one, get_user_from_headers, request_id
from models import PaginatedResponse
from paging import Listing, fetch_page
from params import json_body, path_param, query_params, which_param

QUOTAS = Listing(
    select="SELECT * FROM quotas_now",
    count="SELECT count(*) FROM quotas_now",
    where={
        "user_id": "user_id = %(user_id)s",
        "resource": "resource = %(resource)s",
        "period": "period = %(period)s",
        "exhausted": '(used >= "limit") = %(exhausted)s',
    },
    sort={"created_at": "created_at", "user_id": "user_id"},
)

# By id and not by time: a change takes its id while it holds the row of its quota, so ids are in the order in which
# the changes happened. The times are those at which the statements began, and some then waited for others.
CHANGES = Listing(
    select="SELECT * FROM quota_changes",
    count="SELECT count(*) FROM quota_changes",
    where={
        "quota_id": "quota_id = %(quota_id)s",
        "action": "action = %(action)s",
        "changed_by": "changed_by = %(changed_by)s",
    },
    sort={"id": "id"},
    default_sort="-id",
)


@entrypoint
def main() -> Any:
    """Define, report, consume, release and audit quotas.

    Each kind of route has a variable of its own name: by it ``main`` and the OpenAPI document know which one it is.

    ```fission
    {
      "name": "your-service-quota",
      "http_triggers": {
        "quotas": {"url": "/quotas", "methods": ["GET", "POST"]},
        "quota": {"url": "/quotas/{quotaid}", "methods": ["GET", "PUT", "DELETE"]},
        "consume": {"url": "/quotas/{consumeid}/consume", "methods": ["POST"]},
        "release": {"url": "/quotas/{releaseid}/release", "methods": ["POST"]},
        "changes": {"url": "/quotas/{changesid}/changes", "methods": ["GET"]}
      }
    }
    ```
    """
    match which_param("consumeid", "releaseid", "changesid", "quotaid"):
        case "consumeid":
            return by_method(POST=consume)
        case "releaseid":
            return by_method(POST=release)
        case "changesid":
            return by_method(GET=list_changes)
        case "quotaid":
            return by_method(GET=report_quota, PUT=change_limit, DELETE=remove_quota)
    return by_method(GET=list_quotas, POST=define_quota)


def define_quota() -> Any:
    """Answer 201 with the new quota; 409 if the user has one for this resource and period."""
    row = change(
        Action.DEFINE,
        """
        INSERT INTO quotas (user_id, resource, period, "limit", highest_limit, resets_at)
        VALUES (%(user_id)s, %(resource)s, %(period)s, %(limit)s, %(limit)s, quota_resets_at(%(period)s, now()))
        RETURNING *, NULL::bigint AS limit_before, NULL::bigint AS used_before
        """,
        json_body(QuotaIn).model_dump(),
    )
    quota = QuotaResponse.model_validate(row)
    return quota, 201, {"Location": f"/quotas/{quota.id}"}


def list_quotas() -> Any:
    """Answer one page: ``?user_id=ada``, or ``?exhausted=true`` for all that have nothing left."""
    page = fetch_page(QUOTAS, query_params(QuotaFilter))
    return PaginatedResponse[QuotaResponse].model_validate(page)


def report_quota() -> Any:
    """Answer the quota as it is now, or 404. Reading takes no lock: it never waits for those who consume."""
    return QuotaResponse.model_validate(quota_now(quota_id(path_param("quotaid"))))


def consume() -> Any:
    """Take an amount, all of it or nothing. If less is left: 429 ``QUOTA_EXCEEDED``, with the numbers in ``details``.

    ``greatest`` never moves ``resets_at`` back: a statement that began before the end of the period and waited for one
    that began after it counts in the new period, and leaves its end alone.
    """
    key, amount = quota_id(path_param("consumeid")), json_body(QuotaUse).amount
    row = change(
        Action.CONSUME,
        """
        UPDATE quotas
        SET used = CASE WHEN resets_at <= now() THEN 0 ELSE used END + %(amount)s,
            resets_at = greatest(resets_at, quota_resets_at(period, now())),
            updated_at = now()
        WHERE id = %(id)s AND CASE WHEN resets_at <= now() THEN 0 ELSE used END + %(amount)s <= "limit"
        RETURNING *, "limit" AS limit_before, used - %(amount)s AS used_before
        """,
        {"id": key, "amount": amount},
    )
    if row is None:
        raise exceeded(key, amount)
    return QuotaResponse.model_validate(row)


def release() -> Any:
    """Give an amount back. If less is used: 409 ``RELEASE_EXCEEDS_USE``, e.g. because the period has ended meanwhile.

    To stop at 0 instead would hide that a client gives back twice, and hand out again what others still use.
    """
    key, amount = quota_id(path_param("releaseid")), json_body(QuotaUse).amount
    row = change(
        Action.RELEASE,
        """
        UPDATE quotas
        SET used = used - %(amount)s, updated_at = now()
        WHERE id = %(id)s AND CASE WHEN resets_at <= now() THEN 0 ELSE used END >= %(amount)s
        RETURNING *, "limit" AS limit_before, used + %(amount)s AS used_before
        """,
        {"id": key, "amount": amount},
    )
    if row is None:
        numbers = numbers_of(QuotaResponse.model_validate(quota_now(key)), amount)
        raise ServiceException("RELEASE_EXCEEDS_USE", 409, "Less is used than was to be released.", details=numbers)
    return QuotaResponse.model_validate(row)


def change_limit() -> Any:
    """Set another limit. Below what is used it takes nothing back: 0 remains until the next period, or a release."""
    row = change(
        Action.CHANGE_LIMIT,
        """
        UPDATE quotas
        SET "limit" = %(limit)s,
            highest_limit = greatest(highest_limit, %(limit)s),
            used = CASE WHEN resets_at <= now() THEN 0 ELSE used END,
            resets_at = greatest(resets_at, quota_resets_at(period, now())),
            updated_at = now()
        FROM (SELECT id, "limit" FROM quotas WHERE id = %(id)s FOR UPDATE) AS before
        WHERE quotas.id = before.id
        RETURNING quotas.*, before."limit" AS limit_before, used AS used_before
        """,
        {"id": quota_id(path_param("quotaid")), "limit": json_body(QuotaLimit).limit},
    )
    return QuotaResponse.model_validate(found(row))


def remove_quota() -> Any:
    """Answer 204; 404 if there is no such quota. Its changes can still be read."""
    row = change(
        Action.REMOVE,
        """
        DELETE FROM quotas
        WHERE id = %(id)s
        RETURNING *, "limit" AS limit_before, CASE WHEN resets_at <= now() THEN 0 ELSE used END AS used_before
        """,
        {"id": quota_id(path_param("quotaid"))},
    )
    found(row)
    return None


def list_changes() -> Any:
    """Answer one page of what was done to the quota, and by whom, the latest first; also after it was removed."""
    key, query = quota_id(path_param("changesid")), query_params(ChangeFilter)
    page = fetch_page(CHANGES, ChangesOfQuota(**query.model_dump(), quota_id=key))
    if not page["items"]:
        known = """
            SELECT 1 FROM quotas WHERE id = %(id)s UNION ALL SELECT 1 FROM quota_changes WHERE quota_id = %(id)s LIMIT 1
        """
        found(fetch_one(known, {"id": key}))
    return PaginatedResponse[QuotaChange].model_validate(page)


def change(action: Action, statement: str, values: Row) -> Row | None:
    """Run a statement that changes one quota, together with its line of the audit.

    Args:
        action: What it does, for the audit.
        statement: It must return the columns of the quota, ``limit_before`` and ``used_before``.
        values: Its parameters.

    Returns:
        The row that the statement returned, or None if it changed nothing.
    """
    return fetch_one(
        f"""
        WITH changed AS ({statement}), logged AS (
            INSERT INTO quota_changes (quota_id, user_id, resource, action, limit_before, limit_after,
                                       used_before, used_after, changed_by, request_id)
            SELECT id, user_id, resource, %(action)s, limit_before, CASE WHEN %(action)s <> 'remove' THEN "limit" END,
                   used_before, CASE WHEN %(action)s <> 'remove' THEN used END, %(changed_by)s, %(request_id)s
            FROM changed
        )
        SELECT * FROM changed
        """,  # noqa: S608 - the statements are those above, and their values are parameters
        {**values, "action": action, "changed_by": get_user_from_headers(), "request_id": request_id()},
    )


def exceeded(key: str, amount: int) -> ServiceException:
    """Say what is left and when there will be more. The statement has decided already; this only looks it up.

    Between the two somebody may have released, or a period begun: then there is enough now, and the client is to ask
    again at once.
    """
    row = quota_now(key)
    quota = QuotaResponse.model_validate(row)
    message = f"{amount} were asked for, which is more than what remains."
    refusal = ServiceException("QUOTA_EXCEEDED", 429, message, details=numbers_of(quota, amount))
    if amount <= quota.remaining:
        refusal.headers["Retry-After"] = "1"
    elif row["seconds_left"] is not None and amount <= quota.limit:  # else no waiting helps
        refusal.headers["Retry-After"] = str(row["seconds_left"])
    return refusal


def numbers_of(quota: QuotaResponse, amount: int) -> dict[str, Any]:
    """Return what a client needs to know when its amount is refused."""
    return {"requested": amount, **quota.model_dump(include={"limit", "used", "remaining", "resets_at"})}


def quota_now(key: str) -> Row:
    """Return a quota as it is now, with the seconds until it resets, if it ever does."""
    row = fetch_one(
        """
        SELECT *, ceil(extract(epoch FROM resets_at - now()))::bigint AS seconds_left FROM quotas_now WHERE id = %(id)s
        """,
        {"id": key},
    )
    return found(row)


def quota_id(text: str) -> str:
    """Return the id from the URL. What is not a UUID cannot be the id of a quota, so it is not found."""
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFoundError("There is no such quota.") from None


def found(row: Row | None) -> Row:
    """Return the row, if there is one."""
    if row is None:
        raise NotFoundError("There is no such quota.")
    return row
