"""A mistake ends `make serve` and `make site` with its file and line, and with no traceback."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.workbench import environment, fresh_copy

PAGE = "docs/logging.md"


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fresh_copy(tmp_path_factory.mktemp("copy"))


@pytest.mark.parametrize("command", ["build", "serve --port 0"])
@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("docs/redirects.toml", r"(?<=\[moved\]\n)", '"old/" = "nowhere/"\n', r":4: old/ leads to nowhere/, which"),
        (PAGE, r"(?m)^description: .*\n", "", r":1: the front matter has no description;"),
        (PAGE, r"\Z", "\n<%= nosuch() %>\n", r":\d+: 'nosuch' is undefined"),
    ],
    ids=["a dead redirect", "a page without description", "a wrong macro"],
)
def test_a_mistake_ends_the_command_with_its_place(
    kit: Path, command: str, file: str, old: str, new: str, says: str
) -> None:
    place = kit / file
    text = place.read_text("utf-8")
    place.write_text(re.sub(old, new, text, count=1), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tools.site", *command.split()],
        cwd=kit,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,  # a server that starts all the same
    )
    place.write_text(text, "utf-8")
    assert done.returncode == 1
    assert re.search(rf"The site is not built:\n{file}{says}", done.stderr), done.stderr
    assert "Traceback" not in done.stdout + done.stderr
