"""`python -m kit specs`: write specs/*.yaml, or show what would change."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from kit.errors import KitError

if TYPE_CHECKING:
    from kit.specs.errors import SpecErrors


@click.command()
@click.option("--env", "stage", metavar="STAGE", help="Lay .fission/STAGE-deployment.json over deployment.json.")
@click.option("--check", is_flag=True, help="Write nothing; show a diff and fail if specs/ is not up to date.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("specs"), show_default=True)
@click.option("--schema", type=click.Choice(["deployment", "function"]), help="Print a JSON Schema for editors.")
def specs(stage: str | None, check: bool, output: Path, schema: str | None) -> None:
    """Write Fission's specs from the docstrings of main() and .fission/.

    \b
    Examples:
      python -m kit specs
      python -m kit specs --env dev
      python -m kit specs --env dev --check
    """
    if schema is not None:
        click.echo(schema_text(schema), nl=False)
        return
    from kit.specs.errors import SpecErrors

    try:
        _run(stage, check=check, output=output)
    except SpecErrors as errors:
        show_errors(errors)
        sys.exit(1)


def show_errors(errors: SpecErrors) -> None:
    """Print problems as a user in the current folder would type their paths."""
    here = Path.cwd()
    for error in errors.errors:
        click.echo(str(error.relative_to(here)), err=True)
    count = len(errors.errors)
    click.echo(f"{count} error{'s' if count > 1 else ''}; nothing was written", err=True)


def schema_text(name: str) -> str:
    """Return the JSON Schema of deployment.json or of a Fission block."""
    from kit.specs.models import FunctionConfig
    from kit.specs.settings import Settings

    model = Settings if name == "deployment" else FunctionConfig
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(by_alias=True)}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _run(stage: str | None, *, check: bool, output: Path) -> None:
    from kit.checks.registry import errors_of
    from kit.project import find_root
    from kit.specs.archive import collect, package_name
    from kit.specs.errors import SpecErrors
    from kit.specs.files import difference, render, write
    from kit.specs.generate import generate
    from kit.specs.project_specs import load
    from kit.specs.uid import FILE, create_uid, read_uid

    root = find_root(Path.cwd())
    folder = root / output
    loaded = load(root, stage)
    if errors := errors_of(loaded):
        raise SpecErrors(errors)
    option = f" --env {stage}" if stage else ""
    uid = read_uid(root)
    if uid is None and check:
        raise KitError(f'{FILE} is missing; run "python -m kit specs" once and commit the file.')
    entries = collect(loaded.deployment)
    package = package_name(loaded.deployment, entries)
    texts = render(generate(loaded.deployment, loaded.functions, package, uid or str(UUID(int=0))))
    if check:
        if diff := difference(folder, texts):
            click.echo(diff, nl=False)
            raise KitError(
                f'{folder.name}/ is not up to date; run "python -m kit specs{option}" and commit the result.'
            )
        click.echo(f"{folder.name}/ is up to date: {_summary(texts)}")
        return
    if uid is None:
        uid = create_uid(root)
        click.echo(f"{FILE}: created with {uid}; commit it, it marks this project's objects in the cluster")
        texts = render(generate(loaded.deployment, loaded.functions, package, uid))
    changed = write(folder, texts)
    click.echo(f"{folder.name}/: {_summary(texts)}, {len(changed)} changed")
    if "package.yaml" in texts and not (root / "dist" / f"{package}.zip").exists():
        click.echo(f'dist/{package}.zip is not there yet; "python -m kit package{option}" makes it')


def _summary(texts: dict[str, str]) -> str:
    functions = sum(name.startswith("function-") for name in texts)
    return f"{len(texts)} files, {functions} function{'' if functions == 1 else 's'}"
