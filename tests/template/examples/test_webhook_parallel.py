"""The webhook example in many processes at once, over real HTTP, and with workers that are killed."""

from __future__ import annotations

import base64
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from kit import database, migrate, pod
from kit.create import create
from kit.database import Dsn
from kit.project import Project

TEMPLATE = Path(__file__).parents[3] / "template"
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
PATIENCE_SECONDS = 30
WORK = """
import sys
sys.path += sys.argv[1:]
from example_webhook_work import work
print(work().model_dump_json(), flush=True)
"""
STUCK = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
Query = Callable[..., list[tuple[Any, ...]]]


def signed(event_id: str, body: bytes = b'{"type": "invoice.paid"}') -> dict[str, str]:
    at = int(time.time())
    mac = hmac.digest(KEY, f"{event_id}.{at}.".encode() + body, "sha256")
    signature = "v1," + base64.b64encode(mac).decode()
    return {"webhook-id": event_id, "webhook-timestamp": str(at), "webhook-signature": signature}


@pytest.fixture
def project() -> Iterator[Path]:
    """A project of its own, whose functions a server runs."""
    with tempfile.TemporaryDirectory() as folder:
        create(TEMPLATE, "acme-orders", Path(folder, "acme-orders"))
        yield Path(folder, "acme-orders")


@pytest.fixture
def received(project: Path, serve: Callable[..., Any]) -> Any:
    """A local server, one process per request at a time, that knows the secret."""
    (project / ".env").write_text(f"# [secrets]\nWEBHOOK_STANDARD_SECRETS={SECRET}\n")
    return serve()


@pytest.fixture
def inbox(empty_database: Dsn, tmp_path: Path) -> Iterator[tuple[Dsn, Callable[..., subprocess.Popen[str]]]]:
    """A migrated database, and a way to start processes that work off its inbox."""
    template = Project(TEMPLATE)
    migrate.apply(empty_database, template.all_migrates)
    root = tmp_path / "pod"
    pod.lay_out(
        template, root, pod.Settings({"DATABASE_URL": database.to_url(empty_database)}, {"LOCK_TIMEOUT_MS": "30000"})
    )
    environ = {**os.environ, pod.ROOT_VARIABLE: str(root)}
    environ.pop("DATABASE_URL", None)
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WORK, str(TEMPLATE / "src"), str(TEMPLATE / "examples")]
        started.append(subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield empty_database, start
    for process in started:
        process.kill()
        process.communicate()


def fill(query: Query, dsn: Dsn, number: int) -> None:
    query(
        dsn,
        """
        INSERT INTO webhook_inbox (source, event_id, event_type, headers, body)
        SELECT 'standard', 'msg_' || n, 'invoice.paid', '{}', '{}' FROM generate_series(1, %s) n
        """,
        number,
    )


def report(process: subprocess.Popen[str]) -> dict[str, int]:
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    return json.loads(output.splitlines()[-1])


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@contextmanager
def stuck_in_its_effect(
    dsn: Dsn, start: Callable[[], subprocess.Popen[str]], query: Query
) -> Iterator[subprocess.Popen[str]]:
    """Start a worker whose effect has written its row and then waits until the end of the block."""
    query(
        dsn,
        """
        CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
        CREATE TRIGGER effects_wait AFTER INSERT ON webhook_events FOR EACH ROW EXECUTE FUNCTION wait_here();
        """,
    )
    with closing(psycopg2.connect(**dsn)) as holder, holder, holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(1)")
        worker = start()
        wait_until(lambda: bool(query(dsn, f"SELECT pid {STUCK}")))
        yield worker


def test_sixteen_deliveries_of_one_event_at_once_have_one_effect(
    received: Any, empty_database: Dsn, query: Query, run_kit: Callable[..., subprocess.CompletedProcess[str]]
):
    body = b'{"type": "invoice.paid"}'
    for event_id in ("msg_1", "msg_2"):
        with ThreadPoolExecutor(16) as pool:
            sent = [
                pool.submit(received.request, "POST", "/webhooks/standard", data=body, headers=signed(event_id, body))
                for _ in range(16)
            ]
        assert {(answer.result().status_code, answer.result().text) for answer in sent} == {
            (202, json.dumps({"source": "standard", "event_id": event_id}, separators=(",", ":")))
        }
    with ThreadPoolExecutor(4) as pool:
        fired = [pool.submit(run_kit, "fire", "inbox") for _ in range(4)]
    done = [json.loads(one.result().stdout.splitlines()[-1])["done"] for one in fired]
    assert sum(done) == 2
    assert query(empty_database, "SELECT event_type, number FROM webhook_events") == [("invoice.paid", 2)]


def test_headers_that_are_repeated_and_bodies_in_chunks_are_read_as_the_pod_reads_them(received: Any):
    body = b'{"type": "invoice.paid"}'
    headers = signed("msg_1")
    host, port = received.url.removeprefix("http://").split(":")

    def raw(lines: list[str], content: bytes) -> int:
        head = "\r\n".join(["POST /webhooks/standard HTTP/1.1", f"Host: {host}", "Connection: close", *lines])
        with socket.create_connection((host, int(port)), PATIENCE_SECONDS) as connection:
            connection.sendall(head.encode("latin-1") + b"\r\n\r\n" + content)
            return int(connection.makefile("rb").readline().split()[1])

    once = [f"{name}: {value}" for name, value in headers.items()]
    sized = f"Content-Length: {len(body)}"
    for name, value in headers.items():
        assert raw([*once, f"{name}: {value}", sized], body) == 401, f"two {name}"
        assert raw([line for line in once if not line.startswith(name)] + [sized], body) == 401, f"no {name}"
        assert raw([line for line in once if not line.startswith(name)] + [f"{name}:", sized], body) == 401
    assert raw([line.replace("-", "_", 1) for line in once] + [sized], body) == 401
    assert raw([*once[:2], "webhook-signature: v1,\xe9\xff", sized], body) == 401
    assert raw([*once, "Content-Length: 0"], b"") == 401

    def chunks(content: bytes) -> bytes:
        return b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)

    assert raw([*once, "Transfer-Encoding: chunked"], chunks(b"x" * 1_048_577)) == 413
    assert raw([*once, "Transfer-Encoding: chunked"], chunks(b"{}")) == 401
    assert raw([*once, "Transfer-Encoding: chunked"], chunks(body)) == 202
    assert raw([*once, sized], body) == 202


def test_many_workers_at_once_carry_out_each_event_once(
    inbox: tuple[Dsn, Callable[[], subprocess.Popen[str]]], query: Query
):
    dsn, start = inbox
    fill(query, dsn, 200)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with closing(psycopg2.connect(**dsn)) as holder, holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE webhook_inbox")  # so that all of them begin at the same moment
        workers = [start() for _ in range(4)]
        wait_until(lambda: query(dsn, waiting) == [(4,)])
    reports = [report(process) for process in workers]
    assert sum(one["done"] for one in reports) == 200
    assert all(one["done"] > 0 for one in reports)
    assert {one["failed"] + one["dead"] for one in reports} == {0}
    assert query(dsn, "SELECT number FROM webhook_events") == [(200,)]
    assert query(dsn, "SELECT DISTINCT state, attempts FROM webhook_inbox") == [("done", 1)]


def test_a_worker_that_is_killed_in_the_middle_of_an_effect_leaves_none_and_the_next_one_has_it(
    inbox: tuple[Dsn, Callable[[], subprocess.Popen[str]]], query: Query
):
    dsn, start = inbox
    fill(query, dsn, 1)
    with stuck_in_its_effect(dsn, start, query) as worker:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        # The server notices a dead client only when it next writes to it, which here would be after the effect.
        query(dsn, f"SELECT pg_terminate_backend(pid) {STUCK}")
        wait_until(lambda: not query(dsn, f"SELECT pid {STUCK}"))
    assert query(dsn, "SELECT count(*) FROM webhook_events") == [(0,)]
    assert query(dsn, "SELECT state, attempts, due_at > now() FROM webhook_inbox") == [("received", 1, True)]
    assert report(start())["done"] == 0, "its claim has not run out"
    query(dsn, "UPDATE webhook_inbox SET due_at = now()")
    assert report(start())["done"] == 1
    assert query(dsn, "SELECT number FROM webhook_events") == [(1,)]
    assert query(dsn, "SELECT state, attempts, last_error FROM webhook_inbox") == [("done", 2, None)]


def test_a_worker_is_not_held_up_by_another_one_that_is_slow(
    inbox: tuple[Dsn, Callable[[], subprocess.Popen[str]]], query: Query
):
    dsn, start = inbox
    fill(query, dsn, 3)
    query(dsn, "UPDATE webhook_inbox SET attempts = 5 WHERE event_id = 'msg_1'")  # its last claim has run out
    with closing(psycopg2.connect(**dsn)) as holder, holder, holder.cursor() as cursor:
        cursor.execute("SELECT id FROM webhook_inbox WHERE event_id IN ('msg_1', 'msg_2') FOR UPDATE")
        assert report(start()) == {"done": 1, "failed": 0, "dead": 0, "removed": 0}
    assert report(start()) == {"done": 1, "failed": 0, "dead": 1, "removed": 0}


def test_a_redelivery_does_not_wait_for_the_worker_that_is_at_the_event(
    received: Any, inbox: tuple[Dsn, Callable[[], subprocess.Popen[str]]], query: Query
):
    dsn, start = inbox
    body = b'{"type": "invoice.paid"}'
    assert received.request("POST", "/webhooks/standard", data=body, headers=signed("msg_1")).status_code == 202
    with stuck_in_its_effect(dsn, start, query) as worker:
        assert received.request("POST", "/webhooks/standard", data=body, headers=signed("msg_1")).status_code == 202
    assert report(worker)["done"] == 1
    assert query(dsn, "SELECT number FROM webhook_events") == [(1,)]
