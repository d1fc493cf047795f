"""Migrations are applied once, completely or not at all, and errors say where and what to do."""

from __future__ import annotations

import re
import threading
import time
from contextlib import closing

import psycopg2
import pytest
from kit import database, migrate
from kit.errors import KitError
from kit.migrate.replay import schema


def test_up_down_up(db, folder, tables):
    assert migrate.apply(db, folder) == ["20260101120000"]
    assert migrate.apply(db, folder) == []
    assert tables(db) == ["a", "schema_migrations"]
    assert migrate.revert(db, folder) == "20260101120000"
    assert tables(db) == ["schema_migrations"]
    assert migrate.revert(db, folder) is None
    assert migrate.apply(db, folder) == ["20260101120000"]


def test_the_journal_says_when_how_long_and_what(db, folder, query):
    migrate.apply(db, folder)
    checksum = migrate.read(folder)[0].checksum
    rows = query(
        db,
        "SELECT version, checksum, duration_ms >= 0, applied_at BETWEEN now() - interval '1 min' AND now() "
        "FROM schema_migrations",
    )
    assert rows == [("20260101120000", checksum, True, True)]


def test_status_changes_nothing_and_knows_missing_files(db, folder, tables):
    assert [(s.version, s.applied, s.problem) for s in migrate.status(db, folder)] == [("20260101120000", False, "")]
    assert tables(db) == []
    migrate.apply(db, folder)
    (folder / "20260101120000_a.sql").unlink()
    (state,) = migrate.status(db, folder)
    assert (state.version, state.path, state.applied, state.problem) == ("20260101120000", None, True, "missing")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("INSERT INTO b\n  VALUES ('x');", r"b\.sql:4: invalid input syntax .*; nothing of this file was kept"),
        ("SELEKT 1;", r"b\.sql:3: syntax error at or near .SELEKT.; nothing"),
        ("SELECT 1;\nINSERT INTO a VALUES (1/0);", r"b\.sql:4: division by zero; nothing"),
        ("ALTER TABLE a ADD CHECK (n > 0);", r"b\.sql:3: check constraint .* is violated by some row; nothing"),
        ("DO $$ BEGIN RAISE 'no' USING DETAIL = 'why'; END $$;", r"b\.sql:3: no \(why\); nothing"),
        ("COPY a FROM stdin;", r"b\.sql:3: can't execute COPY FROM.*; nothing"),
    ],
)
def test_a_failing_file_leaves_the_schema_as_it_was(db, folder, write, tables, query, sql, message):
    migrate.apply(db, folder)
    query(db, "INSERT INTO a VALUES (-1)")
    before = schema(db)
    write("20260102000000_b.sql", f"CREATE TABLE b (n INT);\n{sql}")
    with pytest.raises(KitError, match=message):
        migrate.apply(db, folder)
    assert schema(db) == before
    assert query(db, "SELECT version FROM schema_migrations") == [("20260101120000",)]
    assert query(db, "SELECT n FROM a") == [(-1,)]


def test_a_failing_first_file_leaves_an_empty_database(db, folder, write, tables):
    write("20260101120000_a.sql", "CREATE TABLE a ();\nSELECT 1/0;")
    with pytest.raises(KitError, match=r"a\.sql:3: division by zero"):
        migrate.apply(db, folder)
    assert tables(db) == []


@pytest.mark.parametrize("word", ["COMMIT", "BEGIN", "ROLLBACK", "END", "START TRANSACTION"])
def test_a_section_that_ends_its_transaction_is_refused_before_anything_runs(db, folder, write, tables, word):
    write("20260102000000_b.sql", f"SELECT 1;\n{word};")
    with pytest.raises(KitError, match=rf"b\.sql:3: {word.split()[0]} ends or begins a transaction"):
        migrate.apply(db, folder)
    assert tables(db) == []


def test_text_passes_unchanged(db, write, query, folder):
    write(
        "20260102000000_f.sql",
        "CREATE FUNCTION f() RETURNS TEXT LANGUAGE plpgsql AS $$ BEGIN RETURN '100%; %s äöü'; END $$;\n"
        "CREATE FUNCTION g() RETURNS INT BEGIN ATOMIC SELECT 1; SELECT 2; END; -- the end; really",
    )
    migrate.apply(db, folder)
    assert query(db, "SELECT f(), g()") == [("100%; %s äöü", 2)]


def test_what_a_migration_sets_ends_with_it(db, folder, write, query, tables):
    query(db, "CREATE SCHEMA other")
    write("20260102000000_b.sql", "SET search_path = other; SET lock_timeout = 0; CREATE TABLE b ();", "SELECT 1;")
    write("20260103000000_c.sql", "CREATE TABLE c AS SELECT current_setting('lock_timeout') AS timeout;")
    migrate.apply(db, folder, lock_timeout_seconds=2.5)
    assert tables(db) == ["a", "c", "schema_migrations"]
    assert query(db, "SELECT timeout FROM c") == [("2500ms",)]


def test_a_migration_may_work_as_another_role(db, folder, write, query):
    role = f"{db['dbname']}_owner"
    query(db, f"CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role}")
    write("20260102000000_b.sql", f"SET ROLE {role}; CREATE TABLE b ();")
    try:
        assert len(migrate.apply(db, folder)) == 2
        assert query(db, "SELECT tableowner FROM pg_tables WHERE tablename = 'b'") == [(role,)]
    finally:
        query(db, f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_an_edited_file_is_an_error_until_it_is_restored_or_accepted(db, folder, write):
    migrate.apply(db, folder)
    path = write("20260101120000_a.sql", "CREATE TABLE a (n BIGINT);", "DROP TABLE a;")
    for action in (migrate.apply, migrate.revert):
        with pytest.raises(KitError, match=rf"{path} was edited after it was applied; restore it"):
            action(db, folder)
    assert [s.problem for s in migrate.status(db, folder)] == ["edited"]
    migrate.accept(db, folder, "20260101120000")
    assert migrate.verify(db, folder) == []
    assert migrate.revert(db, folder) == "20260101120000"
    with pytest.raises(KitError, match="is not applied, so there is nothing to accept"):
        migrate.accept(db, folder, "20260101120000")
    with pytest.raises(KitError, match="no file with version 7"):
        migrate.accept(db, folder, "7")


def test_a_late_file_is_an_error_unless_it_is_allowed(db, folder, write, tables):
    migrate.apply(db, folder)
    write("20250101000000_early.sql", "CREATE TABLE early ();")
    with pytest.raises(KitError, match=r"early\.sql is older than what is applied already; .* --allow-late"):
        migrate.apply(db, folder)
    with pytest.raises(KitError, match="older"):
        migrate.apply(db, folder, allow_missing=True)
    assert "early" not in tables(db)
    assert migrate.apply(db, folder, allow_late=True) == ["20250101000000"]
    assert migrate.apply(db, folder) == []


def test_a_missing_file_is_an_error_unless_it_is_allowed(db, folder, write):
    migrate.apply(db, folder)
    (folder / "20260101120000_a.sql").unlink()
    write("20260102000000_b.sql", "CREATE TABLE b ();")
    with pytest.raises(KitError, match=r"version 20260101120000 is applied, but its file is missing"):
        migrate.apply(db, folder)
    assert migrate.apply(db, folder, allow_missing=True) == ["20260102000000"]
    (folder / "20260102000000_b.sql").unlink()
    with pytest.raises(KitError, match=r"version 20260102000000 is applied, but .* has no file for it"):
        migrate.revert(db, folder)


def test_what_has_no_way_back_is_not_forgotten(db, folder, write, query):
    write("20260102000000_b.sql", "CREATE TABLE b ();", "-- there is no way back")
    migrate.apply(db, folder)
    with pytest.raises(KitError, match=r"b\.sql: the section `-- migrate:down` is empty"):
        migrate.revert(db, folder)
    assert query(db, "SELECT count(*) FROM schema_migrations") == [(2,)]


def test_a_dry_run_finds_errors_and_changes_nothing(db, folder, write, tables):
    write("20260102000000_b.sql", "CREATE TABLE b AS SELECT n FROM a;", "DROP TABLE b;")
    said: list[str] = []
    assert migrate.apply(db, folder, dry_run=True, report=said.append) == ["20260101120000", "20260102000000"]
    assert tables(db) == []
    assert re.fullmatch(r"20260102000000_b\.sql: up works, \d+ ms", said[-1])
    write("20260103000000_c.sql", "CREATE TABLE c (;")
    with pytest.raises(KitError, match=r"c\.sql:2: syntax error"):
        migrate.apply(db, folder, dry_run=True)
    assert tables(db) == []
    write("20260103000000_c.sql", "CREATE INDEX CONCURRENTLY i ON a (n);", options=" transaction:false")
    assert len(migrate.apply(db, folder, dry_run=True, report=said.append)) == 2
    assert said[-1] == "20260103000000_c.sql: runs outside a transaction; 1 not tried from here on"
    migrate.apply(db, folder, until="20260102000000")
    assert migrate.revert(db, folder, dry_run=True) == "20260102000000"
    assert tables(db) == ["a", "b", "schema_migrations"]


def test_notices_and_progress_reach_the_user(db, folder, write):
    write("20260102000000_b.sql", "CREATE TABLE IF NOT EXISTS a ();\n\nSELECT pg_sleep(0.5);")
    said: list[str] = []
    migrate.apply(db, folder, progress_seconds=0.1, report=said.append)
    assert '20260102000000_b.sql:2: NOTICE:  relation "a" already exists, skipping' in said
    assert any(re.fullmatch(r"20260102000000_b\.sql:4: running for \d s", line) for line in said)


def test_a_statement_that_waits_says_for_whom_and_gives_up_in_time(db, folder, write, tables):
    migrate.apply(db, folder)
    write("20260102000000_b.sql", "CREATE TABLE b ();\nALTER TABLE a ADD m INT;")
    said: list[str] = []
    with closing(psycopg2.connect(**db)) as busy, busy.cursor() as cursor:
        cursor.execute("SELECT * FROM a")
        started = time.monotonic()
        with pytest.raises(KitError, match=r"b\.sql:3: canceling statement due to lock timeout; nothing .* try again"):
            migrate.apply(db, folder, lock_timeout_seconds=0.6, progress_seconds=0.1, report=said.append)
        assert 0.5 < time.monotonic() - started < 5
        assert any(f"waiting for a lock that backend {busy.info.backend_pid} holds" in line for line in said)
    assert "b" not in tables(db)
    assert migrate.apply(db, folder) == ["20260102000000"]


def test_a_concurrent_build_waits_for_others_without_giving_up(db, folder, write, query):
    migrate.apply(db, folder)
    write("20260102000000_b.sql", "CREATE INDEX CONCURRENTLY i ON a (n);", options=" transaction:false")
    busy = psycopg2.connect(**db)
    with busy.cursor() as cursor:
        cursor.execute("INSERT INTO a VALUES (1)")
    threading.Timer(0.8, busy.close).start()
    assert migrate.apply(db, folder, lock_timeout_seconds=0.2) == ["20260102000000"]
    assert migrate.invalid_indexes(db) == []
    assert query(db, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == [(True,)]


def test_an_invalid_index_is_reported_and_not_taken_for_the_right_one(db, folder, write, query):
    migrate.apply(db, folder)
    query(db, "INSERT INTO a VALUES (1), (1)")
    path = write("20260102000000_b.sql", "CREATE UNIQUE INDEX CONCURRENTLY i ON a (n);", options=" transaction:false")
    with pytest.raises(KitError, match=r"b\.sql:2: could not create unique index .*except what an interrupted index"):
        migrate.apply(db, folder)
    (index,) = migrate.invalid_indexes(db)
    assert (index.schema, index.name, index.table) == ("public", "i", "a")
    assert any("INVALID" in problem for problem in migrate.verify(db, folder))
    path.write_text(path.read_text().replace("CONCURRENTLY i", "CONCURRENTLY IF NOT EXISTS i"))
    with pytest.raises(KitError, match=r"i on a is INVALID.*DROP INDEX CONCURRENTLY .*not recorded as applied"):
        migrate.apply(db, folder)
    query(db, "DELETE FROM a")
    path.write_text(path.read_text().replace("CREATE", "DROP INDEX CONCURRENTLY IF EXISTS i;\nCREATE"))
    assert migrate.apply(db, folder) == ["20260102000000"]
    assert migrate.verify(db, folder) == []


def test_an_error_outside_a_transaction_says_what_was_kept(db, folder, write, query):
    write("20260102000000_b.sql", "INSERT INTO a VALUES (1);\n\nSELECT nothing;", options=" transaction:false")
    with pytest.raises(KitError, match=r"b\.sql:4: .*nothing.* what ran before in this file was kept"):
        migrate.apply(db, folder)
    assert query(db, "SELECT n FROM a") == [(1,)]


def test_a_server_that_goes_away_is_one_sentence(db, folder, write, query):
    write("20260102000000_b.sql", "SELECT pg_terminate_backend(pg_backend_pid());")
    with pytest.raises(KitError, match=r"b\.sql:2: .*the connection is gone; look at `python -m kit migrate status`"):
        migrate.apply(db, folder)
    assert query(db, "SELECT version FROM schema_migrations") == [("20260101120000",)]


def test_no_database_is_one_sentence_without_the_password(folder):
    dsn = {"host": "127.0.0.1", "port": "1", "user": "u", "password": "very-secret", "dbname": "d"}
    with pytest.raises(KitError, match=r"no connection to the database 127\.0\.0\.1:1/d: .*refused") as raised:
        migrate.apply(dsn, folder)
    assert "very-secret" not in str(raised.value)


def test_a_wrong_password_is_one_sentence_without_it(db, folder):
    with pytest.raises(KitError, match="password authentication failed") as raised:
        migrate.apply({**db, "password": "very-wrong"}, folder)
    assert "very-wrong" not in str(raised.value)


def test_a_user_without_rights_gets_told_whom_to_be(db, folder, query, tables):
    role = f"{db['dbname']}_reader"
    query(db, f"CREATE ROLE {role} LOGIN PASSWORD 'p'")
    try:
        with pytest.raises(KitError, match=r"permission denied for schema public; .*migrate as"):
            migrate.apply({**db, "user": role, "password": "p"}, folder)
        assert tables(db) == []
        migrate.apply(db, folder)
        with pytest.raises(KitError, match=r"permission denied for table schema_migrations; user .* must own"):
            migrate.status({**db, "user": role, "password": "p"}, folder)
    finally:
        query(db, f"DROP ROLE {role}")


@pytest.mark.parametrize("table", ["schema_migrations (version bigint, dirty boolean)", "schema_migrations (id text)"])
def test_another_tool_s_table_is_left_alone(db, folder, query, tables, table):
    query(db, f"CREATE TABLE {table}")
    with pytest.raises(KitError, match=r"public\.schema_migrations is not dbmate's table"):
        migrate.apply(db, folder)
    assert tables(db) == ["schema_migrations"]


def test_a_name_that_is_not_utf8_in_the_server_s_own_encoding_is_no_problem(postgres, folder, write, query):
    name = "kit_latin1"
    query(postgres.dsn, f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    dsn = {**postgres.dsn, "dbname": name}
    try:
        write("20260102000000_b.sql", "INSERT INTO a VALUES (length('äöü'));")
        migrate.apply(dsn, folder)
        assert query(dsn, "SELECT n FROM a") == [(3,)]
    finally:
        with database.administrator(dsn) as cursor:
            cursor.execute(f"DROP DATABASE {name}")
