"""Text blocks: only trees of files, compared with what the archive holds."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tools import archive
from tools.expand import Block
from tools.ledger import Proof, Unproved

if TYPE_CHECKING:
    from tools.workbench import Workbench

OPTIONS = {"tree"}


def text(block: Block, bench: Workbench) -> Proof:
    """`tree="template"`: two blanks a level, folders end in `/`, anything after two blanks is a remark."""
    if block.options.get("tree") != "template":
        raise Unproved(block, 'plain text proves nothing; use console for output, or { .text tree="template" }')
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
