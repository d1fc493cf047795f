"""Commands of pages run in a real shell, and what they print is compared."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.terminal import Terminal, TerminalError


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path, {"PATH": os.environ["PATH"]})
    yield terminal
    terminal.close()


def test_folder_and_variables_last_from_command_to_command(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.run("mkdir here && cd here && NAME=Ada", 5) == ("", 0)
    assert terminal.run('pwd; echo "$NAME"', 5) == (f"{tmp_path}/here\nAda\n", 0)


def test_status_and_errors_come_with_the_output(terminal: Terminal) -> None:
    output, status = terminal.run("echo out; echo err >&2; (exit 7)", 5)
    assert (output, status) == ("out\nerr\n", 7)


def test_a_command_that_reads_gets_nothing_instead_of_the_next_command(terminal: Terminal) -> None:
    assert terminal.run("cat; echo done", 5) == ("done\n", 0)


def test_a_command_that_does_not_end_says_so_with_what_it_printed(terminal: Terminal) -> None:
    with pytest.raises(TerminalError, match=r"is not done after 1 s; it printed\nhalf"):
        terminal.run("echo half; sleep 60", 1)


def test_a_character_that_comes_in_two_pieces_is_one(terminal: Terminal, tmp_path: Path) -> None:
    halves = r"printf 'ready\303'; until test -e go; do sleep 0.05; done; printf '\251\n'"
    terminal.start(halves, re.compile("ready"), 5)  # the first half came with it
    (tmp_path / "go").touch()
    assert terminal.wait_for(re.compile(".*\n"), 5) == "é\n"


def test_a_running_command_is_stopped_with_ctrl_c(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, {"PATH": os.environ["PATH"]})
    script = "trap 'echo stopped > note; exit 0' INT; echo ready; while :; do sleep 0.1; done"
    assert terminal.start(f'bash -c "{script}"', re.compile("ready"), 5) == "ready"
    started = time.monotonic()
    terminal.close()
    assert (tmp_path / "note").read_text() == "stopped\n"
    assert time.monotonic() - started < 10


def test_a_command_that_should_go_on_and_ends_says_so_at_once(terminal: Terminal) -> None:
    started = time.monotonic()
    with pytest.raises(TerminalError, match=r"ended with status 3; it printed\nport taken\n"):
        terminal.start("echo port taken; (exit 3)", re.compile("ready"), 60)
    assert time.monotonic() - started < 30
