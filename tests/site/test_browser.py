"""What a reader does on the served site: search, download, read on a phone, in the dark, with a screen reader."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tools import ROOT, archive

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
PAGES = sorted(
    file.relative_to(ROOT / "docs").with_suffix("").as_posix().removesuffix("index").rstrip("/") + "/"
    for file in (ROOT / "docs").rglob("*.md")
)


def address(path: str) -> str:
    return path.lstrip("/")


def test_search_finds_a_function_and_opens_its_page(page: Page) -> None:
    page.goto("")
    page.get_by_placeholder("Search").click()
    expect(page.locator(".md-search-result__meta")).to_have_text("Type to start searching")
    page.get_by_placeholder("Search").press_sequentially("encrypt_vault")
    first = page.locator(".md-search-result__link").first
    expect(first).to_have_attribute("href", re.compile("reference/vault/"))
    first.click()
    expect(page).to_have_url(re.compile("reference/vault/"))


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_the_download_page_hands_out_the_archive_that_its_checksum_names(page: Page, suffix: str) -> None:
    page.goto("download/")
    name = f"{archive.NAME}-{archive.version()}{suffix}"
    with page.expect_download() as started:
        page.get_by_role("link", name=name, exact=True).click()
    assert started.value.suggested_filename == name
    data = Path(started.value.path()).read_bytes()
    expect(page.get_by_text(hashlib.sha256(data).hexdigest()).first).to_be_visible()


def test_the_colour_scheme_follows_the_system_and_stays_as_chosen(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("")
    body = page.locator("body")
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
    page.locator("label[for^=__palette]:not([hidden])").click()
    expect(body).to_have_attribute("data-md-color-scheme", "default")
    page.reload()
    expect(body).to_have_attribute("data-md-color-scheme", "default")


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.strip("/") or "home")
def test_no_page_scrolls_sideways(page: Page, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(address(path))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if folder := os.environ.get("KIT_SCREENSHOTS"):  # to look at: KIT_SCREENSHOTS=/tmp/shots make test
        page.screenshot(path=Path(folder) / f"{path.strip('/') or 'home'}-{width}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.strip("/") or "home")
def test_axe_finds_nothing(page: Page, path: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(address(path))
    page.add_script_tag(path=str(AXE))
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    found = [f"{v['id']} ({v['impact']}): {[n['target'] for n in v['nodes']][:3]}" for v in result["violations"]]
    assert found == []


def test_only_the_commands_of_a_terminal_are_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("getting-started/")
    block = page.locator(".language-console").filter(has_text="Lamp").first
    block.locator("button[data-md-type=copy]").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -s http://127.0.0.1:8888/items ")
    assert "$" not in copied
    assert '"id"' not in copied
