"""Docs and template changed on purpose, in a copy: the proof must fail and name file and line."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.workbench import Stage, environment, fresh_copy

BLOCKS, CENSUS = "tests/docs/test_blocks.py", "tests/docs/test_census.py"


@dataclass(frozen=True)
class Drift:
    """A change to one file, and what the proof must say about it."""

    file: str
    change: Callable[[str], str]
    says: str
    page: str = "docs/secrets.md"
    test: str = BLOCKS


def replace(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert text.count(old) >= 1, f"{old!r} is not there to be changed"
        return text.replace(old, new, 1)

    return change


DRIFTS = {
    "a block in a language that nothing verifies": Drift(
        "docs/secrets.md",
        lambda text: text + "\n```rust\nfn main() {}\n```\n",
        r"docs/secrets\.md:\d+: nothing verifies rust",
    ),
    "a block without a language": Drift(
        "docs/secrets.md", lambda text: text + "\n```\nhello\n```\n", r"docs/secrets\.md:\d+: nothing verifies a block"
    ),
    "code pasted into a page": Drift(
        "docs/secrets.md",
        lambda text: text + "\n```python\nprint(1)\n```\n",
        r"docs/secrets\.md:\d+: python is typed in the page",
    ),
    "an output that is not what the code prints": Drift(
        "snippets/secrets/read_secret.py",
        lambda text: re.sub(r"(?m)^(\s*#> ).*$", r"\1something else", text, count=1),
        r"docs/secrets\.md:\d+ \(snippets/secrets/read_secret\.py:1\)",
    ),
    "a symbol that was renamed in the template": Drift(
        "template/src/vault.py",
        replace("def decrypt_vault(", "def open_vault("),
        r"docs/secrets\.md:\d+: template/src/vault\.py: decrypt_vault: found 0 times",
    ),
    "a fence that is never closed": Drift(
        "docs/secrets.md",
        lambda text: text + "\n```console\n$ true\n",
        r"docs/secrets\.md:\d+: this fence is never closed",
    ),
    "code that bypasses the fences": Drift(
        "docs/secrets.md",
        lambda text: text + "\n<pre><code>rm -rf /</code></pre>\n",
        r"test_the_site_publishes_exactly_the_blocks_that_are_found",
        test=CENSUS,
    ),
    "a link to an archive that is not there": Drift(
        "docs/download.md",
        replace("(downloads/SHA256SUMS)", "(downloads/SHA512SUMS)"),
        r"download\.md.*downloads/SHA512SUMS",
        test=CENSUS,
    ),
}


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
def test_drift_is_caught_with_its_place(drift: Drift, stage: Stage, tmp_path: Path) -> None:
    copy = fresh_copy(tmp_path)
    file = copy / drift.file
    file.write_text(drift.change(file.read_text("utf-8")), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", drift.test, "--page", drift.page]
    done = subprocess.run(
        command,
        cwd=copy,
        env=environment() | {"KIT_PROJECT_VENV": str(stage.venv)},  # the copies need not install it again
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode not in (0, 5), done.stdout
    assert re.search(drift.says, done.stdout + done.stderr), done.stdout[-4000:] + done.stderr[-2000:]
