"""`python -m kit rename`."""

from __future__ import annotations

import click

from kit import project
from kit.errors import KitError
from kit.rename import current_name, identifier, rename_in_place


@click.command()
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only list the files that would change.")
@click.option("--force", is_flag=True, help="Rename although the current name is a single word.")
def rename(name: str, dry_run: bool, force: bool) -> None:
    """Rename this project to NAME, in texts and in paths.

    A current name that is a single word may also stand in the texts as an ordinary word, and its spelling as an
    identifier is the same; then look at the list first and repeat with --force. Commit before you rename.

    \b
    Examples:
      python -m kit rename blue-door --dry-run
      python -m kit rename blue-door
    """
    root = project.current().root
    old = current_name(root)
    if identifier(old) == old and not (force or dry_run):
        raise KitError(
            f"the current name {old!r} is a single word, which may also mean something else in the texts; "
            "look at the list of `--dry-run`, then repeat with --force"
        )
    changed = rename_in_place(root, name, dry_run=dry_run)
    click.echo("\n".join(changed))
    click.echo(f"{'would rename' if dry_run else 'renamed'} {old} to {name} in {len(changed)} files")
    if not dry_run:
        click.echo(
            f"the embedded database is now {identifier(name)}; the data of {identifier(old)} stay where they are."
        )
