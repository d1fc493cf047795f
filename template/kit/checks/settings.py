"""Names, versions and the list of ignored checks."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from kit.checks.registry import block, rule, rules, settings
from kit.checks.subject import Subject
from kit.specs.errors import SpecError
from kit.specs.json_reader import Loc

_LONG = 45


@rule(
    "FK080",
    "A function name that others may use",
    "warning",
    """Function names are unique in a namespace, and several projects often share one. `fission spec apply` stops with a
    conflict when another project has a function of that name. Begin names with the name of the project.""",
    bad=block('{"name": "orders"}'),
    good=block('{"name": "your-service-orders"}'),
)
def prefix(subject: Subject) -> Iterator[SpecError]:
    """Find names that do not begin with the project's."""
    project = subject.settings.project
    for function in subject.functions:
        if function.name != project and not function.name.startswith(f"{project}-"):
            why = "Another project in the namespace may have the same name"
            fix = f"Write {project}-{function.name}"
            yield function.block.located.error(("name",), f"{function.name} does not begin with {project}-", why, fix)


@rule(
    "FK081",
    "A long function name",
    "warning",
    """Fission and this kit make further names from a function's name, and Kubernetes allows 63 characters. Keep
    function names at 45 characters or less.""",
    bad=block('{"name": "your-service-orders-of-all-customers-by-month-and-region"}'),
    good=block('{"name": "your-service-orders-by-month"}'),
)
def long_name(subject: Subject) -> Iterator[SpecError]:
    """Find names that leave no room."""
    for function in subject.functions:
        if len(function.name) > _LONG:
            what, why = f"the name has {len(function.name)} characters", "Fission makes longer names from it"
            yield function.block.located.error(("name",), what, why, f"Use at most {_LONG}")


@rule(
    "FK090",
    "Keys of unreleased Fission versions",
    "error",
    """The documentation of Fission's main branch describes fields that version 1.27 does not have: `env`,
    `mountPath`, `invocation`, `state`, versions and aliases, provisioned concurrency. Its API server removes unknown
    fields without an error, so they would be lost silently.""",
    bad=block('{"name": "orders", "provisioned_concurrency": {"target": 2}}'),
    good=block('{"name": "orders", "executor": "newdeploy"}'),
)
def unreleased(_subject: Subject) -> Iterator[SpecError]:
    """Find nothing: the reader of blocks knows the keys and reports them."""
    yield from ()


@rule(
    "FK091",
    "Keys that the cluster's Fission does not know",
    "error",
    """`cors` needs Fission 1.24 and routes need 1.26. An older API server removes the fields without an error, so the
    trigger would work without them. Set `fission_version` to what `fission version` reports for the server.""",
    bad=settings(
        '{"fission_version": "1.24", "function_defaults": {"route": "public"},'
        ' "routes": {"public": {"provider": "ingress"}}}'
    ),
    good=settings(
        '{"fission_version": "1.26", "function_defaults": {"route": "public"},'
        ' "routes": {"public": {"provider": "ingress"}}}'
    ),
)
def too_new(subject: Subject) -> Iterator[SpecError]:
    """Find routes on a server that drops them."""
    if subject.settings.fission_version in ("1.24", "1.25") and subject.settings.routes:
        what = f"Fission {subject.settings.fission_version} does not know routes"
        why = "It drops them without an error; they came with 1.26"
        fix = "Remove routes, or raise fission_version with the cluster"
        yield subject.deployment.error(("routes",), what, why, fix, of_key=True)


@rule(
    "FK092",
    "Ignored checks that do not exist",
    "warning",
    """`ignore_checks` maps the id of a check to the reason why it does not apply. An id that no check has ignores
    nothing, and probably means another one.""",
    bad=settings('{"ignore_checks": {"FK999": "we know"}}'),
    good=settings('{"ignore_checks": {"FK075": "the operator has disabled internalAuth"}}'),
)
def unknown_ids(subject: Subject) -> Iterator[SpecError]:
    """Find ids without a rule."""
    known = list(rules())
    for name in subject.settings.ignore_checks:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            fix = f"Write {close[0]}" if close else "Remove it"
            loc: Loc = ("ignore_checks", name)
            what = f"there is no check {ascii(name)[1:-1]}"
            yield subject.deployment.error(loc, what, "It ignores nothing", fix, of_key=True)
