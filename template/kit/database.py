"""Which PostgreSQL to use, and databases on it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from kit import dotenv
from kit.errors import KitError
from kit.project import Project
from kit.vaulted import opened

Dsn = dict[str, str]  # libpq's keywords: host, port, user, password, dbname, perhaps sslmode ...

KEYS = {"PG_HOST": "host", "PG_PORT": "port", "PG_USER": "user", "PG_PASS": "password", "PG_DB": "dbname"}
OPTIONAL_KEYS = {"PG_SSLMODE": "sslmode"}


@contextmanager
def development(project: Project, environ: Mapping[str, str] = os.environ) -> Iterator[Dsn]:
    """Yield the database of local runs: the user's own if one is configured, else the embedded one, running.

    `DATABASE_URL` or `PG_HOST` and its companions are looked up in the environment, then in `.env`. The embedded
    server keeps its data in the project, under `.kit/postgres`.

    Raises:
        KitError: the settings are wrong, or the embedded server does not start.
    """
    if dsn := configured(environ, project) or in_dotenv(project):
        yield dsn
        return
    from kit.postgres import Server  # not needed by those who bring their own

    with Server.start(project.state / "postgres") as server:
        yield {**server.dsn, "dbname": ensure(server.dsn, project.identifier)}


def is_embedded(project: Project, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether local runs use the embedded server, because neither the environment nor `.env` names another."""
    return not (configured(environ, project) or in_dotenv(project))


def in_dotenv(project: Project) -> Dsn | None:
    """Return the server that the project's `.env` names, or None."""
    path = project.root / ".env"
    return configured({key: entry.value for key, entry in dotenv.read(path).items()}, project, path)


def configured(settings: Mapping[str, str], project: Project, source: Path | None = None) -> Dsn | None:
    """Return the server that `DATABASE_URL` or `PG_HOST` ... name, or None when neither is set.

    Raises:
        KitError: `DATABASE_URL` is not a PostgreSQL URL, or a vault value does not decrypt.
    """
    names = ("DATABASE_URL", "VAULT_KEY", *KEYS, *OPTIONAL_KEYS)
    settings = opened({name: settings[name] for name in names if settings.get(name)}, project)
    if url := settings.get("DATABASE_URL"):
        return {"dbname": project.identifier, **parse(url, source)}
    if not settings.get("PG_HOST"):
        return None
    defaults = {"port": "5432", "user": "postgres", "dbname": project.identifier}
    keys = {**KEYS, **OPTIONAL_KEYS}
    return {**defaults, **{keys[key]: value for key, value in settings.items() if key in keys and value}}


def parse(url: str, source: Path | None = None) -> Dsn:
    """Return what a PostgreSQL URL says.

    Raises:
        KitError: it is none; the message does not repeat it, because it may hold a password.
    """
    try:
        return parse_dsn(url)
    except psycopg2.ProgrammingError as error:
        where = source or "the environment"
        raise KitError(f"DATABASE_URL in {where} is not of the form postgresql://user:password@host/db") from error


def to_url(dsn: Dsn) -> str:
    """Return the DSN as a URL for `DATABASE_URL`."""
    rest = {key: value for key, value in dsn.items() if key not in {"host", "port", "user", "password", "dbname"}}
    account = ":".join(quote(dsn[key], safe="") for key in ("user", "password") if dsn.get(key))
    address = f"{quote(dsn.get('host', ''), safe='')}:{dsn.get('port', '5432')}"
    query = f"?{urlencode(rest)}" if rest else ""
    return f"postgresql://{account}@{address}/{quote(dsn['dbname'], safe='')}{query}"


def to_secrets(dsn: Dsn) -> dict[str, str]:
    """Return the DSN under the names that functions read: `DATABASE_URL`, `PG_HOST` ..."""
    names = {**KEYS, **OPTIONAL_KEYS}
    return {"DATABASE_URL": to_url(dsn), **{name: dsn[key] for name, key in names.items() if key in dsn}}


def ensure(dsn: Dsn, name: str) -> str:
    """Create the database `name` unless it exists, and return its name."""
    with administrator(dsn) as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if not cursor.fetchone():
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return name


@contextmanager
def scratch(dsn: Dsn, template: str = "template1", prefix: str = "kit_test") -> Iterator[Dsn]:
    """Yield a fresh copy of a template database, and drop it afterwards, whoever is still connected.

    Raises:
        KitError: the server cannot be reached, or the user may not create databases.
    """
    name = f"{prefix}_{secrets.token_hex(6)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    with administrator(dsn) as cursor:
        if cursor.connection.server_version >= 150000:  # copies files instead of writing everything to the log
            create += sql.SQL(" STRATEGY file_copy")
        try:
            cursor.execute(create)
        except psycopg2.errors.InsufficientPrivilege as error:
            raise KitError(f"user {dsn.get('user')} on {dsn.get('host')} needs the right CREATEDB for tests") from error
    try:
        yield {**dsn, "dbname": name}
    finally:
        with administrator(dsn) as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def administrator(dsn: Dsn) -> Iterator[psycopg2.extensions.cursor]:
    """Yield a cursor on the maintenance database `postgres`; each statement is its own transaction."""
    connection = connect({**dsn, "dbname": "postgres"})
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def connect(dsn: Dsn) -> psycopg2.extensions.connection:
    """Connect to a database.

    Raises:
        KitError: it cannot be reached or refuses; the message holds host, port and reason, never the password.
    """
    try:
        settings: dict[str, Any] = {"connect_timeout": 10, **dsn}
        connection: psycopg2.extensions.connection = psycopg2.connect(**settings)
        return connection
    except psycopg2.OperationalError as error:
        place = f"{dsn.get('host')}:{dsn.get('port', '5432')}/{dsn.get('dbname')}"
        reason = str(error).strip().splitlines()[0]
        raise KitError(f"no connection to the database {place}: {reason}") from error
