"""Every block of every page and README is executed or validated, in reading order."""

from __future__ import annotations

import pytest

from tests.docs.conftest import Proofs
from tools.expand import Page, PageError, from_root
from tools.verify import read_pages


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    try:
        pages = read_pages(metafunc.config.getoption("--page"))
    except PageError as error:
        raise pytest.Collector.CollectError(str(error)) from None
    metafunc.parametrize("page", pages, ids=[from_root(p.path).removeprefix("docs/") for p in pages])


def test_blocks_of(page: Page, proofs: Proofs, subtests: pytest.Subtests) -> None:
    for outcome in proofs.of(page):
        with subtests.test(msg=outcome.block.place):
            if not outcome.proof:
                pytest.fail(outcome.error, pytrace=False)
