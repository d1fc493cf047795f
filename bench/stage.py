"""What all servers stand on: a PostgreSQL over TCP with a password, filled, and a pod's secrets on disk."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from bench import TEMPLATE

ROWS = 10_000
ORIGIN = "https://app.example"

# Rows as people have them: some text, a price, a nested object in every second one, one second after another.
FILL = """
INSERT INTO items (name, description, price, status, dimensions, created_at)
SELECT 'Item ' || n, 'A "sturdy" thing of wood and felt, number ' || n, n %% 1000 + 0.99,
       (ARRAY['draft', 'active', 'retired'])[1 + n %% 3],
       CASE WHEN n %% 2 = 0 THEN '{"width_mm": 120, "height_mm": 80, "depth_mm": 40}'::jsonb END,
       TIMESTAMPTZ '2026-01-01 00:00:00+00' + n * INTERVAL '1 second'
FROM generate_series(1, %s) AS n
"""


@dataclass(frozen=True)
class Stage:
    """A filled database and a pod.

    Attributes:
        environment: the variables that tell a server where both are.
        ids: ids of items, in no order.
        database_version: what the server calls itself.
    """

    environment: dict[str, str]
    ids: list[str]
    database_version: str


@contextmanager
def built() -> Iterator[Stage]:
    """Start the database, migrate and fill it, and lay out the pod; all of it is gone afterwards.

    Raises:
        RuntimeError: the database does not start, or a migration fails.
    """
    if str(TEMPLATE) not in sys.path:
        sys.path.insert(0, str(TEMPLATE))
    from kit import database, migrate, pod
    from kit.errors import KitError
    from kit.postgres import Server
    from kit.project import Project

    project = Project(TEMPLATE)
    with ExitStack() as stack:
        try:
            server = stack.enter_context(Server.temporary())
            dsn = stack.enter_context(database.scratch(server.dsn, prefix="bench"))
            migrate.apply(dsn, project.all_migrates)
        except KitError as error:
            raise RuntimeError(str(error)) from error
        root = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-pod-"))
        ids, version = _fill(dsn)
        settings = pod.Settings(
            secrets={**database.to_secrets(dsn), "VAULT_KEY": pod.new_vault_key()},
            configs={"LOG_LEVEL": "INFO", "CORS_ORIGINS": ORIGIN},
        )
        pod.lay_out(project, Path(root), settings)
        yield Stage({"DATABASE_URL": database.to_url(dsn), pod.ROOT_VARIABLE: root}, ids, version)


def _fill(dsn: dict[str, str]) -> tuple[list[str], str]:
    connection = psycopg2.connect(**dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(FILL, (ROWS,))
            cursor.execute("SELECT id FROM items ORDER BY id LIMIT 500")
            ids = [str(row[0]) for row in cursor.fetchall()]
            cursor.execute("SHOW server_version")
            version = str(cursor.fetchone()[0])
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE items")
    finally:
        connection.close()
    return ids, version
