"""`make docs` finds the page that is meant, and says what it cannot do in one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import ROOT
from tools.expand import READMES, PageError
from tools.verify import read_pages
from tools.workbench import environment, fresh_copy


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


EDITED = """---
title: Edited
description: A page of which one block does something to files.
workspace: empty
---

```console
$ echo >> {place}
```
"""


@pytest.mark.parametrize(
    ("edited", "kept"), [("elsewhere.txt", True), ("docs/edited.md", False), ("template/src/health.py", False)]
)
def test_a_proof_is_kept_only_if_nothing_was_edited_while_it_ran(edited: str, kept: bool, tmp_path: Path) -> None:
    copy = fresh_copy(tmp_path)
    (copy / "docs/edited.md").write_text(EDITED.format(place=copy / edited))
    command = [sys.executable, "-m", "tools.verify", "docs/edited.md"]
    done = subprocess.run(command, cwd=copy, env=environment(), capture_output=True, text=True, check=False)
    assert "1 of 1 blocks verified" in done.stdout, done.stdout + done.stderr
    assert ("docs/edited.md: not kept, because something was edited" in done.stdout) is not kept
    assert ("edited.md" in json.loads((copy / ".cache/ledger.json").read_text())) is kept
