"""`.kit-manifest.json`: which template version a project comes from, and what each of its files was like.

The archive is packed with one. Renaming carries it over, so that `python -m kit update` can tell later which files the
team has changed. Standard library only, because a project is created before anything is installed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.errors import KitError

FILE = ".kit-manifest.json"


@dataclass(frozen=True)
class Origin:
    """The version of the template, and the SHA-256 of each file by its path."""

    version: str
    files: Mapping[str, str]

    @property
    def text(self) -> str:
        """The content of the file."""
        return json.dumps({"template": self.version, "files": self.files}, indent=1, sort_keys=True) + "\n"


def checksum(content: bytes) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def parse(text: str, place: str) -> Origin:
    """Read a manifest.

    Raises:
        KitError: it is none.
    """
    try:
        content = json.loads(text)
        version, files = content["template"], content["files"]
        if isinstance(version, str) and all(isinstance(sha, str) for sha in files.values()):
            return Origin(version, dict(files))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise KitError(f"{place} is not what the template's archive holds; restore it from version control")


def read(root: Path) -> Origin | None:
    """Return the manifest of a project, or None when it was not made from an archive.

    Raises:
        KitError: the file is damaged.
    """
    path = root / FILE
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise KitError(f"{path} cannot be read: {error}") from error


def carried_over(root: Path, path_of: Callable[[str], str], renamed: Callable[[bytes], bytes]) -> str | None:
    """Return the manifest's text for a renamed copy of a project, or None when it has none.

    A file that is as the template delivered it is still so under the other name; one that was edited stays edited.

    Args:
        root: the project before it is renamed.
        path_of: gives the new path of a file.
        renamed: gives the new content of a file.
    """
    found = read(root)
    if not found:
        return None
    files: dict[str, str] = {}
    for path, sha in found.files.items():
        place = root / path
        content = place.read_bytes() if place.is_file() else b""
        files[path_of(path)] = checksum(renamed(content)) if checksum(content) == sha else sha
    return Origin(found.version, files).text
