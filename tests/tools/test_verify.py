"""`make docs` finds the page that is meant, and says what it cannot do in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tools import ROOT
from tools.expand import READMES, PageError
from tools.verify import read_pages


@pytest.mark.parametrize("wanted", ["docs/secrets.md", "secrets.md", "./docs/secrets.md"])
def test_a_page_is_found_by_its_file(wanted: str) -> None:
    assert [page.path for page in read_pages(wanted)] == ["secrets.md"]


def test_a_readme_is_a_page() -> None:
    assert [page.path for page in read_pages("template/README.md")] == ["../template/README.md"]


def test_without_a_name_all_pages_and_readmes_are_read_once() -> None:
    found = [page.path for page in read_pages()]
    sources = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert len(found) == len(set(found))
    assert set(found) == sources | {f"../{name}" for name in READMES}


@pytest.mark.parametrize("wanted", ["docs/nowhere.md", "nowhere", "docs/"])
def test_a_page_that_is_not_there_is_an_error_with_an_example(wanted: str) -> None:
    with pytest.raises(PageError, match=r"no such page; name a file below docs/ or a README, e\.g\. docs/index\.md"):
        read_pages(wanted)


def test_the_command_ends_without_a_traceback() -> None:
    command = [sys.executable, "-m", "tools.verify", "docs/nowhere.md"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("docs/nowhere.md: no such page")
    assert "Traceback" not in done.stderr
