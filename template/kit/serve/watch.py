"""Notice changed files by looking at them; costs no dependency and works on every file system."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

Snapshot = dict[Path, tuple[int, int, int]]


def snapshot(paths: Iterable[Path], suffixes: frozenset[str]) -> Snapshot:
    """Return time, size and inode of each file.

    Args:
        paths: files, and folders that are searched for files.
        suffixes: of the files that count in folders.
    """
    found: Snapshot = {}
    for path in paths:
        files = path.rglob("*") if path.is_dir() else [path]
        for file in files:
            if file != path and (file.suffix not in suffixes or "__pycache__" in file.parts):
                continue
            try:
                stat = file.stat()
            except OSError:  # it is gone again, or not there yet
                continue
            found[file] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return found


def changed(before: Snapshot, after: Snapshot) -> list[Path]:
    """Return the files that are new, gone or different."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
