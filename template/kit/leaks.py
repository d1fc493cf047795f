"""`python -m kit leaks`: secrets in files that git has or would take.

Only patterns that are certain, so that a finding is always worth a look: keys and tokens with a shape of their own,
passwords in URLs, and values of Secret manifests that are not vault values. Measures of randomness are left out on
purpose: lock files and checksums are full of it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from kit import project, rename

PATTERNS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,})",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "a Slack token": r"\bxox[abeprs]-[A-Za-z0-9-]{10,}",
    "a Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{16,}",
    "a Google API key": r"\bAIza[A-Za-z0-9_-]{35}\b",
    "a key of an AI service": r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}",
    "a key of the vault": r"VAULT_KEY\W{1,6}(?:[\w-]{1,32}:)?[A-Za-z0-9+/]{43}=",
    # one for this machine is no secret worth the name
    "a password in a URL": r"\b[a-z][a-z0-9+.-]{1,20}://[^/\s:@'\"`]+:(?!//)([^/\s:@'\"`]{3,})@(?!127\.0\.0\.1\b|localhost\b)",
}
HARMLESS = re.compile(r"(?i)pass(?:word)?|secret|change-?me|pw|\W*\w*[{}<>$*%]\W*\w*.*")  # what examples say
PUBLIC_KEYS = {"PG_HOST", "PG_PORT", "PG_DB", "PG_USER", "PG_SSLMODE"}
ALLOWED = "leaks: allowed"  # in a comment on the same line, followed by the reason
LARGEST = 5_000_000  # bytes; larger files are data

_FOUND = {what: re.compile(pattern) for what, pattern in PATTERNS.items()}


@dataclass(frozen=True)
class Leak:
    """A line that holds a secret; the secret itself is never kept."""

    path: Path
    line: int
    what: str


def leaks(root: Path) -> tuple[int, list[Leak]]:
    """Return how many files were read, and what was found in them."""
    files = list(_files(root))
    return len(files), [leak for path in files for leak in _in_file(path, root)]


@click.command("leaks")
def command() -> None:
    """Look for secrets in all files that git has or would take. Prints places, never a secret.

    A line that only looks like one says why in a comment: "leaks: allowed, a key for tests".

    \b
    Examples:
      python -m kit leaks
    """
    root = project.current().root
    count, found = leaks(root)
    for leak in found:
        click.echo(f"{leak.path.relative_to(root)}:{leak.line}: {leak.what}", err=True)
    click.echo(f"{count} files read, {len(found)} secrets found")
    if found:
        click.echo("Take them out, and change each one that was ever pushed: git keeps what was committed.", err=True)
        sys.exit(1)


def _files(root: Path) -> Iterator[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=False)
        names = done.stdout.decode("utf-8", "surrogateescape").split("\0") if done.returncode == 0 else None
    except FileNotFoundError:
        names = None
    paths = rename.files(root) if names is None else (root / name for name in sorted(set(names)) if name)
    for path in paths:
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
            yield path


def _in_file(path: Path, root: Path) -> Iterator[Leak]:
    name = path.relative_to(root).as_posix()
    if path.name.startswith(".env") and path.name != ".env.example":
        yield Leak(path, 1, f"{name} is under version control; git rm --cached {name}")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        if ALLOWED in line:
            continue
        for what, pattern in _FOUND.items():
            found = pattern.search(line)
            if found and not (found.groups() and HARMLESS.fullmatch(found[1])):
                yield Leak(path, number, what)
    if path.suffix in (".yaml", ".yml") and "Secret" in text:
        yield from _in_manifest(path, text)


def _in_manifest(path: Path, text: str) -> Iterator[Leak]:
    try:
        documents: list[Any] = list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return
    lines = text.splitlines()
    for document in documents:
        if not isinstance(document, dict) or document.get("kind") != "Secret":
            continue
        values = {**(document.get("data") or {}), **(document.get("stringData") or {})}
        for key, value in values.items():
            harmless = not value or str(value).startswith("vault:v") or key in PUBLIC_KEYS
            if not harmless and not (key == ".dockerconfigjson" and '"password": ""' in str(value)):
                number = next((n for n, line in enumerate(lines, 1) if line.strip().startswith(f"{key}:")), 1)
                if ALLOWED not in lines[number - 1]:
                    yield Leak(path, number, f"the value of {key} in a Secret; make it a vault value")
