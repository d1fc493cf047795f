"""`python -m kit vault`: the vault of `src/vault.py` from the command line."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from kit import dotenv, project
from kit.errors import KitError

# KEY=vault:... of .env files; KEY: vault:... and "KEY": "vault:..." of manifests
_VALUE = re.compile(r"""(?P<key>[-._A-Za-z0-9]+)["']?\s*[:=]\s*["']?(?P<text>vault:v\d+:[^\s"',}]+)""")

Options = Callable[..., Any]


def _options(command: Options) -> Options:
    """Add the options that all commands have in common."""
    for option in (
        click.option("--namespace", help="Namespace of the object.  [default: the project's]"),
        click.option("--object", "object_name", help="Secret or ConfigMap.  [default: the project's Secret]"),
        click.option(
            "--keys",
            "keys_file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="File with the key ring.  [default: VAULT_KEY of the environment or of .env, else .kit/vault.key]",
        ),
    ):
        command = option(command)
    return command


@click.group()
def vault() -> None:
    """Make keys; encrypt and decrypt values.

    A value decrypts only at its place NAMESPACE/OBJECT/KEY (format v2), so that nobody can swap two of them. No command
    but keygen ever prints a key.

    \b
    Examples:
      python -m kit vault keygen
      printf %s "$PASSWORD" | python -m kit vault encrypt PG_PASS
      python -m kit vault decrypt PG_PASS vault:v2:1f0c9e3a:...
      python -m kit vault rewrap manifests/secret.yaml
      python -m kit vault check manifests/secret.yaml .env
    """


@vault.command()
def keygen() -> None:
    """Print a new line for the key ring.

    Put it on top of VAULT_KEY: the first line encrypts, all of them decrypt. Then rewrap, deploy, remove the old line.

    \b
    Examples:
      python -m kit vault keygen > new.key
    """
    click.echo(_core().new_vault_key())


@vault.command()
@click.argument("key")
@click.argument("value", required=False)
@click.option("--v1", is_flag=True, help="The older format, which is not bound to its place.")
@_options
def encrypt(
    key: str, value: str | None, v1: bool, keys_file: Path | None, object_name: str | None, namespace: str | None
) -> None:
    """Encrypt VALUE, or what comes from standard input, for the place of KEY.

    Prefer standard input: arguments end up in the shell's history. One newline at the end of the input is dropped.

    \b
    Examples:
      printf %s "$PASSWORD" | python -m kit vault encrypt PG_PASS
      python -m kit vault encrypt API_TOKEN --namespace prod < token.txt
    """
    core = _core()
    place = None if v1 else _place(key, object_name, namespace)
    click.echo(_told(lambda: core.encrypt_vault(_given(value), _ring(keys_file), bound_to=place)))


@vault.command()
@click.argument("key")
@click.argument("text", required=False)
@_options
def decrypt(key: str, text: str | None, keys_file: Path | None, object_name: str | None, namespace: str | None) -> None:
    """Decrypt TEXT, or what comes from standard input, found at the place of KEY.

    \b
    Examples:
      python -m kit vault decrypt PG_PASS vault:v2:1f0c9e3a:...
    """
    core = _core()
    place = _place(key, object_name, namespace)
    click.echo(_told(lambda: core.decrypt_vault(_given(text), _ring(keys_file), bound_to=place)))


@vault.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--bind", is_flag=True, help="Also turn values of format v1 into v2, bound to their place.")
@_options
def rewrap(
    files: tuple[Path, ...], bind: bool, keys_file: Path | None, object_name: str | None, namespace: str | None
) -> None:
    """Encrypt the vault values in FILES anew with the first key of the ring; values of that key stay as they are.

    \b
    Examples:
      python -m kit vault rewrap --bind manifests/secret.yaml
    """
    core, ring = _core(), _ring(keys_file)
    newest = _told(lambda: core.encrypt_vault("", ring, bound_to="")).split(":")[2]
    first_line = next(line for line in ring.splitlines() if line.strip())

    def renewed(key: str, text: str) -> str:
        place = _place(key, object_name, namespace)
        plain: str = core.decrypt_vault(text, ring, bound_to=place)
        if text.startswith("vault:v1:") and not bind:
            try:
                core.decrypt_vault(text, first_line)
            except core.VaultError:
                return str(core.encrypt_vault(plain, ring))
            return text
        return text if text.startswith(f"vault:v2:{newest}:") else str(core.encrypt_vault(plain, ring, bound_to=place))

    old = {path: path.read_text(encoding="utf-8") for path in files}
    new = {path: _each_value(path, content, renewed) for path, content in old.items()}
    if problems := [problem for _, found in new.values() for problem in found]:
        raise KitError("\n".join([*problems, "nothing was changed"]))
    for path, (content, _) in new.items():
        changed = sum(a != b for a, b in zip(old[path].splitlines(), content.splitlines(), strict=True))
        if changed:
            path.write_text(content, encoding="utf-8")
        click.echo(f"{path}: {changed} encrypted anew")


@vault.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_options
def check(files: tuple[Path, ...], keys_file: Path | None, object_name: str | None, namespace: str | None) -> None:
    """Check that each vault value in FILES decrypts at its place. Prints no value.

    \b
    Examples:
      python -m kit vault check manifests/secret.yaml
    """
    core, ring = _core(), _ring(keys_file)
    checked = 0
    problems: list[str] = []

    def tried(key: str, text: str) -> str:
        nonlocal checked
        checked += 1
        core.decrypt_vault(text, ring, bound_to=_place(key, object_name, namespace))
        return text

    for path in files:
        problems += _each_value(path, path.read_text(encoding="utf-8"), tried)[1]
    if problems:
        raise KitError("\n".join(problems))
    click.echo(f"{checked} values decrypt")


def _each_value(path: Path, content: str, change: Callable[[str, str], str]) -> tuple[str, list[str]]:
    """Replace each vault value by what `change(key, value)` returns; return the content and the problems."""
    core = _core()
    lines, problems = content.splitlines(keepends=True), []
    for number, line in enumerate(lines):
        for found in _VALUE.finditer(line):
            try:
                lines[number] = lines[number].replace(found["text"], change(found["key"], found["text"]))
            except core.VaultError as error:
                problems.append(f"{path}:{number + 1}: {found['key']}: {error}")
    return "".join(lines), problems


def _core() -> ModuleType:
    """Import the project's own `src/vault.py`, as its functions do."""
    src = str(project.current().src)
    if src not in sys.path:
        sys.path.append(src)
    return importlib.import_module("vault")


def _ring(keys_file: Path | None) -> str:
    here = project.current()
    entry = dotenv.read(here.root / ".env").get("VAULT_KEY")
    local = here.state / "vault.key"
    if keys_file:
        return keys_file.read_text(encoding="utf-8")
    for ring in (os.environ.get("VAULT_KEY"), entry and entry.value, local.is_file() and local.read_text("utf-8")):
        if ring:
            return ring
    raise KitError("there is no key: give --keys FILE, or set VAULT_KEY in .env to a line of `vault keygen`")


def _place(key: str, object_name: str | None, namespace: str | None) -> str:
    here = project.current()
    return f"{namespace or here.namespace}/{object_name or here.secret_name}/{key}"


def _given(value: str | None) -> str:
    if value is not None:
        return value
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")


def _told(action: Callable[[], str]) -> str:
    """Run it, and turn the vault's own error into a sentence."""
    try:
        return action()
    except _core().VaultError as error:
        raise KitError(str(error)) from None
