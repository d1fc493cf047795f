"""The archive on the site: reproducible, complete, and a project made from it is green by its own tests."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools import archive
from tools.workbench import environment, unpack


def test_the_same_tree_gives_the_same_bytes_whatever_its_dates_and_umask(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns(".venv", ".kit", "__pycache__", ".*_cache")
    copy = Path(shutil.copytree(archive.TEMPLATE, tmp_path / "copy", ignore=ignore))
    for path in copy.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(path.stat().st_mode | 0o020)
    assert archive.downloads(copy) == archive.downloads()


def test_zip_and_tar_hold_the_same_files_with_the_same_modes(built_site: Path) -> None:
    stem = built_site / "downloads" / f"{archive.NAME}-{archive.version()}"
    with zipfile.ZipFile(f"{stem}.zip") as z:
        zipped = {e.filename: (e.external_attr >> 16 & 0o777, z.read(e)) for e in z.infolist()}
    with tarfile.open(f"{stem}.tar.gz") as t:
        tarred = {m.name: (m.mode, t.extractfile(m).read()) for m in t.getmembers()}  # type: ignore[union-attr]
    assert zipped == tarred
    assert zipped[f"{archive.NAME}/create-project.sh"][0] == 0o755
    assert zipped[f"{archive.NAME}/README.md"][0] == 0o644


def test_the_archive_holds_what_git_would_take(built_site: Path) -> None:
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=archive.TEMPLATE,
        check=True,
        capture_output=True,
        text=True,
    )
    here = {p.relative_to(archive.TEMPLATE).as_posix() for p in archive.listing()}
    assert here == {name for name in done.stdout.split("\n") if name and (archive.TEMPLATE / name).exists()}


def test_sums_page_and_files_agree(built_site: Path) -> None:
    folder = built_site / "downloads"
    page = (built_site / "download/index.html").read_text("utf-8")
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        checksum, name = line.split()
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum
        assert checksum in page
        assert f"downloads/{name}" in page


def test_a_link_in_the_template_is_refused(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/here.py").symlink_to("there.py")
    with pytest.raises(ValueError, match=r"src/here.py: a symbolic link"):
        archive.listing(tmp_path)


def test_a_project_made_from_the_archive_is_green_by_its_own_tests(built_site: Path, tmp_path: Path) -> None:
    download = built_site / "downloads" / f"{archive.NAME}-{archive.version()}.tar.gz"
    with tarfile.open(download) as t:
        t.extractall(tmp_path, filter="data")

    def run(*command: str, cwd: Path) -> str:
        done = subprocess.run(
            command, cwd=cwd, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == 0, done.stdout[-5000:]
        return done.stdout

    run("./create-project.sh", "acme-orders", "../acme-orders", cwd=tmp_path / archive.NAME)
    project = tmp_path / "acme-orders"
    left = subprocess.run(["grep", "-rniE", "your[-_]service", project], capture_output=True, text=True)
    assert left.returncode == 1, left.stdout
    assert re.search(r"\d+ passed", run("make", "test", cwd=project))


def test_unpacking_keeps_scripts_executable(built_site: Path, tmp_path: Path) -> None:
    project = unpack(built_site / "downloads" / f"{archive.NAME}-{archive.version()}.zip", tmp_path)
    assert os.access(project / "create-project.sh", os.X_OK)
