"""Read `.env` files: one `KEY=value` per line, in a `[secrets]` and a `[config]` section."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kit.errors import KitError

Kind = Literal["secret", "config"]

_SECTION = re.compile(r"#\s*\[(\w+)\]\s*$")
_ENTRY = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)$")
_ESCAPE = re.compile(r"\\(.)")
_SECTIONS: dict[str, Kind] = {"secrets": "secret", "config": "config"}


@dataclass(frozen=True)
class Entry:
    """One setting; `kind` is None above the first section heading."""

    key: str
    value: str
    kind: Kind | None
    line: int


def read(path: Path) -> dict[str, Entry]:
    r"""Read a `.env` file.

    A line `# [secrets]` or `# [config]` starts a section. Values may be bare, in single quotes (taken as they
    are) or in double quotes (with the escapes \n, \t, \" and \\); a bare value ends at ` #`.

    Args:
        path: the file; one that does not exist is empty.

    Raises:
        KitError: a line is neither a comment nor `KEY=value`, a quote is not closed, or a key occurs twice. The
            message names file and line, never the value.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise KitError(f"{path} cannot be read as UTF-8 text: {error}") from error
    entries: dict[str, Entry] = {}
    kind: Kind | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line, where = raw.strip(), f"{path}:{number}"
        if heading := _SECTION.match(line):
            if heading[1] not in _SECTIONS:
                raise KitError(f"{where}: unknown section [{heading[1]}]; there are [secrets] and [config]")
            kind = _SECTIONS[heading[1]]
        if not line or line.startswith("#"):
            continue
        found = _ENTRY.match(line)
        if not found:
            raise KitError(f"{where}: expected KEY=value or a comment that starts with #")
        key = found[1]
        if key in entries:
            raise KitError(f"{where}: {key} is already set in line {entries[key].line}; remove one of the two")
        entries[key] = Entry(key, _value(found[2], where), kind, number)
    return entries


def _value(text: str, where: str) -> str:
    quote = text[:1]
    if quote not in ('"', "'"):
        return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()
    pattern = r'"((?:[^"\\]|\\.)*)"' if quote == '"' else r"'([^']*)'"
    found = re.fullmatch(pattern + r"\s*(?:#.*)?", text)
    if not found:
        raise KitError(f"{where}: the value starts with {quote} but does not end with it on the same line")
    if quote == "'":
        return found[1]
    return _ESCAPE.sub(lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), found[1])
