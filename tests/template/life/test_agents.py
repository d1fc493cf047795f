"""AGENTS.md, MANIFEST.md and README.md of the template: every command works, every path exists."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from tools import ROOT, contracts

TEMPLATE = ROOT / "template"
IN_DEV = ("--namespace", "dev", "--keys", ".kit/dev.key", "manifests/dev.yaml")
GENERATED = {"specs/", "dist/", ".kit/", ".venv/", ".env", "manifests/env*.yaml"}


def rows(name: str) -> list[str]:
    text = (TEMPLATE / name).read_text()
    return [row for row in "".join(re.findall(r"^```bash\n(.*?)^```$", text, re.M | re.S)).splitlines() if row]


def commands(name: str) -> list[list[str]]:
    return [words for row in rows(name) if (words := shlex.split(row, comments=True))]


def paths(name: str) -> list[str]:
    """The paths in the first column of the tables, and file names in the text."""
    text = re.sub(r"^```.*?^```$", "", (TEMPLATE / name).read_text(), flags=re.M | re.S)
    quoted = re.findall(r"`([^`\s]+)`", text)
    return [one for one in quoted if re.fullmatch(r"\.?[\w*.-]+/[\w./*-]*|[A-Z]+\.md|\.env\.example", one)]


@pytest.mark.parametrize("name", ["AGENTS.md", "MANIFEST.md", "README.md"])
def test_every_path_is_there(name):
    missing = [path for path in paths(name) if path not in GENERATED and not list(TEMPLATE.glob(path.rstrip("/")))]
    assert paths(name)
    assert missing == []


def test_every_command_of_agents_md_works(project: Path, git, make, run):
    (project / ".venv").symlink_to(Path(sys.executable).parent.parent)
    for tool, *arguments in commands("AGENTS.md"):
        if arguments in (["check", "OFFLINE=1"], ["test"]):  # test_workflows and tests/archive run them
            assert make("--dry-run", *arguments).returncode == 0
            continue
        done = make(*arguments) if tool == "make" else run(tool, *arguments)
        assert done.returncode == 0, f"{tool} {arguments}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def test_every_command_of_manifest_md_works_or_keeps_its_contract(project: Path, run):
    settings = (project / ".env.example").read_text()
    (project / ".env").write_text(settings.replace("PG_PASS=\n", "PG_PASS=correct-horse\n"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # as `. .venv/bin/activate` does
    for row in rows("MANIFEST.md"):
        if "python -m kit" in row or row.startswith("mkdir "):
            done = run("bash", "-c", row, env={"PATH": path})
            assert done.returncode == 0, f"{row}\n{done.stderr}"
        else:
            contracts.check(shlex.split(row))
    assert (project / "manifests/env-dev.yaml").is_file()
    encrypted = (project / "manifests/dev.yaml").read_text()
    assert "vault:v2:" in encrypted
    assert "correct-horse" not in encrypted
    assert run(sys.executable, "-m", "kit", "vault", "check", *IN_DEV).returncode == 0


def test_every_target_that_a_document_names_exists(make):
    for name in ("AGENTS.md", "MANIFEST.md", "README.md"):
        for target in set(re.findall(r"(?m)(?:^|`)make ([a-z]+)\b", (TEMPLATE / name).read_text())):
            done = make("--dry-run", target)
            assert done.returncode == 0, f"{name}: make {target}: {done.stderr}"
