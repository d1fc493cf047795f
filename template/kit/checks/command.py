"""`python -m kit check`: Fission's pitfalls, found before the cluster does."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option("--env", "stage", metavar="STAGE", help="Lay .fission/STAGE-deployment.json over deployment.json.")
@click.option("--strict", is_flag=True, help="Fail on warnings, too.")
@click.option("--list", "listed", is_flag=True, help="List all checks.")
def check(stage: str | None, strict: bool, listed: bool) -> None:
    """Look for Fission's pitfalls in functions, settings, dependencies and scripts.

    Each finding has the id of a rule that the guide explains. A rule that does not apply is ignored with its reason in
    deployment.json: "ignore_checks": {"FK075": "internalAuth is off"}.

    \b
    Examples:
      python -m kit check
      python -m kit check --env staging --strict
      python -m kit check --list
    """
    from kit.checks.registry import findings, rules
    from kit.project import find_root
    from kit.specs.errors import SpecErrors
    from kit.specs.project_specs import load

    known = rules()
    if listed:
        for each in known.values():
            click.echo(f"{each.id} {each.severity:7} {each.title}")
        return
    root = find_root(Path.cwd())
    try:
        loaded = load(root, stage)
        found = findings(loaded)
        functions = len(loaded.functions)
    except SpecErrors as errors:
        found, functions = list(errors.errors), 0
    severities = [known[one.rule].severity if one.rule else "error" for one in found]
    for one, severity in zip(found, severities, strict=True):
        place = one.relative_to(Path.cwd())
        text = f"{place.rule} {one.what}. {one.why}. {one.fix}.".lstrip()
        click.echo(f"{place.path}:{one.line}:{one.column}: {severity}: {text}")
    for anchor in sorted({known[one.rule].anchor for one in found if one.rule}):
        click.echo(f"explained in the guide: {anchor}")
    errors_found, warnings = severities.count("error"), severities.count("warning")
    counts = [(functions, "function"), (len(known), "check"), (errors_found, "error"), (warnings, "warning")]
    click.echo(", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts))
    if errors_found or (strict and warnings):
        sys.exit(1)
