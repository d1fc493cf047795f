"""Path templates as Fission's router reads them: `/items/{itemid}` and `/files/{path:.+}`.

Source: pkg/utils/httpmux/template.go of Fission 1.27. Regular expressions are Go's RE2; we refuse what Python knows
and RE2 does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product

_NOT_RE2 = re.compile(r"\(\?[=!]|\(\?<[=!]|\(\?>|\(\?P=|\\[1-9]|[*+?}]\+|\(\?\(")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_TRIES = 60


class TemplateError(ValueError):
    """A template that Fission's router does not serve."""


@dataclass(frozen=True)
class Variable:
    """A variable of a template with its pattern."""

    name: str
    pattern: str = "[^/]+"


Part = str | Variable


def parse(text: str) -> list[Part]:
    """Split a template into fixed texts and variables; names may be anything, see `is_group_name`.

    Raises:
        TemplateError: braces do not match, a name is repeated, or a pattern is not RE2.
    """
    parts: list[Part] = []
    at = 0
    while at < len(text):
        if text[at] == "}":
            raise TemplateError('a "}" closes nothing')
        if text[at] != "{":
            end = min((i for i in (text.find("{", at), text.find("}", at)) if i >= 0), default=len(text))
            parts.append(text[at:end])
            at = end
            continue
        end = _closing(text, at)
        name, colon, pattern = text[at + 1 : end].partition(":")
        if not name:
            raise TemplateError("a variable has no name")
        if any(isinstance(part, Variable) and part.name == name for part in parts):
            raise TemplateError(f"the variable {name!a} stands twice")
        if colon:
            _check_pattern(pattern)
        parts.append(Variable(name, pattern) if colon else Variable(name))
        at = end + 1
    return parts


def is_group_name(name: str) -> bool:
    """Say whether Go takes a name for a group."""
    return _NAME.match(name) is not None


def shape(text: str) -> str:
    """Return the template without the names of its variables; equal shapes match equal paths."""
    return "".join(part if isinstance(part, str) else f"{{{part.pattern}}}" for part in parse(text))


def common_path(first: str, second: str) -> str | None:
    """Return a path that two exact templates both match, or None if none is found in a few tries."""
    for one, other in ((first, second), (second, first)):
        for path in islice(_samples(one, other), _TRIES):
            if _matcher(one).fullmatch(path) and _matcher(other).fullmatch(path):
                return path
    return None


def spans_segments(part: Part) -> bool:
    """Say whether a variable may match a slash."""
    return isinstance(part, Variable) and re.fullmatch(part.pattern, "a/b") is not None


def _samples(one: str, other: str) -> Iterator[str]:
    words = [word for word in re.split(r"[/{}]", other) if word and ":" not in word]
    choices = [
        [part] if isinstance(part, str) else ["1", "a", *words, "a/b", "abc", "2026-01-31"] for part in parse(one)
    ]
    return ("".join(parts) for parts in product(*choices))


@lru_cache(maxsize=4096)
def _matcher(text: str) -> re.Pattern[str]:
    return re.compile("".join(re.escape(p) if isinstance(p, str) else f"(?:{p.pattern})" for p in parse(text)))


def _closing(text: str, start: int) -> int:
    depth = 0
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i
    raise TemplateError('a "{" is never closed')


def _check_pattern(pattern: str) -> None:
    if not pattern:
        raise TemplateError("a variable has an empty pattern")
    if found := _NOT_RE2.search(pattern):
        raise TemplateError(f"Go's regular expressions do not know {found.group()}")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise TemplateError(f"the pattern {pattern!a} is wrong: {error}") from error
