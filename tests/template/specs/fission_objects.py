"""Specs of Fission objects for Hypothesis: good ones, and good ones that were spoilt."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

names = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)
paths = st.from_regex(r"(/[a-z]{1,5}){1,3}/?", fullmatch=True) | st.sampled_from(["/a/{id}", "/f/{path:.+}", "/ä b"])
small = st.integers(1, 5)
refs = st.fixed_dictionaries({"name": names, "namespace": names})
unique_refs = st.lists(refs, max_size=3, unique_by=lambda ref: ref["name"])
function_ref = st.fixed_dictionaries({"type": st.just("name"), "name": names})
quantity = st.sampled_from(["100m", "1", "0.5", "128Mi", "2Gi", "1k"])
amounts = st.dictionaries(st.sampled_from(["cpu", "memory"]), quantity)
resources = st.fixed_dictionaries({}, optional={"requests": amounts, "limits": amounts})
methods = st.lists(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]), min_size=1, unique=True
)
environment_variables = st.lists(st.fixed_dictionaries({"name": names, "value": st.text(max_size=5)}), max_size=2)
containers = st.fixed_dictionaries({"name": names}, optional={"image": texts, "env": environment_variables})
security = st.fixed_dictionaries(
    {"runAsUser": st.integers(0, 2**31), "runAsGroup": small, "runAsNonRoot": st.booleans()},
    optional={"fsGroup": small},
)
podspecs = st.fixed_dictionaries(
    {"containers": st.lists(containers, min_size=1, max_size=2, unique_by=lambda c: c["name"])},
    optional={"terminationGracePeriodSeconds": small, "securityContext": security},
)
maps = st.dictionaries(texts, st.text(max_size=5), max_size=2)

environments = st.fixed_dictionaries(
    {
        "version": st.just(3),
        "poolsize": small,
        "terminationGracePeriod": st.integers(0, 2**40),
        "runtime": st.fixed_dictionaries({"image": texts}, optional={"container": containers, "podspec": podspecs}),
    },
    optional={
        "imagepullsecret": names,
        "resources": resources,
        "builder": st.fixed_dictionaries({"image": texts, "command": texts}, optional={"container": containers}),
    },
)
archives = st.fixed_dictionaries({"type": st.just("url"), "url": st.sampled_from(["archive://a", "https://x/y.zip"])})
packages = st.fixed_dictionaries({"environment": refs, "source": archives, "buildcmd": texts}) | st.fixed_dictionaries(
    {"environment": refs, "deployment": archives}
)
metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
scaled = st.builds(
    lambda kind, low, more: {
        "StrategyType": "execution",
        "ExecutionStrategy": {"ExecutorType": kind, "MinScale": low, "MaxScale": low + more, "hpaMetrics": [metric]},
    },
    st.sampled_from(["newdeploy", "container"]),
    st.integers(0, 3),
    small,
)
pooled = st.just({"StrategyType": "execution", "ExecutionStrategy": {"ExecutorType": "poolmgr"}})
functions = st.fixed_dictionaries(
    {
        "environment": refs,
        "package": st.fixed_dictionaries({"functionName": texts, "packageref": refs}),
        "InvokeStrategy": scaled | pooled,
        "functionTimeout": small,
        "idletimeout": small,
        "podspec": podspecs,
    },
    optional={
        "concurrency": small,
        "requestsPerPod": small,
        "onceOnly": st.booleans(),
        "retainPods": small,
        "resources": resources,
        "secrets": unique_refs,
        "configmaps": unique_refs,
    },
)
origins = st.sampled_from(["https://a.example.com", "http://localhost:3000", "*"])
cors = st.fixed_dictionaries(
    {"allowOrigins": st.lists(origins, min_size=1, unique=True), "maxAge": st.just("600s")},
    optional={"allowMethods": methods, "allowHeaders": st.lists(texts, unique=True)},
)
gateways = st.fixed_dictionaries(
    {"parentRefs": st.lists(st.fixed_dictionaries({"name": names}, optional={"port": small}), min_size=1, max_size=2)}
)
hosts = st.lists(st.sampled_from(["a.example.com", "*.example.com"]), unique=True)
routes = st.fixed_dictionaries(
    {"provider": st.just("gateway"), "gateway": gateways},
    optional={"hostnames": hosts, "path": paths, "annotations": maps},
) | st.fixed_dictionaries({"provider": st.just("ingress")}, optional={"hostnames": hosts, "tls": names})
route_parts: dict[Any, Any] = {"methods": methods, "functionref": function_ref}
http_triggers = st.fixed_dictionaries(
    {"relativeurl": paths, **route_parts}, optional={"corsConfig": cors, "routeConfig": routes}
) | st.fixed_dictionaries(
    {"relativeurl": st.just(""), "prefix": paths, "keepPrefix": st.booleans(), **route_parts},
    optional={"corsConfig": cors},
)
time_triggers = st.fixed_dictionaries(
    {"cron": st.sampled_from(["@daily", "* * * * *"]), "method": st.just("POST"), "subpath": paths},
    optional={"functionref": function_ref},
).map(lambda spec: {"functionref": {"type": "name", "name": "f"}, **spec})
queues = st.fixed_dictionaries(
    {
        "functionref": function_ref,
        "mqtkind": st.just("keda"),
        "messageQueueType": st.sampled_from(["kafka", "redis"]),
        "topic": texts,
        "contentType": texts,
        "maxRetries": small,
        "pollingInterval": small,
        "cooldownPeriod": small,
        "minReplicaCount": st.just(0),
        "maxReplicaCount": small,
    },
    optional={"respTopic": texts, "errorTopic": texts, "secret": names, "metadata": maps},
)
watches = st.fixed_dictionaries(
    {
        "namespace": names,
        "type": st.sampled_from(["POD", "SERVICE", "REPLICATIONCONTROLLER", "JOB"]),
        "functionref": function_ref,
    }
)
SPECS = {
    "Environment": environments,
    "Package": packages,
    "Function": functions,
    "HTTPTrigger": http_triggers,
    "TimeTrigger": time_triggers,
    "MessageQueueTrigger": queues,
    "KubernetesWatchTrigger": watches,
}
POISON = st.sampled_from(
    [
        "/",
        "a",
        "A_b",
        "a.b",
        "..",
        "/a/../b",
        "/readyz",
        "*",
        "https://a/b",
        "pod",
        "PODS",
        "fission",
        "kafka",
        "statestore",
        "execution",
        "container",
        "poolmgr",
        "GET",
        "FETCH",
        "10x",
        "",
        "a" * 64,
        "1 Gi",
    ]
) | st.sampled_from(
    [
        None,
        -1,
        0,
        2**31,
        2**63,
        1.5,
        True,
        [],
        {},
        ["GET", "GET"],
        [1],
        {"a": 1},
        {"type": "name"},
        {"hostNetwork": True},
        {"name": "x"},
    ]
)


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(spot for key, child in inner for spot in spots(child, (*path, key)))]


@st.composite
def spoilt(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A good object with one or two values replaced, removed or added."""
    spec = copy.deepcopy(draw(SPECS[kind]))
    for _ in range(draw(st.integers(1, 2))):
        choices = [path for path in spots(spec) if path]
        if not choices:
            break
        path = draw(st.sampled_from(choices))
        parent: Any = spec
        for key in path[:-1]:
            parent = parent[key]
        action = draw(st.sampled_from(["replace", "remove", "add", "misspell"]))
        if action == "replace":
            parent[path[-1]] = copy.deepcopy(draw(POISON))
        elif action == "remove":
            del parent[path[-1]]
        elif isinstance(parent, dict):
            value = parent.pop(path[-1]) if action == "misspell" else copy.deepcopy(draw(POISON))
            parent[f"{path[-1]}s"] = value
    return spec
