"""The blocks of this run: all pages in several processes, or the one page of --page in this process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cached_property
from pathlib import Path

import pytest

from tests.conftest import LEDGER
from tools import state
from tools.expand import Page
from tools.ledger import Ledger
from tools.proving import Outcome, outcomes, pool, start_all
from tools.stage import Stage
from tools.verify import read_pages

collect_ignore = ["tiny"]  # its tests are those of another template


class Proofs:
    """Proves pages when a test first asks for one, and keeps what became of their blocks."""

    def __init__(self, wanted: str, stage: Stage, folder: Path) -> None:
        self._before = state.of_all_pages()
        self.pages, self._stage, self._folder, self._alone = read_pages(wanted), stage, folder, bool(wanted)
        self._known: dict[str, list[Outcome]] = {}
        self._pool: ProcessPoolExecutor | None = None

    def of(self, page: Page) -> list[Outcome]:
        if page.path not in self._known:
            if self._alone:
                self._known[page.path] = list(outcomes(page, self._stage, self._folder))
            else:
                self._known[page.path] = self._begun[page.path].result()[0]
        return self._known[page.path]

    @cached_property
    def _begun(self) -> dict[str, Future[tuple[list[Outcome], float]]]:
        self._pool = pool(self._stage.parts())
        return start_all(self.pages, self._pool)

    @property
    def ledger(self) -> Ledger:
        """Of what is known by now."""
        book = Ledger()
        for page in self.pages:
            for outcome in self._known.get(page.path, []):
                if outcome.proof:
                    book.add(outcome.block, outcome.proof, outcome.seconds)
        return book

    def close(self) -> Ledger:
        """Stop, write the ledger of the pages that are proved completely and unchanged, and return it."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        proved = {page for page, found in self._known.items() if all(o.proof for o in found)}
        book = self.ledger
        book.write({page: of_page for page, of_page in state.unchanged(self._before).items() if page in proved})
        return book


@pytest.fixture(scope="session")
def proofs(pytestconfig: pytest.Config, stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proofs]:
    wanted = pytestconfig.getoption("--page")
    made = Proofs(wanted, stage, tmp_path_factory.mktemp("page"))
    yield made
    pytestconfig.stash[LEDGER] = made.close()


@pytest.fixture(scope="session")
def ledger(proofs: Proofs, pytestconfig: pytest.Config) -> Ledger:
    """The proofs of all pages."""
    if pytestconfig.getoption("--page"):
        pytest.skip("only one page was asked for; `make test` verifies them all")
    for page in proofs.pages:
        proofs.of(page)
    return proofs.ledger
