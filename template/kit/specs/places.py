"""From an offset in a piece of text to the line and column of the file that it came from."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from itertools import accumulate

Place = tuple[int, int]
Locate = Callable[[int], Place]

_LITERAL = re.compile(r"[uUrR]?('''|\"\"\"|'|\")")
_ESCAPE = re.compile(r"\\(\n|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[0-7]{1,3}|.)", re.DOTALL)


def in_text(text: str) -> Locate:
    """Return the function from an offset in `text` to line and column, both from 1."""

    def locate(offset: int) -> Place:
        before = text[: max(offset, 0)]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

    return locate


def column_of(lines: list[str], line: int, byte: int) -> int:
    """Return the column, from 1, of what ast places at a UTF-8 byte of a line, both as ast counts."""
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return len(text.encode("utf-8", "replace")[:byte].decode("utf-8", "ignore")) + 1


def in_literal(lines: list[str], node: ast.Constant) -> Locate:
    """Return the function from an offset in a string's value to line and column of the source.

    Escapes make value and source differ in length, so every character is counted. A literal in several parts
    cannot be followed; then every offset is placed at its beginning.
    """
    column = column_of(lines, node.lineno, node.col_offset)
    begin = (node.lineno, column)
    source = "\n".join([lines[node.lineno - 1][column - 1 :], *lines[node.lineno : node.end_lineno]])
    opening = _LITERAL.match(source)
    if opening is None:
        return lambda _offset: begin
    widths = _widths(source[opening.end() :], len(str(node.value)), raw="r" in opening.group().lower())
    if widths is None:
        return lambda _offset: begin
    starts = list(accumulate(widths, initial=opening.end()))
    inside = in_text(source)

    def locate(offset: int) -> Place:
        line, col = inside(starts[min(max(offset, 0), len(starts) - 1)])
        return node.lineno + line - 1, col + (column - 1 if line == 1 else 0)

    return locate


def _widths(source: str, length: int, *, raw: bool) -> list[int] | None:
    """Return how many source characters each of the first `length` characters of the value takes."""
    widths: list[int] = []
    at = carried = 0
    while len(widths) < length:
        match = None if raw else _ESCAPE.match(source, at)
        if match is not None and match.group(1) == "\n":
            carried += 2
            at += 2
            continue
        if at >= len(source):
            return None
        step = match.end() - at if match is not None and _one_character(match.group(1)) else 1
        widths.append(step + carried)
        at, carried = at + step, 0
    return widths


def _one_character(escape: str) -> bool:
    return escape[0] in "\\'\"abfnrtvxuUN01234567"
