"""Errors: what each of them is, and which of the database's become which."""

from __future__ import annotations

import psycopg2
import pytest

from exceptions import (
    ConflictError,
    DatabaseError,
    NotFoundError,
    ServiceException,
    UnavailableError,
    ValidationError,
    from_database_error,
)
from helpers import execute, init_db_connection


@pytest.mark.parametrize(
    ("kind", "status"),
    [(ValidationError, 400), (NotFoundError, 404), (ConflictError, 409), (DatabaseError, 500), (UnavailableError, 503)],
)
def test_each_error_has_its_status_and_a_code(kind: type[ServiceException], status: int):
    error = kind("What happened.", x_user="ada", details={"a": 1})
    assert error.to_dict()["http_status"] == error.to_dict()["status"] == status
    assert error.to_dict()["error_msg"] == error.to_dict()["detail"] == "What happened."
    assert error.to_dict()["error_code"].isupper()


def test_an_error_of_your_own_needs_code_status_and_sentence():
    error = ServiceException("ITEM_SOLD_OUT", 410, "The item is sold out.", details={"item": 7})
    assert error.to_dict()["title"] == "Gone"


STATEMENTS = {
    "22P02": ("SELECT 'x'::uuid", 400),
    "22003": ("SELECT 99999999999::int", 400),
    "22007": ("SELECT 'x'::timestamptz", 400),
    "22001": ("SELECT 'abc'::varchar(2) FROM (INSERT_TOO_LONG) x", 400),
    "23502": ("INSERT INTO parcels (price) VALUES (1)", 400),
    "23514": ("INSERT INTO parcels (name, price) VALUES ('a', -1)", 400),
    "23505": ("INSERT INTO parcels (name, price) VALUES ('a', 1), ('a', 1)", 409),
    "23503": ("CREATE TEMP TABLE p (id int PRIMARY KEY); CREATE TEMP TABLE c (p int REFERENCES p);"
              "INSERT INTO c VALUES (1)", 409),
    "25006": ("SET TRANSACTION READ ONLY; DELETE FROM parcels", 503),
    "40001": ("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$", 503),
    "40P01": ("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$", 503),
    "53300": ("DO $$ BEGIN RAISE SQLSTATE '53300'; END $$", 503),
    "55P03": ("DO $$ BEGIN RAISE SQLSTATE '55P03'; END $$", 503),
    "57014": ("SET LOCAL statement_timeout = 10; SELECT pg_sleep(5)", 504),
    "42P01": ("SELECT * FROM nowhere", 500),
    "42601": ("SELEKT", 500),
}  # fmt: skip
STATEMENTS["22001"] = ("CREATE TEMP TABLE t (a varchar(2)); INSERT INTO t VALUES ('abc')", 400)


@pytest.mark.parametrize("state", STATEMENTS)
def test_each_sqlstate_gets_its_status(parcels: None, state: str):
    statement, status = STATEMENTS[state]
    with pytest.raises(psycopg2.Error) as caught, init_db_connection() as connection:
        connection.cursor().execute(statement)
    assert caught.value.pgcode == state
    translated = from_database_error(caught.value)
    assert translated.http_status == status
    assert ("Retry-After" in translated.headers) == (status in (503, 504))


def test_a_conflict_names_the_constraint_and_no_value(parcels: None):
    with pytest.raises(psycopg2.Error) as caught:
        execute("INSERT INTO parcels (name, price) VALUES ('private name', 1), ('private name', 1)")
    told = from_database_error(caught.value).to_dict()
    assert told["details"] == {"constraint": "parcels_name_is_unique"}
    assert "private name" not in str(told)
