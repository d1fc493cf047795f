"""Each migration of the template goes up, down and up again, and a wrong way back is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit import migrate
from kit.errors import KitError
from kit.project import Project

TEMPLATE = Path(__file__).resolve().parents[3] / "template"


def test_the_template_s_migrations_can_all_be_undone(postgres):
    assert migrate.replay(postgres.dsn, Project(TEMPLATE).all_migrates) == []


@pytest.mark.parametrize(
    ("up", "down", "message"),
    [
        ("CREATE TABLE b (); CREATE TYPE t AS ENUM ('x');", "DROP TABLE b;", r"`down` does not undo .*type t is left"),
        ("ALTER TABLE a ADD m INT;", "DROP TABLE a;", r"column a\.n is gone, relation a is gone"),
        ("ALTER TABLE a ALTER n SET NOT NULL;", "SELECT 1;", r"does not undo what `up` does: .*column a\.n differs"),
        ("CREATE INDEX i ON a (n);", "SELECT 1;", r"index i is left over"),
        ("CREATE TABLE IF NOT EXISTS b (n INT);", "DROP TABLE c;", r"b\.sql:4: table \"c\" does not exist"),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';",
            r"function f\(\) is left over",
        ),
    ],
)
def test_a_way_back_that_leads_elsewhere_is_found(postgres, folder, write, up, down, message, query):
    write("20260102000000_b.sql", up, down)
    before = query(postgres.dsn, "SELECT count(*) FROM pg_database")
    with pytest.raises(KitError, match=message):
        migrate.replay(postgres.dsn, folder)
    assert query(postgres.dsn, "SELECT count(*) FROM pg_database") == before


def test_a_migration_without_a_way_back_is_named(postgres, folder, write):
    write("20260102000000_b.sql", "CREATE TABLE b ();")
    assert migrate.replay(postgres.dsn, folder) == ["20260102000000"]


def test_a_user_who_may_not_create_databases_is_told(postgres, folder, query):
    query(postgres.dsn, "CREATE ROLE plain LOGIN PASSWORD 'p'")
    try:
        with pytest.raises(KitError, match=r"user plain .* needs the right CREATEDB"):
            migrate.replay({**postgres.dsn, "user": "plain", "password": "p"}, folder)
    finally:
        query(postgres.dsn, "DROP ROLE plain")
