"""`python -m kit update`."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import click

from kit import origin, project
from kit.changes import remove_empty
from kit.errors import KitError
from kit.update import archive as archives
from kit.update.archive import File, Template
from kit.update.git import Repository
from kit.update.plan import Step, plan

UNDO = "git reset --hard && git clean -fd"  # safe, because the tree was clean before


@click.command()
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--base", type=click.Path(path_type=Path), help="The archive that the project was made from.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
def update(archive: Path, base: Path | None, dry_run: bool) -> None:
    """Merge the template of ARCHIVE, a zip or tar.gz from the download page, into this project.

    Files that you have not touched are replaced; files that you and the template have changed are merged. Where both
    changed the same lines, the file gets conflict markers and is listed, and the exit code is 1. What you have added
    stays. Everything must be committed before, so that `git reset --hard && git clean -fd` undoes it.

    \b
    Examples:
      python -m kit update ~/Downloads/your-service-0.2.0.zip --dry-run
      python -m kit update ~/Downloads/your-service-0.2.0.zip
    """
    here = project.current()
    git = Repository(here.root)
    git.refuse_changes()
    new = archives.load(archive, here.name)
    old = archives.load(base, here.name) if base else None
    before = _before(here.root, old)
    _compare(before.version, new.version)

    def original(path: str) -> bytes | None:
        if old:
            return old.files[path].content
        return git.old_content(path, before.files[path])

    steps = plan(here.root, before, new, git, original)
    if not dry_run:
        _carry_out(here.root, steps, new)
    _report(steps, before.version, new.version, dry_run=dry_run)


def _before(root: Path, old: Template | None) -> origin.Origin:
    found = origin.read(root)
    if old and found and found.version != old.version:
        raise KitError(f"the project comes from version {found.version}, but --base is version {old.version}")
    if old:
        return old.origin
    if found:
        return found
    raise KitError(f"there is no {origin.FILE}; give the archive that this project was made from with --base")


def _compare(before: str, after: str) -> None:
    def number(version: str) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", version))

    if number(after) < number(before):
        raise KitError(f"the archive is version {after}, which is older than {before}, where the project is already")


def _carry_out(root: Path, steps: list[Step], new: Template) -> None:
    try:
        for step in steps:
            place = root / step.path
            if step.kind == "delete":
                place.unlink()
                remove_empty(place.parent, root)
            elif step.kind == "beside" and step.file:
                _write(place.with_name(f"{place.name}.template-{new.version}"), step.file)
            elif step.kind != "keep" and step.file:
                _write(place, step.file)
        (root / origin.FILE).write_text(new.origin.text, encoding="utf-8")
    except OSError as error:
        raise KitError(f"{error.filename} cannot be written ({error.strerror}); undo with: {UNDO}") from error


def _write(place: Path, file: File) -> None:
    """Write beside the place first, so that a full disk leaves the old file whole."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.new")
    draft.write_bytes(file.content)
    draft.chmod(0o755 if file.executable else 0o644)
    draft.replace(place)


def _report(steps: list[Step], before: str, after: str, *, dry_run: bool) -> None:
    for step in steps:
        click.echo(f"{step.kind:<9}{step.path}{f'  ({step.note})' if step.note else ''}")
    counts: Counter[str] = Counter(step.kind for step in steps)
    kinds = ("add", "replace", "merge", "delete", "conflict", "beside", "keep")
    summary = ", ".join(f"{counts[kind]} {kind}" for kind in kinds if counts[kind]) or "nothing changes"
    click.echo(f"{'would go' if dry_run else 'went'} from template {before} to {after}: {summary}")
    if dry_run:
        return
    undecided = counts["conflict"] + counts["beside"]
    if undecided:
        click.echo(f"decide {undecided} files by hand, then: make check && git add --all && git commit", err=True)
    click.echo(f"to undo: {UNDO}", err=True)
    if undecided:
        sys.exit(1)
