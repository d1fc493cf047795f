"""All blocks of a page get an outcome, whatever becomes of one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import runners
from tools.expand import Block, Page
from tools.ledger import Proof
from tools.proving import outcomes
from tools.stage import Stage


def test_a_runner_that_crashes_makes_its_block_wrong_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(block: Block, bench: object) -> Proof:
        raise ZeroDivisionError("not thought of")

    monkeypatch.setitem(runners.RUNNERS, "json", crash)
    blocks = [Block("page.md", n, lang, {}, "$ true", (None,)) for n, lang in enumerate(["console", "json", "console"])]
    page = Page("page.md", {"workspace": "empty"}, blocks)
    found = list(outcomes(page, Stage(tmp_path, tmp_path), tmp_path))
    assert [outcome.error for outcome in found] == ["", "docs/page.md:1: ZeroDivisionError: not thought of", ""]
