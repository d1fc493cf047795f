"""What is written to specs/, and that Fission's CRDs take all of it."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from kit.specs.errors import SpecErrors
from kit.specs.files import render
from kit.specs.generate import SpecFile, stage_uid
from kit.specs.project_specs import load, spec_files

from tests.template.specs.sample import PROFILES, TEMPLATE, blank, merge_settings, module, sample

UID = "5f6f1c52-3f0e-4a57-9f6a-6a0f2f6a9d11"
FILE_ONLY = {"DeploymentConfig", "ArchiveUploadSpec"}


def generated(root: Path, stage: str | None = None) -> list[SpecFile]:
    return spec_files(load(root, stage), UID)


def documents(root: Path, stage: str | None = None) -> list[dict]:
    """Return what a YAML reader gets out of the written texts."""
    texts = render(generated(root, stage)).values()
    return [document for text in texts for document in yaml.safe_load_all(text)]


def of_kind(root: Path, kind: str) -> list[dict]:
    return [document for document in documents(root) if document["kind"] == kind]


def one(project: Path, block: dict) -> list[dict]:
    (project / "src" / "orders.py").write_text(module(block))
    return [document for document in documents(project) if document.get("metadata", {}).get("name", "").startswith("o")]


@pytest.mark.parametrize("stage", [None, "local", "dev", "test", "staging"])
def test_fission_takes_the_template_with_all_examples(crds, tmp_path, stage):
    root = tmp_path / "p"
    shutil.copytree(TEMPLATE, root, ignore=shutil.ignore_patterns("kit", "__pycache__", ".kit", "dist"))
    merge_settings(root, {"package": {"folders": ["src", "examples"]}})
    found = documents(root, stage)
    assert {"Function", "HTTPTrigger", "Environment", "Package"} <= {document["kind"] for document in found}
    assert [
        (d["metadata"]["name"], crds.refusals(d)) for d in found if d["kind"] not in FILE_ONLY and crds.refusals(d)
    ] == []


def test_fission_takes_thirty_functions_of_every_kind(crds, tmp_path):
    found = documents(sample(tmp_path / "p", 30))
    kinds = [document["kind"] for document in found]
    assert kinds.count("Function") == 30
    assert {"HTTPTrigger", "TimeTrigger", "MessageQueueTrigger", "KubernetesWatchTrigger"} <= set(kinds)
    assert [
        (d["metadata"]["name"], crds.refusals(d)) for d in found if d["kind"] not in FILE_ONLY and crds.refusals(d)
    ] == []


def test_references_lead_somewhere(tmp_path):
    """Source: FissionResources.Validate of Fission's CLI."""
    found = documents(sample(tmp_path / "p", 16))
    names = {(d["kind"], d["metadata"]["name"]) for d in found if "metadata" in d}
    archives = {d["name"] for d in found if d["kind"] == "ArchiveUploadSpec"}
    for document in found:
        spec = document.get("spec", {})
        if "functionref" in spec:
            assert ("Function", spec["functionref"]["name"]) in names
        if document["kind"] == "Function" and spec["package"]:
            assert ("Package", spec["package"]["packageref"]["name"]) in names
            assert ("Environment", spec["environment"]["name"]) in names
        if document["kind"] == "Package":
            assert spec["source"]["url"].removeprefix("archive://") in archives
        if "metadata" in document:
            assert document["metadata"]["namespace"] == "default"
    assert len(names) == sum("metadata" in document for document in found)


def test_traps_are_written_out(tmp_path):
    """Omitted, these mean 0, /build, a refused object, an ambiguous kind, and a connector that exits."""
    root = sample(tmp_path / "p", 8)
    (environment,) = of_kind(root, "Environment")
    assert environment["spec"]["poolsize"] == 3
    assert environment["spec"]["terminationGracePeriod"] == 300
    assert environment["spec"]["builder"]["command"] == "build"
    (package,) = of_kind(root, "Package")
    assert package["spec"]["buildcmd"] == "./build.sh"
    (prefix,) = [d["spec"] for d in of_kind(root, "HTTPTrigger") if "prefix" in d["spec"]]
    assert (prefix["relativeurl"], prefix["keepPrefix"]) == ("", True)
    assert all(d["spec"]["methods"] for d in of_kind(root, "HTTPTrigger"))
    (queue,) = of_kind(root, "MessageQueueTrigger")
    assert (queue["spec"]["mqtkind"], queue["spec"]["contentType"]) == ("keda", "application/json")
    assert {"pollingInterval", "cooldownPeriod", "minReplicaCount", "maxReplicaCount"} <= queue["spec"].keys()
    (timer,) = of_kind(root, "TimeTrigger")
    assert (timer["spec"]["method"], timer["spec"]["subpath"]) == ("POST", "/")


def test_executors(project):
    merge_settings(project, PROFILES)
    block = {"name": "orders", "concurrency": 7}
    (function,) = one(project, block)
    assert function["spec"]["InvokeStrategy"]["ExecutionStrategy"] == {"ExecutorType": "poolmgr"}
    assert (function["spec"]["concurrency"], function["spec"]["requestsPerPod"]) == (7, 1)
    (function,) = one(project, {"name": "orders", "executor": "newdeploy"})
    strategy = function["spec"]["InvokeStrategy"]["ExecutionStrategy"]
    assert (strategy["MinScale"], strategy["MaxScale"], strategy["SpecializationTimeout"]) == (1, 3, 120)
    assert "concurrency" not in function["spec"]
    assert function["spec"]["resources"]["limits"] == {"memory": "256Mi"}
    (function,) = one(project, {"name": "orders", "executor": "web"})
    assert function["spec"]["environment"] == {"namespace": ""}
    assert function["spec"]["package"] == {}
    assert function["spec"]["podspec"]["terminationGracePeriodSeconds"] == 90
    (container,) = function["spec"]["podspec"]["containers"]
    assert container["name"] == "orders"
    assert {"name": "GREETING", "value": 'Grüße: "hi"\n---\nkind: Function'} in container["env"]


def test_containers_alone_need_no_package(tmp_path):
    root = blank(tmp_path / "p", PROFILES)
    (root / "src" / "orders.py").write_text(module({"name": "orders", "executor": "web"}))
    assert {d["kind"] for d in documents(root)} == {"DeploymentConfig", "Environment", "Function"}


def test_secrets_and_configmaps(project):
    (function,) = one(project, {"name": "orders"})
    assert function["spec"]["secrets"] == [{"name": "fission-your-service-env", "namespace": "default"}]
    assert function["spec"]["configmaps"] == [{"name": "fission-your-service-config", "namespace": "default"}]
    (function,) = one(project, {"name": "orders", "secrets": [], "configmaps": ["shared"]})
    assert "secrets" not in function["spec"]
    assert function["spec"]["configmaps"] == [{"name": "shared", "namespace": "default"}]


def test_routes_and_cors(project):
    merge_settings(project, {**PROFILES, "function_defaults": {"route": "public", "cors": {"allow_origins": ["*"]}}})
    trigger = {"url": "/orders/{id}/lines", "methods": ["GET"]}
    _, http = one(project, {"name": "orders", "http_triggers": {"t": trigger}})
    assert http["spec"]["corsConfig"] == {"allowOrigins": ["*"], "maxAge": "600s"}
    assert http["spec"]["routeConfig"]["path"] == "/orders"
    assert http["spec"]["routeConfig"]["gateway"]["parentRefs"][0]["sectionName"] == "https"
    _, http = one(project, {"name": "orders", "http_triggers": {"t": {**trigger, "url": "/{x}", "route": "old"}}})
    assert (http["spec"]["routeConfig"]["path"], http["spec"]["routeConfig"]["tls"]) == ("/old", "old-tls")


def test_users_that_are_not_root(project, crds):
    security = {"run_as_user": 10001, "run_as_group": 10001, "fs_group": 10001}
    merge_settings(project, {"environment": {"security_context": security, "runtime_envs": {"A": "1"}}})
    (environment,) = of_kind(project, "Environment")
    runtime = environment["spec"]["runtime"]
    assert "container" not in runtime
    assert runtime["podspec"]["containers"][0] == {
        "name": environment["metadata"]["name"],
        "image": runtime["image"],
        "env": [{"name": "A", "value": "1"}],
    }
    assert runtime["podspec"]["securityContext"]["runAsNonRoot"] is True
    assert crds.refusals(environment) == []


def test_stages_do_not_share_a_uid():
    """`fission spec apply --delete` removes the objects of a uid in all namespaces."""
    uids = [stage_uid(UID, stage) for stage in (None, "dev", "test")]
    assert uids[0] == UID
    assert len({UUID(uid) for uid in uids}) == 3


def test_names_made_of_function_and_trigger_may_not_meet(project):
    (project / "src" / "a.py").write_text(module({"name": "a", "timers": {"b-c": {"cron": "@daily"}}}))
    (project / "src" / "b.py").write_text(module({"name": "a-b", "timers": {"c": {"cron": "@daily"}}}))
    with pytest.raises(SpecErrors, match=r"b\.py:6:15: TimeTrigger a-b-c is also made by .*a\.py:4"):
        generated(project)


def test_rules_of_fission_that_pass_the_block_are_found_in_the_object(project):
    block = {"name": "a", "timers": {"b": {"cron": "99 * * * *"}}, "http_triggers": {}}
    (project / "src" / "a.py").write_text(module(block))
    with pytest.raises(SpecErrors, match=r"a\.py:8:14: TimeTrigger a-b: spec: the schedule is wrong: the minute 99"):
        generated(project)


def test_the_same_input_gives_the_same_bytes(tmp_path):
    first = sample(tmp_path / "a" / "p", 10)
    second = tmp_path / "b" / "p"
    (second / "src").mkdir(parents=True)
    shutil.copytree(first / ".fission", second / ".fission")
    paths = list((first / "src").iterdir())
    random.Random(4).shuffle(paths)
    for path in paths:
        (second / "src" / path.name).write_bytes(path.read_bytes())
        (second / "src" / path.name).chmod(0o600)
    assert render(generated(first)) == render(generated(second))


def test_both_yaml_writers_give_the_same_text(tmp_path, monkeypatch):
    """PyYAML without libyaml falls back to its Python writer; the specs may not change with that."""
    from kit.specs import files

    class Slow(yaml.SafeDumper):
        def ignore_aliases(self, _data):
            return True

    Slow.add_representer(str, files._string)
    made = generated(sample(tmp_path / "p", 16))
    texts = render(made)
    monkeypatch.setattr(files, "_Dumper", Slow)
    assert render(made) == texts


@pytest.mark.parametrize(
    "value",
    ["yes", "NO", "on", "y", "1e3", "0o17", "1:30", "null", "~", "a: b", "#x", "- a", "a\n---\nb", "é", "", " x", "="],
)
def test_texts_stay_texts_in_go_and_python(project, value):
    """Words and numbers of YAML 1.1 and 1.2 are quoted; a document mark at the beginning of a line is escaped."""
    merge_settings(project, {"environment": {"runtime_envs": {"A": value}}})
    text = render(generated(project))["environment.yaml"]
    (document,) = yaml.safe_load_all(text)
    assert document["spec"]["runtime"]["container"]["env"] == [{"name": "A", "value": value}]
    (line,) = [line for line in text.split("\n") if line.strip().startswith("value:")]
    assert line.strip().removeprefix("value: ")[0] in "'\""
