"""A complete service for one kind of thing: create, list, read, replace and delete items.

Read it from top to bottom: ``main`` decides by path and method, one function per operation does the work, and the
SQL stands where it runs. ``SELECT *`` is safe here: ``ItemResponse`` decides what leaves the service. Errors are
raised, never returned: ``@entrypoint`` turns them into answers.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from exceptions import NotFoundError
from helpers import by_method, entrypoint, execute, fetch_one
from models import ItemFilter, ItemIn, ItemResponse, PaginatedResponse
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
    """Answer 201 with the new item; 409 if the name is taken, which the constraint ``items_name_is_unique`` decides."""
    row = fetch_one(
        """
        INSERT INTO items (name, description, price, status, dimensions)
        VALUES (%(name)s, %(description)s, %(price)s, %(status)s, %(dimensions)s)
        RETURNING *
        """,
        columns_of(json_body(ItemIn)),
    )
    item = ItemResponse.model_validate(row)
    return item, 201, {"Location": f"/items/{item.id}"}


def list_items() -> Any:
    """Answer one page: ``?status=active&min_price=5&sort=-price&limit=10``, then ``&cursor=`` with its next_cursor."""
    page = fetch_page(ITEMS, query_params(ItemFilter))
    return PaginatedResponse[ItemResponse].model_validate(page)


def read_item() -> Any:
    """Answer the item, or 404."""
    row = fetch_one("SELECT * FROM items WHERE id = %(id)s", {"id": item_id()})
    return ItemResponse.model_validate(found(row))


def replace_item() -> Any:
    """Put all fields of the item anew; one statement, so two clients at once cannot mix their versions."""
    row = fetch_one(
        """
        UPDATE items
        SET name = %(name)s, description = %(description)s, price = %(price)s, status = %(status)s,
            dimensions = %(dimensions)s, updated_at = now()
        WHERE id = %(id)s
        RETURNING *
        """,
        {**columns_of(json_body(ItemIn)), "id": item_id()},
    )
    return ItemResponse.model_validate(found(row))


def delete_item() -> Any:
    """Answer 204; 404 if there was nothing to delete."""
    found(execute("DELETE FROM items WHERE id = %(id)s", {"id": item_id()}))
    return None


def item_id() -> str:
    """Return the id from the URL. What is not a UUID cannot be the id of an item, so it is not found."""
    try:
        return str(UUID(path_param("itemid")))
    except ValueError:
        raise NotFoundError("There is no such item.") from None


def found(result: Any) -> Any:
    """Return the result of a statement, unless it touched nothing."""
    if not result:
        raise NotFoundError("There is no such item.")
    return result


def columns_of(item: ItemIn) -> dict[str, Any]:
    """Return the values for the columns; the nested model goes into one jsonb column."""
    values = item.model_dump(exclude={"dimensions"})
    return {**values, "dimensions": item.dimensions and item.dimensions.model_dump_json()}
