"""The guide that is read from a folder: every link works, and search does, without a server and without a request."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, expect

from tools import offline
from tools.archive import Download


@pytest.fixture(scope="module")
def made() -> Download:
    return offline.download()


@pytest.fixture(scope="module")
def guide(made: Download, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a guide")  # a blank in the path is what people have
    with zipfile.ZipFile(BytesIO(made.data)) as packed:
        packed.extractall(folder)
    return folder / offline.TOP


@pytest.fixture
def page(chromium: Browser, guide: Path) -> Iterator[Page]:
    context = chromium.new_context(reduced_motion="reduce")
    page, problems = context.new_page(), []
    ours = (guide.as_uri(), "data:", "blob:", "about:")
    context.on("request", lambda request: request.url.startswith(ours) or problems.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.goto((guide / "index.html").as_uri())
    yield page
    context.close()
    assert problems == []


def test_every_link_of_every_page_names_a_file_that_is_there(guide: Path) -> None:
    dead: list[str] = []
    for html in guide.rglob("*.html"):
        soup = BeautifulSoup(html.read_text("utf-8"), "html.parser")
        for tag, name in (("a", "href"), ("link", "href"), ("script", "src"), ("img", "src")):
            for found in soup.find_all(tag, attrs={name: True}):
                url = urlsplit(str(found[name]))
                if url.scheme or url.netloc or not url.path:
                    continue
                if not (html.parent / unquote(url.path)).is_file():
                    dead.append(f"{html.relative_to(guide)}: {found[name]}")
    assert dead == []


def test_the_download_page_leads_to_the_zip_by_its_name(built_site: Path, made: Download) -> None:
    soup = BeautifulSoup((built_site / "download/index.html").read_text("utf-8"), "html.parser")
    links = soup.select('article a[href*="/offline/"]')
    assert [urlsplit(str(link["href"])).path for link in links] == [f"/offline/{made.name}"]
    assert [link.get_text() for link in links] == [made.name]


def test_search_finds_an_error_code_without_a_server(page: Page) -> None:
    page.get_by_placeholder("Search").click()
    expect(page.locator(".md-search-result__meta")).to_have_text("Type to start searching")
    page.get_by_placeholder("Search").press_sequentially("VALIDATION_ERROR")
    page.locator(".md-search-result__link", has_text="Error codes").first.click()
    expect(page).to_have_url(re.compile(r"/reference/error-codes\.html"))


def test_pages_lead_to_each_other(page: Page) -> None:
    page.get_by_role("link", name="See what lies where").click()
    expect(page.locator("h1")).to_contain_text("Structure")
