"""What the database knows about migrations: dbmate's table, with three columns that dbmate tolerates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the library spells the class in lower case

from kit.errors import KitError

COLUMNS = {"checksum": "text", "applied_at": "timestamptz", "duration_ms": "bigint"}
_TEXT_TYPES = {25, 1043}  # object ids of text and varchar

# Not those that are being built right now; a parent index of partitions is invalid by design until all are attached.
_INVALID = """
SELECT pg_namespace.nspname, pg_class.relname, pg_index.indrelid::regclass::text
FROM pg_index
JOIN pg_class ON pg_class.oid = pg_index.indexrelid AND pg_class.relkind = 'i'
JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
WHERE NOT pg_index.indisvalid
  AND pg_namespace.nspname NOT IN ('pg_catalog', 'pg_toast')
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS running WHERE running.index_relid = pg_class.oid)
ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Applied:
    """One applied version; what dbmate applied has no more than the version."""

    version: str
    checksum: str | None = None
    applied_at: datetime | None = None
    duration_ms: int | None = None


@dataclass(frozen=True)
class InvalidIndex:
    """An index that PostgreSQL does not use, left behind by a concurrent build that did not finish."""

    schema: str
    name: str
    table: str

    def __str__(self) -> str:
        return (
            f"index {self.schema}.{self.name} on {self.table} is INVALID: its build did not finish; "
            f'remove it with DROP INDEX CONCURRENTLY "{self.schema}"."{self.name}", then build it again'
        )


def table_name(cursor: Cursor) -> str:
    """Return schema_migrations with its schema, quoted, so that a later search_path changes nothing.

    Raises:
        KitError: the search_path names no schema that exists.
    """
    cursor.execute("SELECT quote_ident(current_schema())")
    row = cursor.fetchone()
    if not row or not row[0]:
        raise KitError("the user's search_path names no schema that exists; create one, or set search_path")
    return f"{row[0]}.schema_migrations"


def read(cursor: Cursor, table: str) -> dict[str, Applied] | None:
    """Return what is applied by version, or None when there is no table yet.

    Raises:
        KitError: the table is another tool's.
    """
    if not _exists(cursor, table):
        return None
    cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - the name is quoted by the server
    columns = {column.name: column.type_code for column in cursor.description or ()}
    foreign = f"{table} is not dbmate's table but another tool's; move one of them into another schema"
    if columns.get("version") not in _TEXT_TYPES:
        raise KitError(foreign)
    rows = [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]
    if not all(str(found["version"]).isdecimal() for found in rows):
        raise KitError(foreign)
    known = {"version", *COLUMNS}
    return {str(found["version"]): Applied(**{k: v for k, v in found.items() if k in known}) for found in rows}


def prepare(cursor: Cursor, table: str) -> None:
    """Create the table unless it is there. The caller holds the lock: IF NOT EXISTS alone is not safe."""
    if not _exists(cursor, table):
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        cursor.execute(f"CREATE TABLE {table} (version varchar PRIMARY KEY, {columns})")


def complete(cursor: Cursor, table: str) -> None:
    """Give dbmate's table our columns, outside of any migration, which would lock out readers until its end."""
    if _exists(cursor, table):
        cursor.execute(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608 - the name is quoted by the server
        here = {column.name for column in cursor.description or ()}
        for name, kind in COLUMNS.items():
            if name not in here:
                cursor.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")


def invalid_indexes(cursor: Cursor) -> list[InvalidIndex]:
    """Return the indexes that an interrupted concurrent build has left, by schema and name."""
    cursor.execute(_INVALID)
    return [InvalidIndex(*row) for row in cursor.fetchall()]


def _exists(cursor: Cursor, table: str) -> bool:
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (table,))
    row = cursor.fetchone()
    return bool(row and row[0])
