"""The built site in a real Chromium; any foreign request and any console error fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tools.stage import served


@pytest.fixture(scope="session")
def site_url(built_site: Path) -> Iterator[str]:
    with served(built_site) as port:
        yield f"http://127.0.0.1:{port}/"


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


@pytest.fixture
def open_generator(page: Page) -> Callable[..., Page]:
    """Opens the download page, with choices in its address, and waits until its generator is there."""

    def opened(choices: str = "") -> Page:
        page.goto("about:blank")  # another hash alone would not load the page again
        page.goto(f"download/{choices}")
        page.locator("#kit-generator.kit-ready form").wait_for()
        return page

    return opened
