"""`python -m kit audit`: known vulnerabilities of everything that is pinned, here and in Fission's environment."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from kit import project
from kit.errors import KitError

# Source: https://google.github.io/osv.dev/post-v1-querybatch/
SERVICE = "https://api.osv.dev/v1/querybatch"
FILES = (
    "src/requirements.txt",
    "dev-requirements.txt",
    "manifests/migrate-requirements.txt",
    "kit/python-env-1.35.0.txt",
)
CANARY = ("jinja2", "2.4.1")  # has had known vulnerabilities for ten years: a service that knows none knows nothing
TIMEOUT_SECONDS = 60
CANNOT = 2  # exit code when nothing was audited, so that nobody takes that for "nothing was found"

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")


@dataclass(frozen=True)
class Finding:
    """A known vulnerability of a pinned package; `files` say where it is pinned."""

    package: str
    version: str
    id: str
    files: tuple[str, ...]


class CannotAuditError(KitError):
    """Nothing was audited."""


def audit(root: Path, service: str = SERVICE) -> tuple[int, list[Finding]]:
    """Return how many packages were asked for, and what is known about them.

    Args:
        root: the project.
        service: the address of OSV's batch query, or of a mirror of it.

    Raises:
        CannotAuditError: a file is missing or pins nothing, the service does not answer, or it answers for less than
            it was asked, or it does not even know the vulnerabilities of a package from 2010.
    """
    pins = _pins(root)
    packages = sorted(pins)
    answers = _ask(service, [*packages, CANARY])
    if not answers[-1]:
        raise CannotAuditError(f"{service} knows no vulnerability of {'=='.join(CANARY)}, so it knows nothing")
    found = [
        Finding(name, version, known, tuple(pins[name, version]))
        for (name, version), ids in zip(packages, answers, strict=False)
        for known in ids
    ]
    return len(packages), found


@click.command("audit")
def command() -> None:
    """Look up known vulnerabilities of all pinned packages, those in Fission's environment included.

    The service is OSV, or what AUDIT_URL names. What does not concern you is ignored with its reason in pyproject.toml:
    [tool.kit.audit.ignore] with lines such as "GHSA-..." = "we do not parse XML". Exit code 1: something was found;
    2: nothing could be audited.

    \b
    Examples:
      python -m kit audit
    """
    root = project.current().root
    try:
        ignored = _ignored(root)
        count, found = audit(root, os.environ.get("AUDIT_URL") or SERVICE)
    except CannotAuditError as error:
        click.echo(f"error: nothing was audited: {error}", err=True)
        sys.exit(CANNOT)
    for one in found:
        note = f"  (ignored: {ignored[one.id]})" if one.id in ignored else ""
        click.echo(f"{one.package} {one.version}: {one.id} https://osv.dev/{one.id} ({', '.join(one.files)}){note}")
    if unknown := sorted(ignored.keys() - {one.id for one in found}):
        click.echo(f"pyproject.toml ignores {', '.join(unknown)}, which no longer occurs; remove it", err=True)
    open_ones = [one for one in found if one.id not in ignored]
    click.echo(
        f"{count} packages audited, {len(open_ones)} known vulnerabilities, {len(found) - len(open_ones)} ignored"
    )
    if open_ones or unknown:
        sys.exit(1)


def _pins(root: Path) -> dict[tuple[str, str], list[str]]:
    pins: dict[tuple[str, str], list[str]] = {}
    for name in FILES:
        try:
            lines = (root / name).read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise CannotAuditError(f"{root / name} cannot be read: {error.strerror}") from error
        matches = [found for line in lines if (found := _PIN.match(line))]
        if not matches:
            raise CannotAuditError(f"{root / name} pins nothing; run `make lock`")
        for found in matches:
            pins.setdefault((found[1].lower(), found[2]), []).append(name)
    return pins


def _ask(service: str, packages: list[tuple[str, str]]) -> list[list[str]]:
    queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in packages]
    if not service.startswith(("https://", "http://")):
        raise CannotAuditError(f"{service!r} is no address; AUDIT_URL must begin with https://")
    request = urllib.request.Request(  # noqa: S310 - checked in the line above
        service, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            body: Any = json.load(answer)
        results = [[str(known["id"]) for known in result.get("vulns", [])] for result in body["results"]]
    except urllib.error.HTTPError as error:
        raise CannotAuditError(f"{service} answers {error.code} {error.reason}") from error
    except OSError as error:
        raise CannotAuditError(f"{service} does not answer: {getattr(error, 'reason', error)}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CannotAuditError(f"{service} answers something else than OSV would") from error
    if len(results) != len(packages):
        raise CannotAuditError(f"{service} answers for {len(results)} packages instead of {len(packages)}")
    return results


def _ignored(root: Path) -> dict[str, str]:
    path = root / "pyproject.toml"
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CannotAuditError(f"{path}: {error}") from error
    ignored = settings.get("tool", {}).get("kit", {}).get("audit", {}).get("ignore", {})
    if not isinstance(ignored, dict) or not all(isinstance(why, str) and why for why in ignored.values()):
        raise CannotAuditError(f'{path}: [tool.kit.audit.ignore] must hold lines such as "GHSA-..." = "the reason"')
    return ignored
