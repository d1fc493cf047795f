"""Text blocks: trees of files, compared with what the archive holds, and what a running command goes on to print."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tools import archive
from tools.expand import Block
from tools.ledger import Proof, Unproved
from tools.runners.console import lines_pattern
from tools.terminal import TerminalError

if TYPE_CHECKING:
    from tools.workbench import Workbench

# tree: what the paths belong to; terminal: the shell whose command, left running, prints the text next
OPTIONS = {"tree", "terminal"}
TIMEOUT_SECONDS = 30.0


def text(block: Block, bench: Workbench) -> Proof:
    """Prove a block of text that says what it is.

    `tree="template"`: two blanks a level, folders end in `/`, anything after two blanks is a remark.
    `terminal="1"`: waits until the command left running there has printed it; `...` stands for anything.
    """
    if name := block.options.get("terminal"):
        line_by_line = lines_pattern(f"...\n{block.source}")
        try:
            bench.terminal(name).wait_for(bench.pattern_to_machine(line_by_line), TIMEOUT_SECONDS)
        except TerminalError as error:
            raise Unproved(block, bench.to_page(str(error))) from None
        return Proof("executed", "printed by the running command")
    if block.options.get("tree") != "template":
        raise Unproved(block, 'plain text proves nothing; say whose it is: tree="template" or terminal="1"')
    files = {p.relative_to(archive.TEMPLATE).as_posix() for p in archive.listing()}
    folders = {f"{parent}/" for name in files for parent in PurePosixPath(name).parents}
    above: list[str] = []
    for number, row in enumerate(block.source.splitlines()[1:], 2):
        level = (len(row) - len(row.lstrip())) // 2
        path = "".join([*above[: level - 1], row.strip().split("  ")[0]])
        if path not in files | folders:
            raise Unproved(block, f"row {number}: the archive holds no {path}")
        above = [*above[: level - 1], row.strip().split("  ")[0]]
    return Proof("validated", "each path is in the archive")
