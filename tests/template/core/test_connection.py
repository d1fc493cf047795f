"""The one connection of a process: what it survives, and what it never leaves behind."""

from __future__ import annotations

import json
import os
import random
import time
from contextlib import closing, suppress
from typing import Any

import database
import psycopg2
import pytest
from exceptions import ConfigurationError, DatabaseError, UnavailableError, from_database_error
from helpers import execute, fetch_all, fetch_one, init_db_connection, transaction
from kit.pod import Pod


def terminate(database_url: str, pid: int) -> None:
    """Kill a backend as an administrator does, and wait until it is gone."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


def test_a_backend_killed_between_requests_costs_no_request(client: Any, database_url: str):
    pids = set()
    for _ in range(20):
        pids.add(pid := fetch_one("SELECT pg_backend_pid() AS pid")["pid"])
        terminate(database_url, pid)
        assert client.get("/items").status_code == 200
    assert len(pids) == 20


def test_a_backend_killed_in_the_middle_of_a_request_gives_503_and_the_next_one_works(client: Any, database_url: str):
    def two_halves() -> None:
        with transaction() as cursor:
            cursor.execute("INSERT INTO items (name, price) VALUES ('half', 1)")
            terminate(database_url, cursor.connection.get_backend_pid())
            cursor.execute("INSERT INTO items (name, price) VALUES ('second half', 1)")

    with pytest.raises(psycopg2.OperationalError) as error:
        two_halves()
    assert from_database_error(error.value).http_status == 503
    assert client.get("/items").json["items"] == []


def test_a_thousand_mixed_requests_leave_nothing_idle_in_transaction(client: Any, database_url: str):
    dice = random.Random(7)
    with closing(psycopg2.connect(database_url)) as watching, watching.cursor() as cursor:
        watching.autocommit = True
        ids = ["7"]
        backends = set()
        for number in range(1000):
            kind = dice.randrange(8)
            if kind == 0:
                response = client.post("/items", json={"name": f"n{number % 300}", "price": number})
                ids += [response.json["id"]] if response.status_code == 201 else []
            elif kind == 1:
                client.post("/items", data=b"{", content_type="application/json")
            elif kind == 2:
                body = {"name": f"n{dice.randrange(300)}", "price": 1}
                client.put(f"/items/{dice.choice(ids)}", json=body, headers={"If-Match": "*"})
            elif kind == 3:
                client.delete(f"/items/{dice.choice(ids)}")
            elif kind == 4:
                client.get("/items?limit=3&total=true&sort=-price")
            elif kind == 5:
                client.get("/items?cursor=x")
            elif kind == 6:
                client.get("/health")
            else:
                client.get(f"/items/{dice.choice(ids)}")
            if number % 10 == 0:
                cursor.execute(
                    "SELECT pid, state FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend'"
                )
                states = cursor.fetchall()
                assert [state for _, state in states] in (["idle"], []), states
                backends |= {pid for pid, _ in states}
        assert len(backends) == 1


def test_a_statement_that_takes_too_long_is_ended(pod: Pod):
    pod.set_config("STATEMENT_TIMEOUT_MS", "50")
    started = time.monotonic()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        fetch_one("SELECT pg_sleep(20)")
    assert time.monotonic() - started < 5


def test_waiting_for_a_lock_is_ended(pod: Pod, database_url: str):
    pod.set_config("LOCK_TIMEOUT_MS", "50")
    with closing(psycopg2.connect(database_url)) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE items")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            fetch_all("SELECT * FROM items")


def test_a_transaction_that_swallows_an_error_is_reported_and_not_silently_rolled_back(pod: Pod):
    def two_halves() -> None:
        with transaction() as cursor:
            cursor.execute("INSERT INTO items (name, price) VALUES ('half', 1)")
            with suppress(psycopg2.Error):
                cursor.execute("SELECT 1 / 0")

    with pytest.raises(DatabaseError):
        two_halves()
    assert fetch_all("SELECT * FROM items") == []


def test_transactions_cannot_be_nested(pod: Pod):
    with pytest.raises(RuntimeError), transaction(), transaction():
        pass


def test_a_connection_that_the_user_closed_is_opened_again(pod: Pod):
    init_db_connection().close()
    assert fetch_one("SELECT 1 AS one") == {"one": 1}


def test_a_forked_child_opens_its_own_connection_and_leaves_the_parents_alone(pod: Pod):
    before = fetch_one("SELECT pg_backend_pid() AS pid")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, json.dumps(fetch_one("SELECT pg_backend_pid() AS pid")).encode())
        database.close()
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert json.loads(pipe.read()) != before
    assert fetch_one("SELECT pg_backend_pid() AS pid") == before


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:p%zzword@127.0.0.1/db",
        "postgresql://user:part@password@127.0.0.1:1/db",
        "user:password@host",
        "postgresql://user:password@127.0.0.1:1/db",
    ],
)
def test_an_unusable_database_url_shows_no_part_of_itself(pod: Pod, url: str, capsys: pytest.CaptureFixture[str]):
    pod.set_secret("DATABASE_URL", url)
    with pytest.raises((ConfigurationError, UnavailableError)) as error:
        fetch_one("SELECT 1")
    shown = str(error.value) + capsys.readouterr().out
    assert "word" not in shown


def test_missing_settings_are_named(pod: Pod):
    for file in pod.secrets.iterdir():
        file.unlink()
    pod.set_secret("PG_HOST", "127.0.0.1")
    with pytest.raises(ConfigurationError, match="PG_DB, PG_USER, PG_PASS"):
        execute("SELECT 1")
