"""The connection on which migrations run: one at a time per database, watched while a statement takes long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - the library spells the class in lower case
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from kit.database import Dsn, connect
from kit.errors import KitError
from kit.migrate import journal, sqltext

LOCK_KEY = 0x6B69745F6D696772  # any number that no other program uses; the bytes spell "kit_migr"

_HOLDER = """
SELECT activity.pid, coalesce(activity.client_addr::text, 'an unknown host'), activity.application_name
FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 1
  AND (classid::bigint << 32 | objid::bigint) = %s
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_PROGRESS = """
SELECT pg_blocking_pids(activity.pid), build.phase, build.blocks_done, build.blocks_total
FROM pg_stat_activity AS activity LEFT JOIN pg_stat_progress_create_index AS build USING (pid)
WHERE activity.pid = %s
"""


@dataclass(frozen=True)
class Settings:
    """How a run behaves.

    Attributes:
        patience_seconds: how long to wait for another run that holds the lock.
        lock_timeout_seconds: how long a statement may wait for a table that others use; 0 waits for ever.
        progress_seconds: how often to report that a statement is still running.
        report: takes one line of text for the user.
    """

    patience_seconds: float = 60.0
    lock_timeout_seconds: float = 5.0
    progress_seconds: float = 10.0
    report: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True)
class Session:
    """A connection that holds the lock; each statement is its own transaction unless `BEGIN` was executed.

    `noticed` tells whether the server ends the statement of a run that was killed, and with it the lock.
    """

    dsn: Dsn
    connection: Connection
    cursor: Cursor
    table: str
    settings: Settings
    noticed: bool
    _pool: ThreadPoolExecutor

    def refresh(self) -> None:
        """Forget what a migration has SET, so that it changes neither the next one nor our own table."""
        self.cursor.execute("RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL")
        self._limit(self.settings.lock_timeout_seconds)
        if self.noticed:
            self.cursor.execute("SET client_connection_check_interval = '2s'")

    def run(self, statement: str, where: str) -> None:
        """Execute a statement, and report every now and then that it is still running.

        It runs in a thread, because the driver hears neither the clock nor Ctrl-C while it waits for the server. A
        concurrent index build may wait for locks as long as it likes: nobody has to wait for it, and giving up would
        leave an invalid index.
        """
        concurrent = sqltext.is_concurrent(statement)
        if concurrent:
            self._limit(0)
        started = time.monotonic()
        future = self._pool.submit(self.cursor.execute, statement)
        try:
            while wait([future], self.settings.progress_seconds).not_done:
                self.settings.report(f"{where}: running for {time.monotonic() - started:.0f} s{self._doing()}")
        except KeyboardInterrupt:
            self._cancel(future)
            raise
        future.result()
        for notice in self.connection.notices:
            self.settings.report(f"{where}: {notice.strip()}")
        del self.connection.notices[:]
        if concurrent:
            self._limit(self.settings.lock_timeout_seconds)

    def _limit(self, seconds: float) -> None:
        self.cursor.execute("SELECT set_config('lock_timeout', %s, false)", (str(round(seconds * 1000)),))

    def _cancel(self, future: Future[None]) -> None:
        with suppress(psycopg2.Error):
            self.connection.cancel()
        wait([future], 10)

    def _doing(self) -> str:
        """Say what the server is busy with, as far as a second connection can see it."""
        with suppress(psycopg2.Error, KitError), closing(connect(self.dsn)) as witness:
            witness.autocommit = True
            with witness.cursor() as cursor:
                cursor.execute(_PROGRESS, (self.connection.info.backend_pid,))
                blocking, phase, done, total = cursor.fetchone() or ([], None, 0, 0)
            if blocking:
                return f", waiting for a lock that backend {blocking[0]} holds"
            if phase:
                return f", {phase}: {100 * done // total if total else 0} %"
        return ""


@contextmanager
def opened(dsn: Dsn, settings: Settings) -> Iterator[Session]:
    """Yield a session that holds the lock. Nothing is created or changed.

    The lock is polled: a waiting pg_advisory_lock() would hold a snapshot, for which a concurrent index build of the
    other run waits in turn. The server releases it when the connection ends, however that happens.

    Raises:
        KitError: the database cannot be reached or is a standby, a pooler stands between, the lock stays taken.
    """
    full = {"application_name": "kit migrate", **dsn, "client_encoding": "UTF8"}
    with _explained(dsn), closing(connect(full)) as connection, ThreadPoolExecutor(1) as pool:
        connection.autocommit = True
        with connection.cursor() as cursor:
            _refuse_what_cannot_lock(connection, cursor, dsn)
            _lock(cursor, settings)
            table, noticed = journal.table_name(cursor), _can_notice(cursor)
            session = Session(full, connection, cursor, table, settings, noticed, pool)
            session.refresh()
            yield session


@contextmanager
def reading(dsn: Dsn) -> Iterator[tuple[Cursor, str]]:
    """Yield a cursor that cannot write, and the name of the table.

    Raises:
        KitError: the database cannot be reached, or it refuses.
    """
    with _explained(dsn), closing(connect(dsn)) as connection:
        connection.set_session(readonly=True)
        with connection.cursor() as cursor:
            yield cursor, journal.table_name(cursor)


@contextmanager
def _explained(dsn: Dsn) -> Iterator[None]:
    """Turn what the database refuses outside of a migration into one sentence."""
    try:
        yield
    except psycopg2.Error as error:
        place = f"{dsn.get('host')}:{dsn.get('port', '5432')}/{dsn.get('dbname')}"
        reason = error.diag.message_primary or str(error).strip().split("\n")[0]
        advice = ""
        if isinstance(error, psycopg2.errors.InsufficientPrivilege):
            advice = f"; user {dsn.get('user')} must own the tables, or may not create any: migrate as their owner"
        raise KitError(f"the database {place} refuses: {reason}{advice}") from error


def _refuse_what_cannot_lock(connection: Connection, cursor: Cursor, dsn: Dsn) -> None:
    """Refuse a pooler and a standby.

    PostgreSQL tells each client the process id of its backend. A pooler such as PgBouncer makes one up, because the
    backend changes from transaction to transaction, and with it everything that belongs to a session: our lock.
    """
    cursor.execute("SELECT pg_backend_pid(), pg_is_in_recovery()")
    pid, standby = cursor.fetchone() or (0, False)
    place = f"{dsn.get('host')}:{dsn.get('port', '5432')}"
    if pid != connection.info.backend_pid:
        raise KitError(
            f"{place} is a connection pooler (such as PgBouncer), behind which the lock protects nothing; "
            "connect to PostgreSQL directly to migrate"
        )
    if standby:
        raise KitError(f"{place} is a standby, which cannot be changed; connect to the primary server")


def _can_notice(cursor: Cursor) -> bool:
    try:
        cursor.execute("SET client_connection_check_interval = '2s'")
    except psycopg2.Error:  # older than version 14, or an operating system that does not offer it
        return False
    return True


def _lock(cursor: Cursor, settings: Settings) -> None:
    deadline = time.monotonic() + settings.patience_seconds
    told = False
    while True:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,))
        if (cursor.fetchone() or (False,))[0]:
            return
        if told and time.monotonic() < deadline:
            time.sleep(0.05 + random.random() * 0.1)  # noqa: S311 - spreads the runs, protects nothing
            continue
        cursor.execute(_HOLDER, (LOCK_KEY,))
        pid, host, program = cursor.fetchone() or ("?", "?", "?")
        holder = f"backend {pid}, connected from {host}, {program or 'without a name'}"
        if told:
            raise KitError(
                f"another migration run has held the lock for {settings.patience_seconds:g} s ({holder}); "
                "wait for it to end, or give it more time with --patience-seconds"
            )
        settings.report(f"waiting for another migration run ({holder})")
        told = True
