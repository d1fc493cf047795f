"""The team's files: which ones count, and their text."""

from __future__ import annotations

import stat
from pathlib import Path

from kit.specs.errors import SpecError, SpecErrors
from kit.specs.places import Place

_TEST_FOLDERS = {"test", "tests"}
_SKIPPED = {"__pycache__", "node_modules"}


def python_files(folder: Path) -> list[Path]:
    """Return the modules below a folder in a fixed order, links and broken ones included, tests left out."""
    if not folder.is_dir():
        why = "Functions are looked for in the folders of the package"
        raise SpecErrors([SpecError(folder, 1, 1, "the folder does not exist", why, "Create it or correct its name")])
    paths = ((path, path.relative_to(folder)) for path in folder.rglob("*.py"))
    modules = (path for path, relative in paths if not is_skipped(relative) and not is_test(relative))
    return sorted(path for path in modules if path.is_symlink() or not path.is_dir())


def is_skipped(relative: Path) -> bool:
    """Say whether a path inside a folder of the package is hidden or a cache."""
    return any(part in _SKIPPED or part.startswith(".") for part in relative.parts)


def is_test(relative: Path) -> bool:
    """Say whether a path inside a folder of the package is a test, which no pod needs."""
    name = relative.name
    return (
        bool(_TEST_FOLDERS.intersection(relative.parts[:-1]))
        or name in _TEST_FOLDERS | {"conftest.py"}
        or (name.startswith("test_") and name.endswith(".py"))
    )


def read_text(path: Path) -> tuple[str | None, list[SpecError]]:
    """Return the text of a regular UTF-8 file with Unix line ends, or the reason why there is none."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            why = "Fission refuses archives that contain links"
            return None, [_error(path, (1, 1), "it is a symbolic link", why, "Replace it by the file itself")]
        if not stat.S_ISREG(mode):
            why = "Only files can be packaged"
            return None, [_error(path, (1, 1), "it is not a regular file", why, "Remove or rename it")]
        raw = path.read_bytes()
    except OSError as error:
        fix = "Correct its permissions or remove it"
        return None, [_error(path, (1, 1), f"it cannot be read ({error.strerror})", "Every module is looked at", fix)]
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n"), []
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        what = f"the byte 0x{raw[error.start]:02x} is not UTF-8"
        return None, [_error(path, (line, column), what, "Source files are UTF-8 text", "Save the file as UTF-8")]


def _error(path: Path, place: Place, what: str, why: str, fix: str) -> SpecError:
    return SpecError(path, place[0], place[1], what, why, fix)
