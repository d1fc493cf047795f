"""`python -m kit package`: the archive that Fission deploys, the same bytes for the same input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.errors import KitError

if TYPE_CHECKING:
    from kit.specs.archive import Entry
    from kit.specs.deployment import Deployment


@click.command()
@click.option("--env", "stage", metavar="STAGE", help="Lay .fission/STAGE-deployment.json over deployment.json.")
@click.option("--mode", type=click.Choice(["source", "deployment"]), help="What deployment.json says, by default.")
@click.option("--platform", type=click.Choice(["x86_64", "aarch64"]), help="Only for deployment mode.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("dist"), show_default=True)
def package(stage: str | None, mode: str | None, platform: str | None, output: Path) -> None:
    """Write the archive of all functions to dist/.

    Source mode packs your files; Fission's builder installs the dependencies with build.sh. Deployment mode adds the
    wheels for the image's Python on Alpine; nothing is built in the cluster. The file is named by its content.

    \b
    Examples:
      python -m kit package
      python -m kit package --env staging --mode deployment
    """
    from kit.project import find_root
    from kit.specs.command import show_errors
    from kit.specs.deployment import load_deployment
    from kit.specs.errors import SpecErrors

    root = find_root(Path.cwd())
    deployment = load_deployment(root, stage)
    changes = {key: value for key, value in {"mode": mode, "platform": platform}.items() if value is not None}
    try:
        target = build(deployment.with_package(**changes), root / output)
    except SpecErrors as errors:
        show_errors(errors)
        sys.exit(1)
    kibibytes = -(-target.stat().st_size // 1024)
    click.echo(f"{output / target.name} ({kibibytes} KiB)")


def build(deployment: Deployment, folder: Path) -> Path:
    """Write the archive of a project into `folder` and return its path; older archives of it stay.

    Raises:
        KitError: files cannot be packaged, or pip finds no wheel.
    """
    from kit.specs.archive import collect, package_name, write_zip

    entries = collect(deployment)
    target = folder / f"{package_name(deployment, entries)}.zip"
    deploy = deployment.settings.package.mode == "deployment"
    write_zip(target, [*_dependencies(deployment, entries), *entries] if deploy else entries, compress=deploy)
    return target


def _dependencies(deployment: Deployment, entries: list[Entry]) -> list[Entry]:
    from kit.specs.wheels import vendor

    settings = deployment.settings.package
    own = {entry.name: entry for entry in entries}
    if "requirements.txt" not in own:
        return []
    text = own["requirements.txt"].content.decode("utf-8", "replace")
    found = vendor(text, python=settings.python, platform=settings.platform)
    if taken := sorted({entry.name for entry in found} & own.keys()):
        raise KitError(f"{taken[0]} would replace a file of a dependency; rename your module.")
    return found
