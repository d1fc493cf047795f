"""The specs of every example alone, and of all together, are what Fission accepts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..specs.conftest import crds  # noqa: F401 - a fixture
from ..specs.crds import Crds
from .operations import FOLDER, functions_of, names

ALONE = [[name] for name in names()]
Kit = Callable[..., str]


@pytest.fixture(params=[*ALONE, names()], ids=lambda chosen: chosen[0] if len(chosen) == 1 else "all")
def deployed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[list[str], Path]:
    """Names of examples, and a project that has them in `src/`, where they are deployed from."""
    root = tmp_path / "acme-orders"
    command = ["bash", str(FOLDER.parent / "create-project.sh"), "acme-orders", str(root)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    for name in request.param:
        run(root, "add", name)
    shutil.rmtree(root / "examples", ignore_errors=True)
    return request.param, root


def run(root: Path, *arguments: str) -> str:
    """Run `python -m kit` in a project and return what it prints."""
    command = [sys.executable, "-m", "kit", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_check_finds_neither_errors_nor_warnings(deployed: tuple[list[str], Path]):
    _, root = deployed
    assert run(root, "check", "--strict").endswith(" checks, 0 errors, 0 warnings\n")


def test_the_specs_hold_every_function_and_are_up_to_date_when_written(deployed: tuple[list[str], Path]):
    chosen, root = deployed
    run(root, "specs")
    assert "is up to date" in run(root, "specs", "--check")
    wanted = {one.name.replace("your-service", "acme-orders") for name in chosen for one in functions_of(name)}
    assert wanted <= {one["metadata"]["name"] for one in objects(root) if one["kind"] == "Function"}


def test_fission_s_own_rules_refuse_none_of_the_objects(deployed: tuple[list[str], Path], crds: Crds):  # noqa: F811
    _, root = deployed
    run(root, "specs")
    refusals = {one["metadata"]["name"]: crds.refusals(one) for one in objects(root) if one["kind"] in crds.schemas}
    assert {name: reasons for name, reasons in refusals.items() if reasons} == {}
    assert len(refusals) > 2


def objects(root: Path) -> list[dict[str, Any]]:
    """Return all objects of `specs/`."""
    texts = [path.read_text("utf-8") for path in sorted((root / "specs").glob("*.yaml"))]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]
