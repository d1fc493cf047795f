"""How a block was verified is seen on the block, on the page Verified and on Home, by everybody, in light and dark.

The ledger here is made up, with all kinds of proof, so that nothing has to be verified to look at it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from tools.expand import published_pages, readme_pages
from tools.ledger import KINDS, Entry, Ledger
from tools.site import build_pages
from tools.stage import served
from tools.stamp import stamp

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (360, 1280)]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("stamped") / "site"
    build_pages(folder)  # not the site that all tests share: that one carries the proofs that hold by now
    kinds = cycle(KINDS)
    blocks = [block for page in [*published_pages(), *readme_pages()] for block in page.blocks]
    how = "2 commands run, output compared"
    stamp(folder, Ledger(Entry(b.page, b.line, b.lang, b.digest, next(kinds), how, 0.5) for b in blocks))
    with served(folder) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=address, reduced_motion="reduce")
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.parametrize(
    ("path", "part"),
    [("", "article"), ("verified/", "article"), ("errors/", ".kit-mark")],
    ids=["home", "all", "marks"],
)
def test_marks_ledger_and_badge_can_be_read(page: Page, path: str, part: str, scheme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(path)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    if folder := os.environ.get("KIT_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"proof-{path.strip('/') or 'home'}-{scheme}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=str(AXE))
    result = page.evaluate("(part) => axe.run(part, {resultTypes: ['violations']})", part)
    found = [f"{v['id']} ({v['impact']}): {[n['target'] for n in v['nodes']][:3]}" for v in result["violations"]]
    assert found == []


def test_a_mark_leads_to_its_row_and_the_row_back(page: Page) -> None:
    page.goto("errors/")
    mark = page.locator(".kit-mark--validated").first
    expect(mark).to_have_text("validated")
    expect(mark).to_have_attribute("title", "2 commands run, output compared, in 0.50 s")
    mark.click()
    row = page.locator("tr:target")
    expect(row).to_be_visible()
    expect(row).to_contain_text("2 commands run, output compared")
    row.get_by_role("link").click()
    expect(page.locator(".kit-mark:target")).to_be_in_viewport()


def test_home_has_the_share_and_leads_to_the_ledger(page: Page) -> None:
    page.goto("")
    page.get_by_role("img", name="code blocks verified").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Verified")
    expect(page.locator("#kit-ledger")).to_contain_text("blocks are verified")


def test_marks_are_there_without_a_script(chromium: Browser, address: str) -> None:
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("errors/")
    expect(page.locator(".kit-mark").first).to_be_visible()
    context.close()
