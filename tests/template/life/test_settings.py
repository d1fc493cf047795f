"""Code, .env.example, manifests and the Secrets page name the same settings; what is missing is named."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from kit import dotenv
from kit.errors import KitError
from kit.manifests.complete import differences, objects
from kit.manifests.names import read_by_code
from kit.project import Project

from tools import ROOT
from tools.expand import published_pages

TEMPLATE = ROOT / "template"


def names_in_code() -> set[str]:
    return {use.key for use in read_by_code(TEMPLATE / "src", TEMPLATE / "examples")}


def test_the_template_is_complete():
    assert differences(Project(TEMPLATE)) == []


def test_no_name_in_the_code_escapes_the_search():
    """Every upper-case literal in a file that reads settings and that looks like one of ours is found."""
    found = names_in_code()
    for path in sorted((TEMPLATE / "src").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and re.fullmatch(r"PG_[A-Z]+|[A-Z_]+_TIMEOUT_MS", str(node.value)):
                assert node.value in found, f"{path.name}:{node.lineno}"


def test_the_secrets_page_shows_every_setting():
    (page,) = [page for page in published_pages() if page.path == "secrets.md"]
    shown = "\n".join(block.source for block in page.blocks)
    missing = {name for name in names_in_code() if not re.search(rf"\b{name}\b", shown)}
    assert missing == set()


def test_secret_and_config_are_what_env_example_says():
    example = dotenv.read(TEMPLATE / ".env.example")
    for file, part, kind in (("secret", "stringData", "secret"), ("config", "data", "config")):
        (document,) = objects(TEMPLATE / f"manifests/{file}.yaml")
        assert set(document[part]) == {key for key, entry in example.items() if entry.kind == kind}


def test_no_manifest_holds_a_secret():
    (document,) = objects(TEMPLATE / "manifests/secret.yaml")
    assert {document["stringData"][key] for key in ("PG_PASS", "DATABASE_URL", "VAULT_KEY")} == {""}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "src/extra.py|get_secret('API_TOKEN')",
            r"src/extra\.py:1 reads the secret API_TOKEN, which \.env\.example does",
        ),
        ("src/extra.py|get_config('PAGE_SIZE')", r"reads the config PAGE_SIZE, which manifests/config\.yaml does not"),
        ("src/extra.py|helpers.get_secret('X_KEY')", r"reads the secret X_KEY"),
        (".env.example|UNUSED=1", r"\.env\.example:\d+ names the config UNUSED, which no code reads; remove it there"),
        (
            "manifests/config.yaml|  UNUSED: x",
            r"manifests/config\.yaml:\d+ names the config UNUSED, which no code reads; remove it there",
        ),
    ],
)
def test_what_is_missing_is_named(project, kit, change, message):
    file, _, line = change.partition("|")
    path = project / file
    path.write_text((path.read_text() if path.exists() else "") + line + "\n")
    done = kit("env", "--check")
    assert done.returncode == 1
    assert re.search(message, done.stderr)


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        ("get_secret('A')", {"A"}),
        ("require_secret('A')", {"A"}),
        ("get_secret('A', name='another-secret')", set()),
        ("get_secret('A', name=None)", {"A"}),
        ("get_secret('A' if x else 'B')", {"A", "B"}),
        ("for key in ('A', 'B'): get_secret(key)", {"A", "B"}),
        ("NAMES = ['A', 'B']\n[get_secret(k) for k in NAMES]", {"A", "B"}),
        ("def f():\n names = {'host': 'A'}\n return {a: get_secret(k) for a, k in names.items()}", {"A"}),
        ("def f(key, n): return get_secret(key)\nf('A', 1)\nf(n=2, key='B')", {"A", "B"}),
        ("def f(): get_secret(k)\nfor k in ['A']: f()", {"A"}),
    ],
)
def test_names_are_found_however_they_get_there(tmp_path, code, keys):
    (tmp_path / "a.py").write_text(code)
    assert {use.key for use in read_by_code(tmp_path)} == keys


@pytest.mark.parametrize("code", ["get_secret(input())", "get_secret(f'{x}_KEY')", "def f(key): get_secret(key)"])
def test_a_name_that_nobody_can_list_is_refused_with_its_line(tmp_path, code):
    (tmp_path / "a.py").write_text(f"\n{code}\n")
    with pytest.raises(KitError, match=r"a\.py:2: the name of the setting is made up at run time"):
        read_by_code(tmp_path)


def test_code_that_is_not_python_is_named(tmp_path):
    (tmp_path / "a.py").write_text("def (")
    with pytest.raises(KitError, match=r"a\.py is not Python"):
        read_by_code(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: [", r"secret\.yaml:\d+: not YAML"),
        ("- a list", r"must be a Kubernetes object"),
        ("kind: Secret\nmetadata: {name: other}\n", r"there is no Secret called acme-orders-missing"),
        ("kind: Secret\nmetadata: {name: acme-orders-missing}\nstringData: {a b: x}\n", r"'a b' is no key"),
    ],
)
def test_a_broken_manifest_is_named(project, text, message):
    (project / ".fission/deployment.json").write_text('{"project": "acme-orders"}')
    text = text.replace("acme-orders-missing", "fission-acme-orders-env")
    (project / "manifests/secret.yaml").write_text(text)
    with pytest.raises(KitError, match=message.replace("acme-orders-missing", "fission-acme-orders-env")):
        differences(Project(project))


def test_the_project_s_own_name_is_in_every_manifest(project: Path):
    for path in (project / "manifests").iterdir():
        assert "your" + "-service" not in path.read_text()
    assert objects(project / "manifests/migrate-job.yaml")[0]["metadata"]["generateName"] == "acme-orders-migrate-"
