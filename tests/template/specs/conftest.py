"""Projects to try things on, and Fission's CRDs where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kit.errors import KitError

from tests.template.specs.crds import Crds
from tests.template.specs.sample import blank

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def crds() -> Crds:
    folder = Path(os.environ.get("FISSION_CRDS") or ROOT.parent / "shared" / "fission" / "crds")
    if not any(folder.glob("fission.io_*.yaml")):
        reason = f"Fission's CRDs are not in {folder}; set FISSION_CRDS to a copy of crds/v1 of Fission 1.27"
        if "crds" in os.environ.get("KIT_REQUIRE", "").split():
            pytest.fail(reason)
        pytest.skip(reason)
    return Crds(folder)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project without functions, which is the current folder."""
    root = blank(tmp_path / "project")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def kit(monkeypatch) -> Callable[..., Result]:
    """Run `python -m kit ...` in this process; a KitError becomes what main() makes of it."""

    def run(*arguments: str) -> Result:
        from kit.cli import cli

        result = CliRunner().invoke(cli, list(arguments), prog_name="python -m kit")
        if isinstance(result.exception, KitError):
            result.output_bytes += f"error: {result.exception}\n".encode()
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run
