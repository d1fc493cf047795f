"""Console blocks: every command is typed into a real shell, and what it prints is compared with the page.

`$ ` starts a command, `> ` continues it, `...` stands for any output, `# ` lines above a command are remarks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools import contracts
from tools.expand import Block
from tools.ledger import Proof, Unproved
from tools.terminal import TerminalError

if TYPE_CHECKING:
    from tools.workbench import Workbench

# terminal: name of the shell on this page; leave-running: the last command goes on; exit: status of the last
# command; needs-cluster: not run here, each command is checked against the recorded contract instead
OPTIONS = {"terminal", "leave-running", "exit", "needs-cluster"}
TIMEOUT_SECONDS = 300.0


@dataclass
class Command:
    """A command of a block and the output that the page shows below it."""

    text: str
    shown: list[str] = field(default_factory=list)

    @property
    def pattern(self) -> re.Pattern[str]:
        """What the whole output must match."""
        return re.compile(live_pattern("\n".join(self.shown)).pattern + r"\s*$")


def live_pattern(shown: str) -> re.Pattern[str]:
    """Return what the begin of an output must match; `...` matches anything, white space at the ends is ignored."""
    return re.compile(r"(?s)\s*" + "(?:.*?)".join(map(re.escape, shown.strip().split("..."))))


def lines_pattern(shown: str) -> re.Pattern[str]:
    """Return the same for whole lines: the last one may not go on. Its end is left to what is waited for next."""
    return re.compile(live_pattern(shown).pattern + r"(?=\s*\n)")


def commands_of(block: Block) -> list[Command]:
    """Split a block into commands with their output.

    Raises:
        Unproved: Output stands above the first command.
    """
    found: list[Command] = []
    for row in block.source.split("\n"):
        if row.startswith("$ "):
            found.append(Command(row[2:]))
        elif row.startswith("> ") and found and not found[-1].shown:
            found[-1].text += "\n" + row[2:]
        elif found:
            found[-1].shown.append(row)
        elif not row.startswith("# "):
            raise Unproved(block, "output before the first command; start commands with `$ `")
    if not found:
        raise Unproved(block, "no command; start commands with `$ `")
    return found


def console(block: Block, bench: Workbench) -> Proof:
    """Run the commands of a block in the page's shell and compare their output."""
    commands = commands_of(block)
    if "needs-cluster" in block.options:
        for command in commands:
            if "".join(command.shown).strip():
                raise Unproved(block, f"$ {command.text}: nothing compares a cluster's answer; leave it out")
            try:
                contracts.check(contracts.words_of(command.text))
            except contracts.ContractError as error:
                raise Unproved(block, f"$ {command.text}: {error}") from None
        return Proof("needs-cluster", f"{_count(commands)} checked against the recorded command contract")
    if "leave-running" in block.options and not "".join(commands[-1].shown).replace("...", "").strip():
        raise Unproved(block, "a command that goes on running must show the line that says that it is ready")
    terminal = bench.terminal(block.options.get("terminal", "1"))
    for command in commands:
        last = command is commands[-1]
        try:
            if last and "leave-running" in block.options:
                live = lines_pattern("\n".join(command.shown))
                terminal.start(bench.to_machine(command.text), bench.pattern_to_machine(live), TIMEOUT_SECONDS)
                continue
            output, status = terminal.run(bench.to_machine(command.text), TIMEOUT_SECONDS)
        except TerminalError as error:
            raise Unproved(block, bench.to_page(str(error))) from None
        output = bench.to_page(output)
        if not command.pattern.match(output):
            shown = "\n".join(command.shown).strip()
            aside = bench.to_page(bench.printed_aside(terminal))
            raise Unproved(block, f"$ {command.text}\nprinted\n{output}\nbut the page shows\n{shown}{aside}")
        wanted = _status(block) if last else 0
        if status != wanted:
            raise Unproved(block, f"$ {command.text}\nended with status {status}, not {wanted}; it printed\n{output}")
    return Proof("executed", f"{_count(commands)} run, output compared")


def _status(block: Block) -> int:
    shown = block.options.get("exit", "0")
    if not shown.isdecimal():
        raise Unproved(block, f'exit="{shown}" is no status; write a number')
    return int(shown)


def _count(commands: list[Command]) -> str:
    return f"{len(commands)} command{'s' if len(commands) > 1 else ''}"
