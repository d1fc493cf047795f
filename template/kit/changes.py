"""Read several files of a project, and change several, all or none. Standard library only, as `kit.adopt`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kit import signals
from kit.errors import KitError
from kit.rename import files


def read(root: Path, *names: str) -> dict[str, bytes]:
    """Return the files in some folders, and single files, by path; what is not there is left out, and so are links."""
    paths = [path for name in names if (root / name).is_dir() for path in files(root / name)]
    paths += [root / name for name in names if (root / name).is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths if not path.is_symlink()}


def write(root: Path, changes: Mapping[str, bytes | None]) -> None:
    """Bring files to new contents; after a failure or Ctrl-C they are what they were before.

    Everything is written beside its place first, then moved there, and files are removed at the end.

    Args:
        root: the project.
        changes: by path: the new content, or None for a file that is to go. The order is kept.

    Raises:
        KitError: a file cannot be written, or somebody stopped it; nothing was changed then.
    """
    places = {root / path: content for path, content in changes.items()}
    for place in places:
        if place.is_symlink() or (place.exists() and not place.is_file()):
            raise KitError(f"{place} is no file; move it away")
    before = {place: place.read_bytes() if place.exists() else None for place in places}
    with signals.as_interrupts():
        try:
            _carry_out(places)
        except BaseException as error:
            signals.ignore()
            _undo(before, root)
            if isinstance(error, OSError):
                raise KitError(f"{error.filename} cannot be written ({error.strerror}); nothing was changed") from error
            if isinstance(error, KeyboardInterrupt):
                raise KitError("interrupted; nothing was changed") from None
            raise
    for place, content in places.items():
        if content is None:
            remove_empty(place.parent, root)


def remove_empty(folder: Path, root: Path) -> None:
    """Remove a folder that holds nothing, and those above it up to the root that then hold nothing either."""
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _carry_out(places: Mapping[Path, bytes | None]) -> None:
    for place, content in places.items():
        if content is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            _draft(place).write_bytes(content)
            if place.exists():
                shutil.copymode(place, _draft(place))
    for place, content in places.items():
        if content is not None:
            _draft(place).replace(place)
    for place, content in places.items():
        if content is None:
            place.unlink(missing_ok=True)


def _undo(before: Mapping[Path, bytes | None], root: Path) -> None:
    for place, content in before.items():
        if content is None:
            with suppress(OSError):  # the folder was never made
                _draft(place).unlink(missing_ok=True)
                place.unlink(missing_ok=True)
                remove_empty(place.parent, root)
            continue
        _draft(place).unlink(missing_ok=True)
        if not place.exists() or place.read_bytes() != content:
            place.write_bytes(content)


def _draft(place: Path) -> Path:
    return place.with_name(f".{place.name}.new")
