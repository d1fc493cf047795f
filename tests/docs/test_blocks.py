"""Every block of every page is executed or validated, in reading order."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pytest_examples import EvalExample

from tools.expand import Block, Page, PageError, published_pages
from tools.ledger import Ledger, Proof, Unproved
from tools.runners import prove
from tools.workbench import Stage, Workbench


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    wanted = (metafunc.config.getoption("--page") or "").removeprefix("docs/")
    try:
        pages = [p for p in published_pages() if p.path == wanted or not wanted]
    except PageError as error:
        raise pytest.Collector.CollectError(str(error)) from None
    if not pages:
        raise pytest.UsageError(f"--page {wanted}: no such page; name a file below docs/, e.g. docs/index.md")
    metafunc.parametrize("page", pages, ids=[p.path for p in pages])


def test_blocks_of(
    page: Page,
    stage: Stage,
    ledger: Ledger,
    eval_example: EvalExample,
    tmp_path: Path,
    subtests: pytest.Subtests,
) -> None:
    eval_example.set_config(line_length=120)  # longer output would be checked as a string in triple quotes
    with Workbench(page, stage, eval_example, tmp_path) as bench:
        for block in page.blocks:
            with subtests.test(msg=block.place):
                started = time.monotonic()
                outcome = attempt(block, bench)
                if isinstance(outcome, Unproved):
                    pytest.fail(str(outcome), pytrace=False)
                ledger.add(block, outcome, time.monotonic() - started)


def attempt(block: Block, bench: Workbench) -> Proof | Unproved:
    try:
        return prove(block, bench)
    except Unproved as error:
        return error
