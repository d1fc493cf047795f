"""`python -m kit migrate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kit import database, project
from kit import migrate as runner
from kit.errors import KitError
from kit.migrate.session import Settings
from kit.migrate.state import State

MARKS = {"edited": "!", "late": "!", "missing": "?"}


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `up` and `down` have in common."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Execute everything, then roll it back."),
        click.option(
            "--lock-timeout-seconds",
            type=click.FloatRange(min=0),
            default=Settings.lock_timeout_seconds,
            show_default=True,
            help="How long a statement may wait for a table that others use; 0 waits for ever.",
        ),
        click.option(
            "--patience-seconds",
            type=click.FloatRange(min=0),
            default=Settings.patience_seconds,
            show_default=True,
            help="How long to wait for another migration run.",
        ),
    ):
        command = option(command)
    return command


def _examples(command: Callable[..., Any]) -> Callable[..., Any]:
    text = "With the migrations of examples/.  [default: only on the embedded database]"
    return click.option("--examples/--no-examples", default=None, help=text)(command)


@click.group()
def migrate() -> None:
    """Apply, revert, list and verify the SQL migrations of migrates/, and of examples/migrates/.

    The database is the one of DATABASE_URL or PG_HOST ... in the environment, else in .env, else the embedded one
    that `python -m kit serve` uses.

    \b
    Examples:
      python -m kit migrate new "add price to items"
      python -m kit migrate verify --replay
      python -m kit migrate up --dry-run
      DATABASE_URL=postgresql://user:password@host/db python -m kit migrate up
    """


@migrate.command()
@_shared
@_examples
@click.option("--allow-late", is_flag=True, help="Also apply files that are older than what is applied already.")
@click.option("--allow-missing", is_flag=True, help="Do not mind applied versions that have no file.")
def up(examples: bool | None, **options: Any) -> None:
    """Apply everything that is not applied yet.

    The migrations of examples/ are for local runs: they are applied to the embedded database, to another one only with
    --examples.

    \b
    Examples:
      python -m kit migrate up
      python -m kit migrate up --dry-run
    """
    here = project.current()
    with database.development(here) as dsn:
        applied = runner.apply(dsn, _folders(here, examples), known=here.all_migrates, report=_say, **options)
    verb = "would apply" if options["dry_run"] else "applied"
    click.echo("\n".join(f"{verb} {version}" for version in applied) or "nothing to do: everything is applied")


@migrate.command()
@_shared
def down(**options: Any) -> None:
    """Revert the newest applied migration.

    \b
    Examples:
      python -m kit migrate down
      python -m kit migrate down --dry-run
    """
    here = project.current()
    with database.development(here) as dsn:
        version = runner.revert(dsn, here.all_migrates, report=_say, **options)
    verb = "would revert" if options["dry_run"] else "reverted"
    click.echo(f"{verb} {version}" if version else "nothing to do: nothing is applied")


@migrate.command()
@_examples
def status(examples: bool | None) -> None:
    """List all migrations, and indexes that are INVALID; changes nothing.

    \b
    Examples:
      python -m kit migrate status
    """
    here = project.current()
    with database.development(here) as dsn:
        states = runner.status(dsn, _folders(here, examples), here.all_migrates)
        invalid = runner.invalid_indexes(dsn)
    for state in states:
        click.echo(_line(state, here))
    for index in invalid:
        click.echo(str(index))
    if not states:
        click.echo(f"no migrations in {here.migrates}")


@migrate.command()
@click.argument("title", nargs=-1, required=True)
def new(title: tuple[str, ...]) -> None:
    """Write an empty migration called after TITLE.

    \b
    Examples:
      python -m kit migrate new add price to items
    """
    here = project.current()
    click.echo(runner.new(here.migrates, " ".join(title)).relative_to(here.root))


@migrate.command()
@click.option("--replay", is_flag=True, help="Take each file up, down and up again, on a scratch database.")
@click.option("--accept", metavar="VERSION", help="Record the file as it is now as what was applied.")
def verify(replay: bool, accept: str | None) -> None:
    """Compare the database with the files; exit with 1 when something is edited, late, missing or INVALID.

    With --replay the database is not looked at. Instead each migration goes up, down and up again on a database that
    is thrown away, and `down` must give back the schema that was there before.

    \b
    Examples:
      python -m kit migrate verify
      python -m kit migrate verify --replay
      python -m kit migrate verify --accept 20260101000000
    """
    here = project.current()
    if replay and accept:
        raise KitError("--replay and --accept do not go together; give one of them")
    if replay:
        _replay(here)
        return
    with database.development(here) as dsn:
        if accept:
            runner.accept(dsn, here.all_migrates, accept)
            click.echo(f"recorded {accept} as it is now")
        problems = runner.verify(dsn, here.migrates, here.all_migrates)
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(1)
    click.echo("the database is as the files say")


def _replay(here: project.Project) -> None:
    from kit.postgres import Server

    own = database.configured(os.environ, here)
    if own:
        one_way = runner.replay(own, here.all_migrates)
    else:
        with Server.temporary() as server:
            one_way = runner.replay(server.dsn, here.all_migrates)
    for version in one_way:
        click.echo(f"{version} has no way back: there is nothing below `-- migrate:down`")
    count = len(runner.read(here.all_migrates))
    click.echo(f"{count} migrations went up, {count - len(one_way)} of them down and up again")


def _folders(here: project.Project, examples: bool | None) -> list[Path]:
    """Return what to apply; nobody wants the examples' tables in a database that others use."""
    wanted = database.is_embedded(here) if examples is None else examples
    return here.all_migrates if wanted else [here.migrates]


def _line(state: State, here: project.Project) -> str:
    name = state.path.name if state.path else state.version
    mark = MARKS.get(state.problem, "x" if state.applied else " ")
    notes: list[str] = [state.problem] if state.problem else []
    if not state.path and not state.problem:
        notes.append("an example that was removed")
    elif state.path and here.examples in state.path.parents:
        notes.append("of examples/")
    if state.applied_at:
        notes.append(f"applied {state.applied_at:%Y-%m-%d %H:%M:%S %Z} in {state.duration_ms} ms")
    return f"[{mark}] {name}{'  ' if notes else ''}{', '.join(notes)}"


def _say(line: str) -> None:
    click.echo(line, err=True)
