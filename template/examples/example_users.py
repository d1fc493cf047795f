"""Administration of the users of an AI lab: who they are, what they may do, and that one admin is always left.

Read it from top to bottom. Two of its rules no single statement can keep, so ``PUT`` and ``DELETE`` read with
``FOR UPDATE`` first, decide, and write in the same transaction:

* A change is merged into the user that is stored. Without the lock, two changes at once would both be merged into the
  same old user, and the second would undo the first.
* The last active admin stays. That concerns several rows: two admins who remove each other at the same moment change
  different rows, and would not even notice each other without a lock on both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from database import Row
from example_users_models import MAX_ATTRIBUTES, Role, UserChange, UserFilter, UserIn, UserResponse
from exceptions import NotFoundError, ServiceException, ValidationError
from helpers import by_method, entrypoint, execute, fetch_all, fetch_one, transaction
from models import PaginatedResponse
from paging import Listing, fetch_page
from params import json_body, path_param, query_params

USERS = Listing(
    select="SELECT * FROM ai_users",
    count="SELECT count(*) FROM ai_users",
    where={
        "search": "strpos(lower(tag || ' ' || name || ' ' || email), lower(%(search)s)) > 0",
        "tag_prefix": "starts_with(lower(tag), lower(%(tag_prefix)s))",
        "role": "roles @> ARRAY [%(role)s]",
        "active": "active = %(active)s",
        "created_after": "created_at > %(created_after)s",
        "created_before": "created_at < %(created_before)s",
    },
    sort={"created_at": "created_at", "name": "name", "tag": "tag"},
)

# Laid over this, a change shows whether an admin would still be one after it.
ADMIN: Row = {"roles": [Role.ADMIN], "active": True}


@entrypoint
def main() -> Any:
    """Create, list, read, change and delete users.

    ```fission
    {
      "name": "your-service-users",
      "executor": "newdeploy-single",
      "timeout_seconds": 300,
      "http_triggers": {
        "users": {"url": "/ai/admin/users", "methods": ["GET", "POST"]},
        "user": {"url": "/ai/admin/users/{UserID}", "methods": ["GET", "PUT", "DELETE"]}
      }
    }
    ```
    """
    if path_param("UserID", None) is None:
        return by_method(GET=list_users, POST=create_user)
    return by_method(GET=read_user, PUT=change_user, DELETE=delete_user)


def list_users() -> Any:
    """Answer one page: ``?role=admin&active=true&search=ada&sort=name&limit=10``, then ``&cursor=`` for the next."""
    page = fetch_page(USERS, query_params(UserFilter))
    return PaginatedResponse[UserResponse].model_validate(page)


def create_user() -> Any:
    """Answer 201 with the new user; 409 ``DUPLICATE_TAG`` if the tag is taken, in upper or lower case."""
    new = json_body(UserIn)
    with duplicate_tag_refused(new.tag):
        row = fetch_one(
            """
            INSERT INTO ai_users (tag, name, email, roles, active, attributes)
            VALUES (%(tag)s, %(name)s, %(email)s, %(roles)s, %(active)s, %(attributes)s)
            RETURNING *
            """,
            columns_of(new.model_dump()),
        )
    user = UserResponse.model_validate(row)
    return user, 201, {"Location": f"/ai/admin/users/{user.id}"}


def read_user() -> Any:
    """Answer the user, or 404."""
    row = fetch_one("SELECT * FROM ai_users WHERE id = %(id)s", {"id": user_id()})
    if row is None:
        raise not_found()
    return UserResponse.model_validate(row)


def change_user() -> Any:
    """Change the fields that are given, and leave the others. PATCH would say that, but Fission does not pass it on.

    A tag that is taken gives 409 ``DUPLICATE_TAG``, to take away the last active admin 409 ``LAST_ADMIN``.
    """
    key, change = user_id(), json_body(UserChange).model_dump(exclude_unset=True)
    with duplicate_tag_refused(change.get("tag")), transaction():
        stored, other_admins = locked(key, ends_admin=not is_admin(ADMIN | change))
        wanted = stored | change | {"attributes": merged(stored["attributes"], change.get("attributes", {}))}
        if is_admin(stored) and not is_admin(wanted):
            check_somebody_is_left(other_admins)
        row: Row | None = stored
        if wanted != stored:
            row = fetch_one(
                """
                UPDATE ai_users
                SET tag = %(tag)s, name = %(name)s, email = %(email)s, roles = %(roles)s, active = %(active)s,
                    attributes = %(attributes)s, updated_at = now()
                WHERE id = %(id)s
                RETURNING *
                """,
                columns_of(wanted),
            )
    return UserResponse.model_validate(row)


def delete_user() -> Any:
    """Answer 204; 404 if there is no such user, 409 ``LAST_ADMIN`` if no other active admin would be left."""
    key = user_id()
    with transaction():
        stored, other_admins = locked(key, ends_admin=True)
        if is_admin(stored):
            check_somebody_is_left(other_admins)
        execute("DELETE FROM ai_users WHERE id = %(id)s", {"id": key})
    return None


def locked(key: str, *, ends_admin: bool) -> tuple[Row, list[Row]]:
    """Return the user, locked; if that takes an admin away also all other active admins, locked as well.

    Whether it does can only be said once the user is locked. To lock the admins then would be out of order, so the
    first lock is given back before, with the savepoint: nobody ever holds one row and waits for another but in order.

    Args:
        key: The id of the user.
        ends_admin: Whether the user is no active admin afterwards.

    Raises:
        NotFoundError: There is no such user.
    """
    if not ends_admin:
        return lock(key, with_admins=False)
    execute("SAVEPOINT nothing_locked")
    user, _ = lock(key, with_admins=False)
    if not is_admin(user):
        return user, []
    execute("ROLLBACK TO SAVEPOINT nothing_locked")
    return lock(key, with_admins=True)


def lock(key: str, *, with_admins: bool) -> tuple[Row, list[Row]]:
    """Return the user, and on request all other active admins, so that nobody changes any of them until we are done.

    One statement, in the order of the ids: two requests that took the same rows in different orders would wait for
    each other for ever. Who had to wait reads what the one before has left: an admin who is none any more is not
    among the rows.

    Raises:
        NotFoundError: There is no such user.
    """
    rows = fetch_all(
        """
        SELECT * FROM ai_users
        WHERE id = %(id)s OR (%(with_admins)s AND active AND roles @> ARRAY ['admin'])
        ORDER BY id
        FOR UPDATE
        """,
        {"id": key, "with_admins": with_admins},
    )
    user = next((row for row in rows if row["id"] == key), None)
    if user is None:
        raise not_found()
    return user, [row for row in rows if row is not user]


def is_admin(user: Row) -> bool:
    """Tell whether a user counts as one of the admins of whom one must be left."""
    return bool(user["active"]) and Role.ADMIN in user["roles"]


def check_somebody_is_left(other_admins: list[Row]) -> None:
    """Refuse to take the last active admin away: nobody could give the role back."""
    if not other_admins:
        raise ServiceException("LAST_ADMIN", 409, "This is the last active admin; make somebody else an admin first.")


def merged(stored: dict[str, str], change: dict[str, str | None]) -> dict[str, str]:
    """Return the attributes after a change; null removes one. Together they may be too many, though each is fine."""
    attributes = {name: value for name, value in {**stored, **change}.items() if value is not None}
    if len(attributes) > MAX_ATTRIBUTES:
        message = f"The user would have {len(attributes)} attributes; at most {MAX_ATTRIBUTES} are possible"
        problem = {"loc": "body.attributes", "msg": message, "type": "too_long"}
        raise ValidationError("The body is not valid.", details=[problem])
    return attributes


@contextmanager
def duplicate_tag_refused(tag: str | None) -> Iterator[None]:
    """Turn the violation of the unique index into 409. To look beforehand instead would let two in at the same time."""
    from psycopg2.errors import UniqueViolation

    try:
        yield
    except UniqueViolation:
        message = "There is already a user with this tag."
        raise ServiceException("DUPLICATE_TAG", 409, message, details={"tag": tag}) from None


def user_id() -> str:
    """Return the id from the URL. What is not a UUID cannot be the id of a user, so it is not found."""
    try:
        return str(UUID(path_param("UserID")))
    except ValueError:
        raise not_found() from None


def not_found() -> NotFoundError:
    """Return the error for a user who does not exist."""
    return NotFoundError("There is no such user.")


def columns_of(user: Row) -> Row:
    """Return the values for the columns; the attributes go into a jsonb column."""
    return {**user, "attributes": json.dumps(user["attributes"])}
