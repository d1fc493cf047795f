"""Blocks of READMEs, and of pages about the kit itself: commands without output, verified one by one.

READMEs are read on other sites, too, so their fences carry no options: what becomes of a command follows from the
command. A block of which every command ran is `executed`; one of which none ran is `needs-cluster`; else `validated`.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tools import ROOT, contracts
from tools.expand import Block
from tools.ledger import Proof, Unproved
from tools.runners.console import TIMEOUT_SECONDS, commands_of
from tools.terminal import TerminalError

if TYPE_CHECKING:
    from tools.workbench import Workbench

# kit: the block is typed in a clone of the kit, not in a project
OPTIONS = {"kit"}
_SHELL = ("bash", "console")
# They take minutes or would begin this very run again; tests/archive and tests/template/life run them in a project.
_LONG = {"check", "lint", "test"}


def is_meant(block: Block) -> bool:
    """Whether this runner is the one for the block."""
    return block.page.startswith("../") or "kit" in block.options


def readme(block: Block, bench: Workbench) -> Proof:
    """Run each command in a project, plan what takes minutes, hold what needs a cluster against its contract."""
    if block.lang not in _SHELL:
        raise Unproved(block, f"nothing verifies {block.lang or 'a block without a language'}; use bash or console")
    in_kit = block.page == "../README.md" or "kit" in block.options
    done: dict[str, int] = {"run": 0, "planned by make": 0, "checked against the recorded command contract": 0}
    for command in _commands(block):
        try:
            words = shlex.split(command, comments=True)
        except ValueError as error:
            raise Unproved(block, f"$ {command}: {error}") from None
        if not words:
            continue
        if words[0] == "make" and (in_kit or _LONG & set(words[1:2])):
            _plan(block, words, ROOT if in_kit else bench.project, bench)
            done["planned by make"] += 1
        elif words[0] in ("kubectl", "fission", "docker"):
            _check(block, command)
            done["checked against the recorded command contract"] += 1
        elif in_kit:
            raise Unproved(block, f"$ {command}: only make is typed in a clone of the kit")
        else:
            _run(block, command, words, bench)
            done["run"] += 1
    happened = {what: count for what, count in done.items() if count}
    if not happened:
        raise Unproved(block, "no command")
    how = ", ".join(f"{count} command{'s' if count > 1 else ''} {what}" for what, count in happened.items())
    if set(happened) == {"run"}:
        return Proof("executed", how)
    return Proof("validated" if done["run"] or done["planned by make"] else "needs-cluster", how)


def _commands(block: Block) -> list[str]:
    if block.lang == "bash":
        return block.source.split("\n")
    found = commands_of(block)
    if any("".join(command.shown).strip() for command in found):
        raise Unproved(block, "nothing compares output here; leave it out")
    return [command.text for command in found]


def _plan(block: Block, words: list[str], folder: Path, bench: Workbench) -> None:
    command = ["make", "--dry-run", *words[1:]]
    planned = subprocess.run(command, cwd=folder, env=bench.environment, capture_output=True, text=True, check=False)
    if planned.returncode:
        raise Unproved(block, f"{' '.join(words)}: {planned.stderr.strip()}")


def _check(block: Block, command: str) -> None:
    try:
        contracts.check(contracts.words_of(command))
    except contracts.ContractError as error:
        raise Unproved(block, f"$ {command}: {error}") from None


def _run(block: Block, command: str, words: list[str], bench: Workbench) -> None:
    try:
        if words == ["make", "run"]:
            ready = re.compile(rf"(?s).*http://127\.0\.0\.1:{bench.run_port}/")
            bench.terminal("server").start(command, ready, TIMEOUT_SECONDS)
            return
        if not (bench.project / ".venv").exists():
            (bench.project / ".venv").symlink_to(bench.stage.venv)
            bench.terminal("1").run(f"cp .env.example .env; export VAULT_KEY={bench.vault_key}", TIMEOUT_SECONDS)
        output, status = bench.terminal("1").run(bench.to_machine(command), TIMEOUT_SECONDS)
    except TerminalError as error:
        raise Unproved(block, bench.to_page(str(error))) from None
    if status or '"error_code"' in output:
        raise Unproved(block, f"$ {command}\nended with status {status} and printed\n{bench.to_page(output)}")
