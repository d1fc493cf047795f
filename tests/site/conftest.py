"""The built site in a real Chromium; any foreign request and any console error fails the test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tools.workbench import served

BROWSERS = ["chromium-headless-shell", "chromium", "google-chrome"]


@pytest.fixture(scope="session")
def site_url(built_site: Path) -> Iterator[str]:
    with served(built_site) as port:
        yield f"http://127.0.0.1:{port}/"


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


@pytest.fixture
def page(chromium: Browser, site_url: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=site_url, accept_downloads=True, reduced_motion="reduce")
    page, problems = context.new_page(), []
    ours = (site_url, "data:", "blob:")
    context.on("request", lambda request: request.url.startswith(ours) or problems.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    yield page
    context.close()
    assert problems == []
