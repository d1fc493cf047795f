"""Reading: without JavaScript, on paper, at a wrong address, with the whole page as Markdown in the clipboard."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

HOME_BYTES = 350_000  # transferred, compressed as web servers do


@pytest.fixture
def plain(chromium: Browser, site_url: str) -> Iterator[Page]:
    """A browser with JavaScript switched off."""
    context = chromium.new_context(base_url=site_url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_every_kind_of_page_can_be_read_without_javascript(plain: Page) -> None:
    for path in ("", "getting-started/", "checks/", "reference/commands/", "explanation/connection/", "download/"):
        plain.goto(path)
        assert plain.locator("article h1").is_visible(), path
        assert len(plain.locator("article").inner_text()) > 400, path
    plain.goto("")
    plain.get_by_role("link", name="See what lies where").click()
    assert plain.locator("h1").inner_text().startswith("Structure")


def test_the_home_page_is_light(page: Page) -> None:
    sizes: dict[str, int] = {}
    page.on("response", lambda response: sizes.update({response.url: len(gzip.compress(response.body()))}))
    page.goto("", wait_until="networkidle")
    assert len(sizes) > 5
    assert sum(sizes.values()) <= HOME_BYTES, sizes


def test_the_whole_page_is_copied_as_markdown(page: Page, built_site: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("explanation/connection/")
    page.get_by_role("link", name="Copy as Markdown").click()
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == (built_site / "explanation/connection.md").read_text("utf-8")


def test_where_copying_is_not_allowed_the_markdown_is_opened(page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto("explanation/connection/")
    page.get_by_role("link", name="Copy as Markdown").click()
    page.wait_for_url("**/explanation/connection.md")


def test_a_wrong_address_gets_advice(page: Page) -> None:
    page.goto("404.html")
    expect(page.locator("h1")).to_have_text("There is no such page")
    page.get_by_role("link", name="Getting started", exact=True).last.click()
    expect(page.locator("h1")).to_contain_text("Getting started")


def test_an_old_address_leads_on_and_keeps_the_anchor(page: Page, site_url: str) -> None:
    page.goto("reference/checks/#fk001")
    page.wait_for_url(f"{site_url}checks/#fk001")


def test_paper_shows_all_of_a_line_of_code_and_nothing_to_click(page: Page) -> None:
    page.goto("errors/")
    page.emulate_media(media="print")
    code = page.locator("article pre > code").first
    assert (
        code.evaluate("e => getComputedStyle(e).whiteSpaceCollapse + getComputedStyle(e).textWrapMode")
        == "preservewrap"
    )
    assert code.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert page.locator(".kit-copy-page-row").is_hidden()
    assert page.locator(".md-header").is_hidden()


@pytest.mark.parametrize(
    ("words", "address"),
    [("VALIDATION_ERROR", "reference/error-codes"), ("FK001", "checks"), ("LOCK_TIMEOUT_MS", "service-settings")],
)
def test_search_finds_error_codes_checks_and_settings(page: Page, words: str, address: str) -> None:
    page.goto("")
    page.get_by_placeholder("Search").click()
    expect(page.locator(".md-search-result__meta")).to_have_text("Type to start searching")
    page.get_by_placeholder("Search").press_sequentially(words)
    expect(page.locator(f'.md-search-result__link[href*="{address}"]').first).to_be_visible()
