"""Scale and time limits that have no effect, or another one than they seem to have."""

from __future__ import annotations

from collections.abc import Iterator

from kit.checks.registry import block, rule, settings
from kit.checks.subject import Subject
from kit.specs.errors import SpecError
from kit.specs.json_reader import Loc
from kit.specs.settings import NewDeploy, PoolManager

_MANY_PODS = 100


@rule(
    "FK020",
    "Several requests per pod",
    "warning",
    """Fission's Python server handles one request at a time. With `requests_per_pod` above 1 the router sends more
    requests to a pod, and they only wait behind each other until their timeout. Let Fission start more pods
    instead.""",
    pitfalls=("10",),
    bad=block('{"name": "orders", "requests_per_pod": 10}'),
    good=block('{"name": "orders", "concurrency": 10}'),
)
def requests_per_pod(subject: Subject) -> Iterator[SpecError]:
    """Find more than one request per pod."""
    if not subject.stock_image:
        return
    what, why, fix = "requests wait behind each other", "Fission's Python server handles one at a time", "Write 1"
    for function in subject.functions:
        if (function.block.config.requests_per_pod or 1) > 1:
            yield function.block.located.error(("requests_per_pod",), what, why, fix)
    for name, profile in subject.settings.executors.items():
        if isinstance(profile, PoolManager) and profile.requests_per_pod > 1:
            yield subject.deployment.error(("executors", name, "requests_per_pod"), what, why, fix)


@rule(
    "FK021",
    "Concurrency outside poolmgr",
    "warning",
    """Only the poolmgr executor looks at `concurrency` and `requests_per_pod`. A function on newdeploy or container
    is scaled by its profile's `min_scale`, `max_scale` and CPU target.""",
    pitfalls=("11",),
    bad=block('{"name": "orders", "executor": "newdeploy", "concurrency": 10}'),
    good=block('{"name": "orders", "executor": "poolmgr", "concurrency": 10}'),
)
def concurrency(subject: Subject) -> Iterator[SpecError]:
    """Find limits that the executor ignores."""
    for function in subject.functions:
        if not isinstance(function.profile, PoolManager):
            for key in ("concurrency", "requests_per_pod"):
                if getattr(function.block.config, key) is not None:
                    why = f'The executor "{function.profile_name}" ({function.profile.type}) ignores it'
                    fix = "Set max_scale in the profile, or use a poolmgr profile"
                    yield function.block.located.error((key,), f"{key} has no effect", why, fix, of_key=True)


@rule(
    "FK022",
    "Resources on poolmgr",
    "warning",
    """A poolmgr function runs in a warm pod that existed before it, so it gets the CPU and memory of the environment.
    `resources` of the function are ignored. Set them in the environment, or use newdeploy.""",
    pitfalls=("40",),
    bad=block('{"name": "orders", "resources": {"limits": {"memory": "512Mi"}}}'),
    good=block('{"name": "orders", "executor": "newdeploy", "resources": {"limits": {"memory": "512Mi"}}}'),
)
def resources(subject: Subject) -> Iterator[SpecError]:
    """Find resources that the executor ignores."""
    for function in subject.functions:
        if isinstance(function.profile, PoolManager) and function.block.config.resources is not None:
            why = "A poolmgr function has the resources of the environment"
            fix = "Use a newdeploy profile, or set resources in the environment"
            yield function.block.located.error(("resources",), "resources have no effect", why, fix, of_key=True)


@rule(
    "FK023",
    "An empty pool",
    "error",
    """Functions on poolmgr start in warm pods of the environment. With `poolsize` 0 there are none, and every request
    ends in 500 after a long wait. Without poolmgr functions 0 is fine.""",
    pitfalls=("13",),
    bad=settings('{"environment": {"poolsize": 0}}'),
    good=settings('{"environment": {"poolsize": 1}}'),
)
def poolsize(subject: Subject) -> Iterator[SpecError]:
    """Find a poolsize of 0 that somebody depends on."""
    users = [function.name for function in subject.functions if isinstance(function.profile, PoolManager)]
    if users and subject.settings.environment.poolsize == 0:
        why = f"{users[0]} and other poolmgr functions would never start"
        yield subject.deployment.error(("environment", "poolsize"), "the pool is empty", why, "Write 1 or more")


@rule(
    "FK024",
    "Requests cut off at a deployment",
    "warning",
    """A pod that Fission stops lives for `termination_grace_seconds`. Requests that take longer are cut off; with 0
    all of them are. Let it be at least as long as the longest `timeout_seconds`.""",
    pitfalls=("14",),
    bad=settings('{"environment": {"termination_grace_seconds": 0}}'),
    good=settings('{"environment": {"termination_grace_seconds": 60}}'),
)
def grace(subject: Subject) -> Iterator[SpecError]:
    """Find a grace period shorter than a timeout."""
    grace_seconds = subject.settings.environment.termination_grace_seconds
    longest = max(subject.python_functions, key=lambda function: function.timeout_seconds, default=None)
    if longest is not None and longest.timeout_seconds > grace_seconds:
        what = f"pods are killed after {grace_seconds} s"
        why = f"{longest.name} may take {longest.timeout_seconds} s"
        loc: Loc = ("environment", "termination_grace_seconds")
        yield subject.deployment.error(loc, what, why, f"Write {longest.timeout_seconds} or more")


@rule(
    "FK025",
    "A timeout shorter than a cold start",
    "warning",
    """The first request waits for a pod to be specialised, and that wait is limited by the function's timeout as well.
    A short timeout turns slow first requests into errors 500. Fission's default of 60 seconds leaves room.""",
    pitfalls=("12",),
    bad=block('{"name": "orders", "timeout_seconds": 5}'),
    good=block('{"name": "orders", "timeout_seconds": 60}'),
)
def short_timeout(subject: Subject) -> Iterator[SpecError]:
    """Find timeouts below Fission's default."""
    what, why = "the timeout also limits the cold start", "A slow first request would end in 500"
    for function in subject.functions:
        if (function.block.config.timeout_seconds or 60) < 60:
            yield function.block.located.error(("timeout_seconds",), what, why, "Write 60 or more")
    if subject.settings.function_defaults.timeout_seconds < 60:
        loc: Loc = ("function_defaults", "timeout_seconds")
        yield subject.deployment.error(loc, what, why, "Write 60 or more")


@rule(
    "FK026",
    "Scaling to zero without warm pods",
    "warning",
    """A newdeploy or container function with `min_scale` 0 has no pod when idle, and no pool to take one from. The next
    request waits until Kubernetes has started one, which takes seconds to tens of seconds.""",
    pitfalls=("12",),
    bad=settings('{"executors": {"newdeploy": {"min_scale": 0}}}'),
    good=settings('{"executors": {"newdeploy": {"min_scale": 1}}}'),
)
def scale_to_zero(subject: Subject) -> Iterator[SpecError]:
    """Find profiles that scale to zero."""
    for name, profile in subject.settings.executors.items():
        if not isinstance(profile, PoolManager) and profile.min_scale == 0:
            loc: Loc = ("executors", name, "min_scale")
            what, why = "idle functions have no pod", "The next request waits for Kubernetes to start one"
            yield subject.deployment.error(loc, what, why, "Write 1, or use poolmgr")


@rule(
    "FK027",
    "One request per pod life, with a limit that is ignored",
    "warning",
    """With `once_only` each specialised pod serves one request and goes. Fission then ignores `concurrency`, so a
    burst of requests may take all pods of the pool (fission#2785).""",
    pitfalls=("11",),
    bad=settings('{"executors": {"poolmgr": {"once_only": true, "concurrency": 5}}}'),
    good=settings('{"executors": {"poolmgr": {"once_only": false, "concurrency": 5}}}'),
)
def once_only(subject: Subject) -> Iterator[SpecError]:
    """Find once_only together with a limit."""
    for name, profile in subject.settings.executors.items():
        if isinstance(profile, PoolManager) and profile.once_only:
            what, why = "concurrency has no effect with once_only", "Fission ignores the limit then"
            fix = "Remove once_only, or accept it in ignore_checks"
            yield subject.deployment.error(("executors", name, "once_only"), what, why, fix)


@rule(
    "FK028",
    "A specialisation timeout that is raised",
    "warning",
    """Fission raises a specialisation timeout below 120 seconds to 120 without a word. Write what really holds.""",
    bad=settings('{"executors": {"newdeploy": {"specialization_timeout_seconds": 30}}}'),
    good=settings('{"executors": {"newdeploy": {"specialization_timeout_seconds": 180}}}'),
)
def specialization(subject: Subject) -> Iterator[SpecError]:
    """Find timeouts that Fission replaces."""
    for name, profile in subject.settings.executors.items():
        if isinstance(profile, NewDeploy) and profile.specialization_timeout_seconds < 120:
            loc: Loc = ("executors", name, "specialization_timeout_seconds")
            yield subject.deployment.error(loc, "Fission waits 120 s anyway", "It raises lower values", "Write 120")


@rule(
    "FK029",
    "Very many pods",
    "warning",
    """`concurrency` is the number of pods that a function may take, and each of them has its own connection to the
    database. Fission's default of 500 is more than most clusters and databases bear; PostgreSQL allows 100
    connections by default.""",
    pitfalls=("10",),
    bad=block('{"name": "orders", "concurrency": 500}'),
    good=block('{"name": "orders", "concurrency": 20}'),
)
def many_pods(subject: Subject) -> Iterator[SpecError]:
    """Find a concurrency that a database does not bear."""
    what, why = f"more than {_MANY_PODS} pods may run", "Each has its own connection to the database"
    for function in subject.functions:
        if (function.block.config.concurrency or 1) > _MANY_PODS:
            yield function.block.located.error(("concurrency",), what, why, "Write a number that the database bears")
    for name, profile in subject.settings.executors.items():
        if isinstance(profile, PoolManager) and profile.concurrency > _MANY_PODS:
            loc: Loc = ("executors", name, "concurrency")
            yield subject.deployment.error(loc, what, why, "Write a number that the database bears")
