"""Renaming is one rule, refuses what would fail later, and can be undone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from kit.create import create
from kit.errors import KitError
from kit.rename import check_name, files, rename_bytes, rename_in_place, rename_text


def tree(root):
    """Content and mode of every file that belongs to a project."""
    return {path.relative_to(root).as_posix(): (path.stat().st_mode & 0o777, path.read_bytes()) for path in files(root)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("blue-door", "red-gate"),
        ("blue_door", "red_gate"),
        ("fission-blue-door-env", "fission-red-gate-env"),
        ("my_blue_door_test", "my_red_gate_test"),
        ("Blue-door", "Blue-door"),
        ("blue-doors", "blue-doors"),
        ("xblue-door", "xblue-door"),
        ("blue door", "blue door"),
        ("blue-door-blue-door.", "red-gate-red-gate."),
    ],
)
def test_the_rule(text, expected):
    assert rename_text(text, "blue-door", "red-gate") == expected


def test_a_new_name_that_holds_the_old_one_is_put_in_once():
    assert rename_text("blue-door blue_door", "blue-door", "my-blue-door") == "my-blue-door my_blue_door"


def test_what_is_not_text_stays():
    assert rename_bytes(b"\xff blue-door", "blue-door", "red-gate") == b"\xff blue-door"
    assert rename_bytes(b"blue-door\r\n", "blue-door", "red-gate") == b"red-gate\r\n"


def test_there_and_back_gives_identical_bytes_and_modes(template, project):
    assert tree(project).keys() == tree(template).keys()
    assert tree(project) != tree(template)
    changed = rename_in_place(project, "your-service")
    assert ".fission/deployment.json" in changed
    assert tree(project) == tree(template)


def test_no_trace_of_the_old_name_is_left(project):
    assert not [name for name, (_, content) in tree(project).items() if b"your-service" in content]
    assert not [name for name, (_, content) in tree(project).items() if b"your_service" in content]


def test_paths_are_renamed_and_empty_folders_removed(project):
    old = project / "src" / "acme_orders" / "acme-orders.txt"
    old.parent.mkdir()
    old.write_text("acme-orders")
    old.chmod(0o750)
    rename_in_place(project, "red-gate")
    new = project / "src" / "red_gate" / "red-gate.txt"
    assert (new.read_text(), new.stat().st_mode & 0o777) == ("red-gate", 0o750)
    assert not old.parent.exists()


def test_a_dry_run_changes_nothing(project):
    before = tree(project)
    assert rename_in_place(project, "red-gate", dry_run=True)
    assert tree(project) == before


def test_renaming_onto_an_existing_file_is_refused_before_anything_changes(project):
    (project / "acme-orders.txt").write_text("a")
    (project / "red-gate.txt").write_text("b")
    before = tree(project)
    with pytest.raises(KitError, match="which exists"):
        rename_in_place(project, "red-gate")
    assert tree(project) == before


def test_without_a_current_name_nothing_is_renamed(project):
    (project / ".fission" / "deployment.json").unlink()
    with pytest.raises(KitError, match="the current name cannot be found"):
        rename_in_place(project, "red-gate")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "no valid name"),
        ("Orders", "no valid name"),
        ("my_orders", "no valid name"),
        ("-orders", "no valid name"),
        ("orders-", "no valid name"),
        ("or.ders", "no valid name"),
        ("or ders", "no valid name"),
        ("orders\n", "no valid name"),
        ("bestellüng", "no valid name"),
        ("../orders", "no valid name"),
        ("7-orders", "starts with a digit"),
        ("o" * 49, "has 49 characters"),
        ("lambda", "keyword of Python"),
        ("email", "standard library"),
        ("imp", "a module of Python's standard library"),  # until 3.11
        ("annotationlib", "a module of Python's standard library"),  # since 3.14
        ("flask", "Fission's Python environment"),
        ("sentry-sdk", "Fission's Python environment"),
        ("zope-event", "Fission's Python environment"),
        ("flask-sockets", "Fission's Python environment"),
        ("server", "Fission's Python environment"),
    ],
)
def test_bad_names(template, tmp_path, name, reason):
    with pytest.raises(KitError, match=reason):
        create(template, name, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "orders", "acme-orders-2", "o" * 48, "your-service"])
def test_good_names(template, name):
    check_name(name, template / "kit" / "python-env-1.35.0.txt")


def test_generated_and_personal_files_are_left_out(project, tmp_path):
    for name in (".env", ".kit/x", ".git/x", "src/__pycache__/x.pyc", "env/pyvenv.cfg", "env/x", ".ruff_cache/x"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("acme-orders")
    create(project, "red-gate", tmp_path / "new")
    rename_in_place(tmp_path / "new", "acme-orders")
    names = tree(tmp_path / "new").keys()
    assert not {name.split("/")[0] for name in names} & {".env", ".kit", ".git", "env", ".ruff_cache"}
    assert not [name for name in names if "__pycache__" in name]
    assert {".env.example", ".gitignore"} <= set(names)


def run(template: Path, *args, **options):
    return subprocess.run(
        [template / "create-project.sh", *args], capture_output=True, text=True, check=False, timeout=60, **options
    )


def test_a_new_project_does_not_take_over_the_uid_of_another(project, tmp_path):
    (project / ".fission/uid").write_text("0a277a5b-a740-432d-bc67-8574f213cf45\n")
    create(project, "blue-door", tmp_path / "copy")
    assert not (tmp_path / "copy/.fission/uid").exists()


def test_the_script_makes_a_project_and_says_what_comes_next(template, tmp_path):
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "create.py").write_text("raise SystemExit('the wrong kit')")
    done = run(template, "orders", "my orders", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-3:] == ["  cd 'my orders'", "  make run", "  make test"]
    assert '"project": "orders"' in (tmp_path / "my orders" / ".fission" / "deployment.json").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kit", "my orders"]


def test_the_script_explains_itself(template):
    assert run(template, "--help").stdout.startswith("Usage: ./create-project.sh NAME DIR")
    assert run(template).returncode == 2


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_a_target_that_exists_is_refused(template, tmp_path, kind):
    target = tmp_path / "orders"
    {"folder": target.mkdir, "file": target.touch, "dangling link": lambda: target.symlink_to("nowhere")}[kind]()
    done = run(template, "orders", target)
    assert (done.returncode, done.stderr) == (
        1,
        f"error: {target} already exists; choose another folder or remove it\n",
    )


def test_a_target_inside_the_template_is_refused(template):
    done = run(template, "orders", template / "orders")
    assert done.returncode == 1
    assert "lies inside the template" in done.stderr
    assert not (template / "orders").exists()


def test_a_target_without_a_parent_is_refused(template, tmp_path):
    assert "does not exist; create it first" in run(template, "orders", tmp_path / "a" / "b").stderr


def test_a_python_that_is_none_is_named(template, tmp_path):
    done = run(template, "orders", tmp_path / "x", env={"PATH": "/usr/bin:/bin", "PYTHON": "/no python"})
    assert (done.returncode, done.stderr) == (
        1,
        "error: Python 3.11 or newer is needed, and PYTHON=/no python is not; set PYTHON to its path\n",
    )


def test_ctrl_c_in_the_middle_leaves_nothing(template, tmp_path, monkeypatch):
    copied = []

    def interrupt(path, *_):
        copied.append(path)
        if len(copied) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr("kit.create._copy", interrupt)
    with pytest.raises(KeyboardInterrupt):
        create(template, "orders", tmp_path / "orders")
    assert len(copied) == 5
    assert list(tmp_path.iterdir()) == []


def test_the_script_passes_shellcheck(template, tool):
    done = subprocess.run(
        [tool("shellcheck"), template / "create-project.sh"], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
