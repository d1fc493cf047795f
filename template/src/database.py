"""PostgreSQL: one connection per process, opened on first use, reused, and checked without a round trip.

A pod serves one request at a time, so a pool would be waste. Three ways to use the connection:

* ``fetch_one``, ``fetch_all``, ``execute``: one statement that stands for itself, in one round trip.
* ``with transaction() as cursor:``: several statements, committed together or not at all.
* ``init_db_connection()``: the psycopg2 connection itself. What is not committed by the end of the request is
  rolled back.

Only connecting is ever retried: a statement whose answer was lost may have been carried out.
"""

from __future__ import annotations

import logging
import os
import random
import select
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from exceptions import ConfigurationError, DatabaseError, UnavailableError
from settings import get_config, get_current_namespace, get_secret

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812
    from psycopg2.extensions import cursor as Cursor  # noqa: N812

Parameters = Mapping[str, Any] | Sequence[Any] | None
Row = dict[str, Any]

CONNECT_SECONDS: Final = 3  # for one attempt
CONNECT_PAUSES_SECONDS: Final = (0.05, 0.2)  # before the 2nd and the 3rd attempt, while the budget below lasts
CONNECT_BUDGET_SECONDS: Final = 2.0  # a caller in the queue behind us waits, too
STATEMENT_TIMEOUT_MS: Final = 15_000  # configuration value STATEMENT_TIMEOUT_MS; keep below Fission's timeout
LOCK_TIMEOUT_MS: Final = 3_000  # configuration value LOCK_TIMEOUT_MS
IDLE_IN_TRANSACTION_TIMEOUT_MS: Final = 60_000
PROJECT: Final = "your-service"

_IDLE, _FAILED = 0, 3  # libpq's PQTRANS_IDLE and PQTRANS_INERROR
_USELESS = ("08", "25006", "57P")  # SQLSTATEs after which the connection is of no use: broken, read-only, shut down
_log = logging.getLogger(__name__)


class _Holder:
    """The connection of this process, which process opened it, and what to put before each statement."""

    connection: Connection | None = None
    pid: int = 0
    prefix: str = ""
    away: bool = False


_holder = _Holder()


def init_db_connection() -> Connection:
    """Return this process's connection: alive as far as the socket tells, and the same one throughout a request.

    It behaves as psycopg2 documents: the first statement begins a transaction, ``commit()`` ends it, and
    ``with connection:`` commits or rolls back. Do not close it. Behind a pooler the time limits hold for the
    first transaction only; ``transaction()`` has no such gap.

    Raises:
        UnavailableError: The database cannot be reached; the caller gets 503 with ``Retry-After``.
        ConfigurationError: The settings do not say where the database is.
    """
    connection = _ready()
    if connection.get_transaction_status() == _IDLE:
        connection.autocommit = False
        if _holder.prefix:
            with connection.cursor() as cursor:
                cursor.execute(_holder.prefix)
    return connection


@contextmanager
def transaction() -> Iterator[Cursor]:
    """Run several statements as one: committed at the end of the block, rolled back if it raises.

    ``fetch_one``, ``fetch_all`` and ``execute`` within the block take part in it. Blocks cannot be nested.

    Raises:
        UnavailableError: The database cannot be reached.
        DatabaseError: A statement failed and the block went on; PostgreSQL would silently roll back.
    """
    connection = _ready()
    if connection.get_transaction_status() != _IDLE:
        raise RuntimeError("transaction() within a transaction: commit or roll back the outer one first")
    connection.autocommit = True  # so that psycopg2 adds no BEGIN of its own, which would be one more round trip
    try:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN;" + _holder.prefix)
            yield cursor
            if connection.get_transaction_status() == _FAILED:
                raise DatabaseError("The request was not carried out completely, so nothing of it was kept.")
            cursor.execute("COMMIT")
    finally:
        release()


def fetch_all(sql: str, parameters: Parameters = None) -> list[Row]:
    """Return the rows of one statement as dictionaries.

    Args:
        sql: The statement, with ``%(name)s`` where a value goes. Never put values into the text yourself.
        parameters: The values.

    Raises:
        UnavailableError: The database cannot be reached.
        psycopg2.Error: The database refused the statement; ``@entrypoint`` translates it.
    """
    cursor = _run(sql, parameters)
    return db_rows_to_array(cursor, cursor.fetchall())


def fetch_one(sql: str, parameters: Parameters = None) -> Row | None:
    """Return the first row of one statement as a dictionary, or None. Errors as for ``fetch_all``."""
    cursor = _run(sql, parameters)
    row = cursor.fetchone()
    return None if row is None else db_row_to_dict(cursor, row)


def execute(sql: str, parameters: Parameters = None) -> int:
    """Run one statement and return how many rows it touched. Errors as for ``fetch_all``."""
    return _run(sql, parameters).rowcount


def db_row_to_dict(cursor: Cursor, row: Sequence[Any]) -> Row:
    """Return a row as a dictionary, with the names of the columns from the cursor that read it."""
    return dict(zip([column[0] for column in cursor.description or ()], row, strict=False))


def db_rows_to_array(cursor: Cursor, rows: Sequence[Sequence[Any]]) -> list[Row]:
    """Return rows as a list of dictionaries, with the names of the columns from the cursor that read them."""
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=False)) for row in rows]


def check_port_open(host: str, port: int, timeout_seconds: float = 1.0) -> bool:
    """Return whether something accepts TCP connections there.

    A diagnosis after a failure, not a check before a connect: that would cost a round trip and prove nothing.
    """
    try:
        with socket.create_connection((host, port), timeout_seconds):
            return True
    except (OSError, UnicodeError, OverflowError):
        return False


def release(error: BaseException | None = None) -> None:
    """End the request's use of the connection: nothing stays in a transaction, nothing broken is kept.

    Args:
        error: What ended the request, if anything did.
    """
    connection = _holder.connection
    if connection is None:
        return
    try:
        if connection.get_transaction_status() != _IDLE:
            if connection.autocommit:
                with connection.cursor() as cursor:
                    cursor.execute("ROLLBACK")
            else:
                connection.rollback()
    except Exception:
        close()
    if (getattr(error, "pgcode", None) or "").startswith(_USELESS):
        close()


def close() -> None:
    """Close the connection; the next use opens a new one."""
    connection, _holder.connection = _holder.connection, None
    if connection is not None and _holder.pid == os.getpid():  # a forked child must not end its parent's session
        connection.close()


def _run(sql: str, parameters: Parameters) -> Cursor:
    """Execute one statement: in the open transaction if there is one, else by itself without BEGIN and COMMIT."""
    connection = _ready()
    if connection.get_transaction_status() == _IDLE:
        connection.autocommit = True
        # Several statements in one message are one implicit transaction, so SET LOCAL holds for the last of them.
        sql = _holder.prefix + sql
    cursor = connection.cursor()
    cursor.execute(sql, parameters)
    return cursor


def _ready() -> Connection:
    """Return an open connection. Costs no round trip: a healthy idle socket has nothing to read.

    After ``pg_terminate_backend``, a restart or an idle timeout psycopg2 still believes in the connection, but the
    server's farewell waits in the socket.
    """
    connection = _holder.connection
    if connection is not None:
        usable = connection.closed == 0 and _holder.pid == os.getpid()
        if usable and (connection.get_transaction_status() != _IDLE or not _readable(connection)):
            return connection
        close()
    connection = _connect()
    _holder.connection, _holder.pid = connection, os.getpid()
    return connection


def _readable(connection: Connection) -> bool:
    poll = select.poll()  # not select.select, which fails for file numbers above 1023
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _connect() -> Connection:
    """Connect, with a few attempts if the database was there a moment ago, with one while it is known to be away."""
    import psycopg2
    from psycopg2.extras import register_default_jsonb
    from pydantic_core import from_json

    settings = _settings()
    pauses = () if _holder.away else CONNECT_PAUSES_SECONDS
    give_up = time.monotonic() + CONNECT_BUDGET_SECONDS
    for pause in (*pauses, None):
        try:
            connection: Connection = psycopg2.connect(**settings)
            register_default_jsonb(connection, loads=from_json)  # twice as fast as the standard library
            _holder.prefix = _limit_times(connection)  # a pooler accepts clients even while its server is away
        except psycopg2.OperationalError as error:
            # Only what the server said: libpq's own texts may quote a password that was not escaped in a URL.
            reason = str(error).partition("FATAL:")[2].strip() or "no answer"
        else:
            _holder.away = False
            return connection
        if pause is None or time.monotonic() + pause > give_up:
            break
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads the pods' attempts, not a secret
    _holder.away = True
    _log.error("database: no connection", extra={"reason": reason})
    raise UnavailableError("The database is not available; try again in a moment.")


def _settings() -> dict[str, Any]:
    """Return the arguments for psycopg2.connect, from the secret DATABASE_URL or PG_HOST, PG_PORT, PG_DB, ..."""
    from psycopg2 import ProgrammingError
    from psycopg2.extensions import parse_dsn

    defaults = {
        "application_name": f"{get_current_namespace()}/{PROJECT}",
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,  # ms without an acknowledgement, e.g. after a node is gone
    }
    url = get_secret("DATABASE_URL")
    if url:
        try:
            return {**defaults, **parse_dsn(url)}
        except ProgrammingError:  # its text quotes the URL, password included
            raise ConfigurationError("secret DATABASE_URL is not a valid PostgreSQL URL") from None
    names = {"host": "PG_HOST", "port": "PG_PORT", "dbname": "PG_DB", "user": "PG_USER", "password": "PG_PASS"}
    given = {argument: get_secret(key) for argument, key in names.items()}
    if missing := [names[argument] for argument, value in given.items() if not value]:
        raise ConfigurationError(f"the database needs the secret DATABASE_URL, or also {', '.join(missing)}")
    return {**defaults, **given, "sslmode": get_secret("PG_SSLMODE", "prefer")}


def _limit_times(connection: Connection) -> str:
    """Set the time limits; return what must precede each transaction because the session cannot keep them.

    A pooler such as PgBouncer hands the server's session to somebody else after each transaction, and what was SET
    there goes along. It betrays itself: the process id that it told us at the start is not the server's. On a direct
    connection the limits are set once, and no request pays for them.
    """
    limits = {
        "statement_timeout": _milliseconds("STATEMENT_TIMEOUT_MS", STATEMENT_TIMEOUT_MS),
        "lock_timeout": _milliseconds("LOCK_TIMEOUT_MS", LOCK_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT_MS,
    }
    settings = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in limits.items())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT CASE WHEN pg_backend_pid() = %s THEN ARRAY[{settings}] END",
            (connection.get_backend_pid(),),
        )
        direct = cursor.fetchone() != (None,)
    return "" if direct else "".join(f"SET LOCAL {name} = {value};" for name, value in limits.items())


def _milliseconds(key: str, default: int) -> int:
    try:
        return int(get_config(key) or default)
    except ValueError:
        raise ConfigurationError(f"configuration {key} is not a whole number of milliseconds") from None
