"""An overlay changes what it names, and mistakes are placed in the file that made them."""

from __future__ import annotations

import json

import pytest
from kit.errors import KitError
from kit.specs.deployment import load_deployment, stages
from kit.specs.errors import SpecErrors
from kit.specs.project_specs import load

from tests.template.specs.sample import TEMPLATE, merge_settings, module


def overlay(root, stage: str, text: str) -> None:
    (root / ".fission" / f"{stage}-deployment.json").write_text(text)


def problems(root, stage=None) -> list[str]:
    with pytest.raises(SpecErrors) as caught:
        load_deployment(root, stage)
    return [str(error.relative_to(root / ".fission")) for error in caught.value.errors]


@pytest.mark.parametrize("stage", [None, "local", "dev", "test", "staging"])
def test_the_templates_stages_are_valid(stage):
    assert load_deployment(TEMPLATE, stage).settings.project == "your-service"


def test_the_template_has_the_four_stages():
    assert stages(TEMPLATE) == ["dev", "local", "staging", "test"]


def test_an_overlay_changes_only_what_it_names(project):
    base = load_deployment(project).settings
    changes = {"namespace": "dev", "environment": {"image": "x:2"}, "executors": {"newdeploy": {"max_scale": 9}}}
    changes["function_defaults"] = {"secrets": ["dev-env", "shared"]}
    overlay(project, "dev", json.dumps(changes))
    dev = load_deployment(project, "dev").settings
    assert (dev.namespace, dev.environment.image, dev.executors["newdeploy"].max_scale) == ("dev", "x:2", 9)
    assert dev.function_defaults.secrets == ["dev-env", "shared"]
    assert dev.function_defaults.configmaps == base.function_defaults.configmaps
    assert dev.environment.poolsize == base.environment.poolsize
    assert load_deployment(project).settings == base


def test_null_removes_a_key(project):
    overlay(project, "dev", '{"environment": {"builder_image": null, "poolsize": null}}')
    environment = load_deployment(project, "dev").settings.environment
    assert (environment.builder_image, environment.poolsize) == (None, 3)


def test_mistakes_are_placed_in_the_right_file(project):
    overlay(project, "dev", '{\n "executors": {"poolmgr": {"concurency": 3}},\n "namespace": "A"\n}')
    merge_settings(project, {"environment": {"poolsize": -1}})
    base, unknown, name = problems(project, "dev")
    assert base.startswith("deployment.json:8:17: -1 does not fit here")
    assert unknown.startswith('dev-deployment.json:2:28: the key "concurency" is unknown')
    assert unknown.endswith('Write "concurrency".')
    assert name.startswith('dev-deployment.json:3:15: "A" is not a name')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "dev-deployment.json:1:2: the JSON ends"),
        ('{"project": 1}', "dev-deployment.json:1:13: 1 does not fit here"),
        ('{"a": 1, "a": 2}', 'the key "a" stands twice'),
        ('{"fission_version": "1.28"}', 'Write "1.27".'),
        ('{"executors": {"x": {}}}', "dev-deployment.json:1:21: "),
        ('{"executors": {"x": {"type": "pool"}}}', "dev-deployment.json:1:21: "),
        ('{"executors": {"x": {"type": "newdeploy", "min_scale": 5}}}', "min_scale exceeds max_scale"),
        ('{"function_defaults": {"executor": "pool"}}', 'there is no executor profile "pool"'),
        ('{"function_defaults": {"route": "x"}}', 'there is no route profile "x"'),
        ('{"routes": {"x": {"provider": "gateway"}}}', "the gateway has no parent_refs"),
        ('{"routes": {"x": {"provider": "ingress", "hostnames": ["*"]}}}', '"*" is not a host name'),
        ('{"environment": {"resources": {"limits": {"memory": "128MB"}}}}', '"128MB" is not a Kubernetes quantity'),
        ('{"environment": {"runtime_envs": {"A-B": ""}}}', '"A-B" is not the name of an environment variable'),
        ("[]", "dev-deployment.json:1:1: a list does not fit here"),
    ],
)
def test_bad_overlays(project, text, expected):
    overlay(project, "dev", text)
    found = problems(project, "dev")
    assert any(expected in line for line in found), found


def test_values_that_may_be_secret_are_not_repeated(project):
    overlay(project, "dev", '{"environment": {"runtime_envs": {"TOKEN": ["hunter2"]}}}')
    assert "hunter2" not in "".join(problems(project, "dev"))


@pytest.mark.parametrize("stage", ["prod", "../dev", "", "dev\n"])
def test_unknown_stages(project, stage):
    overlay(project, "dev", "{}")
    with pytest.raises(KitError, match=r'There is no stage ".*"; .fission/ has overlays for: dev\.'):
        load_deployment(project, stage)


def test_a_project_without_settings(tmp_path):
    with pytest.raises(KitError, match=r"deployment\.json is missing"):
        load_deployment(tmp_path)


def test_settings_that_are_no_text(project):
    (project / ".fission" / "deployment.json").write_bytes(b'{"project": "\xff"}')
    assert problems(project) == [
        "deployment.json:1:14: the byte 0xff is not UTF-8. Source files are UTF-8 text. Save the file as UTF-8."
    ]


def test_a_folder_that_does_not_exist(project):
    merge_settings(project, {"package": {"folders": ["src", "functions"]}})
    with pytest.raises(SpecErrors, match=r'deployment\.json:\d+:\d+: "functions" is not a folder'):
        load(project)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"name": "a", "executor": "big"}, 'there is no executor profile "big"'),
        ({"name": "a", "http_triggers": {"t": {"url": "/a", "methods": ["GET"], "route": "x"}}}, "no route profile"),
        ({"name": "a" * 60, "timers": {"abcd": {"cron": "@daily"}}}, "names have at most 63 characters"),
        ({"name": "a", "secrets": ["x", "y", "x"]}, '"x" is listed twice'),
    ],
)
def test_blocks_that_do_not_fit_the_settings(project, block, expected):
    (project / "src" / "a.py").write_text(module(block))
    with pytest.raises(SpecErrors, match=expected):
        load(project)
