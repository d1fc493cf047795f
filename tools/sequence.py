"""Sequence diagrams from TOML: who says what to whom, in which order, as an SVG that takes the page's colours.

A file names its `title`, its `actors` from left to right, and `[[step]]`s from top to bottom. A step is a message
(`from`, `to`, `text`; `reply = true` draws it dashed) or a note (`note` over the actor `at`, or over several). The text
alternative is written from the same steps, so it cannot differ from the picture.
"""

from __future__ import annotations

import textwrap
import tomllib
from dataclasses import dataclass, field
from html import escape
from typing import Any

from tools.source import SourceError, cut

WIDTH = 760  # of the drawing, in its own units
LETTER = 6.3  # width of a letter on average, at 12 units
ROW = 15  # between two lines of text
TOP = 46  # below the boxes of the actors


@dataclass
class _Canvas:
    columns: dict[str, float]
    gap: float
    shapes: list[str] = field(default_factory=list)
    y: float = TOP

    def text(self, x: float, y: float, lines: list[str], kind: str = "say") -> None:
        for number, line in enumerate(lines):
            self.shapes.append(f'<text class="{kind}" x="{x:.0f}" y="{y + number * ROW:.0f}">{escape(line)}</text>')


def sequence(path: str) -> str:
    """Return the SVG of one diagram.

    Args:
        path: of the TOML file, from the kit's root.

    Raises:
        SourceError: the file is missing, is not TOML, or a step names an actor that is not there.
    """
    text = cut(path).text
    try:
        plan = tomllib.loads(text)
        return _drawn(plan, path.rpartition("/")[2].removesuffix(".toml"))
    except (tomllib.TOMLDecodeError, KeyError, ValueError) as error:
        raise SourceError(f"{path}: no diagram: {error}") from error


def told(plan: dict[str, Any]) -> str:
    """Return the text alternative: one sentence for each step."""
    parts = []
    for step in plan["step"]:
        if "note" in step:
            parts.append(f"{' and '.join(_at(step))}: {step['note']}.")
        else:
            parts.append(f"{step['from']} {'answers' if step.get('reply') else 'to'} {step['to']}: {step['text']}.")
    return " ".join(parts)


def _drawn(plan: dict[str, Any], name: str) -> str:
    actors: list[str] = plan["actors"]
    gap = WIDTH / len(actors)
    canvas = _Canvas({actor: gap * (number + 0.5) for number, actor in enumerate(actors)}, gap)
    for step in plan["step"]:
        _note(canvas, step) if "note" in step else _message(canvas, step)
    height = canvas.y + 14
    lines = [
        f'<line class="life" x1="{x:.0f}" y1="30" x2="{x:.0f}" y2="{height:.0f}"/>' for x in canvas.columns.values()
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="kit-sequence" viewBox="0 0 {WIDTH} {height:.0f}"'
            f' role="img" aria-labelledby="{name}-title {name}-desc">',
            f'<title id="{name}-title">{escape(plan["title"])}</title>',
            f'<desc id="{name}-desc">{escape(told(plan))}</desc>',
            *lines,
            *(shape for actor, x in canvas.columns.items() for shape in _head(actor, x, gap)),
            *canvas.shapes,
            "</svg>",
        ]
    )


def _head(actor: str, x: float, gap: float) -> list[str]:
    width = min(gap - 12, 150)
    return [
        f'<rect class="actor" x="{x - width / 2:.0f}" y="2" width="{width:.0f}" height="28" rx="4"/>',
        f'<text class="name" x="{x:.0f}" y="21">{escape(actor)}</text>',
    ]


def _message(canvas: _Canvas, step: dict[str, Any]) -> None:
    start, end = canvas.columns[step["from"]], canvas.columns[step["to"]]
    if start == end:
        raise ValueError(f"{step['from']} talks to itself; write a note")
    lines = textwrap.wrap(step["text"], max(int((abs(end - start) - 16) / LETTER), 8))
    canvas.text((start + end) / 2, canvas.y, lines)
    y = canvas.y + len(lines) * ROW - 7
    tip = 7 if start < end else -7
    kind = "reply" if step.get("reply") else "call"
    canvas.shapes += [
        f'<line class="{kind}" x1="{start:.0f}" y1="{y:.0f}" x2="{end - tip:.0f}" y2="{y:.0f}"/>',
        f'<path class="tip" d="M{end:.0f} {y:.0f}l{-tip} -4v8z"/>',
    ]
    canvas.y = y + 22


def _note(canvas: _Canvas, step: dict[str, Any]) -> None:
    places = [canvas.columns[actor] for actor in _at(step)]
    width = max(places) - min(places) + canvas.gap - 12
    lines = textwrap.wrap(step["note"], int((width - 12) / LETTER))
    middle, height = (max(places) + min(places)) / 2, len(lines) * ROW + 8
    top = canvas.y - 12
    canvas.shapes.append(
        f'<rect class="note" x="{middle - width / 2:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height}" rx="3"/>'
    )
    canvas.text(middle, top + ROW, lines)
    canvas.y = top + height + 24


def _at(step: dict[str, Any]) -> list[str]:
    at = step["at"]
    return at if isinstance(at, list) else [at]
