"""Which route a request belongs to, as Fission's router decides it.

Source: fission/fission v1.27.0, pkg/router/routeshape.go, pkg/router/routetable/precedence.go and
pkg/utils/httpmux (template.go, mux.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from kit.errors import KitError
from kit.serve.functions import Function
from kit.specs.models import Cors

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Route:
    """One HTTP trigger.

    Args:
        trigger: its name, which decides between two routes that fit equally well.
        path: what it matches, perhaps with variables such as `{itemid}` or `{itemid:[0-9]+}`.
        is_prefix: it also matches everything below `path`.
        keep_prefix: the function sees the whole path; only for a prefix.
        methods: in upper case; none means that every request is refused.
        function: who answers.
        cors: the router's own cross-origin rules.
    """

    trigger: str
    path: str
    is_prefix: bool
    keep_prefix: bool
    methods: frozenset[str]
    function: Function
    cors: Cors | None = None

    def accepts(self, method: str) -> bool:
        """Tell whether the method is allowed: HEAD is not implied by GET, OPTIONS only by CORS rules."""
        return method in self.methods or (method == "OPTIONS" and self.cors is not None)

    def variables(self, path: str) -> dict[str, str] | None:
        """Return the values of the path's variables, or None when the path does not match."""
        found = self._pattern.fullmatch(path)
        return {name: value or "" for name, value in found.groupdict().items()} if found else None

    def rewrite(self, path: str) -> str:
        """Return the path that the function sees.

        An exact route's function always sees `/`. A prefix with variables is never trimmed, because Fission trims
        the text as it stands in the trigger. Source: pkg/router/rewrite.go, rewriteFunctionURL.
        """
        if not self.is_prefix:
            return "/"
        if self.keep_prefix:
            return path
        rest = path.removeprefix(self.path)
        return rest if rest.startswith("/") else f"/{rest}"

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        expression = "".join(_translate(self.path))
        if self.is_prefix:
            expression += "(?s:.*)" if self.path.endswith("/") else "(?s:/.*)?"
        try:
            return re.compile(expression)
        except re.error as error:
            raise KitError(f"trigger {self.trigger}: {self.path} is no valid path: {error}") from error


@dataclass(frozen=True)
class Match:
    """The route of a request and the values of its variables."""

    route: Route
    variables: dict[str, str]


@dataclass(frozen=True)
class Miss:
    """No route takes the request: 404 when the path is unknown, 405 when only the method is wrong."""

    status: int


class Router:
    """All routes, in the order in which they are tried."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Sort the routes: exact before prefix, longer prefixes first, then by the trigger's name.

        Among exact routes Fission takes the oldest; triggers that one `fission spec apply` creates have the same
        age within a second, and then their names decide.
        """
        # fidelity: trigger-age
        # fidelity: hosts
        self.routes = sorted(routes, key=_precedence)
        for route in self.routes:
            route.variables("/")  # so that a path that is no pattern is reported now

    def match(self, method: str, path: str) -> Match | Miss:
        """Find the route of a request.

        Args:
            method: in upper case.
            path: decoded, without the query. Nothing is cleaned: `/x`, `/x/` and `//x` are three paths.
        """
        status = 404
        for route in self.routes:
            variables = route.variables(path)
            if variables is None:
                continue
            if route.accepts(method):
                return Match(route, variables)
            status = 405
        return Miss(status)


def variables_of(template: str) -> list[tuple[str, str]]:
    """Return the variables of a path with their patterns; an empty pattern stands for `[^/]+`.

    Raises:
        KitError: the path is no valid template.
    """
    return [(name, pattern) for _, name, pattern in _parts(template) if name]


def plain_path(template: str) -> str:
    """Return a path without the patterns of its variables: `/items/{id:[0-9]+}` is `/items/{id}`."""
    return "".join(text + (f"{{{name}}}" if name else "") for text, name, _ in _parts(template))


def _precedence(route: Route) -> tuple[bool, int, str]:
    return (route.is_prefix, -len(route.path) if route.is_prefix else 0, route.trigger)


def _translate(template: str) -> Iterator[str]:
    """Yield the parts of the regular expression for a path template."""
    for text, name, pattern in _parts(template):
        yield re.escape(text)
        if name:
            yield f"(?P<{name}>{pattern or '[^/]+'})"


def _parts(template: str) -> Iterator[tuple[str, str, str]]:
    """Yield literal text and the name and pattern of the variable after it; braces in a pattern may nest."""
    at = 0
    while (start := template.find("{", at)) >= 0:
        end, depth = start + 1, 1
        while depth and end < len(template):
            depth += {"{": 1, "}": -1}.get(template[end], 0)
            end += 1
        name, _, pattern = template[start + 1 : end - 1].partition(":")
        if depth or not _VARIABLE.fullmatch(name):
            raise KitError(f"{template}: {{{name}}} is no valid variable; use letters and digits only")
        yield template[at:start], name, pattern
        at = end
    yield template[at:], "", ""
