"""The Secret and the ConfigMap of one stage, from a `.env` file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from kit import dotenv
from kit.errors import KitError
from kit.pod import Settings
from kit.project import Project
from kit.vaulted import Vault

LARGEST = 1024 * 1024  # bytes; Kubernetes refuses larger Secrets and ConfigMaps
KEY = "VAULT_KEY"


@dataclass(frozen=True)
class Manifest:
    """The text of the manifest, and what the user should know about it."""

    text: str
    notes: list[str]


def manifest(project: Project, source: Path, namespace: str, *, encrypt: bool) -> Manifest:
    """Return the Secret and the ConfigMap with the values of a `.env` file; empty values are left out.

    Values that are vault values already are checked at their new place and taken over as they are.

    Args:
        project: gives the names of the objects, and says in `.env.example` which key is of which kind.
        source: the `.env` file.
        namespace: where the objects belong; vault values are bound to it.
        encrypt: turn all other secrets into vault values, and leave the key itself out.

    Raises:
        KitError: the file is missing or malformed, there is no key, or a vault value does not decrypt at its place.
    """
    if not source.is_file():
        raise KitError(f"{source} does not exist; start with: cp .env.example {source.name}")
    settings = _settings(project, source)
    notes: list[str] = []
    vault = Vault(project, settings.secrets.get(KEY))
    for key, value in settings.secrets.items():
        place = f"{namespace}/{project.secret_name}/{key}"
        if value.startswith("vault:"):
            _check(vault, value, place, source)
        elif encrypt and key != KEY:
            settings.secrets[key] = vault.encrypt(value, place)
    for key, value in settings.configs.items():
        if value.startswith("vault:"):
            _check(vault, value, f"{namespace}/{project.config_name}/{key}", source)
    if encrypt and settings.secrets.pop(KEY, ""):
        notes.append(
            f"{KEY} is left out: whoever has it reads everything; keep it in a Secret of its own (see MANIFEST.md)"
        )
    example = dotenv.read(project.root / ".env.example")
    unset = [key for key in example if key not in settings.secrets and key not in settings.configs and key != KEY]
    if unset:
        notes.append(f"not set in {source.name}, so left out: {', '.join(unset)}")
    documents = [
        _object("Secret", project.secret_name, namespace, settings.secrets),
        _object("ConfigMap", project.config_name, namespace, settings.configs),
    ]
    return Manifest("---\n".join(documents), notes)


def _settings(project: Project, source: Path) -> Settings:
    """Read one file; what a key is, `.env.example` says, and for other keys the file's own section."""
    example = dotenv.read(project.root / ".env.example")
    settings = Settings()
    for key, entry in dotenv.read(source).items():
        kind = (example[key].kind if key in example else None) or entry.kind or "secret"
        if entry.value:
            (settings.secrets if kind == "secret" else settings.configs)[key] = entry.value
    return settings


def _check(vault: Vault, value: str, place: str, source: Path) -> None:
    try:
        vault.decrypt(value, place)
    except KitError as error:
        raise KitError(f"{source}: {place.rpartition('/')[2]}: {error}") from None


def _object(kind: str, name: str, namespace: str, values: dict[str, str]) -> str:
    size = sum(len(key) + len(value.encode("utf-8")) for key, value in values.items())
    if size > LARGEST:
        raise KitError(f"{kind} {name} would have {size} bytes; Kubernetes allows {LARGEST}")
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": namespace},
            **({"type": "Opaque", "stringData": values} if kind == "Secret" else {"data": values}),
        },
        sort_keys=False,
        allow_unicode=True,
        width=10_000,
    )
