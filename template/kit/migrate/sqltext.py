"""Find the statements in SQL text without understanding them, by the rules of psql."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What may hold a semicolon that ends nothing. Block comments nest in PostgreSQL and are therefore counted below.
_TOKEN = re.compile(
    r"""
      (?P<line>--[^\n]*)
    | (?P<block>/\*)
    | (?P<escaped>\b[eE]'(?:[^'\\]|''|\\.)*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*")
    | (?P<dollar>(?<![\w$])\$(?P<tag>[^\W\d]\w*)?\$.*?\$(?P=tag)\$ | (?<![\w$])\$\$.*?\$\$)
    | (?P<end>;)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<space>\s+)
    | (?P<word>[\w$]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_CONTROL = re.compile(
    r"(?:BEGIN|COMMIT|ROLLBACK|END|ABORT|START\s+TRANSACTION|PREPARE\s+TRANSACTION)\b(?!\s+TO\b)", re.IGNORECASE
)
_CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)


def statements(text: str) -> Iterator[tuple[str, int]]:
    """Yield each statement, without its semicolon, and the offset of its first character in `text`.

    Comments between statements belong to none. Semicolons inside parentheses (CREATE RULE) and inside a body
    `BEGIN ATOMIC ... END` end nothing.
    """
    start: int | None = None
    end = at = parentheses = bodies = 0
    before = ""
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found, "the last alternative matches any character"  # noqa: S101 - a fact about the pattern
        at, kind = found.end(), found.lastgroup
        if kind == "block":
            at = _end_of_comment(text, at)
            continue
        if kind in ("line", "space"):
            continue
        if kind == "end" and not parentheses and not bodies:
            if start is not None:
                yield text[start:end], start
            start, before = None, ""
            continue
        start = found.start() if start is None else start
        end = at
        parentheses = max(0, parentheses + (kind == "open") - (kind == "close"))
        if kind == "word":
            word = found[0].upper()
            if before == "BEGIN" and word == "ATOMIC":
                bodies += 1
            elif bodies:
                bodies += (word == "CASE") - (word == "END")
            before = word
    if start is not None:
        yield text[start:end], start


def controls_transaction(statement: str) -> bool:
    """Tell whether a statement begins or ends a transaction."""
    return bool(_CONTROL.match(statement))


def is_concurrent(statement: str) -> bool:
    """Tell whether a statement works beside others, for example CREATE INDEX CONCURRENTLY."""
    return bool(_CONCURRENTLY.search(statement))


def _end_of_comment(text: str, at: int) -> int:
    depth = 1
    for found in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if found[0] == "/*" else -1
        if not depth:
            return found.end()
    return len(text)
