"""Texts that are SQL, in every place where a request can carry a text: they change nothing, and none is carried out."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import psycopg2
import pytest
from kit import database
from kit.migrate.replay import schema
from standardwebhooks import Webhook

from .conftest import WEBHOOK_SECRET
from .operations import AWAY, FOLDER, HEADERS, Known, Operation, names, operations_of

SLEEP_SECONDS = 5
LIMIT_SECONDS = SLEEP_SECONDS * 0.8

TEXTS = [
    "'",
    '"',
    "\\",
    "\\'; DROP SCHEMA public CASCADE; --",
    "'; DROP SCHEMA public CASCADE; --",
    "'); DROP TABLE canary; /*",
    '"; DROP TABLE canary; --',
    "$$; DROP TABLE canary; $$",
    "x' OR '1'='1",
    "1; UPDATE canary SET text = 'changed'",
    "' || (SELECT text FROM canary LIMIT 1) || '",
    "'; CREATE ROLE intruder SUPERUSER LOGIN; --",
    "' UNION ALL SELECT rolname FROM pg_roles --",
    f"'||pg_sleep({SLEEP_SECONDS})||'",
    f"1; SELECT pg_sleep({SLEEP_SECONDS}); --",
    f"(SELECT pg_sleep({SLEEP_SECONDS}))",
    "%(name)s",
    "%s %d %% %",
    "{0} {name} ${name}",
    "\u02bc; DROP TABLE canary; --",
    "\uff07 OR \uff071\uff07=\uff071",
    "\u2019 -- \u201c",
    "a\0b",
    "-- \r\n; DROP TABLE canary",
    "'" * 3_000,
    "x" * 20_000,
]


def deliver(client: Any) -> None:
    """Send an event with a signature, which cannot be made up from the document."""
    sent, body = datetime.now(UTC), '{"type": "order.paid", "data": {}}'
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": Webhook(WEBHOOK_SECRET).sign("msg_1", sent, body),
    }
    response = client.post("/webhooks/standard", data=body, headers=headers, content_type="application/json")
    assert response.status_code == 202, response.text


# What must be there before, beyond what the operations make.
PREPARED = {"webhook": deliver}

# Operations that refuse what can be made up from the document: a delivery needs a signature, and a repetition of what
# has not failed, the completion of what was not uploaded, or the removal of what holds files is a conflict.
REFUSED = {
    "webhook": {"POST /webhooks/{source}", "POST /webhooks/inbox/{inboxid}/retry"},
    "scheduler": {"POST /schedule-runs/{runid}/redrive"},
    "storage": {"POST /storage/{folderid}/files/{completeid}/complete", "DELETE /storage/{areaid}"},
}

Request = tuple[str, dict[str, Any]]  # a path with its query, and what else Client.open takes


@pytest.fixture
def canary(client: Any, database_url: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """A table that no example knows; call it for everything in the database that must not change."""
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE canary AS SELECT n, 'safe' AS text FROM generate_series(1, 3) n")

        def state() -> dict[str, Any]:
            cursor.execute("SELECT array_agg(text ORDER BY n) FROM canary")
            found: dict[str, Any] = {"canary": cursor.fetchone()}
            cursor.execute("SELECT array_agg(rolname || rolsuper::text ORDER BY rolname) FROM pg_roles")
            found["roles"] = cursor.fetchone()
            cursor.execute("SELECT array_agg(datname::text ORDER BY datname) FROM pg_database WHERE NOT datistemplate")
            found["schema"] = schema(database.parse(database_url))
            cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
            for (table,) in cursor.fetchall():
                cursor.execute(f'SELECT count(*) FROM "{table}"')
                found[f"rows of {table}"] = cursor.fetchone()
            return found

        yield state
    connection.close()


@pytest.mark.parametrize("name", names())
def test_sql_in_any_place_of_any_request_stays_a_text(equipped: Any, canary: Callable[[], dict[str, Any]], name: str):
    client = equipped
    known, accepted = Known(), set[str]()
    before = canary()
    if name in PREPARED:
        PREPARED[name](client)
    for operation in operations_of(name):
        if operation.method == "GET" and "{" not in operation.path:  # lists tell what is there already
            known.learn(operation, client.get(operation.path))
    for operation in operations_of(name):
        path, options = base(operation, known)
        first = client.open(operation.method, path, **options)
        known.learn(operation, first)
        accepted |= {str(operation)} if first.status_code < 400 else set()
        for where, text, (path, options) in attacks(operation, known):
            started = time.monotonic()
            response = client.open(operation.method, path, **options)
            told = f"{operation} with {text[:60]!r} as {where}: {response.status_code} {response.text[:300]}"
            assert time.monotonic() - started < LIMIT_SECONDS, told
            assert response.status_code < 500 or response.status_code in AWAY.get(name, set()), told
            assert "safe" not in response.text, told
            if where != "X-User":  # what another user made is none of ours
                known.learn(operation, response)
    after = canary()
    ours = {key for key in after if key.startswith("rows of ") and belongs(key.removeprefix("rows of "), name)}
    assert {key: after[key] for key in after.keys() - ours} == {key: before[key] for key in before.keys() - ours}
    refused = {str(operation) for operation in operations_of(name)} - accepted
    assert refused == REFUSED.get(name, set()), "a right request was refused, so that nothing came through"


def attacks(operation: Operation, known: Known) -> Iterator[tuple[str, str, Request]]:
    """Return each text in each place, one at a time, in a request that is right otherwise."""
    for text in TEXTS:
        for variable in operation.parameters("path"):
            if not set(text) & set("/\0\r\n") and len(text) < 4_000:  # the router does not hand on the others
                yield variable, text, base(operation, known, path={variable: text})
        for parameter in operation.parameters("query"):
            yield parameter, text, base(operation, known, query={parameter: text})
        for header in operation.parameters("header"):
            if text.isprintable() and len(text) < 4_000:  # no client could send the others
                yield header, text, base(operation, known, headers={header: text.encode().decode("latin-1")})
        if operation.body:
            whole = operation.example(operation.body)
            for place in places(whole):
                yield ".".join(map(str, place)), text, base(operation, known, body=changed(whole, place, text))


def base(
    operation: Operation,
    known: Known,
    *,
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    body: Any = None,
) -> Request:
    """Return a request that is right, about something that exists, with the given parts instead of its own."""
    address = operation.path
    for name, schema_ in operation.parameters("path").items():
        value = (path or {}).get(name) or known.one(operation, name, -1) or str(operation.example(schema_))
        address = address.replace(f"{{{name}}}", quote(value, safe=""))
    own = {key: value for key, value in HEADERS.items() if key in operation.parameters("header")}
    options: dict[str, Any] = {"headers": {**own, **(headers or {})}}
    if operation.body:
        content = operation.example(operation.body) if body is None else body
        options |= {"data": json.dumps(content), "content_type": "application/json"}
    return f"{address}?{urlencode(query)}" if query else address, options


def places(value: Any, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Return the ways to all values within a body, and to a key that does not belong there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*here, key)
        yield from places(one, (*here, key))
    if isinstance(value, dict):
        yield (*here, "'; DROP TABLE canary; --")


def changed(value: Any, place: tuple[str | int, ...], text: str) -> Any:
    """Return a copy with the text in that place."""
    copied = copy.deepcopy(value)
    inner = copied
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = text
    return copied


def belongs(table: str, name: str) -> bool:
    """Tell whether a table is made by the example's migration."""
    return any(f"CREATE TABLE {table} " in path.read_text() for path in FOLDER.glob(f"migrates/*_example_{name}.sql"))
