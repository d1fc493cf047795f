"""The template's make targets do what they say. The installation itself is proved by the archive's test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

TARGETS = {"setup", "run", "test", "check", "migrate", "specs", "package", "lock"}


@pytest.fixture
def make(project, tool):
    """Run make with a ready-made environment: bin/python is ours, and the stamp is newer than the requirements."""
    (project / "venv" / "bin").mkdir(parents=True)
    python = project / "venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (project / "venv" / ".installed").touch()

    def run(*args):
        command = [tool("make"), *args]
        env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}  # we may run under make
        return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False, timeout=120)

    return run


def test_help_lists_every_target(make, project):
    shown = make().stdout
    assert {line.split()[1] for line in shown.splitlines()} >= TARGETS
    declared = re.search(r"\.PHONY: (.*)", (project / "Makefile").read_text())[1].split()
    assert set(declared) == {line.split()[1] for line in shown.splitlines()} | {"help"}


def test_test_runs_the_tests_of_the_project(make, project):
    for path in (project / "test").rglob("test_*.py"):
        path.unlink()
    shutil.rmtree(project / "examples")
    (project / "test" / "test_one.py").write_text("def test_one():\n    pass\n")
    done = make("test", "VENV=venv")
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_migrate_uses_the_embedded_database(make):
    done = make("migrate", "VENV=venv")
    assert (done.returncode, "20260101000000" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_python_that_is_too_old_is_named_before_anything_is_made(make, project):
    old = project / "old-python"
    old.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "import sys; sys.exit(1)"\n')
    old.chmod(0o755)
    done = make("test", f"PYTHON={old}", "VENV=new")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed; try: make test PYTHON=python3.13" in done.stderr
    assert not (project / "new").exists()


def test_a_python_without_venv_is_named_and_leaves_nothing(make, project):
    lame = project / "lame-python"
    lame.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 0\nmkdir -p new && exit 1\n')
    lame.chmod(0o755)
    done = make("test", f"PYTHON={lame}", "VENV=new")
    assert "venv is missing; on Debian: apt install python3-venv" in done.stderr
    assert not (project / "new").exists()


def test_stages_fails_with_a_diff_when_specs_no_longer_say_what_docstrings_say(make, project):
    assert make("specs").returncode == 0
    assert make("stages").returncode == 0
    health = project / "src/health.py"
    health.write_text(health.read_text().replace('"url": "/health"', '"url": "/ready"'))
    done = make("stages")
    assert done.returncode != 0
    assert "+  relativeurl: /ready" in done.stdout
