"""What readers can copy from the built site is what was verified: no block more, no block less."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tools.expand import digest, published_pages
from tools.ledger import Ledger


def published(site: Path) -> dict[str, list[str]]:
    """Return for each page of the built site the text of its blocks."""
    return {
        file.relative_to(site).as_posix(): [
            code.get_text() for code in BeautifulSoup(file.read_text("utf-8"), "html.parser").select("pre")
        ]
        for file in sorted(site.rglob("*.html"))
    }


def test_the_site_publishes_exactly_the_blocks_that_are_found(built_site: Path) -> None:
    shown = Counter(digest(text) for texts in published(built_site).values() for text in texts)
    found = Counter(block.digest for page in published_pages() for block in page.blocks)
    assert shown == found


def test_every_published_block_is_in_the_ledger(built_site: Path, ledger: Ledger, pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--page"):
        pytest.skip("only one page was asked for; `make test` verifies them all")
    shown = Counter(digest(text) for texts in published(built_site).values() for text in texts)
    missing = shown - ledger.digests  # by count: a text that stands on two pages must be verified on both
    unaccounted = [
        f"{page}: {text.strip().splitlines()[0]}"
        for page, texts in published(built_site).items()
        for text in texts
        if digest(text) in missing
    ]
    assert unaccounted == [], f"{missing.total()} blocks are published and not verified (run the whole `make test`)"
