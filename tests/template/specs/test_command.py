"""`python -m kit specs` and `python -m kit check` as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from jsonschema import Draft202012Validator
from kit.checks.registry import rules
from kit.specs.archive import collect, package_name
from kit.specs.deployment import load_deployment
from kit.specs.docstring import read_functions
from kit.specs.files import MARKER

from tests.template.specs.sample import TEMPLATE, merge_settings, module, sample

ORDERS = {"name": "your-service-orders", "http_triggers": {"list": {"url": "/orders", "methods": ["GET"]}}}


@pytest.fixture
def orders(project) -> Path:
    (project / "src" / "orders.py").write_text(module(ORDERS))
    return project


def package(root: Path) -> str:
    deployment = load_deployment(root)
    return package_name(deployment, collect(deployment))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_first_run_gives_the_project_a_uid(orders, kit):
    result = kit("specs")
    uid = (orders / ".fission" / "uid").read_text().strip()
    assert str(UUID(uid)) == uid
    assert result.output == (
        f".fission/uid: created with {uid}; commit it, it marks this project's objects in the cluster\n"
        "specs/: 4 files, 1 function, 4 changed\n"
        f'dist/{package(orders)}.zip is not there yet; "python -m kit package" makes it\n'
    )
    assert yaml.safe_load((orders / "specs" / "fission-deployment-config.yaml").read_text())["uid"] == uid
    kit("package")
    assert kit("specs").output == "specs/: 4 files, 1 function, 0 changed\n"


def test_check_wants_a_uid(orders, kit):
    result = kit("specs", "--check")
    assert result.exit_code == 1
    assert result.output == 'error: .fission/uid is missing; run "python -m kit specs" once and commit the file.\n'
    assert not (orders / "specs").exists()


def test_a_broken_uid_is_not_replaced(orders, kit):
    (orders / ".fission" / "uid").write_text("your uid here\n")
    result = kit("specs")
    assert result.output == "error: .fission/uid:1:1: this is not a UUID; restore the file from version control.\n"


def test_check_fails_on_drift_and_shows_it(orders, kit):
    kit("specs")
    assert kit("specs", "--check").output == "specs/ is up to date: 4 files, 1 function\n"
    before = files(orders)
    (orders / "src" / "orders.py").write_text(module({**ORDERS, "timeout_seconds": 90}))
    result = kit("specs", "--check")
    assert result.exit_code == 1
    assert "--- specs/function-your-service-orders.yaml\n+++ specs/function-your-service-orders.yaml\n" in result.output
    assert "-  functionTimeout: 60\n+  functionTimeout: 90\n" in result.output
    assert result.output.endswith('run "python -m kit specs" and commit the result.\n')
    assert files(orders) == {**before, "src/orders.py": (orders / "src" / "orders.py").read_bytes()}


def test_a_changed_source_file_is_drift_because_the_package_changes(orders, kit):
    kit("specs")
    (orders / "src" / "prices.py").write_text("PRICE = 1\n")
    result = kit("specs", "--check")
    assert "+  name: your-service-" in result.output


def test_check_knows_the_stage(orders, kit):
    (orders / ".fission" / "dev-deployment.json").write_text('{"namespace": "dev"}')
    kit("specs", "--env", "dev")
    assert kit("specs", "--env", "dev", "--check").exit_code == 0
    result = kit("specs", "--check")
    assert "-  namespace: dev\n+  namespace: default\n" in result.output


def test_removed_functions_lose_their_files_and_foreign_files_stay(orders, kit):
    kit("specs")
    foreign = {"own.yaml": "kind: Secret\n", "README": "ours\n", ".specignore": "x\n"}
    for name, text in foreign.items():
        (orders / "specs" / name).write_text(text)
    (orders / "src" / "orders.py").unlink()
    (orders / "src" / "bills.py").write_text(module({"name": "your-service-bills"}))
    diff = kit("specs", "--check").output
    assert "--- specs/function-your-service-orders.yaml\n+++ /dev/null\n" in diff
    assert "--- /dev/null\n+++ specs/function-your-service-bills.yaml\n" in diff
    assert kit("specs").output.startswith("specs/: 4 files, 1 function, 3 changed\n")
    found = {path.name for path in (orders / "specs").iterdir()}
    assert found == {*foreign, "environment.yaml", "fission-deployment-config.yaml", "package.yaml"} | {
        "function-your-service-bills.yaml"
    }
    assert {name: (orders / "specs" / name).read_text() for name in foreign} == foreign


def test_a_foreign_file_in_the_way_is_not_overwritten(orders, kit):
    (orders / "specs").mkdir()
    (orders / "specs" / "environment.yaml").write_text("kind: Environment\n")
    result = kit("specs")
    assert "environment.yaml is in the way: it does not begin with" in result.output
    assert files(orders / "specs") == {"environment.yaml": b"kind: Environment\n"}


def test_a_link_in_the_way_is_not_followed(orders, kit):
    (orders / "specs").mkdir()
    (orders / "target").write_text(f"{MARKER}\n")
    (orders / "specs" / "environment.yaml").symlink_to(orders / "target")
    assert "is in the way" in kit("specs").output
    assert (orders / "target").read_text() == f"{MARKER}\n"


def test_a_file_called_specs(orders, kit):
    (orders / "specs").write_text("")
    assert "is not a folder" in kit("specs").output


def test_nothing_is_written_when_anything_is_wrong(orders, kit):
    kit("specs")
    before = files(orders)
    (orders / "src" / "a.py").write_text(module({"name": "your-service-a", "timeout": 1}))
    (orders / "src" / "b.py").write_text(module({"name": "your-service-b", "timers": {"t": {"cron": "x"}}}))
    (orders / "src" / "orders.py").write_text(module({**ORDERS, "timeout_seconds": 90}))
    result = kit("specs")
    assert result.exit_code == 1
    assert result.output == (
        'src/a.py:7:7: the key "timeout" is unknown. Misspelt keys would be ignored without a word by Fission. '
        'Write "timeout_seconds".\n1 error; nothing was written\n'
    )
    (orders / "src" / "a.py").unlink()
    assert kit("specs").output == (
        "src/b.py:9:19: FK070 the schedule is wrong: it has not 5 fields (minute first) or 6 (second first), but 1. "
        "Fission would accept it and never run it. Correct it.\n1 error; nothing was written\n"
    )
    assert files(orders / "specs") == {k.removeprefix("specs/"): v for k, v in before.items() if k.startswith("specs/")}


def test_an_unknown_stage(orders, kit):
    result = kit("specs", "--env", "prod")
    assert result.exit_code == 1
    assert 'There is no stage "prod"; .fission/ has overlays for: none.' in result.output


def test_output_goes_where_it_is_wanted(orders, kit, tmp_path):
    assert kit("specs", "--output", str(tmp_path / "out")).output.find("out/: 4 files, 1 function, 4 changed\n") > 0
    assert len(list((tmp_path / "out").glob("*.yaml"))) == 4


def test_works_from_a_folder_inside(orders, kit, monkeypatch):
    monkeypatch.chdir(orders / "src")
    kit("specs")
    assert len(list((orders / "specs").glob("*.yaml"))) == 4


@pytest.mark.parametrize("name", ["deployment", "function"])
def test_schemas_describe_the_templates_files(kit, name):
    schema = json.loads(kit("specs", "--schema", name).output)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    if name == "deployment":
        value = json.loads((TEMPLATE / ".fission" / "deployment.json").read_text())
        validator.validate({"$schema": "./schema.json", **value})
    else:
        (value, *_) = [f.located.document.value for f in read_functions(TEMPLATE / "src")]
        validator.validate(value)
    assert list(validator.iter_errors({**value, "nme": 1}))


def test_check_prints_findings_with_their_rules(orders, kit):
    assert kit("check").output == f"1 function, {len(rules())} checks, 0 errors, 0 warnings\n"
    bad = {"name": "your-service-a", "http_triggers": {"t": {"url": "/a/{x_y}/", "methods": ["PATCH"]}}}
    (orders / "src" / "a.py").write_text(module(bad))
    result = kit("check")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0].startswith("src/a.py:9:18: warning: FK009 /a/{x_y} without the slash gets 404.")
    assert lines[1].startswith("src/a.py:9:18: error: FK002 the variable {x_y} would never arrive.")
    assert lines[2].startswith("src/a.py:11:13: error: FK001 PATCH never reaches the function.")
    assert lines[3:6] == [f"explained in the guide: checks/#fk00{n}" for n in (1, 2, 9)]
    assert lines[6].endswith("2 errors, 1 warning")


def test_warnings_fail_only_when_strict(orders, kit):
    (orders / "src" / "a.py").write_text(module({"name": "a"}))
    assert kit("check").exit_code == 0
    assert kit("check", "--strict").exit_code == 1
    merge_settings(orders, {"ignore_checks": {"FK080": "we are alone"}})
    assert kit("check", "--strict").exit_code == 0


def test_check_reports_what_cannot_be_read(orders, kit):
    (orders / "src" / "a.py").write_text(module('{"name": "a", "state": {}}'))
    result = kit("check")
    assert result.exit_code == 1
    assert result.output.startswith("src/a.py:5:19: error: FK090 the key")


def test_check_lists_all_rules(kit):
    lines = kit("check", "--list").output.splitlines()
    assert lines[0] == "FK001 error   Methods that the Python server refuses"
    assert len(lines) > 50


def test_help_is_fast_and_imports_nothing_heavy():
    code = "import sys, kit.cli, kit.package, kit.specs.command, kit.checks.command; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=TEMPLATE, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_five_hundred_functions_are_five_hundred_functions(tmp_path, kit, monkeypatch):
    root = sample(tmp_path / "p", 500)  # bench/specs_scale.py measures them
    monkeypatch.chdir(root)
    assert kit("specs").exit_code == 0
    texts = [path.read_text("utf-8") for path in (root / "specs").glob("*.yaml")]
    assert sum(text.count("\nkind: Function\n") for text in texts) == 500
