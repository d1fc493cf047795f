"""Two versions of the template, and what tests of updates do with them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tools import archive

OLD, NEW = "0.8.0", "0.9.0"
TEMPLATE = archive.TEMPLATE


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) >= 1, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new, 1))


def copy_of_template(folder: Path, version: str) -> Path:
    for path in archive.listing():
        place = folder / path.relative_to(TEMPLATE)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    text = (folder / "kit/__init__.py").read_text()
    (folder / "kit/__init__.py").write_text(re.sub(r'__version__ = ".+"', f'__version__ = "{version}"', text))
    return folder


def packed(template: Path, folder: Path, kind: str = "zip") -> Path:
    return next(path for path in _publish(template, folder) if path.name.endswith(kind))


def _publish(template: Path, folder: Path) -> list[Path]:
    return [folder / download.name for download in archive.publish(folder, template)]


def everything(folder: Path) -> dict[str, bytes]:
    skipped = {".git", "__pycache__", ".pytest_cache", ".kit"}
    paths = [path for path in folder.rglob("*") if path.is_file() and not skipped & set(path.parts)]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
