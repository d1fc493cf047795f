"""A real shell in which the commands of a page are typed, one after the other."""

from __future__ import annotations

import codecs
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path

END = "\x1e"  # printed by the shell after each command, with its exit status


class TerminalError(Exception):
    """A command that did not end, or did not show what was waited for; carries what it printed."""


class Terminal:
    """A bash that keeps its folder and variables from command to command.

    Args:
        folder: Where it starts.
        env: Its whole environment.
    """

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Ctrl-C reaches the command and all its children, and nobody else
        )
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a character may come in two reads
        self._seen = ""
        self._running = ""

    def run(self, command: str, timeout_seconds: float) -> tuple[str, int]:
        """Type a command and return its output and exit status."""
        self._type(f"{{ {command}\n}} </dev/null\nprintf '{END}%d{END}' $?\n")
        found = self._read_until(re.compile(rf"(?s)(.*?){END}(\d+){END}"), command, timeout_seconds)
        return found[1], int(found[2])

    def start(self, command: str, shows: re.Pattern[str], timeout_seconds: float) -> str:
        """Type a command that goes on running, and return its output once it matches `shows` from the start.

        Raises:
            TerminalError: It ended, or did not show that in time.
        """
        self._type(f"{{ {command}\n}} </dev/null\nprintf '{END}%d{END}' $?\n")
        self._running = command
        return self.wait_for(shows, timeout_seconds)

    def wait_for(self, shows: re.Pattern[str], timeout_seconds: float) -> str:
        """Return what the command that was left running prints next, once that matches `shows` from the start.

        Raises:
            TerminalError: It ended, or did not show that in time, or none was left running.
        """
        if not self._running:
            raise TerminalError("no command was left running in this terminal")
        ended = rf"(?s:(?P<said>.*?){END}(?P<status>\d+){END})"
        found = self._read_until(re.compile(f"{shows.pattern}|{ended}", shows.flags), self._running, timeout_seconds)
        if found["status"]:
            status, said = found["status"], found["said"]
            raise TerminalError(f"$ {self._running}\nended with status {status}; it printed\n{said}")
        return found[0]

    def unread(self) -> str:
        """Return what was printed and not asked for yet, without waiting."""
        assert self._shell.stdout is not None
        while select.select([self._shell.stdout], [], [], 0)[0]:
            if not (read := os.read(self._shell.stdout.fileno(), 65536)):
                break
            self._seen += self._decoder.decode(read)
        return self._seen

    def close(self) -> None:
        """Press Ctrl-C, wait for everything to end, and be blunt with what stays."""
        for number, patience_seconds in ((signal.SIGINT, 15), (signal.SIGKILL, 5)):
            try:
                if self._shell.stdin and not self._shell.stdin.closed:
                    self._shell.stdin.close()
                os.killpg(self._shell.pid, number)
                self._shell.wait(patience_seconds)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
            break
        if self._shell.stdout:
            self._shell.stdout.close()

    def _type(self, text: str) -> None:
        assert self._shell.stdin is not None
        try:
            self._shell.stdin.write(text.encode())
            self._shell.stdin.flush()
        except BrokenPipeError:
            raise TerminalError("the shell has ended") from None

    def _read_until(self, wanted: re.Pattern[str], command: str, timeout_seconds: float) -> re.Match[str]:
        assert self._shell.stdout is not None
        deadline = time.monotonic() + timeout_seconds
        while not (found := wanted.match(self._seen)):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._shell.stdout], [], [], left)[0]:
                raise TerminalError(f"$ {command}\nis not done after {timeout_seconds:.0f} s; it printed\n{self._seen}")
            read = os.read(self._shell.stdout.fileno(), 65536)
            if not read:
                raise TerminalError(f"$ {command}\nended the shell; it printed\n{self._seen}")
            self._seen += self._decoder.decode(read)
        self._seen = self._seen[found.end() :]
        return found
