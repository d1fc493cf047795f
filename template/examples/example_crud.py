"""A complete service for one kind of thing: create, list, read, replace and delete items.

Read it from top to bottom: ``main`` decides by path and method, one function per operation does the work, and the
SQL stands where it runs. ``SELECT *`` is safe here: ``ItemResponse`` decides what leaves the service. Errors are
raised, never returned: ``@entrypoint`` turns them into answers.

Two clients that change one item do not undo each other's work: each answer carries the item's version as its ETag,
and ``If-Match`` says which version a change is meant for (RFC 9110). A client that repeats a POST because no answer
came does not create two: see ``example_crud_idempotency``.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import request

from example_crud_idempotency import idempotency_key, keep_answer, kept_answer
from example_crud_models import ItemFilter, ItemIn, ItemResponse
from exceptions import NotFoundError, ServiceException, ValidationError
from helpers import by_method, entrypoint, fetch_one, transaction
from models import PaginatedResponse
from paging import Listing, fetch_page
from params import json_body, path_param, query_params

ITEMS = Listing(
    select="SELECT * FROM items",
    count="SELECT count(*) FROM items",
    where={
        "status": "status = %(status)s",
        "min_price": "price >= %(min_price)s",
        "max_price": "price <= %(max_price)s",
        "search": "strpos(lower(name), lower(%(search)s)) > 0",
    },
    sort={"created_at": "created_at", "price": "price", "name": "name"},
)

# One entry of a list of tags: W/"..." or "...", or nothing. RFC 9110, sections 8.8.3 and 5.6.1
TAG = re.compile(r'[ \t]*(?:(W/)?"([!#-~\x80-\xff]*)"[ \t]*)?(?:,|\Z)')


@entrypoint
def main() -> Any:
    """Create, list, read, replace and delete items.

    ```fission
    {
      "name": "your-service-items",
      "http_triggers": {
        "items": {"url": "/items", "methods": ["GET", "POST"]},
        "item": {"url": "/items/{itemid}", "methods": ["GET", "PUT", "DELETE"]}
      }
    }
    ```
    """
    if path_param("itemid", None) is None:
        return by_method(GET=list_items, POST=create_item)
    return by_method(GET=read_item, PUT=replace_item, DELETE=delete_item)


def create_item() -> Any:
    """Answer 201 with the new item; 409 if the name is taken, which the constraint ``items_name_is_unique`` decides.

    With the header ``Idempotency-Key`` a repetition gets the first answer again, and no second item is made.
    """
    new, key = json_body(ItemIn), idempotency_key()
    if key is None:
        return inserted(new)
    with transaction():
        earlier = kept_answer(key, new)
        if earlier is not None:
            return earlier
        answer = inserted(new)
        keep_answer(key, new, answer)
        return answer


def inserted(new: ItemIn) -> tuple[ItemResponse, int, dict[str, str]]:
    """Insert an item and return the answer."""
    row = fetch_one(
        """
        INSERT INTO items (name, description, price, status, dimensions)
        VALUES (%(name)s, %(description)s, %(price)s, %(status)s, %(dimensions)s)
        RETURNING *
        """,
        columns_of(new),
    )
    item = ItemResponse.model_validate(row)
    return item, 201, {"Location": f"/items/{item.id}", "ETag": etag(item)}


def list_items() -> Any:
    """Answer one page: ``?status=active&min_price=5&sort=-price&limit=10``, then ``&cursor=`` with its next_cursor."""
    page = fetch_page(ITEMS, query_params(ItemFilter))
    return PaginatedResponse[ItemResponse].model_validate(page)


def read_item() -> Any:
    """Answer the item with its ETag; 304 without a body if ``If-None-Match`` names that ETag."""
    row = found(fetch_one("SELECT * FROM items WHERE id = %(id)s", {"id": item_id()}))
    item = ItemResponse.model_validate(row)
    tag = etag(item)
    known = request.headers.get("If-None-Match")
    if known is not None and (known == "*" or tag[1:-1] in tags_of("If-None-Match", known, weak=True)):
        return None, 304, {"ETag": tag}
    return item, 200, {"ETag": tag}


def replace_item() -> Any:
    """Put all fields of the item anew, if it still has a version that ``If-Match`` names; else answer 412.

    Without ``If-Match`` the answer is 428 (RFC 6585): who does not say what the change is based on would undo, without
    knowing it, what others did meanwhile. Who wants just that says ``If-Match: *``.
    """
    itemid, new, versions = item_id(), json_body(ItemIn), wanted_versions()
    if "If-Match" not in request.headers:
        raise ServiceException(
            "PRECONDITION_REQUIRED", 428, "Say which version is to be replaced: If-Match with its ETag, or * for any."
        )
    row = fetch_one(
        """
        UPDATE items
        SET name = %(name)s, description = %(description)s, price = %(price)s, status = %(status)s,
            dimensions = %(dimensions)s, version = version + 1, updated_at = now()
        WHERE id = %(id)s AND (%(versions)s IS NULL OR version::text = ANY (%(versions)s))
        RETURNING *
        """,
        {**columns_of(new), "id": itemid, "versions": versions},
    )
    if row is None:
        raise refusal(itemid)
    item = ItemResponse.model_validate(row)
    return item, 200, {"ETag": etag(item)}


def delete_item() -> Any:
    """Answer 204; 404 if there is nothing to delete, 412 if ``If-Match`` is given and names other versions."""
    itemid = item_id()
    row = fetch_one(
        """
        DELETE FROM items
        WHERE id = %(id)s AND (%(versions)s IS NULL OR version::text = ANY (%(versions)s))
        RETURNING id
        """,
        {"id": itemid, "versions": wanted_versions()},
    )
    if row is None:
        raise refusal(itemid)
    return None


def item_id() -> str:
    """Return the id from the URL. What is not a UUID cannot be the id of an item, so it is not found."""
    try:
        return str(UUID(path_param("itemid")))
    except ValueError:
        raise NotFoundError("There is no such item.") from None


def found(row: Any) -> Any:
    """Return the row, if there is one."""
    if row is None:
        raise NotFoundError("There is no such item.")
    return row


def refusal(itemid: str) -> ServiceException:
    """Say why a statement touched nothing. The statement has decided already; this only looks up the reason."""
    row = found(fetch_one("SELECT version FROM items WHERE id = %(id)s", {"id": itemid}))
    message = "The item was changed meanwhile: read it again and decide anew."
    return ServiceException("VERSION_MISMATCH", 412, message, details={"version": row["version"]})


def etag(item: ItemResponse) -> str:
    """Return the ETag of an item: its version in quotes."""
    return f'"{item.version}"'


def wanted_versions() -> list[str] | None:
    """Return the versions that ``If-Match`` names; None if any will do, because it is ``*`` or not there."""
    given = request.headers.get("If-Match", "*").strip()
    return None if given == "*" else tags_of("If-Match", given)


def tags_of(header: str, text: str, *, weak: bool = False) -> list[str]:
    """Return the tags of a header such as ``"3", W/"4"``; weak ones only if asked (RFC 9110, section 13.1.1)."""
    tags, place = [], 0
    while place < len(text):
        entry = TAG.match(text, place)
        if entry is None:
            problem = {"loc": f"header.{header}", "msg": 'expected tags such as "3", or *', "type": "value_error"}
            raise ValidationError("A header is not valid.", details=[problem])
        if entry[2] is not None and (weak or not entry[1]):
            tags.append(entry[2])
        place = entry.end()
    return tags


def columns_of(item: ItemIn) -> dict[str, Any]:
    """Return the values for the columns; the nested model goes into one jsonb column."""
    values = item.model_dump(exclude={"dimensions"})
    return {**values, "dimensions": item.dimensions and item.dimensions.model_dump_json()}
