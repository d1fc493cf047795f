"""Drift of every kind, injected on purpose into a tiny kit: the checks of `make test` catch it, with file and line."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import tiny_kit
from tests.docs.drifts import DRIFTS, PAGE, Drift
from tools import ROOT, archive, environments, links, site, tested
from tools.stage import Stage
from tools.workbench import environment, fresh_copy


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """With a site that has nothing but the archives: the pages of the tiny kit ask for no more."""
    folder = tmp_path_factory.mktemp("stage")
    archive.publish(folder / "site/downloads")
    with contextlib.closing(Stage(folder, folder / "site")) as made:
        yield made


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return tiny_kit.make(tmp_path, monkeypatch)


@pytest.mark.parametrize("page", [PAGE, "docs/project.md", "README.md", "template/README.md"])
def test_nothing_is_found_where_nothing_has_drifted(page: str, kit: Path, stage: Stage, tmp_path: Path) -> None:
    assert [found for found in tiny_kit.findings(kit, stage, tmp_path, page) if found] == []


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
def test_drift_is_caught_with_its_place(drift: Drift, kit: Path, stage: Stage, tmp_path: Path) -> None:
    file = kit / drift.file
    file.write_text(drift.change(file.read_text("utf-8") if file.exists() else ""), "utf-8")
    found = next((some for some in tiny_kit.findings(kit, stage, tmp_path, drift.page) if some), [])
    assert any(re.match(f"(?s){drift.says}", finding) for finding in found), found


def test_an_archive_that_is_not_the_one_of_its_checksum_is_noticed(kit: Path, tmp_path: Path) -> None:
    site.build_pages(tmp_path / "site", kit / "mkdocs.yml")
    packed = next((tmp_path / "site/downloads").glob("*.zip"))
    packed.write_bytes(packed.read_bytes() + b"x")
    assert (
        f"downloads/SHA256SUMS:1: this is not the checksum of {packed.name}"
        in links.Site(tmp_path / "site", kit / "docs").problems()
    )


def test_the_command_names_the_place_and_fails(tmp_path: Path) -> None:
    copy = fresh_copy(tmp_path)
    snippet = copy / "snippets/secrets/read_secret.py"
    snippet.write_text(re.sub(r"(?m)^(\s*#> ).*$", r"\1something else", snippet.read_text("utf-8"), count=1))
    venv = environments.ready("project", archive.TEMPLATE / "dev-requirements.txt")  # the copy need not make its own
    tested.of(archive.TEMPLATE)
    (copy / ".cache").mkdir()
    for kept in environments.CACHE.glob("tested-*"):  # nor run the template's tests
        (shutil.copytree if kept.is_dir() else shutil.copy)(kept, copy / ".cache" / kept.name)
    done = subprocess.run(
        [sys.executable, "-m", "tools.verify", "docs/secrets.md"],
        cwd=copy,
        env=environment() | {"KIT_PROJECT_VENV": str(venv)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.search(r"docs/secrets\.md:\d+ \(snippets/secrets/read_secret\.py:1\)  python \.\.\. WRONG", done.stdout)
    assert re.search(r"docs/secrets\.md:\d+  console \.\.\. ok  \d+\.\d s  ", done.stdout)
    assert "Traceback" not in done.stdout + done.stderr


def test_there_are_as_many_kinds_as_the_page_verified_says() -> None:
    assert len(DRIFTS) > 70
    assert "More than seventy kinds of drift" in (ROOT / "docs/verified.md").read_text("utf-8")
