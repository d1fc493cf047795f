"""Bring a database to what the files say, and compare the two."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import psycopg2

from kit.database import Dsn
from kit.errors import KitError
from kit.migrate import files, journal
from kit.migrate.files import Folders, Migration
from kit.migrate.journal import Applied, InvalidIndex
from kit.migrate.session import Session, Settings, opened, reading
from kit.migrate.state import State, compare, compared, is_removed_example, refuse, sentence

Report = Callable[[str], None]


def apply(
    dsn: Dsn,
    folders: Folders,
    *,
    known: Folders = (),
    patience_seconds: float = Settings.patience_seconds,
    lock_timeout_seconds: float = Settings.lock_timeout_seconds,
    progress_seconds: float = Settings.progress_seconds,
    allow_late: bool = False,
    allow_missing: bool = False,
    dry_run: bool = False,
    until: str | None = None,
    report: Report = lambda _: None,
) -> list[str]:
    """Apply everything that is not applied yet, oldest first, and return the versions.

    Args:
        dsn: the database; it must exist.
        folders: where the migration files lie, in one folder or several.
        known: folders whose files may be applied already, but are not applied by this call.
        patience_seconds: how long to wait while another run holds the lock.
        lock_timeout_seconds: how long a statement may wait for a table that others use; 0 waits for ever.
        progress_seconds: how often to report that a statement is still running.
        allow_late: also apply files that are older than what is applied already.
        allow_missing: do not mind applied versions that have no file.
        dry_run: execute everything in one transaction that is rolled back, up to the first file that cannot be.
        until: stop after this version.
        report: takes one line of text for the user.

    Raises:
        KitError: a file is malformed, edited, late or missing; a statement fails (the file's changes are undone, files
            before it stay applied); the lock stays taken; the database cannot be reached.
    """
    everything = _read(folders, known)
    settings = Settings(patience_seconds, lock_timeout_seconds, progress_seconds, report)
    with opened(dsn, settings) as session:
        applied = journal.read(session.cursor, session.table) or {}
        migrations = _wanted(everything, folders, applied)
        refuse(compare(migrations, applied), allow_late=allow_late, allow_missing=allow_missing)
        last = int(until) if until else None
        todo = [m for m in migrations if m.version not in applied and (last is None or int(m.version) <= last)]
        for migration in todo:
            migration.section("up")
        if dry_run:
            return _rehearse(session, todo, "up")
        for migration in todo:
            _execute(session, migration, "up")
    return [migration.version for migration in todo]


def prepare(dsn: Dsn) -> None:
    """Create the table, with nothing in it."""
    with opened(dsn, Settings()) as session:
        journal.prepare(session.cursor, session.table)


def revert(
    dsn: Dsn,
    folders: Folders,
    *,
    patience_seconds: float = Settings.patience_seconds,
    lock_timeout_seconds: float = Settings.lock_timeout_seconds,
    progress_seconds: float = Settings.progress_seconds,
    dry_run: bool = False,
    report: Report = lambda _: None,
) -> str | None:
    """Undo the newest applied migration and return its version, or None when nothing is applied.

    Args:
        dsn: the database.
        folders: where the migration files lie, in one folder or several.
        patience_seconds: as for `apply`.
        lock_timeout_seconds: as for `apply`.
        progress_seconds: as for `apply`.
        dry_run: execute it in a transaction that is rolled back.
        report: takes one line of text for the user.

    Raises:
        KitError: as for `apply`, and when the file is missing or has nothing below `-- migrate:down`.
    """
    migrations = {migration.version: migration for migration in files.read(folders)}
    settings = Settings(patience_seconds, lock_timeout_seconds, progress_seconds, report)
    with opened(dsn, settings) as session:
        applied = journal.read(session.cursor, session.table) or {}
        orphans = applied.keys() - migrations.keys()
        newest = max((v for v in applied if not is_removed_example(v, orphans)), key=int, default=None)
        if newest is None:
            return None
        migration = migrations.get(newest)
        if not migration:
            raise KitError(f"version {newest} is applied, but {_names(folders)} has no file for it; restore it first")
        refuse([compared(migration, applied[newest])])
        migration.section("down")
        if dry_run:
            _rehearse(session, [migration], "down")
        else:
            _execute(session, migration, "down")
    return newest


def status(dsn: Dsn, folders: Folders, known: Folders = ()) -> list[State]:
    """Return all versions, oldest first, of files and of the database. Changes nothing.

    Files of the folders that are only `known` are among them if they are applied.
    """
    everything = _read(folders, known)
    with reading(dsn) as (cursor, table):
        applied = journal.read(cursor, table) or {}
    return compare(_wanted(everything, folders, applied), applied)


def invalid_indexes(dsn: Dsn) -> list[InvalidIndex]:
    """Return what interrupted concurrent index builds have left. Changes nothing."""
    with reading(dsn) as (cursor, _):
        return journal.invalid_indexes(cursor)


def verify(dsn: Dsn, folders: Folders, known: Folders = ()) -> list[str]:
    """Compare the database with the files and return what is wrong, one sentence each. Changes nothing.

    A file that is not applied yet is not wrong, unless it is late.
    """
    problems = [sentence(state) for state in status(dsn, folders, known) if state.problem]
    return problems + [str(index) for index in invalid_indexes(dsn)]


def accept(dsn: Dsn, folders: Folders, version: str) -> None:
    """Record the file as it is now as what was applied. The schema is not touched.

    Raises:
        KitError: there is no such file, or it is not applied.
    """
    migration = {migration.version: migration for migration in files.read(folders)}.get(version)
    if not migration:
        raise KitError(
            f"{_names(folders)} has no file with version {version}; `python -m kit migrate status` lists them"
        )
    with opened(dsn, Settings()) as session:
        if version not in (journal.read(session.cursor, session.table) or {}):
            raise KitError(f"version {version} is not applied, so there is nothing to accept; apply it")
        journal.complete(session.cursor, session.table)
        session.cursor.execute(
            f"UPDATE {session.table} SET checksum = %s WHERE version = %s",  # noqa: S608 - quoted by the server
            (migration.checksum, version),
        )


def _read(folders: Folders, known: Folders) -> list[Migration]:
    return files.read(list(dict.fromkeys([*files.listed(folders), *files.listed(known)])))


def _wanted(everything: list[Migration], folders: Folders, applied: Mapping[str, Applied]) -> list[Migration]:
    """Leave out what lies in folders that are only known, unless it is applied."""
    wanted = files.listed(folders)
    return [m for m in everything if m.path.parent in wanted or m.version in applied]


def _names(folders: Folders) -> str:
    return " or ".join(str(folder) for folder in files.listed(folders))


def _execute(session: Session, migration: Migration, direction: str) -> None:
    section = migration.section(direction)
    started = time.monotonic()
    with _placed(session, migration, direction):
        journal.complete(session.cursor, session.table)
        if section.transaction:
            session.cursor.execute("BEGIN")
        journal.prepare(
            session.cursor, session.table
        )  # in the transaction, so that a failing first file leaves nothing
        _run(session, migration, direction)
        if not section.transaction:
            _refuse_invalid_indexes(session, migration, section.text)
        _record(session, migration, direction, started)
        if section.transaction:
            session.cursor.execute("COMMIT")
    session.settings.report(f"{migration.path.name}: {direction} in {_milliseconds(started)} ms")


def _rehearse(session: Session, todo: list[Migration], direction: str) -> list[str]:
    """Execute migrations in one transaction that is rolled back; return the versions that were tried."""
    tried: list[str] = []
    session.cursor.execute("BEGIN")
    for migration in todo:
        if not migration.section(direction).transaction:
            left = len(todo) - len(tried)
            session.settings.report(f"{migration.path.name}: runs outside a transaction; {left} not tried from here on")
            break
        started = time.monotonic()
        with _placed(session, migration, direction):
            journal.prepare(session.cursor, session.table)
            journal.complete(session.cursor, session.table)
            _run(session, migration, direction)
            _record(session, migration, direction, started)
        session.settings.report(f"{migration.path.name}: {direction} works, {_milliseconds(started)} ms")
        tried.append(migration.version)
    session.cursor.execute("ROLLBACK")
    return tried


class _Failed(Exception):  # noqa: N818 - it carries the place of the failure, for _placed alone
    def __init__(self, line: int, done: int, error: psycopg2.Error) -> None:
        super().__init__(line, done, error)
        self.line, self.done, self.error = line, done, error


def _run(session: Session, migration: Migration, direction: str) -> None:
    section = migration.section(direction)
    for done, statement in enumerate(section.statements()):
        try:
            session.run(statement.text, f"{migration.path.name}:{statement.line}")
        except psycopg2.Error as error:
            position = int(error.diag.statement_position or 1) - 1
            raise _Failed(statement.line + statement.text.count("\n", 0, position), done, error) from error
    session.refresh()


def _record(session: Session, migration: Migration, direction: str, started: float) -> None:
    if direction == "down":
        session.cursor.execute(
            f"DELETE FROM {session.table} WHERE version = %s",  # noqa: S608 - the name is quoted by the server
            (migration.version,),
        )
        return
    session.cursor.execute(
        f"INSERT INTO {session.table} (version, checksum, applied_at, duration_ms)"  # noqa: S608 - as above
        " VALUES (%s, %s, clock_timestamp(), %s)",
        (migration.version, migration.checksum, _milliseconds(started)),
    )


def _refuse_invalid_indexes(session: Session, migration: Migration, text: str) -> None:
    """Refuse to record a migration whose index is not usable: IF NOT EXISTS takes an INVALID one for existing."""
    for index in journal.invalid_indexes(session.cursor):
        if index.name in text:
            raise KitError(f"{migration.path}: {index}; the migration is not recorded as applied")


@contextmanager
def _placed(session: Session, migration: Migration, direction: str) -> Iterator[None]:
    """Turn a failure into a sentence with file and line, and undo what can be undone."""
    transaction = migration.section(direction).transaction
    kept = "nothing of this file was kept" if transaction else "what ran before in this file was kept"
    try:
        yield
    except (_Failed, psycopg2.Error) as failure:
        error = failure.error if isinstance(failure, _Failed) else failure
        place = f"{migration.path}:{failure.line}" if isinstance(failure, _Failed) else str(migration.path)
        reason = error.diag.message_primary or str(error).strip().split("\n")[0]
        if isinstance(failure, _Failed) and not transaction and not failure.done:
            kept = "nothing of this file was kept, except what an interrupted index build leaves (see status)"
        if session.connection.closed:
            kept = "the connection is gone; look at `python -m kit migrate status` before you repeat it"
        elif isinstance(error, psycopg2.errors.LockNotAvailable):
            kept += "; others use the table, so try again, or wait longer with --lock-timeout-seconds"
        elif isinstance(error, psycopg2.errors.InsufficientPrivilege):
            kept += "; migrate as the user who owns the tables"
        _roll_back(session)
        detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
        raise KitError(f"{place}: {reason}{detail}; {kept}") from error
    except KeyboardInterrupt:
        _roll_back(session)
        raise KitError(f"{migration.path}: interrupted; {kept}") from None


def _roll_back(session: Session) -> None:
    if not session.connection.closed:
        session.cursor.execute("ROLLBACK")  # outside a transaction it is a warning


def _milliseconds(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
