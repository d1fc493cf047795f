"""Prove that each migration can go up, down and up again, on a database that is thrown away."""

from __future__ import annotations

from contextlib import closing

from kit import database
from kit.database import Dsn, connect
from kit.errors import KitError
from kit.migrate import files, runner
from kit.migrate.files import Folders

# What a schema consists of, as "name: definition", one row each. The order of columns is left out on purpose: a column
# that was dropped and added again is the last one.
_SCHEMA = """
WITH spaces AS (
  SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
)
SELECT 'schema ' || nspname, '' FROM spaces
UNION ALL SELECT 'relation ' || class.oid::regclass, concat_ws(' ', class.relkind, class.relacl::text, class.reloptions)
  FROM pg_class AS class JOIN spaces ON spaces.oid = relnamespace
UNION ALL SELECT 'column ' || attrelid::regclass || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod),
    attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
  FROM pg_attribute JOIN pg_class AS class ON class.oid = attrelid JOIN spaces ON spaces.oid = relnamespace
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE attnum > 0 AND NOT attisdropped AND class.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
UNION ALL SELECT 'constraint ' || conname || ' on ' || conrelid::regclass, pg_get_constraintdef(c.oid)
  FROM pg_constraint AS c JOIN spaces ON spaces.oid = connamespace WHERE conrelid <> 0
UNION ALL SELECT 'index ' || indexrelid::regclass, concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid)
  FROM pg_index JOIN pg_class AS class ON class.oid = indexrelid JOIN spaces ON spaces.oid = relnamespace
UNION ALL SELECT 'view ' || class.oid::regclass, pg_get_viewdef(class.oid)
  FROM pg_class AS class JOIN spaces ON spaces.oid = relnamespace WHERE class.relkind IN ('v', 'm')
UNION ALL SELECT 'function ' || p.oid::regprocedure, CASE WHEN prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END
  FROM pg_proc AS p JOIN spaces ON spaces.oid = pronamespace
UNION ALL SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'type ' || t.oid::regtype, concat_ws(' ', typtype, format_type(typbasetype, typtypmod),
    (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
  FROM pg_type AS t JOIN spaces ON spaces.oid = typnamespace
UNION ALL SELECT 'policy ' || polname || ' on ' || polrelid::regclass, pg_get_expr(polqual, polrelid) FROM pg_policy
UNION ALL SELECT 'extension ' || extname, extversion FROM pg_extension
"""

Schema = dict[str, str]


def replay(server: Dsn, folders: Folders) -> list[str]:
    """Take each migration up, down and up again, oldest first, and return the versions that have no way back.

    Args:
        server: where a scratch database may be created; other databases are not touched.
        folders: where the migration files lie, in one folder or several.

    Raises:
        KitError: a statement fails, or `down` does not give back the schema that was there before `up`.
    """
    one_way: list[str] = []
    migrations = files.read(folders)
    with database.scratch(server, prefix="kit_replay") as dsn:
        runner.prepare(dsn)
        for migration in migrations:
            before = schema(dsn)
            runner.apply(dsn, folders, until=migration.version)
            after = schema(dsn)
            if not list(migration.down.statements()):
                one_way.append(migration.version)
                continue
            runner.revert(dsn, folders)
            _expect(before, schema(dsn), f"{migration.path}: `down` does not undo what `up` does")
            runner.apply(dsn, folders, until=migration.version)
            _expect(after, schema(dsn), f"{migration.path}: `up` after `down` does not give the same schema")
    return one_way


def schema(dsn: Dsn) -> Schema:
    """Return the definition of everything in a database's own schemas, by name."""
    with closing(connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(_SCHEMA)
        return {name: definition or "" for name, definition in cursor.fetchall()}


def _expect(wanted: Schema, found: Schema, complaint: str) -> None:
    differences = [f"{name} is left over" for name in sorted(found.keys() - wanted.keys())]
    differences += [f"{name} is gone" for name in sorted(wanted.keys() - found.keys())]
    differences += [f"{name} differs" for name in sorted(wanted.keys() & found.keys()) if wanted[name] != found[name]]
    if differences:
        raise KitError(f"{complaint}: {', '.join(differences[:5])}")
