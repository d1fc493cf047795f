"""What is kept in .cache/ is made once, made whole, and made again when what it comes from changes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tools import archive, environments
from tools.environments import EnvironmentNotMade


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environments, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def download(tmp_path: Path) -> Path:
    archive.publish(tmp_path / "downloads")
    return next((tmp_path / "downloads").glob("*.zip"))


def test_a_project_is_unpacked_compiled_and_no_younger_than_an_environment(cache: Path, download: Path) -> None:
    project = environments.unpacked(download)
    assert list((project / "kit/__pycache__").glob("cli.*.pyc"))
    assert time.gmtime((project / "dev-requirements.txt").stat().st_mtime).tm_year <= 1980
    assert (project / "create-project.sh").stat().st_mode & 0o111


def test_it_is_made_once_and_again_after_a_change_or_a_crash(cache: Path, download: Path) -> None:
    project = environments.unpacked(download)
    (project / "note").touch()
    assert (environments.unpacked(download) / "note").exists()
    next(cache.glob("unpacked-*.done")).unlink()  # as if the run that makes it had been killed
    assert not (environments.unpacked(download) / "note").exists()
    download.write_bytes(download.read_bytes() + b"\0" * 3)
    assert environments.unpacked(download) != project
    assert project.exists()  # another run may be using it


def test_what_is_old_is_removed_when_something_new_is_made(cache: Path, download: Path) -> None:
    old = cache / "unpacked-0123"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    environments.unpacked(download)
    assert not old.exists()


def test_what_is_used_is_not_old(cache: Path, download: Path) -> None:
    project = environments.unpacked(download)
    for used in cache.glob("unpacked-*"):
        os.utime(used, (0, 0))
    environments.unpacked(download)
    download.write_bytes(download.read_bytes() + b"\0" * 3)
    environments.unpacked(download)
    assert project.exists()


def test_what_cannot_be_made_leaves_nothing(cache: Path) -> None:
    def half(place: Path) -> None:
        place.mkdir()
        raise RuntimeError("no more space")

    with pytest.raises(RuntimeError, match="no more space"):
        environments.made_once("half", "1", half)
    assert not list(cache.glob("half-*"))


def test_another_build_of_python_has_environments_of_its_own(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pins.txt").touch()
    first = environments.ready("empty", tmp_path / "pins.txt")
    monkeypatch.setattr(environments, "PYTHON_KEY", "another")
    assert environments.ready("empty", tmp_path / "pins.txt") != first


def test_requirements_that_cannot_be_installed_are_one_clear_error(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "pins.txt").write_text("click\n")
    with pytest.raises(EnvironmentNotMade, match=r"uv pip install.*hash"):
        environments.ready("broken", tmp_path / "pins.txt")
    assert not list(cache.glob("*.done"))
