"""Decide file by file what an update does; nothing is written here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kit import adopt
from kit.errors import KitError
from kit.origin import Origin, checksum
from kit.update.archive import File, Template
from kit.update.git import Repository

Kind = Literal["add", "replace", "merge", "delete", "conflict", "keep", "beside"]
MINE = "migrates/"  # applied migrations never change, so the template's are examples for new projects only


@dataclass(frozen=True)
class Step:
    """What happens to one path: `file` is what to write, None to leave or delete it; `note` says why."""

    kind: Kind
    path: str
    file: File | None = None
    note: str = ""


class NeedsBaseError(KitError):
    """Some files were changed on both sides, and what they were before is nowhere to be found."""


def plan(
    root: Path, base: Origin, new: Template, git: Repository, original: Callable[[str], bytes | None]
) -> list[Step]:
    """Return the steps, by path.

    Args:
        root: the project.
        base: what its files were like when they came from the template.
        new: the template to bring in.
        git: the project's repository.
        original: gives the content that `base` describes, or None when it cannot be found.

    Raises:
        NeedsBaseError: the content of some files from before is needed and cannot be found.
    """
    steps: list[Step] = []
    lost: list[str] = []
    for path in sorted(base.files.keys() | new.files.keys()):
        theirs, sha = new.files.get(path), base.files.get(path)
        place = root / path
        ours = place.read_bytes() if place.is_file() and not place.is_symlink() else None
        if path.startswith(MINE) and path.endswith(".sql"):
            if theirs and ours is None and sha is None:
                steps.append(Step("keep", path, note="a migration of the template; yours are your own, it is left out"))
        elif theirs is None:
            steps += _removed(path, ours, sha)
        elif ours is None and (why := _left(root, path, base)):
            steps += [Step("keep", path, note=why)] if checksum(theirs.content) != sha else []
        elif ours is None:
            steps += _absent(path, place, theirs, sha)
        elif ours == theirs.content or checksum(theirs.content) == sha:
            continue
        elif checksum(ours) == sha:
            steps.append(Step("replace", path, theirs))
        elif not git.tracks(path):
            steps.append(Step("beside", path, theirs, "git does not have yours, so it is left alone"))
        else:
            before = b"" if sha is None else original(path)
            if before is None:
                lost.append(path)
            else:
                steps.append(_merged(path, ours, before, theirs, git, (base.version, new.version)))
    if lost:
        raise NeedsBaseError(
            f"changed by you and by the template: {', '.join(lost)}. To merge them, the archive of version "
            f"{base.version} is needed; give it with --base"
        )
    return steps


def _removed(path: str, ours: bytes | None, sha: str | None) -> list[Step]:
    if ours is None:
        return []
    if checksum(ours) == sha:
        return [Step("delete", path)]
    return [Step("keep", path, note="the template has it no longer, but you have changed it")]


def _absent(path: str, place: Path, theirs: File, sha: str | None) -> list[Step]:
    if place.is_symlink() or place.exists() or any(parent.is_file() for parent in place.parents):
        return [Step("keep", path, note="something that is no file stands there; the template's version is left out")]
    if sha is None:
        return [Step("add", path, theirs)]
    if checksum(theirs.content) == sha:
        return []
    return [Step("keep", path, note="you have deleted it; the template has changed it")]


def _left(root: Path, path: str, base: Origin) -> str:
    """Say why a file of an example does not come back: the project has added the example, or removed it."""
    name = adopt.owner(path)
    module = f"examples/example_{name}.py"
    if name is None or module not in base.files or (root / module).exists():
        return ""
    if (root / f"src/example_{name}.py").exists():
        return f"the example {name} is yours since you added it to src/; the template has changed its own"
    return f"you have removed the example {name}; the template has changed it"


def _merged(path: str, ours: bytes, before: bytes, theirs: File, git: Repository, versions: tuple[str, str]) -> Step:
    result = git.merge(ours, before, theirs.content, versions)
    if result is None:
        return Step("beside", path, theirs, "it is not text, so it cannot be merged; yours is left alone")
    content, conflicts = result
    file = File(content, theirs.executable)
    if not conflicts:
        return Step("merge", path, file)
    hint = "; or take either side and run `make lock`" if path.endswith("requirements.txt") else ""
    return Step("conflict", path, file, f"{conflicts} place{'' if conflicts == 1 else 's'} to decide{hint}")
