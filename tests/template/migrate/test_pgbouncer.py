"""Behind a real PgBouncer a migration is refused, in every mode, before anything is locked or created.

In session mode the lock would hold, but from outside the modes cannot be told apart for certain.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from kit import migrate
from kit.database import Dsn
from kit.errors import KitError

NOBODY = 65534  # PgBouncer refuses to run as root


@pytest.fixture(params=["session", "transaction"])
def pooled(request, db, required) -> Iterator[Dsn]:
    """The test's database, seen through a PgBouncer."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if not program:
        assert "pgbouncer" not in required, "pgbouncer is not installed"
        pytest.skip("needs pgbouncer; on Debian: apt install pgbouncer")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "users").write_text(f'"{db["user"]}" "{db["password"]}"\n')
        (folder / "ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={db['port']}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {folder / 'users'}\npool_mode = {request.param}\n"
        )
        root = os.geteuid() == 0
        for path in (folder, folder / "users", folder / "ini"):
            if root:
                os.chown(path, NOBODY, NOBODY)
        as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}
        pooler = subprocess.Popen(
            [program, "-q", folder / "ini"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_nobody
        )
        dsn = {**db, "port": str(port)}
        try:
            _wait(dsn)
            yield dsn
        finally:
            pooler.terminate()
            pooler.wait(10)


def _wait(dsn: Dsn) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            psycopg2.connect(**dsn).close()
            return
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_migrating_through_a_pooler_is_refused(pooled, db, folder, tables, query):
    for action in (migrate.apply, migrate.revert):
        with pytest.raises(KitError, match=rf"127\.0\.0\.1:{pooled['port']} is a connection pooler .*directly"):
            action(pooled, folder)
    assert tables(db) == []
    assert query(db, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_status_through_a_pooler_is_fine(pooled, db, folder):
    migrate.apply(db, folder)
    assert [state.applied for state in migrate.status(pooled, folder)] == [True]


@pytest.mark.parametrize("pooled", ["transaction"], indirect=True)
def test_the_reason_for_the_refusal_two_connections_can_hold_one_lock(pooled):
    with closing(psycopg2.connect(**pooled)) as one, closing(psycopg2.connect(**pooled)) as two:
        got = []
        for connection in (one, two):
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", (migrate.LOCK_KEY,))
                got.append(cursor.fetchone())
    assert got == [(True,), (True,)]
