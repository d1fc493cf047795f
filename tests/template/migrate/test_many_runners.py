"""Many runs at a time, in processes of their own, apply everything exactly once, also when some are killed."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest
from kit import database, migrate
from kit.migrate.replay import schema

TEMPLATE = Path(__file__).resolve().parents[3] / "template"
RUNNERS, ROUNDS = 8, 20
SEED = 20260101

# Each leaves a row, so that one that ran twice is seen; c builds an index beside others and may be repeated.
LOG = "INSERT INTO ran VALUES ('{0}');"


@pytest.fixture
def migrations(write, tmp_path) -> Path:
    write("1_a.sql", "CREATE TABLE ran (what text); CREATE TABLE a AS SELECT generate_series(1, 5000) AS n;"
          + LOG.format("a"), "DROP TABLE ran; DROP TABLE a;")  # fmt: skip
    write("2_b.sql", f"SELECT pg_sleep(0.02); CREATE TABLE b (n INT); {LOG.format('b')}",
          "DROP TABLE b; DELETE FROM ran WHERE what = 'b';")  # fmt: skip
    write("3_c.sql", "DROP INDEX CONCURRENTLY IF EXISTS c; CREATE INDEX CONCURRENTLY c ON a (n);",
          "DROP INDEX CONCURRENTLY IF EXISTS c;", options=" transaction:false")  # fmt: skip
    write("4_d.sql", f"ALTER TABLE b ADD m INT; SELECT pg_sleep(0.02); {LOG.format('d')}",
          "ALTER TABLE b DROP m; DELETE FROM ran WHERE what = 'd';")  # fmt: skip
    return tmp_path / "migrates"


@pytest.fixture(scope="module")
def processes() -> Iterator[ForkServerContext]:
    """Processes that have the runner imported, so that all of them start at nearly the same moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TEMPLATE))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["kit.migrate"])
        yield context


def start(context: ForkServerContext, db: database.Dsn, folder: Path, count: int) -> list[ForkServerProcess]:
    runners = [context.Process(target=migrate.apply, args=(db, folder)) for _ in range(count)]
    for runner in runners:
        runner.start()
    return runners


def test_eight_runners_in_twenty_rounds_apply_everything_once(processes, postgres, migrations, query):
    for _ in range(ROUNDS):
        with database.scratch(postgres.dsn) as db:
            runners = start(processes, db, migrations, RUNNERS)
            for runner in runners:
                runner.join(60)
            assert [runner.exitcode for runner in runners] == [0] * RUNNERS
            assert query(db, "SELECT what FROM ran ORDER BY 1") == [("a",), ("b",), ("d",)]
            assert migrate.verify(db, migrations) == []
            assert all(state.applied for state in migrate.status(db, migrations))


def test_runners_that_are_killed_at_any_moment_leave_nothing_half_done(processes, postgres, migrations, query):
    chance = random.Random(SEED)
    with database.scratch(postgres.dsn) as db:
        migrate.apply(db, migrations)
        wanted = schema(db)
    unfinished = 0
    for _ in range(ROUNDS):
        with database.scratch(postgres.dsn) as db:
            runners = start(processes, db, migrations, 3)
            for runner in runners:
                time.sleep(chance.uniform(0, 0.08))
                if runner.is_alive():
                    os.kill(runner.pid or 0, signal.SIGKILL)
            for runner in runners:
                runner.join(60)
            unfinished += all(runner.exitcode == -signal.SIGKILL for runner in runners)
            recorded = {state.version for state in migrate.status(db, migrations) if state.applied}
            tables = {name for (name,) in query(db, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
            assert ("1" in recorded) is ("a" in tables)
            assert ("2" in recorded) is ("b" in tables)
            assert migrate.apply(db, migrations) == [v for v in "1234" if v not in recorded]
            assert query(db, "SELECT what FROM ran ORDER BY 1") == [("a",), ("b",), ("d",)]
            assert schema(db) == wanted
    assert unfinished > ROUNDS / 4, "the runners were killed too late for this test to mean anything"


def test_a_run_that_is_killed_in_a_long_statement_frees_the_lock(processes, db, folder, write):
    write("20260102000000_long.sql", "SELECT pg_sleep(30);")
    (runner,) = start(processes, db, folder, 1)
    deadline = time.monotonic() + 20
    while not any(state.applied for state in migrate.status(db, folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(runner.pid or 0, signal.SIGKILL)
    write("20260102000000_long.sql", "SELECT 1;")
    started = time.monotonic()
    said: list[str] = []
    assert migrate.apply(db, folder, report=said.append) == ["20260102000000"]
    assert time.monotonic() - started < 10
    assert any(line.startswith("waiting for another migration run (backend ") for line in said)
    assert any("kit migrate" in line for line in said)


def test_a_lock_that_stays_taken_is_an_error_that_names_its_holder(db, folder, tables):
    connection = database.connect(db)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (migrate.LOCK_KEY,))
    with pytest.raises(Exception, match=rf"held the lock for 0\.2 s \(backend {connection.info.backend_pid}, "):
        migrate.apply(db, folder, patience_seconds=0.2)
    assert tables(db) == [], "the lock comes before anything is created"
    connection.close()
