"""What an update refuses: before anything is written, and with one sentence."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.template.life.versions import NEW, OLD, edit, everything


@pytest.fixture
def project(delivered: Path) -> Path:
    return delivered


def test_an_uncommitted_change_is_refused(project, git, kit, new_archive):
    (project / "new.txt").write_text("x")
    edit(project / "README.md", "acme-orders", "acme")
    before = everything(project)
    done = kit("update", str(new_archive))
    assert done.returncode == 1
    assert "these files are not committed: README.md, new.txt; commit or stash them" in done.stderr
    assert everything(project) == before


def test_a_project_without_git_is_refused(project, kit, new_archive):
    done = kit("update", str(new_archive), env={"GIT_CEILING_DIRECTORIES": str(project.parent)})
    assert done.returncode == 1
    assert "is not in a git repository with a commit, so an update could not be undone; run: git init" in done.stderr


def test_an_older_template_is_refused(project, git, kit, old_archive, new_archive):
    kit("update", str(new_archive))
    git("add", "--all")
    git("commit", "--quiet", "--message", "Update")
    assert f"the archive is version {OLD}, which is older than {NEW}" in kit("update", str(old_archive)).stderr


def _zip(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as z:
        for name, text in files.items():
            z.writestr(name.replace("__", "/").replace("DOTS", ".."), text)
    return path


@pytest.mark.parametrize(
    ("make_archive", "message"),
    [
        (lambda folder, _: folder / "nowhere.zip", "cannot be read: No such file or directory"),
        (lambda folder, _: Path(shutil.copy(__file__, folder / "a.zip")), "is neither a zip nor a tar.gz"),
        (lambda folder, _: _zip(folder / "a.zip", x__README="hello"), "it holds no .kit-manifest.json"),
        (lambda folder, _: _zip(folder / "a.zip", x__a="1", y__b="2"), "does not hold exactly one folder"),
        (lambda folder, _: _zip(folder / "a.zip", x__DOTS__DOTS__etc="1"), "'x/../../etc' has no place in it"),
        (lambda folder, good: _truncated(good, folder), "is neither a zip nor a tar.gz, or it is damaged"),
        (lambda folder, good: _tampered(good, folder), "is damaged or was changed: src/health.py; download it again"),
    ],
    ids=["missing", "not an archive", "another's", "two folders", "climbing out", "truncated", "tampered with"],
)
def test_an_archive_that_is_not_ours_is_refused(project, git, kit, new_archive, tmp_path, make_archive, message):
    before = everything(project)
    done = kit("update", str(make_archive(tmp_path, new_archive)))
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert everything(project) == before


def _truncated(good: Path, folder: Path) -> Path:
    (folder / "cut.zip").write_bytes(good.read_bytes()[:-1000])
    return folder / "cut.zip"


def _tampered(good: Path, folder: Path) -> Path:
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(folder / "evil.zip", "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            target.writestr(entry, data + b"# evil\n" if entry.filename.endswith("src/health.py") else data)
    return folder / "evil.zip"
