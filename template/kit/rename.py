"""Give a project another name, in a copy (`create-project.sh`) or in place (`python -m kit rename`).

Uses the standard library only, so that it runs before anything is installed. The download page renames in the
browser by the same rule: `rename_text` on paths and on everything that is UTF-8 text.
"""

from __future__ import annotations

import json
import keyword
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType

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
    if word in sys.stdlib_module_names:
        raise KitError(f"{name!r} is a module of Python's standard library; choose another name")
    if word in _environment_packages(pins):
        raise KitError(f"{name!r} is a package of Fission's Python environment; choose another name")


def create(template: Path, name: str, target: Path) -> str:
    """Copy a project under another name and return the name it had before.

    The copy is made beside the target and moved there when it is complete, so that nothing half-made is left.

    Raises:
        KitError: the name is not allowed, the target exists or lies in the template, or a file cannot be copied.
    """
    old = current_name(template)
    check_name(name, template / "kit" / "python-env-1.35.0.txt")
    if os.path.lexists(target):
        raise KitError(f"{target} already exists; choose another folder or remove it")
    parent = target.absolute().parent
    if not parent.is_dir():
        raise KitError(f"{parent} does not exist; create it first")
    parent = parent.resolve()
    if parent.is_relative_to(template.resolve()):
        raise KitError(f"{target} lies inside the template; choose a folder outside of {template}")
    draft = None
    try:
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=parent))
        for path in files(template):
            if path.relative_to(template).as_posix() in OWN:
                continue
            _copy(path, draft / rename_text(path.relative_to(template).as_posix(), old, name), old, name)
        if text := origin.carried_over(template, *_renaming(old, name)):
            (draft / origin.FILE).write_text(text, encoding="utf-8")
        shutil.copymode(template, draft)
        draft.rename(parent / target.name)
    except OSError as error:
        raise KitError(f"{target} cannot be created: {error.strerror}: {error.filename}") from error
    finally:
        if draft:
            shutil.rmtree(draft, ignore_errors=True)  # after the move there is nothing left to remove
    return old


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
        text = origin.carried_over(root, *_renaming(old, name))
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


def main() -> None:
    """Run `create-project.sh`: the arguments are template, name and target."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    template, name, target = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    try:
        create(template, name, target)
    except KitError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was created\n")
        sys.exit(130)
    sys.stdout.write(f"Created {name} in {target}. Next:\n\n  cd {shlex.quote(str(target))}\n  make run\n  make test\n")


def _renaming(old: str, new: str) -> tuple[Callable[[str], str], Callable[[bytes], bytes]]:
    """Return what renaming does to a path, and to a content."""
    return lambda path: rename_text(path, old, new), lambda content: rename_bytes(content, old, new)


def _environment_packages(pins: Path) -> set[str]:
    """Return the packages' names as identifiers."""
    lines = pins.read_text(encoding="utf-8").splitlines()
    names = [line.partition("==")[0].strip().lower() for line in lines if "==" in line and line[0] != "#"]
    return _SERVER | {re.sub(r"[-.]", "_", name) for name in names}


def _copy(path: Path, place: Path, old: str, new: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        place.symlink_to(rename_text(os.readlink(path), old, new))
        return
    place.write_bytes(rename_bytes(path.read_bytes(), old, new))
    shutil.copymode(path, place)


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


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
