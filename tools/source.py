"""Cut code out of files by name, so that pages never paste it: whole files, symbols, keys, targets.

Nothing is addressed by line number or marker: a renamed symbol stops the build instead of showing other code.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT

MARK = "\x1f"  # joins an included line and its "path:line" while blocks are being traced
_tracing = False


class SourceError(LookupError):
    """A page asks for a file or a name that is not there."""


@dataclass(frozen=True)
class Source:
    """Some lines of a file.

    Attributes:
        path: The file, absolute.
        line: Line number of the first line, from 1.
        text: The lines, dedented, without a final newline.
    """

    path: Path
    line: int
    text: str


@contextlib.contextmanager
def traced() -> Iterator[None]:
    """Within this context `shown()` marks each line with its origin."""
    global _tracing
    _tracing = True
    try:
        yield
    finally:
        _tracing = False


def shown(source: Source) -> str:
    """Return the text as a page shows it, with origins while tracing."""
    if not _tracing:
        return source.text
    return "\n".join(f"{row}{MARK}{source.path}:{n}" for n, row in enumerate(source.text.split("\n"), source.line))


def cut(path: str | Path, name: str | None = None) -> Source:
    """Return a whole file, or the part of it that `name` addresses.

    Args:
        path: The file, relative to the root of the kit.
        name: For Python a dotted symbol (`Class.method`), for JSON and TOML a dotted key, for SQL the section
            of a migration (`up` or `down`), for a Makefile a target. None for the whole file.

    Raises:
        SourceError: No such file, no such name, or the name is there more than once.
    """
    file = ROOT / path
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: {error.__class__.__name__}: a page includes this file") from error
    if name is None:
        return Source(file, 1, text.rstrip("\n"))
    how = _makefile if file.name == "Makefile" else _BY_SUFFIX.get(file.suffix)
    if how is None:
        raise SourceError(f"{path}: parts of {file.suffix or file.name} files cannot be addressed; include it whole")
    try:
        first, last = how(text, name, str(path))
    except (ValueError, SyntaxError) as error:
        raise SourceError(f"{path}: {name}: {error}") from error
    rows = text.splitlines()[first - 1 : last]
    return Source(file, first, textwrap.dedent("\n".join(rows)).rstrip())


def _python(text: str, dotted: str, path: str) -> tuple[int, int]:
    body: list[ast.stmt] = ast.parse(text).body
    node: ast.stmt | None = None
    for part in dotted.split("."):
        found = [n for n in body if part in _names(n)]
        if len(found) != 1:
            raise SourceError(f"{path}: {dotted}: found {len(found)} times, once is needed; was {part!r} renamed?")
        node, body = found[0], getattr(found[0], "body", [])
    assert node is not None
    assert node.end_lineno is not None
    decorators = [d.lineno for d in getattr(node, "decorator_list", [])]
    return min([node.lineno, *decorators]), node.end_lineno


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [t.id for t in targets if isinstance(t, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _json(text: str, dotted: str, path: str) -> tuple[int, int]:
    value = json.loads(text)
    for part in dotted.split("."):
        if not isinstance(value, dict) or part not in value:
            raise SourceError(f"{path}: no key {dotted}")
        value = value[part]
    rows = text.splitlines()
    key = dotted.rpartition(".")[2]
    depth = dotted.count(".") + 1
    wanted = re.compile(rf'^ {{{2 * depth}}}"{re.escape(key)}":')  # two spaces a level, as the formatter writes
    found = [n for n, row in enumerate(rows, 1) if wanted.match(row) and _parents(rows, n) == dotted.split(".")[:-1]]
    if len(found) != 1:
        raise SourceError(f"{path}: {dotted}: not on a line of its own, indented by two spaces a level")
    first = found[0]
    last = first
    if rows[first - 1].rstrip().endswith(("{", "[")):
        closing = re.compile(rf"^ {{{2 * depth}}}[}}\]],?$")
        last = next(n for n in range(first + 1, len(rows) + 1) if closing.match(rows[n - 1]))
    return first, last


def _parents(rows: list[str], line: int) -> list[str]:
    keys: list[str] = []
    indent = len(rows[line - 1]) - len(rows[line - 1].lstrip())
    for row in reversed(rows[: line - 1]):
        here = len(row) - len(row.lstrip())
        if here < indent and (m := re.match(r'\s*"(.+?)":', row)):
            keys.insert(0, m[1])
            indent = here
    return keys


def _toml(text: str, dotted: str, path: str) -> tuple[int, int]:
    tomllib.loads(text)
    rows = text.splitlines()
    try:
        first = rows.index(f"[{dotted}]") + 1
    except ValueError:
        raise SourceError(f"{path}: no table [{dotted}]") from None
    after = (n for n in range(first + 1, len(rows) + 1) if rows[n - 1].startswith("["))
    return first, next(after, len(rows) + 1) - 1


def _sql(text: str, name: str, path: str) -> tuple[int, int]:
    rows = text.splitlines()
    starts = {m[1]: n for n, row in enumerate(rows, 1) if (m := re.match(r"-- migrate:(up|down)\b", row))}
    if name not in starts:
        raise SourceError(f"{path}: no section -- migrate:{name}")
    later = [n for n in starts.values() if n > starts[name]]
    return starts[name], min(later, default=len(rows) + 1) - 1


def _makefile(text: str, target: str, path: str) -> tuple[int, int]:
    rows = text.splitlines()
    found = [n for n, row in enumerate(rows, 1) if row.startswith(f"{target}:")]
    if len(found) != 1:
        raise SourceError(f"{path}: target {target}: found {len(found)} times, once is needed")
    last = found[0]
    while last < len(rows) and (rows[last].startswith("\t") or rows[last - 1].endswith("\\")):
        last += 1
    return found[0], last


_BY_SUFFIX = {".py": _python, ".json": _json, ".toml": _toml, ".sql": _sql}
