"""Prove the blocks of pages: one page in this process, or all pages in several."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tools import ledger
from tools.environments import EnvironmentNotMade
from tools.expand import Block, Page
from tools.ledger import Proof, Unproved
from tools.runners import prove
from tools.stage import Stage
from tools.workbench import Workbench, evaluator

WORKERS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Outcome:
    """What became of one block; either `proof` or `error` says something. `seconds` is wall time."""

    block: Block
    proof: Proof | None
    error: str
    seconds: float


def outcomes(page: Page, stage: Stage, folder: Path, begun: Callable[[Block], None] | None = None) -> Iterator[Outcome]:
    """Prove the blocks of a page in reading order, one after the other: later ones live on what earlier ones did.

    Args:
        page: The page.
        stage: The `Stage` that pages share.
        folder: An empty folder of this page's own.
        begun: Called before each block.
    """
    with Workbench(page, stage, evaluator(folder), folder) as bench:
        for block in page.blocks:
            if begun:
                begun(block)
            started = time.monotonic()
            try:
                proof, error = prove(block, bench), ""
            except Unproved as wrong:
                proof, error = None, str(wrong)
            except EnvironmentNotMade:
                raise  # the same for all blocks, and none of them is wrong
            except Exception as crash:  # a runner was not ready for this block; the other pages still want to be proved
                proof, error = None, f"{block.place}: {type(crash).__name__}: {crash}"
            yield Outcome(block, proof, error, time.monotonic() - started)


def start_all(pages: Iterable[Page], pool: ProcessPoolExecutor) -> dict[str, Future[tuple[list[Outcome], float]]]:
    """Begin with all pages, the longest of the last time first; return for each its outcomes and seconds to come."""
    known = ledger.last_seconds()
    ordered = sorted(pages, key=lambda p: (-known[p.path], -sum(b.lang == "console" for b in p.blocks)))
    return {page.path: pool.submit(_prove_page, page) for page in ordered}


def pool(parts: Mapping[str, Any]) -> ProcessPoolExecutor:
    """Return processes for pages. Processes, not threads: Python blocks change import paths and the environment.

    Args:
        parts: What `Stage.parts()` gives, made once for all.
    """
    return ProcessPoolExecutor(WORKERS, get_context("spawn"), _begin, (dict(parts),))


_stage: Stage  # of this process; a pool's initializer sets it


def _begin(parts: dict[str, Any]) -> None:
    global _stage
    _stage = Stage.shared(Path(tempfile.gettempdir()), parts)


def _prove_page(page: Page) -> tuple[list[Outcome], float]:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kit-page-", ignore_cleanup_errors=True) as folder:
        found = list(outcomes(page, _stage, Path(folder).resolve()))
    return found, time.monotonic() - started
