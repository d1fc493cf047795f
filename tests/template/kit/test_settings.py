"""`.env` is read strictly and laid out as a pod's files."""

from __future__ import annotations

import pytest
from kit import dotenv, pod
from kit.errors import KitError
from kit.project import Project, find_root

EXAMPLE = "# [secrets]\nTOKEN=\nPASSWORD=default\n# [config]\nLOG_LEVEL=INFO\n"


def files(root):
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=v", "v"),
        ("export K = v ", "v"),
        ("K=", ""),
        ("K=# nothing", ""),
        ("K=a#b # c", "a#b"),
        ("K=a=b", "a=b"),
        ("K='a # \\n'", "a # \\n"),
        ('K="a\\nb\\"\\\\" # c', 'a\nb"\\'),
        ("K='ä'", "ä"),
    ],
)
def test_values(tmp_path, line, value):
    (tmp_path / ".env").write_text(f"# comment\n\n{line}\n", encoding="utf-8")
    assert dotenv.read(tmp_path / ".env")["K"].value == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\nhello\n", r"\.env:2: expected KEY=value"),
        ("A=1\nA=2\n", r"\.env:2: A is already set in line 1"),
        ("A='x\n", r"\.env:1: the value starts with ' but does not end"),
        ('A="x" y\n', r"\.env:1: the value starts with \" but does not end"),
        ("# [secret]\n", r"\.env:1: unknown section \[secret\]"),
        ("1A=x\n", r"\.env:1: expected KEY=value"),
    ],
)
def test_malformed_lines_are_named_without_their_value(tmp_path, text, message):
    (tmp_path / ".env").write_text(text)
    with pytest.raises(KitError, match=message):
        dotenv.read(tmp_path / ".env")


def test_the_pod_has_exactly_what_the_files_say(project, tmp_path):
    (project / ".env.example").write_text(EXAMPLE)
    (project / ".env").write_text("TOKEN=mine\nLOG_LEVEL=DEBUG\nEXTRA=x\n# [config]\nCOLOR=red\n")
    here = Project(project)
    pod.lay_out(here, tmp_path, pod.read_settings(here), {"DATABASE_URL": "postgresql://x"})
    assert {name: path.read_text() for name, path in files(tmp_path).items()} == {
        "secrets/default/fission-acme-orders-env/TOKEN": "mine",
        "secrets/default/fission-acme-orders-env/PASSWORD": "default",
        "secrets/default/fission-acme-orders-env/EXTRA": "x",
        "secrets/default/fission-acme-orders-env/DATABASE_URL": "postgresql://x",
        "configs/default/fission-acme-orders-config/LOG_LEVEL": "DEBUG",
        "configs/default/fission-acme-orders-config/COLOR": "red",
        "etc/podinfo/namespace": "default",
    }
    assert {path.stat().st_mode & 0o777 for path in files(tmp_path).values()} == {0o600}
    (project / ".env").unlink()
    pod.lay_out(here, tmp_path, pod.read_settings(here))
    assert {path.name for path in files(tmp_path).values()} == {"PASSWORD", "LOG_LEVEL", "namespace"}


def test_every_key_of_the_shipped_example_is_of_one_kind(template):
    entries = dotenv.read(template / ".env.example")
    assert {"DATABASE_URL", "PG_HOST", "VAULT_KEY"} <= {key for key, entry in entries.items() if entry.kind == "secret"}
    assert {"LOG_LEVEL", "CORS_ORIGINS"} <= {key for key, entry in entries.items() if entry.kind == "config"}
    assert all(entry.kind for entry in entries.values())


def test_a_project_is_found_from_its_folders_and_nowhere_else(project):
    assert find_root(project / "src") == project.resolve()
    with pytest.raises(KitError, match="is not inside a project"):
        find_root(project.parent)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"project": 3}'])
def test_a_broken_deployment_file_is_named(project, text):
    (project / ".fission" / "deployment.json").write_text(text)
    with pytest.raises(KitError, match=r"\.fission/deployment\.json"):
        _ = Project(project).name
