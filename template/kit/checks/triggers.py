"""Schedules, queues and watches."""

from __future__ import annotations

from collections.abc import Iterator

from kit.checks.registry import Example, block, rule
from kit.checks.subject import Subject, calls
from kit.specs import cron
from kit.specs.errors import SpecError
from kit.specs.json_reader import Loc

_JOB = '''from flask import request


def main():
    """Remove old orders.

    ```fission
    {"name": "cleanup", "timeout_seconds": 300, "timers": {"nightly": {"cron": "30 2 * * *"}}}
    ```
    """
    options = request.get_json(%s) or {}
    return {"days": options.get("days", 30)}
'''


@rule(
    "FK070",
    "A schedule that the timer cannot read",
    "error",
    """Nothing checks a schedule when it is applied; the TimeTrigger gets the condition `Scheduled=False` and never
    runs. Fission reads five fields (minute first), or six (second first), `@hourly` and the like, and
    `@every 15m`, each with an optional `CRON_TZ=Europe/Berlin` in front. It knows no `L`, `W` and `#`, and Sunday
    is 0.""",
    pitfalls=("29",),
    bad=block('{"name": "cleanup", "timeout_seconds": 300, "timers": {"nightly": {"cron": "30 2 * * 7"}}}'),
    good=block(
        '{"name": "cleanup", "timeout_seconds": 300,'
        ' "timers": {"nightly": {"cron": "CRON_TZ=Europe/Berlin 30 2 * * 0"}}}'
    ),
)
def schedules(subject: Subject) -> Iterator[SpecError]:
    """Find schedules outside the grammar."""
    for function in subject.functions:
        for key, timer in function.block.config.timers.items():
            if reason := cron.problem(timer.cron):
                why = "Fission would accept it and never run it"
                loc: Loc = ("timers", key, "cron")
                yield function.block.located.error(loc, f"the schedule is wrong: {reason}", why, "Correct it")


@rule(
    "FK071",
    "Intervals that start together",
    "warning",
    """`@every` counts from the start of Fission's timer. When that pod restarts, all such triggers of the cluster begin
    to count at the same moment, and their jobs run together from then on. A schedule with minutes is fixed.""",
    pitfalls=("29",),
    bad=block('{"name": "poll", "timeout_seconds": 300, "timers": {"often": {"cron": "@every 15m"}}}'),
    good=block('{"name": "poll", "timeout_seconds": 300, "timers": {"often": {"cron": "7,22,37,52 * * * *"}}}'),
)
def every(subject: Subject) -> Iterator[SpecError]:
    """Find intervals."""
    for function in subject.functions:
        for key, timer in function.block.config.timers.items():
            if "@every" in timer.cron and cron.problem(timer.cron) is None:
                what, why = "@every starts anew with the timer's pod", "All such jobs then run at the same moment"
                fix = "Write a schedule with minutes"
                yield function.block.located.error(("timers", key, "cron"), what, why, fix)


@rule(
    "FK072",
    "A schedule with seconds",
    "warning",
    """With six fields the first one is the second. Old Fission wanted six, so copied schedules often mean minutes where
    they now say seconds, and a job runs sixty times as often as it should. Write five fields.""",
    pitfalls=("29",),
    bad=block('{"name": "poll", "timeout_seconds": 300, "timers": {"often": {"cron": "0 */5 * * * *"}}}'),
    good=block('{"name": "poll", "timeout_seconds": 300, "timers": {"often": {"cron": "*/5 * * * *"}}}'),
)
def seconds(subject: Subject) -> Iterator[SpecError]:
    """Find schedules of six fields."""
    for function in subject.functions:
        for key, timer in function.block.config.timers.items():
            if cron.problem(timer.cron) is None and cron.has_seconds(timer.cron):
                what, why = "the first of six fields is the second", "Schedules usually begin with the minute"
                yield function.block.located.error(("timers", key, "cron"), what, why, "Write five fields")


@rule(
    "FK073",
    "A job with the timeout of a request",
    "warning",
    """A timer's call ends after the function's timeout, 60 seconds by default, and is not repeated. Say how long the
    job may take. Runs do not overlap, but they pile up when one takes longer than the interval.""",
    pitfalls=("29",),
    bad=block('{"name": "cleanup", "timers": {"nightly": {"cron": "30 2 * * *"}}}'),
    good=block('{"name": "cleanup", "timeout_seconds": 300, "timers": {"nightly": {"cron": "30 2 * * *"}}}'),
)
def job_timeout(subject: Subject) -> Iterator[SpecError]:
    """Find jobs without an own timeout."""
    for function in subject.functions:
        config = function.block.config
        if config.timers and config.timeout_seconds is None:
            what = f"the job is cut off after {function.timeout_seconds} s"
            yield function.block.located.error(
                ("timers",), what, "That is the default", "Add timeout_seconds", of_key=True
            )


@rule(
    "FK074",
    "JSON in a job's request",
    "warning",
    """A timer calls the function with an empty body and without a content type. `request.get_json()` answers 415 to
    that. Pass `silent=True`, or read nothing from the request.""",
    pitfalls=("29",),
    bad=Example("src/cleanup.py", _JOB % ""),
    good=Example("src/cleanup.py", _JOB % "silent=True"),
)
def job_json(subject: Subject) -> Iterator[SpecError]:
    """Find get_json() in functions that timers call."""
    for function, module in subject.function_modules:
        if not function.block.config.timers:
            continue
        for node, name in calls(module.tree):
            if name.endswith("request.get_json") and not {"silent", "force"} & {key.arg for key in node.keywords}:
                what, why = "a timer's call would get 415", "It has no content type"
                yield module.error(node, what, why, "Write get_json(silent=True)")


@rule(
    "FK075",
    "KEDA's connectors and internal authentication",
    "warning",
    """KEDA's connectors call functions without the signature that Fission demands on its internal listener by default
    (`internalAuth.enabled`), so deliveries end in 401. An operator has to open it. Once that is settled, say so in
    `ignore_checks`. For Kafka, `"kind": "fission"` signs its calls.""",
    pitfalls=("30",),
    bad=block('{"name": "ship", "queues": {"paid": {"type": "kafka", "topic": "paid"}}}'),
    good=block('{"name": "ship", "queues": {"paid": {"type": "kafka", "kind": "fission", "topic": "paid"}}}'),
)
def keda(subject: Subject) -> Iterator[SpecError]:
    """Find queues that KEDA serves."""
    for function in subject.functions:
        for key, queue in function.block.config.queues.items():
            if queue.kind == "keda":
                what, why = "deliveries may end in 401", "KEDA's connectors do not sign their calls"
                fix = "Settle internalAuth with the operator and add FK075 to ignore_checks"
                yield function.block.located.error(("queues", key), what, why, fix, of_key=True)


@rule(
    "FK078",
    "Another namespace",
    "error",
    """A function, its Secrets and ConfigMaps, its package and its watches live in one namespace. Fission's webhook
    refuses a watch whose namespace is not that of the trigger.""",
    pitfalls=("15",),
    bad=block('{"name": "audit", "watches": {"pods": {"type": "POD", "namespace": "shop"}}}'),
    good=block('{"name": "audit", "watches": {"pods": {"type": "POD"}}}'),
)
def other_namespace(subject: Subject) -> Iterator[SpecError]:
    """Find watches of another namespace."""
    own = subject.settings.namespace
    for function in subject.functions:
        for key, watch in function.block.config.watches.items():
            if watch.namespace not in (None, own):
                what = f"the function lives in {own}"
                loc: Loc = ("watches", key, "namespace")
                yield function.block.located.error(loc, what, "Fission refuses the watch", "Remove the key")


@rule(
    "FK086",
    "Watches with a label selector",
    "error",
    """Fission 1.27 refuses every KubernetesWatchTrigger that has a label selector, because its check of labels is
    wrong, and the watcher would ignore the labels anyway. Watch the kind and test the labels in the function.""",
    pitfalls=("32",),
    bad=block('{"name": "audit", "watches": {"pods": {"type": "POD", "label_selector": {"app": "shop"}}}}'),
    good=block('{"name": "audit", "watches": {"pods": {"type": "POD"}}}'),
)
def label_selector(_subject: Subject) -> Iterator[SpecError]:
    """Find nothing: the reader of blocks knows the key and reports it."""
    yield from ()
