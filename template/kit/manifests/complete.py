"""Code, `.env.example` and the committed manifests must name the same settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from kit import dotenv
from kit.errors import KitError
from kit.manifests.names import read_by_code
from kit.project import Project

Names = set[tuple[str, str]]  # kind and key
OBJECTS = {"Secret": ("secret", "manifests/secret.yaml"), "ConfigMap": ("config", "manifests/config.yaml")}


def differences(project: Project) -> list[str]:
    """Return one sentence for each setting that one place has and another has not.

    Raises:
        KitError: a file cannot be read, or is not what it should be.
    """
    uses = read_by_code(project.src, project.examples)
    code: Names = {(use.kind, use.key) for use in uses}
    places: dict[str, Names] = {".env.example": _example(project.root / ".env.example")}
    for kind, (label, file) in OBJECTS.items():
        path = project.root / file
        if path.exists():
            name = project.secret_name if kind == "Secret" else project.config_name
            places[file] = {(label, key) for key in _keys(path, kind, name)}
    problems: list[str] = []
    for file, names in places.items():
        wanted = {pair for pair in code if file == ".env.example" or OBJECTS_BY_FILE[file] == pair[0]}
        for kind, key in sorted(wanted - names):
            use = next(use for use in uses if (use.kind, use.key) == (kind, key))
            where = f"{use.path.relative_to(project.root)}:{use.line}"
            problems.append(f"{where} reads the {kind} {key}, which {file} does not name; add it there")
        problems += [
            f"{file}:{_line(project.root / file, key)} names the {kind} {key}, which no code reads; remove it there"
            for kind, key in sorted(names - wanted)
        ]
    return problems


def objects(path: Path) -> list[dict[str, Any]]:
    """Return the Kubernetes objects of a manifest.

    Raises:
        KitError: it is not YAML, or not a list of objects; the message holds no value.
    """
    try:
        found = [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document is not None]
    except OSError as error:
        raise KitError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        raise KitError(f"{path}{f':{mark.line + 1}' if mark else ''}: not YAML") from None
    if not all(isinstance(document, dict) and "kind" in document for document in found):
        raise KitError(f"{path}: each document must be a Kubernetes object with a kind")
    return found


OBJECTS_BY_FILE = {file: label for label, file in OBJECTS.values()}


def _line(path: Path, key: str) -> int:
    """Return the number of the line that sets a key."""
    found = re.search(
        rf"""^[ \t]*["']?{re.escape(key)}["']?[ \t]*[:=]""", text := path.read_text("utf-8"), re.MULTILINE
    )
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _example(path: Path) -> Names:
    entries = dotenv.read(path)
    for entry in entries.values():
        if entry.kind is None:
            raise KitError(f"{path}:{entry.line}: {entry.key} stands above `# [secrets]` and `# [config]`; move it")
    return {(entry.kind or "secret", entry.key) for entry in entries.values()}


def _keys(path: Path, kind: str, name: str) -> set[str]:
    for document in objects(path):
        if document["kind"] == kind and document.get("metadata", {}).get("name") == name:
            keys: set[str] = set()
            for part in ("data", "stringData"):
                keys |= set(document.get(part) or {})
            if wrong := [key for key in keys if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", str(key))]:
                raise KitError(f"{path}: {wrong[0]!r} is no key that Kubernetes allows")
            return keys
    raise KitError(f"{path}: there is no {kind} called {name}, which the functions read")
