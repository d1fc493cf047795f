"""What all tests of the kit share: the built site, the stage for blocks, the ledger and its table."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tools import site
from tools.ledger import Ledger
from tools.stage import Stage

LEDGER = pytest.StashKey[Ledger]()  # of the blocks that this run has verified
BROWSERS = ["chromium-headless-shell", "chromium", "google-chrome"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--page", default="", help="verify the blocks of this page only, e.g. docs/index.md")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEDGER] = Ledger()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    ledger = config.stash[LEDGER]
    if ledger.entries:
        terminalreporter.section("verified blocks of the site")
        for row in ledger.summary():
            terminalreporter.write_line(row)


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site.build(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("stage"), lambda: request.getfixturevalue("built_site"))
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
