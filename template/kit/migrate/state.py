"""What is wrong between the files and the database, version by version."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from kit.errors import KitError
from kit.migrate.files import Migration
from kit.migrate.journal import Applied

Problem = Literal["", "edited", "late", "missing"]
# The first minutes of 2026 are the versions of the template's examples, and of nothing else. A project may remove its
# examples; that their migrations were applied to a local database is then no sign of a file that was lost.
_EXAMPLES = re.compile(r"20260101000\d{3}")


@dataclass(frozen=True)
class State:
    """One line of `status`.

    Attributes:
        version: as the file's name says it.
        path: the file; None for a version that is applied but has no file, which is fine for a removed example.
        applied: the database has it.
        problem: "edited" since it was applied, "late" (older than what is applied already), "missing", or nothing.
        applied_at: when; None for what is not applied, or was applied by dbmate.
        duration_ms: how long that took.
    """

    version: str
    path: Path | None
    applied: bool
    problem: Problem = ""
    applied_at: datetime | None = None
    duration_ms: int | None = None


def compare(migrations: list[Migration], applied: Mapping[str, Applied]) -> list[State]:
    """Return all versions, oldest first, with what is wrong about them."""
    orphans = applied.keys() - {migration.version for migration in migrations}
    examples = {migration.version for migration in migrations if migration.is_example}
    newest = max((int(v) for v in applied.keys() - examples if not is_removed_example(v, orphans)), default=-1)
    states = [State(v, None, True, "" if is_removed_example(v, orphans) else "missing") for v in orphans]
    for migration in migrations:
        states.append(compared(migration, applied.get(migration.version), newest))
    return sorted(states, key=lambda state: int(state.version))


def is_removed_example(version: str, orphans: Collection[str]) -> bool:
    """Whether an applied version is that of an example whose file the project has removed."""
    return version in orphans and bool(_EXAMPLES.fullmatch(version))


def compared(migration: Migration, applied: Applied | None, newest: int = -1) -> State:
    """Return the state of one file; `newest` is the highest version that is applied, without examples."""
    if not applied:
        late: Problem = "late" if int(migration.version) < newest and not migration.is_example else ""
        return State(migration.version, migration.path, False, late)
    edited: Problem = "edited" if applied.checksum not in (None, migration.checksum) else ""
    return State(migration.version, migration.path, True, edited, applied.applied_at, applied.duration_ms)


def sentence(state: State) -> str:
    """Say what is wrong with a version, and what to do."""
    if state.problem == "edited":
        return (
            f"{state.path} was edited after it was applied; restore it and write a new migration, or, if the database "
            f"is as the file says, run `python -m kit migrate verify --accept {state.version}`"
        )
    if state.problem == "late":
        return (
            f"{state.path} is older than what is applied already; give it a newer version, "
            "or apply it all the same with --allow-late"
        )
    return f"version {state.version} is applied, but its file is missing; restore it, or go on with --allow-missing"


def refuse(states: list[State], *, allow_late: bool = False, allow_missing: bool = False) -> None:
    """Refuse to go on while something is wrong.

    Raises:
        KitError: with one sentence for each problem.
    """
    fine = {"", "late" if allow_late else "", "missing" if allow_missing else ""}
    if problems := [sentence(state) for state in states if state.problem not in fine]:
        raise KitError("\n".join(problems))
