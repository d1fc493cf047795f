"""`python -m kit migrate` as a user types it, in a project of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kit import database
from kit.create import create

TEMPLATE = Path(__file__).resolve().parents[3] / "template"
FIRST = "20260101000000_example_crud.sql"


@pytest.fixture
def project(tmp_path) -> Path:
    create(TEMPLATE, "acme-orders", tmp_path / "acme-orders", examples=["crud"])
    return tmp_path / "acme-orders"


@pytest.fixture
def kit(project, db) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str, url: str = database.to_url(db)) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kit", "migrate", *arguments]
        env = os.environ | {"DATABASE_URL": url, "TZ": "UTC"}
        return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)

    return run


def test_a_day_with_migrations(kit, project):
    assert kit("status").stdout.splitlines()[0] == f"[ ] {FIRST}"
    assert "would apply 20260101000000" in kit("up", "--dry-run").stdout
    done = kit("up")
    assert "applied 20260101000000" in done.stdout
    assert re.search(r"example_crud\.sql: up in \d+ ms", done.stderr)
    assert re.match(
        rf"\[x\] {re.escape(FIRST)}  applied \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC in \d+ ms\n", kit("status").stdout
    )
    assert kit("verify").stdout == "the database is as the files say\n"
    assert kit("new", "add", "price", "to", "orders").stdout.endswith("_add_price_to_orders.sql\n")
    assert kit("down", "--dry-run").stdout == "would revert 20260101000000\n"
    shutil.rmtree(project / "migrates")
    assert "migrates does not exist" in kit("status").stderr


def test_verify_exits_with_1_and_says_what_is_wrong(kit, project):
    kit("up")
    file = project / "migrates" / FIRST
    text = file.read_text()
    file.write_text(text.replace("numeric(12, 2)", "numeric(14, 2)"))
    done = kit("verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert "was edited after it was applied" in done.stderr
    assert kit("status").stdout.startswith(f"[!] {FIRST}  edited, applied")
    done = kit("up")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {file} was edited")
    assert "Traceback" not in done.stderr
    done = kit("verify", "--accept", "20260101000000")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "the database is as the files say")


def test_replay_uses_an_embedded_server_when_none_is_named(kit):
    done = kit("verify", "--replay", url="")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"(\d+) migrations went up, \1 of them down and up again\n", done.stdout)


def test_options_that_make_no_sense_are_refused(kit):
    assert kit("verify", "--replay", "--accept", "1").stderr == (
        "error: --replay and --accept do not go together; give one of them\n"
    )
    assert kit("up", "--patience-seconds", "-1").returncode == 2


def test_ctrl_c_ends_a_long_statement_at_once_and_keeps_nothing(project, db, query):
    (project / "migrates/20260102000000_long.sql").write_text(
        "-- migrate:up\nCREATE TABLE long ();\nSELECT pg_sleep(60);\n-- migrate:down\n"
    )
    env = os.environ | {"DATABASE_URL": database.to_url(db)}
    command = [sys.executable, "-m", "kit", "migrate", "up"]
    running = subprocess.Popen(command, cwd=project, env=env, stderr=subprocess.PIPE, text=True)
    sleeping = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(60)%%' AND pid <> pg_backend_pid()"
    deadline = time.monotonic() + 20
    while not query(db, sleeping) and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=10)
    assert running.returncode == 1
    assert "20260102000000_long.sql: interrupted; nothing of this file was kept" in stderr
    assert "Traceback" not in stderr
    assert query(db, "SELECT version FROM schema_migrations") == [("20260101000000",)]
    assert query(db, "SELECT to_regclass('long')") == [(None,)]
