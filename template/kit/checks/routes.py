"""Routes that Fission accepts and that do not do what they seem to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kit.checks.overlaps import overlapping
from kit.checks.registry import block, rule
from kit.checks.subject import Subject
from kit.checks.templates import TemplateError, Variable, is_group_name, parse
from kit.specs.errors import SpecError
from kit.specs.json_reader import Loc

_CONTROL_ROUTES = ("/static", "/v2", "/specialize", "/healthz")


def _paths(subject: Subject) -> Iterator[tuple[Loc, str, SpecError]]:
    """Yield every url and prefix with a finding that has the right place."""
    for function, key, trigger in subject.http_triggers():
        for kind in ("url", "prefix"):
            if (path := getattr(trigger, kind)) is not None:
                loc: Loc = ("http_triggers", key, kind)
                yield loc, path, function.located.error(loc, "", "", "")


def _at(place: SpecError, what: str, why: str, fix: str) -> SpecError:
    return SpecError(place.path, place.line, place.column, what, why, fix)


@rule(
    "FK001",
    "Methods that the Python server refuses",
    "error",
    """Fission's CRD allows PATCH, TRACE and CONNECT, and the router passes them on. The server in Fission's Python
    image has routes for GET, POST, PUT, HEAD, OPTIONS and DELETE only, so clients get an HTML page with status 405.
    Use PUT for changes; with an image of your own, ignore this check.""",
    pitfalls=("1",),
    bad=block('{"name": "orders", "http_triggers": {"order": {"url": "/orders/{id}", "methods": ["PATCH"]}}}'),
    good=block('{"name": "orders", "http_triggers": {"order": {"url": "/orders/{id}", "methods": ["PUT"]}}}'),
)
def methods(subject: Subject) -> Iterator[SpecError]:
    """Find methods without a route in server.py."""
    if not subject.stock_image:
        return
    why = "Fission's Python image answers 405 to it"
    for function in subject.python_functions:
        located, config = function.block.located, function.block.config
        places: list[tuple[Loc, str]] = []
        for key, trigger in config.http_triggers.items():
            places += [(("http_triggers", key, "methods", i), name) for i, name in enumerate(trigger.methods)]
        places += [(("timers", key, "method"), timer.method) for key, timer in config.timers.items()]
        for loc, method in places:
            if method in ("PATCH", "TRACE", "CONNECT"):
                yield located.error(loc, f"{method} never reaches the function", why, "Use PUT or POST")


@rule(
    "FK002",
    "Names of path variables",
    "error",
    """A path variable arrives as the header `X-Fission-Params-<Name>`. The servers in Fission's Python image drop
    headers whose names contain `_`, and the router refuses `-` without telling anybody: the route just never
    answers. Letters and digits work everywhere.""",
    pitfalls=("2",),
    bad=block('{"name": "orders", "http_triggers": {"order": {"url": "/orders/{order_id}", "methods": ["GET"]}}}'),
    good=block('{"name": "orders", "http_triggers": {"order": {"url": "/orders/{orderid}", "methods": ["GET"]}}}'),
)
def variable_names(subject: Subject) -> Iterator[SpecError]:
    """Find names that are more than letters and digits."""
    for _, path, place in _paths(subject):
        for name in _variables(path):
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name):
                lost = "Python servers drop the header" if is_group_name(name) else "Fission never serves such a route"
                fix = f"Write {{{re.sub(r'[^A-Za-z0-9]', '', name) or 'id'}}}"
                yield _at(place, f"the variable {{{ascii(name)[1:-1]}}} would never arrive", lost, fix)


@rule(
    "FK003",
    "Path templates that the router cannot read",
    "error",
    """Admission does not look into path templates. The router does, later, and sets the condition
    `RouteAdmitted=False` on a trigger that it cannot read; every request then gets 404. Braces have to match, names
    have to differ, and patterns are Go's RE2 without look-around and back-references.""",
    bad=block('{"name": "o", "http_triggers": {"order": {"url": "/orders/{id:(?!0)[0-9]+}", "methods": ["GET"]}}}'),
    good=block('{"name": "o", "http_triggers": {"order": {"url": "/orders/{id:[1-9][0-9]*}", "methods": ["GET"]}}}'),
)
def templates(subject: Subject) -> Iterator[SpecError]:
    """Find templates that the router would not admit."""
    for _, path, place in _paths(subject):
        try:
            parse(path)
        except TemplateError as error:
            yield _at(place, f"the path cannot be read: {error}", "Fission never serves such a route", "Correct it")


@rule(
    "FK004",
    "One route twice",
    "error",
    """Two triggers with the same path, up to the names of variables, and a common method are a conflict. The older
    one wins; the other one gets the condition `RouteAdmitted=False`, reason `RouteConflict`.""",
    pitfalls=("23",),
    bad=block(
        '{"name": "orders", "http_triggers": {"all": {"url": "/orders", "methods": ["GET"]},'
        ' "list": {"url": "/orders", "methods": ["GET", "POST"]}}}'
    ),
    good=block(
        '{"name": "orders", "http_triggers": {"list": {"url": "/orders", "methods": ["GET"]},'
        ' "add": {"url": "/orders", "methods": ["POST"]}}}'
    ),
)
def repeated_routes(subject: Subject) -> Iterator[SpecError]:
    """Find equal routes."""
    for overlap in overlapping(subject):
        if overlap.same:
            what = f"the route {overlap.methods} {overlap.later.path} is taken by {overlap.earlier.where}"
            yield _at(overlap.later.place, what, "Only the older trigger would answer", "Change path or methods")


@rule(
    "FK005",
    "Routes that overlap",
    "warning",
    """Among exact routes Fission does not prefer fixed text over a variable; the older trigger wins. So
    `/orders/latest` may be answered by `/orders/{id}`, on one cluster and not on the next. Give the variable a
    pattern that leaves the fixed path out.""",
    pitfalls=("23",),
    bad=block(
        '{"name": "orders", "http_triggers": {"order": {"url": "/orders/{id}", "methods": ["GET"]},'
        ' "latest": {"url": "/orders/latest", "methods": ["GET"]}}}'
    ),
    good=block(
        '{"name": "orders", "http_triggers": {"order": {"url": "/orders/{id:[0-9]+}", "methods": ["GET"]},'
        ' "latest": {"url": "/orders/latest", "methods": ["GET"]}}}'
    ),
)
def overlapping_routes(subject: Subject) -> Iterator[SpecError]:
    """Find exact routes that match a common path."""
    for overlap in overlapping(subject):
        if not overlap.same:
            what = f"{overlap.example} matches this route and {overlap.earlier.path} of {overlap.earlier.where}"
            fix = "Restrict the variable, for example {id:[0-9]+}"
            yield _at(overlap.later.place, what, "The older trigger answers, whichever it is", fix)


@rule(
    "FK006",
    "A prefix that is cut off",
    "error",
    """With `"keep_prefix": false` the router cuts the prefix off and forwards the rest. `POST <prefix>/v2/specialize`
    then reaches the control route of the Python server, and anybody can make the pod run another function. Keep the
    prefix, which is our default, or use exact urls.""",
    pitfalls=("27",),
    bad=block('{"name": "o", "http_triggers": {"a": {"prefix": "/orders", "keep_prefix": false, "methods": ["GET"]}}}'),
    good=block('{"name": "o", "http_triggers": {"a": {"prefix": "/orders", "methods": ["GET"]}}}'),
)
def cut_prefix(subject: Subject) -> Iterator[SpecError]:
    """Find prefixes without keep_prefix."""
    for function, key, trigger in subject.http_triggers():
        if trigger.prefix is not None and not trigger.keep_prefix and "{" not in trigger.prefix:
            loc: Loc = ("http_triggers", key, "keep_prefix")
            why = "Outsiders could reach /v2/specialize of the pod"
            yield function.located.error(loc, "the prefix is cut off", why, "Remove keep_prefix, or write true")


@rule(
    "FK007",
    "A prefix that hides behind the server's own routes",
    "error",
    """The Python server answers `/healthz`, `/specialize`, `/v2/specialize` and everything below `/static` itself.
    A prefix trigger forwards the whole path, so requests below such a prefix end there and not in the function.""",
    pitfalls=("27",),
    bad=block('{"name": "assets", "http_triggers": {"a": {"prefix": "/static", "methods": ["GET"]}}}'),
    good=block('{"name": "assets", "http_triggers": {"a": {"prefix": "/assets", "methods": ["GET"]}}}'),
)
def control_routes(subject: Subject) -> Iterator[SpecError]:
    """Find prefixes at or below the server's own routes."""
    for loc, path, place in _paths(subject):
        if loc[-1] == "prefix" and f"{path.rstrip('/')}/".startswith(tuple(f"{own}/" for own in _CONTROL_ROUTES)):
            why = "The Python server answers such paths before the function"
            yield _at(place, f"the prefix {path} belongs to the server in the pod", why, "Choose another prefix")


@rule(
    "FK008",
    "A prefix with a variable is never cut off",
    "warning",
    """The router cuts the prefix off as it is written. A prefix with a `{variable}` never occurs literally in a path,
    so `"keep_prefix": false` has no effect and the function sees the whole path.""",
    bad=block('{"name": "o", "http_triggers": {"a": {"prefix": "/s/{id}", "keep_prefix": false, "methods": ["GET"]}}}'),
    good=block('{"name": "o", "http_triggers": {"a": {"prefix": "/s/{id}", "methods": ["GET"]}}}'),
)
def uncut_prefix(subject: Subject) -> Iterator[SpecError]:
    """Find templates in prefixes that are to be cut off."""
    for function, key, trigger in subject.http_triggers():
        if trigger.prefix is not None and not trigger.keep_prefix and "{" in trigger.prefix:
            loc: Loc = ("http_triggers", key, "keep_prefix")
            what, why = "keep_prefix false has no effect here", "The router cuts off literal text only"
            yield function.located.error(loc, what, why, "Remove keep_prefix")


@rule(
    "FK009",
    "A slash at the end",
    "warning",
    """The router compares paths as they are and never redirects: `/orders/` is another path than `/orders`, and the
    prefix `/orders/` does not match `/orders`. Leave the slash out, or add a second trigger if clients send both.""",
    pitfalls=("24",),
    bad=block('{"name": "orders", "http_triggers": {"list": {"url": "/orders/", "methods": ["GET"]}}}'),
    good=block('{"name": "orders", "http_triggers": {"list": {"url": "/orders", "methods": ["GET"]}}}'),
)
def trailing_slash(subject: Subject) -> Iterator[SpecError]:
    """Find paths that end with a slash."""
    for _, path, place in _paths(subject):
        if path.endswith("/"):
            bare = path.rstrip("/")
            yield _at(place, f"{bare} without the slash gets 404", "Fission never redirects", f"Write {bare}")


@rule(
    "FK010",
    "Characters that no path contains",
    "error",
    """Routes are compared with the decoded path, without the query. A `%20`, a blank at the end, a `?` or a `#` in a
    route therefore never matches, and `%2F` in a request splits a segment. Pass such values in the query.""",
    pitfalls=("25",),
    bad=block('{"name": "files", "http_triggers": {"get": {"url": "/files/a%2Fb", "methods": ["GET"]}}}'),
    good=block('{"name": "files", "http_triggers": {"get": {"url": "/files", "methods": ["GET"]}}}'),
)
def impossible_characters(subject: Subject) -> Iterator[SpecError]:
    """Find escapes, queries and blanks in the fixed text of paths."""
    for _, path, place in _paths(subject):
        if found := re.search(r"%[0-9A-Fa-f]{2}|[?#\\]|[\x00-\x1f\x7f]|^\s|\s$", _fixed(path)):
            what = f"{found.group()!a} in a route never matches"
            yield _at(place, what, "Fission compares decoded paths without the query", "Remove it")


def _variables(path: str) -> list[str]:
    try:
        return [part.name for part in parse(path) if isinstance(part, Variable)]
    except TemplateError:
        return []


def _fixed(path: str) -> str:
    try:
        return "".join("x" if isinstance(part, Variable) else part for part in parse(path))
    except TemplateError:
        return ""
