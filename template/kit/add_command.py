"""`python -m kit add`."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import click

from kit import adopt, changes, origin, project, rename
from kit.adopt import Changes, Files
from kit.errors import KitError
from kit.project import Project


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--from", "library", type=click.Path(path_type=Path), help="Copy from this archive or folder instead.")
@click.option("--list", "listing", is_flag=True, help="Only list the examples, and where each one is.")
@click.option("--dry-run", is_flag=True, help="Only list the files that would change.")
def add(names: tuple[str, ...], library: Path | None, listing: bool, dry_run: bool) -> None:
    """Make examples part of the service: their files move from examples/ to src/, test/ and migrates/.

    Their packages are appended to requirements.in and src/requirements.txt. Nothing is overwritten, and all of it is
    done or nothing. A project that has removed its examples takes them from the archive of the download page, or from
    an unpacked one, with --from.

    \b
    Examples:
      python -m kit add --list
      python -m kit add crud --dry-run
      python -m kit add crud quota
      python -m kit add users --from ~/Downloads/template.zip
    """
    here = project.current()
    files = changes.read(here.root, *adopt.PLACES)
    source = _library(library, here) if library else None
    if listing:
        _list(files, files if source is None else source)
        return
    if not names:
        raise KitError("name an example; there are: " + ", ".join(_known(files, source)))
    found = adopt.adopt(files, names, source)
    if not dry_run:
        changes.write(here.root, found)
    _report(found, dry_run=dry_run)
    if not dry_run:
        _next(here, found, files)


def _library(place: Path, here: Project) -> dict[str, bytes]:
    """Read an archive or a folder as if it had the name of this project."""
    from kit.update import archive

    if place.is_dir():
        old = rename.current_name(place)
        version = found.version if (found := origin.read(place)) else None
        files = {
            rename.rename_text(path, old, here.name): rename.rename_bytes(content, old, here.name)
            for path, content in changes.read(place, *adopt.PLACES).items()
        }
    else:
        template = archive.load(place, here.name)
        version, files = template.version, {path: file.content for path, file in template.files.items()}
    ours = origin.read(here.root)
    if ours and version and ours.version != version:
        click.echo(f"note: {place} is template {version}, and this project comes from {ours.version}", err=True)
    return files


def _known(files: Files, source: Files | None) -> list[str]:
    return adopt.in_order([*adopt.examples(files), *(adopt.examples(source) if source else [])]) or list(adopt.NAMES)


def _list(files: Files, library: Files) -> None:
    here, there = adopt.examples(files, "src"), adopt.examples(library)
    for name in adopt.in_order([*adopt.NAMES, *here, *there]):
        folder = "src" if name in here else "examples"
        content = (files if name in here else library).get(f"{folder}/example_{name}.py")
        where = "absent" if content is None else f"{folder}/"
        click.echo(f"{name:<10} {where:<10} {_summary(content)}".rstrip())


def _summary(content: bytes | None) -> str:
    """Return the first line of a module's docstring."""
    try:
        return (ast.get_docstring(ast.parse(content or b"")) or "").partition("\n")[0]
    except (SyntaxError, ValueError):
        return "(it is not Python)"


def _report(found: Changes, *, dry_run: bool) -> None:
    for path, content in sorted(found.items()):
        if content is not None:
            click.echo(f"{'would write' if dry_run else 'wrote'} {path}")
    gone = sum(content is None for content in found.values())
    if gone:
        click.echo(f"{'would remove' if dry_run else 'removed'} {gone} files from examples/")


def _next(here: Project, found: Changes, files: Files) -> None:
    """Say what is left to do."""
    from kit.manifests.names import read_by_code

    modules = [here.root / path for path, content in found.items() if content and path.startswith("src/example_")]
    uses = [use for use in read_by_code(here.src) if use.path in modules]
    settings = sorted({(use.kind, use.key) for use in uses})
    click.echo("\nNext:")
    for kind in ("secret", "config"):
        if keys := [key for one, key in settings if one == kind]:
            click.echo(f"  {kind}s that are read now, from .env and in the cluster: {', '.join(keys)}")
    if packages := _new_packages(found, files):
        click.echo(f"  pip packages were added: {', '.join(packages)}; run: {_setup(packages, files)}")
    if any(b'"http_triggers"' in (content or b"") for path, content in found.items() if path.startswith("src/")):
        click.echo("  who may call the routes: anybody who reaches the router; protect them at your gateway")
    click.echo("  make test")
    click.echo("  .venv/bin/python -m kit check")


def _new_packages(found: Changes, files: Files) -> list[str]:
    path = "src/requirements.txt"
    before = {package for package, _ in adopt.blocks(files.get(path, b""))}
    return [package for package, _ in adopt.blocks(found.get(path) or b"") if package not in before]


def _setup(packages: Iterable[str], files: Files) -> str:
    """Return what brings packages into .venv; the template's list for developers has those of all its examples."""
    there = {package for package, _ in adopt.blocks(files.get("dev-requirements.txt", b""))}
    return "make setup" if there.issuperset(packages) else "make lock setup"
