"""Lists: allow-listed filters and sort keys, pages by offset and by cursor.

A cursor names the last row that was seen, so that the next page starts right behind it: the database finds the place
in the index and the cost stays the same on page 1 and on page 10,000. The comparison must be written as one of rows,
``(created_at, id) < (..., ...)``; the form with OR that many tutorials show reads everything before it.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from database import Row, fetch_all, fetch_one
from exceptions import ValidationError
from models import ListQuery

PAGING_FIELDS = frozenset(ListQuery.model_fields)


@dataclass(frozen=True)
class Listing:
    """What may be listed, and how.

    All of it is SQL text of yours, never of a client: clients choose from the names.

    Args:
        select: ``SELECT ... FROM ...``, without WHERE; it must return the sort columns and ``key``.
        count: ``SELECT count(*) FROM ...``, for clients that ask for the total.
        where: Name of a filter to its condition, e.g. ``{"min_price": "price >= %(min_price)s"}``.
        sort: Name of a sort key to its column, called as in the result. It must be NOT NULL and should have an index
            ``(column, key)``.
        default_sort: The sort key if none is asked for, with ``-`` in front for descending.
        key: The primary key; it decides between rows that are otherwise equal.
    """

    select: str
    count: str
    where: Mapping[str, str] = field(default_factory=dict)
    sort: Mapping[str, str] = field(default_factory=dict)
    default_sort: str = "-created_at"
    key: str = "id"


def fetch_page(listing: Listing, query: ListQuery) -> dict[str, Any]:
    """Return one page as a dictionary that fits ``PaginatedResponse``.

    Args:
        listing: What may be listed.
        query: What the client wants, from ``query_params``.

    Raises:
        ValidationError: Unknown sort key, cursor together with offset, or a cursor that is damaged or belongs to
            other filters.
    """
    sort = query.sort or listing.default_sort
    column = listing.sort.get(sort.removeprefix("-"))
    if column is None:
        raise _wrong("sort", "expected one of " + ", ".join(listing.sort) + ", with - in front for descending")
    if query.cursor and query.offset:
        raise _wrong("offset", "give either cursor or offset")

    values: Row = {name: getattr(query, name) for name in type(query).model_fields if name not in PAGING_FIELDS}
    values = {name: value for name, value in values.items() if value is not None}
    conditions = [listing.where[name] for name in values]
    where = " WHERE " + " AND ".join(conditions) if conditions else ""
    total = fetch_one(listing.count + where, values) if query.total else None

    belongs_to = _fingerprint(sort, values)
    descending = sort.startswith("-")
    if query.cursor:
        values["_value"], values["_key"] = _read_cursor(query.cursor, belongs_to)
        conditions.append(f"({column}, {listing.key}) {'<' if descending else '>'} (%(_value)s, %(_key)s)")
        where = " WHERE " + " AND ".join(conditions)
    direction = "DESC" if descending else "ASC"
    values |= {"_limit": query.limit + 1, "_offset": query.offset}  # one row more tells whether there is a next page
    rows = fetch_all(
        f"{listing.select}{where} ORDER BY {column} {direction}, {listing.key} {direction}"
        + " LIMIT %(_limit)s OFFSET %(_offset)s",
        values,
    )
    has_more = len(rows) > query.limit
    rows = rows[: query.limit]
    last = rows[-1] if rows else {}
    return {
        "items": rows,
        "limit": query.limit,
        "offset": query.offset,
        "has_more": has_more,
        "next_cursor": _write_cursor(belongs_to, last[column], last[listing.key]) if has_more else None,
        "total": total["count"] if total else None,
    }


def _fingerprint(sort: str, values: Row) -> str:
    shown = json.dumps([sort, sorted(values.items())], default=str)
    return blake2b(shown.encode(), digest_size=6).hexdigest()


def _write_cursor(belongs_to: str, value: Any, key: Any) -> str:
    text = json.dumps([belongs_to, value.isoformat() if hasattr(value, "isoformat") else str(value), str(key)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, belongs_to: str) -> tuple[str, str]:
    """Return the two values of a cursor. A made-up one can do no harm: they only ever are parameters of a query."""
    try:
        mark, value, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, RecursionError):
        raise _wrong("cursor", "not a cursor of this list") from None
    if not (isinstance(value, str) and isinstance(key, str)) or "\0" in value + key:
        raise _wrong("cursor", "not a cursor of this list")
    if mark != belongs_to:
        raise _wrong("cursor", "belongs to other filters or another sort key; start again without it")
    return value, key


def _wrong(name: str, message: str) -> ValidationError:
    problem = {"loc": f"query.{name}", "msg": message, "type": "value_error"}
    return ValidationError("The query is not valid.", details=[problem])
