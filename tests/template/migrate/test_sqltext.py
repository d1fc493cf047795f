"""Statements are found as psql finds them, and a transaction inside a transaction is recognised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.migrate.sqltext import controls_transaction, is_concurrent, statements

# Each is one statement, whatever stands before and behind it.
WHOLE = [
    "SELECT 1",
    "SELECT ';', 'it''s;'",
    r"SELECT E'\';'",
    'SELECT 1 AS "a;b"',
    "SELECT $$;$$",
    "SELECT $a$ $$;$$ ; $b$ $a$",
    "DO $body$ BEGIN PERFORM 1; END $body$",
    "SELECT 1 /* ; /* ; */ ; */ + 1",
    "SELECT 1 -- ; no end\n + 1",
    "CREATE RULE r AS ON INSERT TO a DO ALSO (SELECT 1; SELECT 2)",
    "CREATE FUNCTION f() RETURNS INT BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
    "PREPARE a$b AS SELECT $1",
    "SELECT a$b$c FROM t",
]


@given(st.lists(st.tuples(st.sampled_from(WHOLE), st.sampled_from([";", " ;\n", ";;", "; -- x;\n", ";/* ; */"]))))
def test_whatever_stands_side_by_side_is_taken_apart_again(parts):
    text = "".join(statement + end for statement, end in parts)
    found = list(statements(text))
    assert [statement for statement, _ in found] == [statement for statement, _ in parts]
    assert all(text.startswith(statement, offset) for statement, offset in found)


@pytest.mark.parametrize("text", ["", " ", ";;", "-- a comment; only", "/* never; closed"])
def test_nothing_is_no_statement(text):
    assert list(statements(text)) == []


def test_an_end_that_is_missing_is_no_reason_to_lose_a_statement():
    assert list(statements("SELECT 1; SELECT 2")) == [("SELECT 1", 0), ("SELECT 2", 10)]
    assert list(statements("SELECT 'never closed; x")) != []


@pytest.mark.parametrize(
    ("statement", "controls"),
    [
        ("BEGIN", True),
        ("commit work", True),
        ("END", True),
        ("START  TRANSACTION", True),
        ("ROLLBACK", True),
        ("ROLLBACK TO SAVEPOINT a", False),
        ("SAVEPOINT a", False),
        ("beginning()", False),
        ("SELECT 'COMMIT'", False),
        ("DO $$ BEGIN NULL; END $$", False),
    ],
)
def test_control_of_transactions(statement, controls):
    assert controls_transaction(statement) is controls


def test_concurrent_work():
    assert is_concurrent("create index concurrently i on a (n)")
    assert not is_concurrent("CREATE INDEX i ON a (concurrently_done)")
