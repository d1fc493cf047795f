"""The generator fits the page: for screen readers, on a phone, without JavaScript, when a part is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from tools import archive

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
TAR = f"{archive.NAME}-{archive.version()}.tar.gz"
Open = Callable[..., Page]


def violations(page: Page) -> list[str]:
    page.add_script_tag(path=str(AXE))
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{v['id']}: {[n['target'] for n in v['nodes']][:3]}" for v in result["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["", "#name=Orders&namespace=-", "#name=orders&add=crud,quota"])
def test_axe_finds_nothing_in_the_generator(page: Page, open_generator: Open, scheme: str, state: str) -> None:
    page.emulate_media(color_scheme=scheme)
    open_generator(state)
    if "orders" in state:
        with page.expect_download():
            page.get_by_role("button", name="Download orders.zip").click()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_filled_code(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto("structure/")
    page.evaluate("KIT.rememberName('blue-door')")
    expect(page.locator(".kit-chip")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_generator_and_the_note_fit_the_screen(page: Page, open_generator: Open, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_generator(f"#name={'o' * 48}&namespace={'N' * 70}&add=crud,webhook,storage")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto("structure/")
    page.evaluate("KIT.rememberName('o'.repeat(48))")
    box = page.locator(".kit-chip").bounding_box()
    assert box
    assert box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_javascript_the_page_has_archives_and_commands_and_says_what_is_missing(
    chromium: Browser, site_url: str
) -> None:
    context = chromium.new_context(base_url=site_url, java_script_enabled=False)
    page = context.new_page()
    page.goto("download/")
    expect(page.get_by_text("This needs JavaScript.")).to_be_visible()
    expect(page.get_by_role("link", name=TAR, exact=True)).to_be_visible()
    expect(page.get_by_text("./create-project.sh orders ../orders").first).to_be_visible()
    context.close()


def test_other_pages_load_nothing_of_the_template(page: Page) -> None:
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto("", wait_until="networkidle")
    assert [url for url in loaded if "template.js" in url or "generator.css" in url or "zip.js" in url] == []


def test_when_a_part_is_missing_the_page_says_so(chromium: Browser, site_url: str) -> None:
    context = chromium.new_context(base_url=site_url)
    page = context.new_page()
    page.route("**/template.js", lambda route: route.abort())
    page.goto("download/")
    expect(page.locator("#kit-generator")).to_contain_text("The archives and commands below do the same.")
    context.close()
