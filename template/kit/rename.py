"""Give a project another name: the rule, and `python -m kit rename`, which applies it in place.

Uses the standard library only, so that it runs before anything is installed. The download page renames in the
browser by the same rule: `rename_text` on paths and on everything that is UTF-8 text.
"""

from __future__ import annotations

import json
import keyword
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from kit import origin
from kit.errors import KitError

LONGEST = 48  # characters, so that fission-<name>-config still is a DNS label of 63
# What is generated or personal, by name; a virtual environment is recognised under any name.
LEFT_OUT = {
    ".env",
    ".git",
    ".hypothesis",
    ".kit",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
    "__pycache__",
    "dist",
}
# What belongs to one project only: two projects with the same uid would delete each other's objects in the cluster.
OWN = {".fission/uid", "specs/fission-deployment-config.yaml"}
# Not every Python from 3.11 to 3.14 has these modules; a name is refused, whichever of them runs.
_NOT_IN_ALL = (
    "aifc annotationlib asynchat asyncore audioop cgi cgitb chunk compression crypt distutils imghdr imp lib2to3 "
    "mailcap msilib nis nntplib ossaudiodev pipes smtpd sndhdr spwd sunau telnetlib uu xdrlib"
)
STDLIB = {name for name in sys.stdlib_module_names if name[0] != "_"} | set(_NOT_IN_ALL.split())
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SERVER = {"server", "flask_sockets", "socket_tracker"}  # modules of Fission's Python environment itself


def rename_text(text: str, old: str, new: str) -> str:
    """Return the text with the project's name replaced, both as `blue-door` and as `blue_door`.

    The name counts only where no letter or digit touches it: `fission-blue-door-env` has it, `blue-doors`
    has not. Renaming back gives the original, provided that the text did not hold the new name before and that
    both names have a hyphen (else the two spellings fall together).
    """
    spellings = "|".join(re.escape(spelling) for spelling in (old, identifier(old)))
    pattern = re.compile(f"(?<![A-Za-z0-9])(?:{spellings})(?![A-Za-z0-9])")
    return pattern.sub(lambda found: new if found[0] == old else identifier(new), text)


def rename_bytes(content: bytes, old: str, new: str) -> bytes:
    """Return the content of a file renamed; what is not UTF-8 text stays as it is."""
    try:
        return rename_text(content.decode("utf-8"), old, new).encode("utf-8")
    except UnicodeDecodeError:
        return content


def identifier(name: str) -> str:
    """Return the name where only letters, digits and `_` are allowed."""
    return name.replace("-", "_")


def check_name(name: str, pins: Path) -> None:
    """Refuse a name that would fail somewhere later.

    Args:
        name: as the user typed it.
        pins: the list of packages in Fission's Python environment.

    Raises:
        KitError: with the reason in one sentence.
    """
    if not _LABEL.fullmatch(name):
        raise KitError(f"{name!r} is no valid name: use lower-case letters, digits and inner hyphens (a DNS label)")
    if name[0].isdigit():
        raise KitError(f"{name!r} starts with a digit, but the name is also used as an identifier; start with a letter")
    if len(name) > LONGEST:
        raise KitError(
            f"{name!r} has {len(name)} characters; at most {LONGEST} fit into the names of Kubernetes objects"
        )
    word = identifier(name)
    if keyword.iskeyword(word):
        raise KitError(f"{name!r} is a keyword of Python; choose another name")
    if word in STDLIB:
        raise KitError(f"{name!r} is a module of Python's standard library; choose another name")
    if word in environment_packages(pins):
        raise KitError(f"{name!r} is a package of Fission's Python environment; choose another name")


def environment_packages(pins: Path) -> set[str]:
    """Return the names of the packages and modules of Fission's Python environment, as identifiers."""
    lines = pins.read_text(encoding="utf-8").splitlines()
    names = [line.partition("==")[0].strip().lower() for line in lines if "==" in line and line[0] != "#"]
    return _SERVER | {re.sub(r"[-.]", "_", name) for name in names}


def rename_in_place(root: Path, name: str, *, dry_run: bool = False) -> list[str]:
    """Rename a project where it lies and return the files that change, as paths before the renaming.

    Raises:
        KitError: the name is not allowed, is the current one, or a file with the new path exists already.
    """
    old = current_name(root)
    check_name(name, root / "kit" / "python-env-1.35.0.txt")
    if name == old:
        raise KitError(f"the project is already called {name}")
    changes: list[tuple[Path, Path, bytes]] = []
    for path in files(root):
        if path.is_symlink():
            continue
        content = path.read_bytes()
        renamed = rename_bytes(content, old, name)
        place = root / rename_text(path.relative_to(root).as_posix(), old, name)
        if place != path and place.exists():
            raise KitError(f"{path} would become {place}, which exists; move one of them away")
        if renamed != content or place != path:
            changes.append((path, place, renamed))
    if not dry_run:
        text = origin.carried_over(root, *renaming(old, name))
        for path, place, content in changes:
            _replace(path, place, content)
        if text:
            (root / origin.FILE).write_text(text, encoding="utf-8")
    return [path.relative_to(root).as_posix() for path, _, _ in changes]


def current_name(root: Path) -> str:
    """Return the project's name from `.fission/deployment.json`.

    Raises:
        KitError: it cannot be found, so nothing can be renamed.
    """
    path = root / ".fission" / "deployment.json"
    try:
        name = json.loads(path.read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError, KeyError, TypeError):
        name = None
    if not isinstance(name, str) or not _LABEL.fullmatch(name):
        raise KitError(f'the current name cannot be found: {path} must hold the key "project"')
    return name


def files(root: Path) -> Iterator[Path]:
    """Yield all files of a project that belong to it, in a fixed order; links count as files."""
    for path in sorted(root.iterdir()):
        personal = path.name.startswith(".env.") and path.name != ".env.example"
        if path.name in LEFT_OUT or personal or path.suffix == ".pyc" or (path / "pyvenv.cfg").is_file():
            continue
        if path.is_dir() and not path.is_symlink():
            yield from files(path)
        elif path.is_file() or path.is_symlink():
            yield path


def renaming(old: str, new: str) -> tuple[Callable[[str], str], Callable[[bytes], bytes]]:
    """Return what renaming does to a path, and to a content."""
    return lambda path: rename_text(path, old, new), lambda content: rename_bytes(content, old, new)


def _replace(path: Path, place: Path, content: bytes) -> None:
    """Write the new content beside the new place and move it there; remove what is left of the old place."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.new")
    draft.write_bytes(content)
    shutil.copymode(path, draft)
    draft.replace(place)
    if place != path:
        path.unlink()
        for folder in path.parents:
            with suppress(OSError):  # not empty: other files stay in it
                folder.rmdir()
                continue
            break
