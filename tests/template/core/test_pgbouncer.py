"""Behind PgBouncer in transaction mode: time limits hold, and nothing of ours reaches other clients."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from helpers import check_port_open, execute, fetch_all, fetch_one, init_db_connection, transaction
from kit import database
from kit.pod import Pod


@pytest.fixture
def pooled(pod: Pod, database_url: str, tmp_path: Path) -> Iterator[str]:
    """A PgBouncer with a single server connection before the test's database; the pod is set to use it."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        if "pgbouncer" in os.environ.get("KIT_REQUIRE", "").split():
            pytest.fail("KIT_REQUIRE asks for pgbouncer, which is not installed")
        pytest.skip("pgbouncer is not installed; on Debian: apt install pgbouncer")
    dsn = database.parse(database_url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "users.txt").write_text(f'"{dsn["user"]}" "{dsn["password"]}"\n')
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n{dsn['dbname']} = host={dsn['host']} port={dsn['port']} pool_size=1\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\npool_mode = transaction\n"
        f"auth_type = scram-sha-256\nauth_file = {tmp_path}/users.txt\nlogfile = {tmp_path}/log\n"
    )
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:  # pytest's folders are for root only, and PgBouncer refuses to be root
        if os.geteuid() == 0 and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o011)
    if os.geteuid() == 0:
        shutil.chown(tmp_path, "nobody")
    process = subprocess.Popen(
        [program, "-q", str(tmp_path / "pgbouncer.ini")],
        user="nobody" if os.geteuid() == 0 else None,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while not check_port_open("127.0.0.1", port, 0.2):
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        url = database.to_url({**dsn, "host": "127.0.0.1", "port": str(port)})
        pod.set_secret("DATABASE_URL", url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def test_all_of_the_example_works(pooled: str, client: Any):
    item = client.post("/items", json={"name": "Kettle", "price": 1}).json
    put = client.put(f"/items/{item['id']}", json={"name": "Pot", "price": 2}, headers={"If-Match": '"1"'})
    assert put.status_code == 200
    assert client.get("/items?total=true").json["total"] == 1
    assert client.delete(f"/items/{item['id']}").status_code == 204
    assert client.get("/health").json["ready"]


def sleep_in_a_transaction() -> None:
    with transaction() as cursor:
        cursor.execute("SELECT pg_sleep(20)")


def sleep_on_the_connection() -> None:
    with init_db_connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(20)")


def sleep_in_a_single_statement() -> None:
    fetch_one("SELECT pg_sleep(20)")


@pytest.mark.parametrize("sleep", [sleep_in_a_transaction, sleep_on_the_connection, sleep_in_a_single_statement])
def test_the_time_limit_holds_in_each_form(pooled: str, pod: Pod, sleep: Callable[[], None]):
    pod.set_config("STATEMENT_TIMEOUT_MS", "100")
    started = time.monotonic()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        sleep()
    assert time.monotonic() - started < 5


def test_no_setting_of_ours_reaches_another_client(pooled: str, pod: Pod):
    pod.set_config("STATEMENT_TIMEOUT_MS", "1234")
    fetch_all("SELECT * FROM items")
    execute("INSERT INTO items (name, price) VALUES ('a', 1)")
    with transaction() as cursor:
        cursor.execute("DELETE FROM items")
    with closing(psycopg2.connect(pooled)) as other, other.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_the_pool_is_free_again_after_each_request(pooled: str, client: Any):
    for path in ("/items", "/items/7", "/items?sort=x", "/health"):
        client.get(path)
        with closing(psycopg2.connect(pooled, connect_timeout=3)) as other, other.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
