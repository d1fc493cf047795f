"""The command line helps, is quick, and says in one sentence what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from kit import __version__
from kit.cli import COMMANDS

OURS = ["serve", "fire", "send", "openapi", "migrate", "add", "rename"]
ARGUMENTS = {"migrate": ["status"], "rename": ["x-y"], "add": ["crud"], "fire": ["nightly"], "send": ["orders", "{}"]}


def test_help_lists_all_commands_and_imports_none(run_kit, project):
    shown = run_kit("--help").stdout
    assert all(f"  {name} " in shown for name in COMMANDS)
    code = "import sys, kit.cli\ntry:\n    kit.cli.cli(['--help'])\nexcept SystemExit:\n    print(sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    ).stdout
    assert not [name for name in ("psycopg2", "flask", "pydantic", "werkzeug") if f"'{name}'" in loaded]


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_ours_shows_examples(run_kit, name):
    shown = run_kit(name, "--help")
    assert shown.returncode == 0
    assert f"python -m kit {name}" in shown.stdout.split("Example", 1)[1]


def test_version_and_unknown_commands(run_kit):
    assert run_kit("--version").stdout == f"template {__version__}\n"
    unknown = run_kit("serv")
    assert unknown.returncode == 2
    assert "there is no command 'serv'; there are: serve," in unknown.stderr


def test_outside_of_a_project_every_command_says_so(project, run_kit):
    (project / ".fission" / "deployment.json").unlink()
    for name in OURS:
        done = run_kit(name, *ARGUMENTS.get(name, []))
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
        assert "is not inside a project" in done.stderr


def test_migrate_on_the_embedded_database(run_kit, project):
    versions = sorted(path.name.split("_")[0] for path in (project / "examples/migrates").glob("*.sql"))
    assert run_kit("migrate", "status").stdout.startswith("[ ] 20260101000000_example_crud.sql  of examples/\n")
    assert run_kit("migrate", "up").stdout == "".join(f"applied {version}\n" for version in versions)
    assert run_kit("migrate", "status").stdout.startswith("[x] 20260101000000_example_crud.sql  of examples/, applied")
    assert run_kit("migrate", "down").stdout == f"reverted {versions[-1]}\n"
    assert run_kit("migrate", "new", "add price").stdout.strip().endswith("_add_price.sql")


def test_a_wrong_database_url_is_one_sentence_without_the_password(run_kit, project):
    (project / ".env").write_text("DATABASE_URL=postgres:very-secret\n")
    done = run_kit("migrate", "status")
    assert done.returncode == 1
    assert done.stderr.startswith("error: DATABASE_URL in ")
    assert "very-secret" not in done.stderr


def test_rename_in_place(run_kit, project):
    done = run_kit("rename", "red-gate")
    assert done.returncode == 0
    assert "renamed acme-orders to red-gate in " in done.stdout
    assert run_kit("rename", "red-gate").stderr == "error: the project is already called red-gate\n"


def test_rename_from_a_single_word_needs_force(run_kit, project):
    run_kit("rename", "orders")
    refused = run_kit("rename", "red-gate")
    assert (refused.returncode, "repeat with --force" in refused.stderr) == (1, True)
    assert run_kit("rename", "red-gate", "--force").returncode == 0


BARE = [sys.executable, "-S", "-m", "kit", "--version"]  # a Python without the packages, as the system's is


def test_another_python_hands_over_to_the_project_s_own(project):
    (project / ".venv/bin").mkdir(parents=True)
    (project / ".venv/bin/python").symlink_to(sys.executable)
    (project / ".venv/pyvenv.cfg").symlink_to(Path(sys.prefix) / "pyvenv.cfg")
    (project / ".venv/lib").symlink_to(Path(sys.prefix) / "lib")
    done = subprocess.run(BARE, cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"template {__version__}\n"), done.stderr


def test_without_an_environment_the_error_says_how_to_make_it(project):
    done = subprocess.run(BARE, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the packages of this project are not installed; run `make setup`")
    assert "Traceback" not in done.stderr
