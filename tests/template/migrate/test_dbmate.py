"""dbmate and we read each other's files and table, so that a team can change in both directions at any time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kit import database, migrate
from kit.migrate.replay import schema

TEMPLATE = Path(__file__).resolve().parents[3] / "template"


@pytest.fixture
def dbmate(db, tmp_path):
    """Run dbmate on this test's database and folder."""
    program = Path(sys.executable).with_name("dbmate")

    def run(*arguments: str) -> str:
        options = ["--url", database.to_url({**db, "sslmode": "disable"}), "--no-dump-schema"]
        command = [program, *options, "--migrations-dir", tmp_path / "migrates", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def files(write, tmp_path) -> Path:
    for path in (TEMPLATE / "examples/migrates").glob("*.sql"):
        shutil.copy(path, tmp_path / "migrates")
    write("20260601000000_b.sql", "CREATE TABLE b (n INT);", "DROP TABLE b;")
    write(
        "20260602000000_i.sql", "CREATE INDEX CONCURRENTLY i ON b (n);", "DROP INDEX i;", options=" transaction:false"
    )
    return tmp_path / "migrates"


def test_dbmate_goes_on_where_we_stopped(db, files, dbmate, write):
    migrate.apply(db, files)
    assert "Pending: 0" in dbmate("status")
    last = write("20260603000000_c.sql", "CREATE TABLE c ();", "DROP TABLE c;")
    assert f"Applied: {last.name}" in dbmate("migrate", "--strict")
    assert all(state.applied and not state.problem for state in migrate.status(db, files))
    for _ in migrate.read(files):
        dbmate("rollback")
    assert not any(state.applied for state in migrate.status(db, files))


def test_we_go_on_where_dbmate_stopped(db, files, dbmate, write, query):
    dbmate("migrate")
    assert migrate.apply(db, files) == []
    write("20260603000000_c.sql", "CREATE TABLE c ();", "DROP TABLE c;")
    assert migrate.apply(db, files) == ["20260603000000"]
    known = query(db, "SELECT version FROM schema_migrations WHERE checksum IS NOT NULL")
    assert known == [("20260603000000",)], "what dbmate applied has no checksum, and we do not invent one"
    assert "Pending: 0" in dbmate("status")
    while migrate.revert(db, files):
        pass
    assert "Applied: 0" in dbmate("status")


def test_both_make_the_same_schema(postgres, db, files, dbmate):
    dbmate("migrate")
    with database.scratch(postgres.dsn) as ours:
        migrate.apply(ours, files)
        extra = {f"column schema_migrations.{name}" for name in ("checksum", "applied_at", "duration_ms")}
        assert {name: text for name, text in schema(ours).items() if name not in extra} == schema(db)
