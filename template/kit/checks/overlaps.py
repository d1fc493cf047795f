"""Pairs of routes that match a common path; found in time that grows with their number, not with its square."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kit.checks.subject import Subject
from kit.checks.templates import TemplateError, common_path, parse, shape, spans_segments
from kit.specs.errors import SpecError


@dataclass(frozen=True)
class Route:
    """One trigger as the router sees it."""

    path: str
    prefix: bool
    methods: frozenset[str]
    where: str
    place: SpecError


@dataclass(frozen=True)
class Overlap:
    """Two triggers that want the same requests; `same` if one of them would never be served."""

    earlier: Route
    later: Route
    same: bool
    example: str

    @property
    def methods(self) -> str:
        """The methods that both have."""
        return ", ".join(sorted(self.earlier.methods & self.later.methods))


@dataclass
class _Node:
    """A segment of the paths read so far."""

    fixed: dict[str, _Node] = field(default_factory=dict)
    variable: dict[str, _Node] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)


def overlapping(subject: Subject) -> list[Overlap]:
    """Return all overlaps between the triggers of a project, each pair once, in the order of their names."""
    routes = list(_routes(subject))
    return [*_same(routes), *_exact(routes)]


def _routes(subject: Subject) -> Iterator[Route]:
    for function, key, trigger in subject.http_triggers():
        path = trigger.prefix or trigger.url or ""
        try:
            parse(path)
        except TemplateError:
            continue
        kind = "url" if trigger.prefix is None else "prefix"
        place = function.located.error(("http_triggers", key, kind), "", "", "")
        where = f"{function.config.name}-{key}"
        yield Route(path, trigger.prefix is not None, frozenset(trigger.methods), where, place)


def _same(routes: list[Route]) -> Iterator[Overlap]:
    groups: dict[tuple[bool, str], list[Route]] = {}
    for route in routes:
        group = groups.setdefault((route.prefix, shape(route.path)), [])
        for other in group:
            if other.methods & route.methods:
                yield Overlap(other, route, same=True, example=route.path)
        group.append(route)


def _exact(routes: list[Route]) -> Iterator[Overlap]:
    root, long = _Node(), list[Route]()
    for route in routes:
        if route.prefix:
            continue
        spanning = any(spans_segments(part) for part in parse(route.path))
        earlier = [*_all(root), *long] if spanning else [*_near(root, _segments(route.path)), *long]
        for other in earlier:
            if other.methods & route.methods and shape(other.path) != shape(route.path):
                example = common_path(other.path, route.path)
                if example is not None:
                    yield Overlap(other, route, same=False, example=example)
        if spanning:
            long.append(route)
        else:
            _insert(root, _segments(route.path), route)


def _segments(path: str) -> list[str]:
    """Split at the slashes outside braces; a segment with a variable becomes its shape."""
    parts, depth = [""], 0
    for char in shape(path):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "/" and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts[1:]


def _insert(node: _Node, segments: list[str], route: Route) -> None:
    for segment in segments:
        kind = node.variable if "{" in segment else node.fixed
        node = kind.setdefault(segment, _Node())
    node.routes.append(route)


def _near(node: _Node, segments: list[str]) -> Iterator[Route]:
    """Yield the routes whose fixed segments agree with these."""
    if not segments:
        yield from node.routes
        return
    first, rest = segments[0], segments[1:]
    fixed = node.fixed.values() if "{" in first else [node.fixed[first]] if first in node.fixed else []
    for child in [*fixed, *node.variable.values()]:
        yield from _near(child, rest)


def _all(node: _Node) -> Iterator[Route]:
    yield from node.routes
    for child in [*node.fixed.values(), *node.variable.values()]:
        yield from _all(child)
