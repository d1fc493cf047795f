"""`python -m kit env`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kit import project
from kit.errors import KitError
from kit.private_file import write_private


@click.command()
@click.option("--env", "stage", metavar="STAGE", help="Take the namespace of .fission/STAGE-deployment.json.")
@click.option("--file", "source", type=click.Path(path_type=Path), default=Path(".env"), show_default=True)
@click.option("--encrypt", is_flag=True, help="Make vault values of all secrets, so that the file may be committed.")
@click.option("--output", help="A file, or - for standard output.  [default: manifests/env[-STAGE].yaml]")
@click.option("--check", is_flag=True, help="Only compare code, .env.example and manifests/; fail when they differ.")
def env(stage: str | None, source: Path, encrypt: bool, output: str | None, check: bool) -> None:
    """Write the Secret and the ConfigMap of the functions, with the values of .env, as a Kubernetes manifest.

    The file is readable for you alone and ignored by git. With --encrypt its secrets are vault values, which only the
    holder of VAULT_KEY can read: write them to a file of another name, and commit that.

    \b
    Examples:
      python -m kit env
      python -m kit env --env staging --file .env.staging --output - | kubectl apply -f -
      python -m kit env --env staging --encrypt --output manifests/staging.yaml
      python -m kit env --check
    """
    here = project.current()
    if check:
        _compare(here)
        return
    from kit.manifests.render import manifest
    from kit.specs.deployment import load_deployment
    from kit.specs.errors import SpecErrors

    try:
        namespace = load_deployment(here.root, stage).settings.namespace
    except SpecErrors as errors:
        raise KitError("\n".join(str(error) for error in errors.errors)) from None
    path = source if source.is_absolute() else here.root / source
    made = manifest(here, path, namespace, encrypt=encrypt)
    if output == "-":
        click.echo(made.text, nl=False)
    else:
        target = Path(output) if output else here.root / "manifests" / f"env{f'-{stage}' if stage else ''}.yaml"
        write_private(target, made.text)
        click.echo(f"{target}: Secret {here.secret_name} and ConfigMap {here.config_name} for namespace {namespace}")
    for note in made.notes:
        click.echo(note, err=True)


def _compare(here: project.Project) -> None:
    from kit.manifests.complete import differences

    problems = differences(here)
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(1)
    click.echo("code, .env.example and manifests name the same settings")
