"""Small pieces of Markdown that the reference pages share."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence


def code(text: str, language: str = "") -> str:
    """Inline code that survives in a table cell; with a language it is coloured."""
    text = " ".join(text.split())
    ticks = "``" if "`" in text else "`"
    return f"{ticks}{f'#!{language} ' if language else ''}{text}{ticks}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar within a cell does not end it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell(text) for text in line) + " |" for line in lines) + "\n"


def cell(text: str) -> str:
    """Text on one line, with bars that do not end the cell; within code spans they never do."""
    parts = re.split(r"(`+[^`]+`+)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else part.replace("|", r"\|") for part in parts)


def prose(text: str) -> str:
    """A docstring as Markdown: cut to its left edge, without the Fission block."""
    text = inspect.cleandoc(text).partition("```fission")[0]
    return text.replace("``", "`").strip()
