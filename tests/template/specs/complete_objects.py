"""Specs of Fission objects that use all fields that we write, and every single change of one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tests.template.specs.fission_objects import metric, spots


def single_changes(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the object with each of its values replaced, removed, misspelt, and with a field added beside it."""
    for path in spots(spec)[1:]:
        for value in REPLACEMENTS:
            changed, parent = _copied(spec, path)
            parent[path[-1]] = copy.deepcopy(value)
            yield changed
        changed, parent = _copied(spec, path)
        del parent[path[-1]]
        yield changed
        if isinstance(path[-1], str):
            changed, parent = _copied(spec, path)
            parent[f"{path[-1]}s"] = parent.pop(path[-1])
            yield changed
            for value in (-1, "x", [], None):
                changed, parent = _copied(spec, path)
                parent[f"{path[-1]}s"] = value
                yield changed


def _copied(spec: dict[str, Any], path: tuple[Any, ...]) -> tuple[dict[str, Any], Any]:
    """Return a copy and the part of it that holds the value at `path`."""
    changed = copy.deepcopy(spec)
    parent: Any = changed
    for key in path[:-1]:
        parent = parent[key]
    return changed, parent


REPLACEMENTS: list[Any] = [None, "", "/", "a", "A_b", "a" * 64, "..", "/a/../b", "/readyz", "*", "https://a/b", "10x"]
REPLACEMENTS += [-1, 0, 2**31, 2**63, 1.5, True, "kafka", "container", "poolmgr", "GET", [], {}, ["GET", "GET"], [1]]
REPLACEMENTS += [{"a": 1}, {"type": "name"}, {"hostNetwork": True}, {"name": "x"}]

_REF = {"name": "a", "namespace": "b"}
_FUNCTION = {"type": "name", "name": "f"}
_SECURITY = {"runAsUser": 1, "runAsGroup": 1, "fsGroup": 1, "runAsNonRoot": True}
_CONTAINER = {
    "name": "a",
    "image": "i",
    "command": ["a"],
    "args": ["b"],
    "env": [{"name": "A", "value": "1"}],
    "ports": [{"name": "h", "containerPort": 80}],
}
_POD = {"terminationGracePeriodSeconds": 1, "containers": [_CONTAINER], "securityContext": _SECURITY}
_RESOURCES = {"requests": {"cpu": "1"}, "limits": {"memory": "1Mi"}}
_SCALE = {"MinScale": 1, "MaxScale": 2, "SpecializationTimeout": 120, "hpaMetrics": [metric]}

COMPLETE: dict[str, list[dict[str, Any]]] = {
    "Environment": [
        {
            "version": 3,
            "poolsize": 1,
            "terminationGracePeriod": 1,
            "imagepullsecret": "a",
            "resources": _RESOURCES,
            "runtime": {"image": "x", "container": _CONTAINER, "podspec": _POD},
            "builder": {"image": "b", "command": "build", "container": _CONTAINER},
        }
    ],
    "Package": [
        {"environment": _REF, "source": {"type": "url", "url": "archive://a"}, "buildcmd": "x"},
        {"environment": _REF, "deployment": {"type": "url", "url": "archive://a"}},
    ],
    "Function": [
        {
            "environment": _REF,
            "package": {"functionName": "a.b", "packageref": _REF},
            "InvokeStrategy": {
                "StrategyType": "execution",
                "ExecutionStrategy": {"ExecutorType": executor, **_SCALE},
            },
            "concurrency": 1,
            "requestsPerPod": 1,
            "onceOnly": True,
            "retainPods": 1,
            "functionTimeout": 1,
            "idletimeout": 1,
            "resources": _RESOURCES,
            "secrets": [_REF],
            "configmaps": [_REF],
            "podspec": _POD,
        }
        for executor in ("newdeploy", "poolmgr", "container")
    ],
    "HTTPTrigger": [
        {
            "relativeurl": "/a",
            "methods": ["GET"],
            "functionref": _FUNCTION,
            "corsConfig": {
                "allowOrigins": ["https://a.b"],
                "allowMethods": ["GET"],
                "allowHeaders": ["A"],
                "exposeHeaders": ["B"],
                "allowCredentials": True,
                "maxAge": "1s",
            },
            "routeConfig": {
                "provider": "gateway",
                "hostnames": ["a.b"],
                "path": "/a",
                "annotations": {"a": "b"},
                "gateway": {"parentRefs": [{"name": "g", "namespace": "n", "sectionName": "s", "port": 1}]},
            },
        },
        {
            "relativeurl": "",
            "prefix": "/a",
            "keepPrefix": True,
            "methods": ["GET"],
            "functionref": _FUNCTION,
            "routeConfig": {"provider": "ingress", "tls": "t"},
        },
    ],
    "TimeTrigger": [{"cron": "@daily", "method": "POST", "subpath": "/", "functionref": _FUNCTION}],
    "MessageQueueTrigger": [
        {
            "functionref": _FUNCTION,
            "mqtkind": "keda",
            "messageQueueType": "kafka",
            "topic": "t",
            "respTopic": "r",
            "errorTopic": "e",
            "contentType": "c",
            "maxRetries": 1,
            "pollingInterval": 1,
            "cooldownPeriod": 1,
            "minReplicaCount": 0,
            "maxReplicaCount": 1,
            "secret": "s",
            "metadata": {"a": "b"},
        }
    ],
    "KubernetesWatchTrigger": [{"namespace": "n", "type": "POD", "functionref": _FUNCTION}],
}
