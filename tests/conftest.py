"""What all tests of the kit share: the built site, the stage for blocks, the ledger and its table."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tools import ROOT, site
from tools.ledger import Ledger
from tools.workbench import Stage

LEDGER = pytest.StashKey[Ledger]()
BROWSERS = ["chromium-headless-shell", "chromium", "google-chrome"]

if sys.version_info < (3, 12):
    # pytest-examples 0.0.18 builds a traceback on 3.11 that ends the run with INTERNALERROR
    import pytest_examples.run_code

    pytest_examples.run_code.create_example_traceback = lambda *_: None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--page", help="verify the blocks of this page only, e.g. docs/index.md")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEDGER] = Ledger()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: "test_census" in item.nodeid)  # it judges what the others have written down


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    ledger = config.stash[LEDGER]
    if ledger.entries:
        terminalreporter.section("verified blocks of the site")
        for row in ledger.summary():
            terminalreporter.write_line(row)
        ledger.write(ROOT / ".cache/ledger.json")


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Ledger:
    return pytestconfig.stash[LEDGER]


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site.build(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory, built_site: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("stage"), built_site)
    yield stage
    stage.close()


@pytest.fixture(scope="session")
def required() -> set[str]:
    """Names of optional parts that must be there in this run; `.ci/run` sets KIT_REQUIRE to all of them."""
    return set(os.environ.get("KIT_REQUIRE", "").split())


@pytest.fixture(scope="session")
def chromium(required: set[str]) -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        assert "browser" not in required, "no Chromium here, but KIT_REQUIRE asks for one"
        pytest.skip("no Chromium on this machine (Debian: apt install chromium-headless-shell); .ci/run installs it")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path)
        yield browser
        browser.close()
