"""What the download page needs to make a project in the browser: the template's files, and the lists behind its rules.

It is a script and not JSON, because a page that was opened from a folder (`file://`) may not fetch anything.
"""

from __future__ import annotations

import ast
import base64
import json
import keyword
import re
from collections.abc import Iterable
from pathlib import Path

from kit import adopt, rename

NAME = "template.js"


def script(name: str, version: str, members: Iterable[tuple[str, int, bytes]]) -> bytes:
    """Return the script that defines `KIT_TEMPLATE`.

    Args:
        name: The name under which the template runs.
        version: The template's version.
        members: Path, mode and content of each file of the archive.
    """
    files = list(members)
    content = {
        "name": name,
        "version": version,
        "rules": rules(files),
        "examples": examples(files),
        "files": [_file(*member) for member in files],
    }
    return f"window.KIT_TEMPLATE = {json.dumps(content, ensure_ascii=False, separators=(',', ':'))};\n".encode()


def rules(members: Iterable[tuple[str, int, bytes]]) -> dict[str, object]:
    """Return what `check_name` of template/kit/rename.py compares a name with."""
    pins = next(Path(path) for path, _, _ in members if re.fullmatch(r"kit/python-env-.*\.txt", path))
    return {
        "longest": rename.LONGEST,
        "keywords": sorted(keyword.kwlist),
        "modules": sorted(rename.STDLIB),
        "packages": sorted(rename.environment_packages(Path(rename.__file__).parent / pins.name)),
    }


def examples(members: Iterable[tuple[str, int, bytes]]) -> list[dict[str, str]]:
    """Return name and first sentence of each example in the template.

    Raises:
        KitError: `create-project.sh` would refuse one of them; the browser must not offer it.
    """
    contents = {path: content for path, _, content in members}
    names = adopt.examples(contents)
    adopt.adopt(contents, names)
    found = []
    for name in names:
        says = ast.get_docstring(ast.parse(contents[f"examples/example_{name}.py"])) or ""
        found.append({"name": name, "says": says.partition("\n")[0]})
    return found


def _file(path: str, mode: int, content: bytes) -> dict[str, object]:
    entry: dict[str, object] = {"path": path, "executable": bool(mode & 0o100)}
    try:
        return entry | {"text": content.decode("utf-8")}
    except UnicodeDecodeError:
        return entry | {"base64": base64.b64encode(content).decode()}
