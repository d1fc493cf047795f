"""Our verdict on Fission objects against that of the real CRDs, on good objects and on spoilt ones.

What we write is never refused there; what only we refuse is refused for a reason in EXPLAINED.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from kit.specs import objects as o
from kit.specs import trigger_objects as t
from pydantic import BaseModel, ValidationError

from tests.template.specs.complete_objects import COMPLETE, single_changes
from tests.template.specs.fission_objects import SPECS, spoilt

MODELS: dict[str, type[BaseModel]] = {
    "Environment": o.EnvironmentSpec,
    "Package": o.PackageSpec,
    "Function": o.FunctionSpec,
    "HTTPTrigger": t.HttpTriggerSpec,
    "TimeTrigger": t.TimeTriggerSpec,
    "MessageQueueTrigger": t.MessageQueueTriggerSpec,
    "KubernetesWatchTrigger": t.WatchSpec,
}

# What we refuse and the CRD does not: the last part of the path, the kind of error, and the source of the rule.
EXPLAINED = {
    ("*", "kit"): "our own sentence gives the reason",
    ("*", "none_required"): "null is never written; None means that a field is left out",
    ("poolsize", "missing"): "omitted means 0 warm pods (FACTS 5.2)",
    ("terminationGracePeriod", "missing"): "omitted means 0 (FACTS 5.6)",
    ("version", "literal_error"): "only version 3 has poolsize (FACTS 6.5)",
    ("version", "missing"): "has a default here",
    ("image", "missing"): "an environment without image, or a builder without one, runs nothing",
    ("command", "missing"): "the default /build does not exist in the Python builder (FACTS 3.1)",
    ("name", "missing"): "DNS label needed although the schema does not require it (FACTS 6.4)",
    ("url", "missing"): "an archive needs a source (FACTS 6.4)",
    ("url", "string_pattern_mismatch"): "http(s) or archive://name (FACTS 6.4)",
    ("type", "literal_error"): "archives are written as url; triggers call by name; Go: watch types in upper case",
    ("ExecutionStrategy", "missing"): "Go: a non-empty InvokeStrategy needs both parts (FACTS 6.6)",
    ("ExecutorType", "missing"): "Go: must be valid when InvokeStrategy is non-empty (FACTS 6.6)",
    ("ExecutorType", "literal_error"): "Go: must be valid when InvokeStrategy is non-empty (FACTS 6.6)",
    ("StrategyType", "literal_error"): "Go: must be valid when InvokeStrategy is non-empty (FACTS 6.6)",
    ("functionTimeout", "missing"): "written out, so that nothing changes behind our back",
    ("functionTimeout", "greater_than_equal"): "CLI: a value below 1 means 60 (FACTS 6.6)",
    ("idletimeout", "missing"): "written out, so that nothing changes behind our back",
    ("idletimeout", "greater_than_equal"): "a negative time means nothing",
    ("concurrency", "greater_than_equal"): "with 0 every request gets 429 (FACTS 5.4)",
    ("requestsPerPod", "greater_than_equal"): "with 0 no pod takes a request (FACTS 5.4)",
    ("retainPods", "greater_than_equal"): "a negative number means nothing",
    ("MinScale", "greater_than_equal"): "negative also for poolmgr, where it is not looked at",
    ("MaxScale", "greater_than_equal"): "not positive also for poolmgr, where it is not looked at",
    ("*", "less_than_equal"): "numbers of 32 bits are enough for Go's int",
    ("terminationGracePeriodSeconds", "greater_than_equal"): "core/v1: not negative",
    ("runAsUser", "greater_than_equal"): "core/v1: between 0 and 2147483647",
    ("runAsGroup", "greater_than_equal"): "core/v1: between 0 and 2147483647",
    ("fsGroup", "greater_than_equal"): "core/v1: between 0 and 2147483647",
    ("runAsUser", "missing"): "a security context of ours names the user",
    ("runAsGroup", "missing"): "a security context of ours names the group",
    ("runAsNonRoot", "missing"): "a security context of ours says it",
    ("containers", "missing"): "a pod has a container",
    ("containers", "too_short"): "a pod has a container",
    ("value", "missing"): "our variables have values",
    ("methods", "missing"): "an empty set makes a dead route (FACTS 1.3)",
    ("methods", "too_short"): "an empty set makes a dead route (FACTS 1.3)",
    ("allowOrigins", "missing"): "without origins everything is refused (FACTS 1.6)",
    ("allowOrigins", "too_short"): "without origins everything is refused (FACTS 1.6)",
    ("allowMethods", "literal_error"): "no such method",
    ("maxAge", "missing"): "written out, so that nothing changes behind our back",
    ("maxAge", "string_pattern_mismatch"): "Go: must parse and not be negative (FACTS 1.6)",
    ("parentRefs", "missing"): "CEL for gateways; we never write an empty gateway",
    ("parentRefs", "too_short"): "CEL for gateways; we never write an empty gateway",
    ("method", "literal_error"): "no such method, though TimeTrigger does not look (FACTS 6.8)",
    ("mqtkind", "missing"): "empty is ambiguous (FACTS 6.9)",
    ("mqtkind", "literal_error"): "Go and webhook (FACTS 6.9)",
    ("messageQueueType", "missing"): "Go and webhook (FACTS 6.9)",
    ("messageQueueType", "literal_error"): "Go and webhook (FACTS 6.9)",
    ("contentType", "missing"): "the connector exits without it (FACTS 6.9)",
    ("maxRetries", "missing"): "the connector needs it (FACTS 9.1)",
    ("maxRetries", "greater_than_equal"): "a negative number means nothing",
    ("pollingInterval", "missing"): "nil dereference in the scaler (FACTS 6.9)",
    ("cooldownPeriod", "missing"): "nil dereference in the scaler (FACTS 6.9)",
    ("minReplicaCount", "missing"): "nil dereference in the scaler (FACTS 6.9)",
    ("maxReplicaCount", "missing"): "nil dereference in the scaler (FACTS 6.9)",
    ("pollingInterval", "greater_than_equal"): "a negative time means nothing",
    ("cooldownPeriod", "greater_than_equal"): "a negative time means nothing",
    ("minReplicaCount", "greater_than_equal"): "a negative number means nothing",
    ("maxReplicaCount", "greater_than_equal"): "with 0 nothing would ever run",
    ("averageUtilization", "greater_than_equal"): "autoscaling/v2: above 0",
    ("averageUtilization", "missing"): "our metrics have a target",
    ("functionref", "missing"): "a trigger without a function does nothing (FACTS 6.9)",
    ("requests", "string_type"): "quantities are texts, in one spelling (FACTS 6)",
    ("limits", "string_type"): "quantities are texts, in one spelling (FACTS 6)",
    ("containerPort", "greater_than_equal"): "core/v1: 1 to 65535",
    ("SpecializationTimeout", "greater_than_equal"): "a negative time means nothing",
    ("resource", "missing"): "autoscaling/v2: a Resource metric has a resource",
    ("name", "literal_error"): "autoscaling/v2: Resource metrics are cpu and memory",
    ("namespace", "missing"): "our references name the namespace (FACTS 6.6)",
    ("[key]", "literal_error"): "we write cpu and memory only",
    ("*", "extra_forbidden"): "we do not write this field of Kubernetes or Fission",
}


def document(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "fission.io/v1",
        "kind": kind,
        "metadata": {"name": "x", "namespace": "default"},
        "spec": spec,
    }


def written(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Return the object as it would stand in specs/.

    Raises:
        ValidationError: our model refuses it.
    """
    return document(kind, MODELS[kind].model_validate(spec).model_dump(exclude_none=True))


SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("kind", MODELS)
def test_good_objects_are_taken_by_both(crds, kind):
    @SETTINGS
    @given(SPECS[kind])
    def check(spec):
        if spec.get("corsConfig", {}).get("allowOrigins") == ["*"]:
            spec["corsConfig"]["allowCredentials"] = False
        assert crds.refusals(written(kind, spec)) == []

    check()


@pytest.mark.parametrize("kind", MODELS)
def test_spoilt_objects_are_never_written_and_refused_there(crds, kind):
    @settings(SETTINGS, max_examples=200)
    @given(spoilt(kind))
    def check(spec):
        try:
            ours = written(kind, spec)
        except ValidationError as error:
            if not crds.refusals(document(kind, spec)):
                unexplained = [d for d in error.errors() if not explained(d["loc"], d["type"], d["input"])]
                assert unexplained == [], spec
            return
        assert crds.refusals(ours) == []

    check()


@pytest.mark.parametrize("kind", COMPLETE)
def test_every_single_change_of_a_complete_object_is_judged_alike(crds, kind):
    """The same as above, but with each value of an object that uses all fields, one at a time: some 12 000 objects."""
    leaks, unexplained = [], []
    for complete in COMPLETE[kind]:
        assert crds.refusals(written(kind, complete)) == []
        for spec in single_changes(complete):
            try:
                ours = written(kind, spec)
            except ValidationError as error:
                new = [(d["loc"], d["type"]) for d in error.errors() if not explained(d["loc"], d["type"], d["input"])]
                if new and not crds.refusals(document(kind, spec)):
                    unexplained += new
                continue
            leaks += crds.refusals(ours)
    assert leaks == []
    assert unexplained == []


def explained(loc: tuple[Any, ...], kind: str, value: Any) -> bool:
    """Say whether a refusal that the CRD does not share has its reason in EXPLAINED."""
    if value is None:
        kind = "none_required"
    keys = [str(part) for part in reversed(loc) if isinstance(part, str)]
    if keys and keys[0].startswith("literal["):
        return True  # the other half of a union; its first half has a sentence
    return ("*", kind) in EXPLAINED or any((key, kind) in EXPLAINED for key in keys[:2])


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("Function", {"InvokeStrategy": {"ExecutionStrategy": {"ExecutorType": "newdeploy"}}}, "maximum scale must be"),
        (
            "Function",
            {"InvokeStrategy": {"ExecutionStrategy": {"ExecutorType": "newdeploy", "MinScale": 3, "MaxScale": 2}}},
            "maximum scale must be greater than or equal",
        ),
        (
            "Function",
            {"InvokeStrategy": {"ExecutionStrategy": {"ExecutorType": "container", "MaxScale": 1}}, "podspec": None},
            "container requires a pod spec",
        ),
        ("Function", {"InvokeStrategy": {"ExecutionStrategy": {"ExecutorType": "fast"}}}, "must be one of poolmgr"),
        ("Function", {"podspec": {"containers": [{"name": "a"}], "hostNetwork": True}}, "hostNetwork is not allowed"),
        ("Function", {"podspec": {"containers": [{"name": "a"}], "serviceAccountName": "x"}}, "serviceAccountName"),
        ("Function", {"secrets": [{"name": "a.b", "namespace": "default"}]}, "does not match"),
        ("HTTPTrigger", {"relativeurl": "/"}, "not be '/'"),
        ("HTTPTrigger", {"relativeurl": ""}, "at least one of relativeurl or prefix"),
        ("HTTPTrigger", {"relativeurl": "/a/../b"}, "'..' path segments"),
        ("HTTPTrigger", {"relativeurl": "/_version"}, "router-owned path"),
        ("HTTPTrigger", {"relativeurl": "/fission-function/f"}, "not start with /fission-function/"),
        ("HTTPTrigger", {"relativeurl": "", "prefix": "x"}, "prefix must start with '/'"),
        ("HTTPTrigger", {"methods": ["GET", "GET"]}, "non-unique"),
        ("HTTPTrigger", {"functionref": {"type": "name", "name": "A"}}, "valid DNS1123 label"),
        (
            "HTTPTrigger",
            {"corsConfig": {"allowOrigins": ["*"], "allowCredentials": True, "maxAge": "1s"}},
            "cannot be combined",
        ),
        ("HTTPTrigger", {"routeConfig": {"provider": "gateway"}}, "at least one Gateway"),
        (
            "HTTPTrigger",
            {"routeConfig": {"provider": "gateway", "gateway": {"parentRefs": [{"name": "g"}]}, "tls": "t"}},
            "ingress provider only",
        ),
        ("HTTPTrigger", {"routeConfig": {"provider": "ingress", "path": "x"}}, "must be an absolute path"),
        ("KubernetesWatchTrigger", {"type": "PODS"}, "must be one of POD"),
        ("Environment", {"poolsize": -1}, "less than the minimum"),
        ("Environment", {"runtime": {}}, "'image' is a required property"),
        (
            "Environment",
            {"runtime": {"image": "x", "podspec": {"containers": [{"name": "a"}], "hostPID": True}}},
            "hostPID is not allowed",
        ),
    ],
)
def test_each_rule_of_the_crds_is_one_of_ours(crds, kind, change, reason):
    spec = {key: value for key, value in {**MINIMAL[kind], **change}.items() if value is not None}
    assert any(reason in refusal for refusal in crds.refusals(document(kind, spec)))
    with pytest.raises(ValidationError):
        written(kind, spec)
    assert crds.refusals(written(kind, MINIMAL[kind])) == []


MINIMAL: dict[str, dict[str, Any]] = {
    "Function": {
        "environment": {"name": "python", "namespace": "default"},
        "package": {"functionName": "a.main", "packageref": {"name": "p", "namespace": "default"}},
        "InvokeStrategy": {"ExecutionStrategy": {"ExecutorType": "poolmgr"}},
        "functionTimeout": 60,
        "idletimeout": 120,
        "podspec": {"containers": [{"name": "a"}]},
    },
    "HTTPTrigger": {"relativeurl": "/a", "methods": ["GET"], "functionref": {"type": "name", "name": "f"}},
    "KubernetesWatchTrigger": {"namespace": "default", "type": "POD", "functionref": {"type": "name", "name": "f"}},
    "Environment": {"version": 3, "poolsize": 1, "terminationGracePeriod": 90, "runtime": {"image": "x"}},
}


def test_a_prefix_alone_would_be_refused_without_an_empty_url(crds):
    """Why `relativeurl: ""` is written: the CEL rule reads the field and fails where it is missing."""
    spec = {"prefix": "/a", "methods": ["GET"], "functionref": {"type": "name", "name": "f"}}
    assert crds.refusals(document("HTTPTrigger", spec)) != []
    assert crds.refusals(document("HTTPTrigger", {"relativeurl": "", **spec})) == []
