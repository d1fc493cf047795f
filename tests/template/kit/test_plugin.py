"""The pytest plugin gives each test of a project its own database, pod and client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from kit.database import to_url

TESTS = """
import os

import pytest
from kit.database import to_url

LAMP = {"name": "lamp", "price": "1.00"}


@pytest.mark.parametrize("turn", range(3))
def test_each_test_has_a_database_of_its_own(client, user_headers, turn):
    assert client.get("/items").json["items"] == []
    assert client.post("/items", json=LAMP, headers=user_headers).status_code == 201
    assert len(client.get("/items").json["items"]) == 1


def test_the_pod_is_laid_out(pod, database_url):
    assert os.environ["FISSION_POD_ROOT"] == str(pod.root)
    assert (pod.secrets / "DATABASE_URL").read_text() == database_url
    assert pod.secrets.name == "fission-acme-orders-env"


def test_settings_can_be_changed(pod):
    from helpers import get_config, get_secret

    pod.set_secret("TOKEN", "one")
    assert get_secret("TOKEN") == "one"
    pod.set_config("LOG_LEVEL", "DEBUG")
    assert get_config("LOG_LEVEL") == "DEBUG"


def test_settings_of_the_test_before_are_gone(pod):
    from helpers import get_secret

    assert get_secret("TOKEN") is None
    assert "OWN" not in os.environ.get("DATABASE_URL", "")


def test_any_method_goes_through_the_router(client):
    assert client.open("PATCH", "/items").text == "405 method not allowed\\n"
    assert client.delete("/nothing").status_code == 404
"""
BROKEN = """
def test_a_broken_import_is_answered_by_the_router(client):
    answer = client.get("/bad")
    assert answer.status_code == 500
    assert answer.json["message"] == "bad.py: ModuleNotFoundError: No module named 'no_such_module'"
"""


@pytest.fixture
def run_tests(project):
    def run(text, **environ):
        for path in (project / "test").rglob("test_*.py"):
            path.unlink()
        shutil.rmtree(project / "examples/test")
        (project / "test" / "test_it.py").write_text(text)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        return subprocess.run(
            command, cwd=project, capture_output=True, text=True, timeout=120, check=False, env=os.environ | environ
        )

    return run


def test_the_fixtures(run_tests):
    done = run_tests(TESTS)
    assert "7 passed" in done.stdout, done.stdout + done.stderr


def test_the_environment_switches_to_the_user_s_own_server(run_tests, postgres, empty_database, query):
    before = query(postgres.dsn, "SELECT datname FROM pg_database ORDER BY 1")
    done = run_tests(TESTS, DATABASE_URL=to_url(empty_database) + "?application_name=OWN")
    assert "7 passed" in done.stdout, done.stdout + done.stderr
    assert query(postgres.dsn, "SELECT datname FROM pg_database ORDER BY 1") == before
    assert query(empty_database, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []


def test_a_broken_import(run_tests, write_function, empty_database):
    write_function("bad", "return ''", top="import no_such_module")
    done = run_tests(BROKEN, DATABASE_URL=to_url(empty_database))
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_failing_migration_fails_the_tests_with_its_line(run_tests, project, empty_database):
    (project / "migrates" / "20990101000000_bad.sql").write_text("-- migrate:up\nSELEC 2;\n-- migrate:down\n")
    done = run_tests("def test_it(database_url):\n    pass\n", DATABASE_URL=to_url(empty_database))
    assert done.returncode == 1
    assert 'bad.sql:2: syntax error at or near "SELEC"' in done.stdout
