"""A JSON reader that remembers where every key and value stood, and that says what is wrong in plain words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

Loc = tuple[str | int, ...]

_MAX_DEPTH = 40
_BLANK = re.compile(r"[ \t\n\r]*")
_WORD = re.compile(r"[^\s,:\[\]{}\"]+")


class JsonError(ValueError):
    """Text that is not JSON, with the offset of the character that is wrong."""

    def __init__(self, offset: int, what: str, fix: str) -> None:
        super().__init__(what)
        self.offset, self.what, self.fix = offset, what, fix


@dataclass
class JsonDocument:
    """A value and, by path, the offsets of its parts in the text."""

    value: Any = None
    keys: dict[Loc, int] = field(default_factory=dict)
    values: dict[Loc, int] = field(default_factory=dict)
    duplicates: list[Loc] = field(default_factory=list)

    def offset(self, loc: Loc, *, of_key: bool = False) -> int:
        """Return where the part at `loc` begins, or the nearest part around it that exists."""
        places = self.keys if of_key else self.values
        while loc and loc not in places:
            loc = loc[:-1]
        return places[loc] if loc in places else self.values.get((), 0)


def read_json(text: str) -> JsonDocument:
    """Read one JSON value (RFC 8259) with the places of its parts.

    Repeated keys are collected in `duplicates`, because RFC 8259 leaves their meaning open.

    Raises:
        JsonError: the text is not exactly one JSON value.
    """
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.document = text, 0, JsonDocument()
        self.scalars = json.JSONDecoder()

    def read(self) -> JsonDocument:
        self.document.value = self.value((), 0)
        if self.peek():
            self.fail("text follows the end of the JSON", "remove it, or move it inside the braces")
        return self.document

    def peek(self) -> str:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def fail(self, what: str, fix: str) -> NoReturn:
        raise JsonError(self.at, what, fix)

    def value(self, loc: Loc, depth: int) -> Any:
        char = self.peek()
        self.document.values[loc] = self.at
        if depth > _MAX_DEPTH:
            self.fail(f"more than {_MAX_DEPTH} levels are nested", "flatten the JSON")
        if char == "{":
            return self.object(loc, depth)
        if char == "[":
            return self.array(loc, depth)
        return self.scalar(char)

    def object(self, loc: Loc, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        self.at += 1
        while self.more("}", first=not result):
            start = self.at
            if self.peek() != '"':
                self.unexpected("a key in double quotes")
            key = str(self.scalar('"'))
            place = (*loc, key)
            if place in self.document.keys:
                self.document.duplicates.append(place)
            if self.peek() != ":":
                self.unexpected('":" after the key')
            self.at += 1
            result[key] = self.value(place, depth + 1)
            self.document.keys[place] = start
        return result

    def array(self, loc: Loc, depth: int) -> list[Any]:
        result: list[Any] = []
        self.at += 1
        while self.more("]", first=not result):
            result.append(self.value((*loc, len(result)), depth + 1))
        return result

    def more(self, end: str, *, first: bool) -> bool:
        """Step over the comma before the next member, or over the closing bracket."""
        char = self.peek()
        if char == end:
            self.at += 1
            return False
        if first:
            return True
        if char != ",":
            self.unexpected(f'"," or "{end}"')
        comma = self.at
        self.at += 1
        if self.peek() == end:
            self.at = comma
            self.fail(f'a comma stands before "{end}"', "remove the comma")
        return True

    def scalar(self, char: str) -> Any:
        if not char or char not in '"-0123456789tfn':
            self.unexpected("a value")
        try:
            value, end = self.scalars.raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            self.at = max(error.pos, self.at)
            if char == '"':
                fix = (
                    "double the backslash, or do without it" if "scape" in error.msg else "close the string on its line"
                )
                self.fail(f"a string is wrong ({error.msg.removesuffix(' at')})", fix)
            self.unexpected("a value")
        except ValueError:
            self.fail("a number is too long", "write a smaller number")
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            self.fail("a number is too large", "write a smaller number")
        self.at = end
        return value

    def unexpected(self, wanted: str) -> NoReturn:
        char = self.peek()
        word = match.group() if (match := _WORD.match(self.text, self.at)) else char
        if not char:
            self.fail(f"the JSON ends where {wanted} is expected", "close what was opened")
        if word.startswith(("//", "/*", "#")):
            self.fail("JSON has no comments", "move the comment to the text outside the JSON")
        if char == "'":
            self.fail("a string stands in single quotes", 'use double quotes, as in "name"')
        if word in _PYTHON_WORDS:
            self.fail(f"{word} is Python", f"write {_PYTHON_WORDS[word]}")
        shown = ascii(word[:20])[1:-1]
        self.fail(f'found "{shown}" where {wanted} is expected', "put it right, or add the comma or quote before it")


_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}
