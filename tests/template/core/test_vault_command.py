"""`python -m kit vault`: what it prints, and what it never prints."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kit.errors import KitError
from kit.vault_command import vault

from .processes import TEMPLATE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without a .env, as the current folder."""
    for name in (".fission", "src"):
        shutil.copytree(TEMPLATE / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAULT_KEY", raising=False)
    return tmp_path


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(vault, arguments, input=given, catch_exceptions=False)


def test_without_a_key_the_user_is_told_how_to_get_one(folder: Path):
    with pytest.raises(KitError, match="keygen"):
        run("encrypt", "PG_PASS", "secret")


def test_a_value_from_standard_input_comes_back(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VAULT_KEY", run("keygen").output)
    sealed = run("encrypt", "PG_PASS", given="geheim\n").output.strip()
    assert sealed.startswith("vault:v2:")
    assert run("decrypt", "PG_PASS", sealed).output == "geheim\n"
    with pytest.raises(KitError, match="another place"):
        run("decrypt", "PG_USER", sealed)


def test_rewrapping_moves_a_manifest_to_the_new_key_once(folder: Path):
    old, new, ring = folder / "old", folder / "new", folder / "ring"
    old.write_text(run("keygen").output)
    new.write_text(run("keygen").output)
    ring.write_text(new.read_text() + old.read_text())
    manifest = folder / "secret.yaml"
    first = run("encrypt", "A", "one", "--keys", str(old)).output.strip()
    second = run("encrypt", "B", "two", "--v1", "--keys", str(old)).output.strip()
    manifest.write_text(f'stringData:\n  A: {first}\n  "B": "{second}"\n  C: plain\n')

    assert "2 values decrypt" in run("check", "secret.yaml", "--keys", "old").output
    with pytest.raises(KitError, match=r"secret\.yaml:2: A: .*not in VAULT_KEY"):
        run("check", "secret.yaml", "--keys", "new")
    assert "2 encrypted anew" in run("rewrap", "secret.yaml", "--keys", "ring").output
    assert "2 values decrypt" in run("check", "secret.yaml", "--keys", "new").output
    assert "0 encrypted anew" in run("rewrap", "secret.yaml", "--keys", "ring").output
    assert "1 encrypted anew" in run("rewrap", "--bind", "secret.yaml", "--keys", "ring").output
    assert manifest.read_text().count("vault:v2:") == 2
    assert "C: plain" in manifest.read_text()


def test_a_manifest_with_a_damaged_value_is_left_as_it_is(folder: Path):
    (folder / "key").write_text(run("keygen").output)
    manifest = folder / "secret.yaml"
    manifest.write_text(f"A: {run('encrypt', 'A', 'one', '--keys', 'key').output.strip()}\nB: vault:v2:abc:x\n")
    before = manifest.read_text()
    with pytest.raises(KitError, match=r"secret\.yaml:2: B: "):
        run("rewrap", "secret.yaml", "--keys", "key")
    assert manifest.read_text() == before


@pytest.mark.parametrize("command", ["keygen", "encrypt", "decrypt", "rewrap", "check"])
def test_each_command_shows_an_example(command: str):
    assert "python -m kit vault " + command in run(command, "--help").output
