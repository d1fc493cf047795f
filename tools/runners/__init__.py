"""One runner per language: it executes or validates a published block, or says where the block is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tools.expand import Block
from tools.ledger import Proof, Unproved
from tools.runners import code, console, data, readme, rules, text

if TYPE_CHECKING:
    from tools.workbench import Workbench

Runner = Callable[[Block, "Workbench"], Proof]

RUNNERS: dict[str, Runner] = {
    "python": code.python,
    "sql": code.sql,
    "sh": code.shell,
    "makefile": code.makefile,
    "console": console.console,
    "json": data.json_,
    "yaml": data.yaml_,
    "toml": data.toml,
    "ini": data.ini,
    "dotenv": data.dotenv,
    "text": text.text,
}
# save: the reader puts the block into this file, and so do we, before the next block runs
OPTIONS = {"title", "hl_lines", "linenums", "save", *console.OPTIONS, *readme.OPTIONS, *rules.OPTIONS, *text.OPTIONS}


def prove(block: Block, bench: Workbench) -> Proof:
    """Execute or validate one block.

    Raises:
        Unproved: The block is not what the page says, or nothing here can verify it; the message begins with
            page and line.
    """
    if unknown := block.options.keys() - OPTIONS:
        raise Unproved(block, f"unknown option {', '.join(sorted(unknown))}; there are {', '.join(sorted(OPTIONS))}")
    if "rule" in block.options:
        return rules.example(block, bench)
    if readme.is_meant(block):
        return readme.readme(block, bench)
    if block.lang not in RUNNERS:
        raise Unproved(block, f"nothing verifies {block.lang or 'a block without a language'}; use one of {_known()}")
    proof = RUNNERS[block.lang](block, bench)
    if place := block.options.get("save"):
        target = bench.home / place
        try:
            draft = target.with_name(f"{target.name}.draft")  # a running server must not see half a file
            draft.write_text(block.source + "\n", "utf-8")
            draft.replace(target)
        except OSError as error:
            raise Unproved(block, f'save="{place}": {error.strerror}; a reader cannot save it there, either') from None
    return proof


def _known() -> str:
    return ", ".join(sorted(RUNNERS))
