"""Routes match as Fission's do (FACTS 1.2 to 1.4)."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.errors import KitError
from kit.serve.functions import Function
from kit.serve.router import Match, Miss, Route, Router
from kit.specs.models import Cors


def route(path, *methods, prefix=False, keep=False, trigger="t", cors=None):
    function = Function("f", "default", "m.main", 60, Path("m.py"))
    return Route(trigger, path, prefix, keep, frozenset(methods or ["GET"]), function, cors)


@pytest.mark.parametrize(
    ("defined", "path", "variables"),
    [
        (route("/x"), "/x", {}),
        (route("/x"), "/x/", None),
        (route("/x"), "//x", None),
        (route("/x"), "/X", None),
        (route("/a.b"), "/axb", None),
        (route("/x/"), "/x", None),
        (route("/u/{id}"), "/u/7", {"id": "7"}),
        (route("/u/{id}"), "/u/", None),
        (route("/u/{id}"), "/u/a/b", None),
        (route("/u/{id}"), "/u/a b", {"id": "a b"}),
        (route("/u/{id:[0-9]+}"), "/u/x", None),
        (route("/u/{id:[0-9]{2}}"), "/u/12", {"id": "12"}),
        (route("/f/{path:.+}"), "/f/a/b", {"path": "a/b"}),
        (route("/{a}-{b}"), "/x-y", {"a": "x", "b": "y"}),
        (route("/api", prefix=True), "/api", {}),
        (route("/api", prefix=True), "/api/x", {}),
        (route("/api", prefix=True), "/apix", None),
        (route("/api/", prefix=True), "/api", None),
        (route("/api/", prefix=True), "/api/x", {}),
        (route("/{t}/api", prefix=True), "/a/api/x", {"t": "a"}),
    ],
)
def test_matching(defined, path, variables):
    found = Router([defined]).match("GET", path)
    assert found == (Miss(404) if variables is None else Match(defined, variables))


@pytest.mark.parametrize(
    ("defined", "path", "seen"),
    [
        (route("/x"), "/x", "/"),
        (route("/u/{id}"), "/u/7", "/"),
        (route("/api", prefix=True), "/api", "/"),
        (route("/api", prefix=True), "/api/x/", "/x/"),
        (route("/api/", prefix=True), "/api/x", "/x"),
        (route("/api", prefix=True, keep=True), "/api/x", "/api/x"),
        (route("/{t}/api", prefix=True), "/a/api/x", "/a/api/x"),
    ],
)
def test_what_the_function_sees(defined, path, seen):
    assert defined.rewrite(path) == seen


def test_exact_routes_come_first_even_with_variables_then_longer_prefixes():
    short, long = route("/a", prefix=True), route("/a/b", prefix=True)
    exact = route("/a/b/{c}")
    router = Router([short, long, exact])
    assert router.routes == [exact, long, short]
    assert router.match("GET", "/a/b/c") == Match(exact, {"c": "c"})


def test_of_two_fitting_exact_routes_the_name_of_the_trigger_decides():
    any_, me = route("/u/{id}", trigger="a"), route("/u/me", trigger="b")
    assert Router([me, any_]).match("GET", "/u/me") == Match(any_, {"id": "me"})


def test_methods():
    read, write = route("/x", "GET", trigger="a"), route("/x", "POST", trigger="b")
    router = Router([read, write])
    assert router.match("POST", "/x") == Match(write, {})
    assert router.match("HEAD", "/x") == Miss(405)
    assert router.match("OPTIONS", "/x") == Miss(405)


def test_cors_rules_admit_options():
    allowed = route("/x", "GET", cors=Cors(allow_origins=["*"]))
    assert Router([allowed]).match("OPTIONS", "/x") == Match(allowed, {})


@pytest.mark.parametrize("path", ["/{user-id}", "/{1a}", "/{}", "/{a", "/{a:[}", "/{a}/{a}"])
def test_what_is_no_template_is_named(path):
    with pytest.raises(KitError):
        Router([route(path)])
