"""Gitea's and GitHub's workflows call the same targets, each target exists and works, and zizmor finds nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.template.life.test_audit import VULNERABLE, osv, service
from tools import ROOT

TEMPLATE = ROOT / "template"
HOSTS = (".github", ".gitea")
NAMES = ("ci", "deploy")
# Where the SHAs come from: the tags of the stored repositories, looked up on 2026-11-22.
PINS = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
}
FILES = [TEMPLATE / host / "workflows" / f"{name}.yml" for host in HOSTS for name in NAMES]


def steps(path: Path) -> list[dict]:
    return [step for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job["steps"]]


def commands(path: Path) -> list[str]:
    return [step["run"] for step in steps(path) if "run" in step]


@pytest.mark.parametrize("name", NAMES)
def test_both_hosts_run_the_same_commands_with_the_same_actions(name):
    github, gitea = (TEMPLATE / host / "workflows" / f"{name}.yml" for host in HOSTS)
    assert commands(github) == commands(gitea)
    actions = [step["uses"].removeprefix("https://github.com/") for step in steps(gitea) if "uses" in step]
    assert actions == [step["uses"] for step in steps(github) if "uses" in step]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(TEMPLATE).as_posix())
def test_a_workflow_is_pinned_and_has_no_more_rights_than_it_needs(path):
    text = path.read_text()
    for action, sha, version in re.findall(r"uses: (?:https://github\.com/)?([\w/-]+)@(\S+) # (\S+)", text):
        assert PINS[action] == (sha, version)
    assert len(re.findall(r"uses:", text)) == len(re.findall(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n", text))
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert all(job["permissions"] == {"contents": "read"} for job in workflow["jobs"].values())
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())
    assert all(
        step["with"]["persist-credentials"] is False for step in steps(path) if "checkout" in step.get("uses", "")
    )
    assert "secrets." not in text or path.stem == "deploy"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(TEMPLATE).as_posix())
@pytest.mark.parametrize("persona", ["regular", "pedantic"])
def test_zizmor_finds_nothing(path, persona):
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [zizmor, "--offline", "--no-progress", "--persona", persona, path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout + done.stderr


def test_zizmor_would_find_something(tmp_path):
    text = FILES[0].read_text().replace("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7")
    (tmp_path / "ci.yml").write_text(text.replace("permissions: {}\n", ""))
    done = subprocess.run(
        [Path(sys.executable).with_name("zizmor"), "--offline", tmp_path / "ci.yml"], capture_output=True
    )
    assert done.returncode != 0


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_a_target_that_exists(make, name):
    for command in commands(TEMPLATE / ".github/workflows" / f"{name}.yml"):
        tool, *targets = command.split()
        assert tool == "make"
        done = make("--dry-run", *targets, env={"ENV": "dev"})
        assert done.returncode == 0, done.stderr


def test_make_check_runs_every_target_of_ci(make):
    planned = make("--dry-run", "check").stdout.splitlines()
    for command in commands(TEMPLATE / ".github/workflows/ci.yml"):
        if command != "make setup":
            lines = make("--dry-run", command.split()[1]).stdout.splitlines()
            assert lines
            assert set(lines) <= set(planned), command
    assert not any("kit audit" in line for line in make("--dry-run", "check", "OFFLINE=1").stdout.splitlines())


def test_the_commands_of_ci_work_in_a_fresh_project(make, project, git):
    """Each one as the workflow runs it, except `make setup`: tests/archive runs that with a real download."""
    with service(osv(VULNERABLE)) as (url, _):
        for command in commands(TEMPLATE / ".github/workflows/ci.yml"):
            if command != "make setup":
                done = make(*command.split()[1:], env={"AUDIT_URL": url})
                assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    assert git("status", "--porcelain").stdout == "", "CI leaves nothing behind that git would take"


@pytest.mark.parametrize(
    ("ref_type", "ref_name", "stage"),
    [("branch", "main", "dev"), ("branch", "test", "test"), ("tag", "v1.2.0", "staging")],
)
def test_a_branch_or_tag_leads_to_a_stage_that_exists(ref_type, ref_name, stage):
    workflow = yaml.safe_load((TEMPLATE / ".github/workflows/deploy.yml").read_text())
    (job,) = workflow["jobs"].values()
    expression = next(step["env"]["ENV"] for step in job["steps"] if "env" in step)
    assert job["environment"] == expression
    python = expression.strip("${} ").replace("&&", "and").replace("||", "or")
    values = {"github.ref_type": ref_type, "github.ref_name": ref_name}
    for name, value in values.items():
        python = python.replace(name, repr(value))
    assert eval(python) == stage  # the operators mean the same in both languages
    assert (TEMPLATE / f".fission/{stage}-deployment.json").is_file()
    triggers = workflow[True]["push"]  # YAML takes `on` for a truth value
    assert ref_name in triggers["branches"] or (ref_type == "tag" and triggers["tags"] == ["v*"])
