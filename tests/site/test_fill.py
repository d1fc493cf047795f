"""The name that a reader typed stands in the code of every page, until it is reset."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from kit.rename import rename_text
from playwright.sync_api import Page, expect

from tools import archive

AS_PUBLISHED = re.compile(r"your-service-\d|\./create-project\.sh")  # about the template itself


def published(file: Path) -> list[str]:
    soup = BeautifulSoup(file.read_text("utf-8"), "html.parser")
    return [code.get_text() for code in soup.select(".md-content pre > code")]


def shown(page: Page) -> list[str]:
    return page.locator(".md-content pre > code").evaluate_all("(all) => all.map((code) => code.textContent)")


def chip(page: Page):
    return page.get_by_role("complementary", name="Name in the code of this page")


@pytest.fixture
def named(open_generator: Callable[..., Page]) -> Page:
    page = open_generator()
    page.get_by_label("Service name", exact=True).fill("blue-door")
    return page


def test_a_typed_name_fills_the_code_of_all_pages_by_the_rule_of_the_kit(named: Page, built_site: Path) -> None:
    filled = 0
    for file in sorted(built_site.rglob("index.html")):
        if file.parent.name == "download" or 'http-equiv="refresh"' in file.read_text("utf-8"):
            continue
        named.goto(file.parent.relative_to(built_site).as_posix() + "/")
        before, after = published(file), shown(named)
        expected = [t if AS_PUBLISHED.search(t) else rename_text(t, archive.NAME, "blue-door") for t in before]
        assert after == expected, file
        changed = before != after
        expect(chip(named)).to_have_count(int(changed))
        filled += changed
    assert filled >= 5


def test_a_name_that_highlighting_has_cut_into_pieces_is_filled_and_reset(page: Page) -> None:
    page.goto("structure/")
    pieces = "<i>a your</i><b>-</b><i>service.your_</i>ser<b></b><b>vice</b> your-service xyour-<i>service</i>"
    page.evaluate("(html) => document.querySelector('.md-content pre > code').innerHTML = html", pieces)
    code = page.locator(".md-content pre > code").first
    page.evaluate("KIT.rememberName('blue-door')")
    expect(code).to_have_text("a blue-door.blue_door blue-door xyour-service")
    expect(code.locator("i, b")).to_have_count(6)
    page.evaluate("KIT.rememberName('')")
    assert code.inner_html() == pieces


def test_commands_that_fetch_the_template_stay_as_they_are(named: Page) -> None:
    named.goto("getting-started/")
    block = named.locator("pre > code", has_text="tar xzf")
    expect(block).to_contain_text(f"tar xzf your-service-{archive.version()}.tar.gz")
    expect(block).to_contain_text("cd your-service")


def test_nothing_is_stored_and_nothing_changes_by_default(page: Page, built_site: Path) -> None:
    for path in ("", "structure/", "download/", "download/#name=orders", "structure/"):
        page.goto(path)
    assert shown(page) == published(built_site / "structure/index.html")
    expect(chip(page)).to_have_count(0)
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('kit'))") == []


def test_an_opened_link_is_kept_when_its_zip_is_downloaded(open_generator: Callable[..., Page]) -> None:
    page = open_generator("#name=orders")
    with page.expect_download():
        page.keyboard.press("Control+Enter")
    page.goto("structure/")
    expect(chip(page)).to_contain_text("Code shows orders")


def test_the_name_comes_back_to_the_download_page(named: Page) -> None:
    named.goto("structure/")
    named.goto("download/")
    expect(named.get_by_label("Service name", exact=True)).to_have_value("blue-door")


def test_reset_brings_the_published_code_back_on_all_pages(named: Page, built_site: Path) -> None:
    named.goto("structure/")
    expect(chip(named)).to_contain_text("Code shows blue-door")
    reset = chip(named).get_by_role("button", name="Reset")
    for _ in range(200):
        named.keyboard.press("Tab")
        if reset.evaluate("(button) => button === document.activeElement"):
            break
    named.keyboard.press("Enter")
    expect(chip(named)).to_have_count(0)
    expect(named.locator("main")).to_be_focused()
    assert shown(named) == published(built_site / "structure/index.html")
    named.goto("logging/")
    assert shown(named) == published(built_site / "logging/index.html")
    assert named.evaluate("localStorage.getItem('kit.name')") is None


def test_the_note_can_be_hidden_and_the_name_stays(named: Page) -> None:
    named.goto("structure/")
    chip(named).get_by_role("button", name="Hide this note").focus()
    named.keyboard.press("Enter")
    expect(chip(named)).to_have_count(0)
    expect(named.locator("main")).to_be_focused()
    named.keyboard.press("Tab")
    assert named.evaluate("document.activeElement.closest('main') !== null")
    expect(named.locator("pre > code", has_text="blue-door/").first).to_be_visible()


def test_an_emptied_field_forgets_the_name_and_a_wrong_one_keeps_the_last(named: Page) -> None:
    field = named.get_by_label("Service name", exact=True)
    field.fill("Blue")
    assert named.evaluate("localStorage.getItem('kit.name')") == "blue-door"
    field.fill("")
    assert named.evaluate("localStorage.getItem('kit.name')") is None


def test_copying_gives_the_filled_text(named: Page) -> None:
    named.context.grant_permissions(["clipboard-read", "clipboard-write"])
    named.goto("deployment/")
    block = named.locator(".language-console", has_text="cat specs/function-blue-door-health.yaml")
    block.locator("button[data-md-type=copy]").click()
    copied = named.evaluate("navigator.clipboard.readText()")
    assert "cat specs/function-blue-door-health.yaml" in copied
    assert "$" not in copied
    named.goto("structure/")
    tree = named.locator(".highlight", has_text="blue-door/").first
    tree.locator("button[data-md-type=copy]").click()
    assert named.evaluate("navigator.clipboard.readText()").startswith("blue-door/")


def test_the_name_comes_into_pages_that_are_open_in_other_tabs(named: Page) -> None:
    other = named.context.new_page()
    other.goto("structure/")
    named.get_by_label("Service name", exact=True).fill("red-gate")
    expect(chip(other)).to_contain_text("Code shows red-gate")
    expect(other.locator("pre > code", has_text="red-gate/").first).to_be_visible()
    chip(other).get_by_role("button", name="Reset").focus()
    named.get_by_label("Service name", exact=True).fill("green-hill")
    expect(chip(other)).to_contain_text("Code shows green-hill")
    expect(chip(other).get_by_role("button", name="Reset")).to_be_focused()


def test_filling_moves_nothing(named: Page) -> None:
    watch = "new PerformanceObserver((list) => list.getEntries().forEach((entry) => shifts.push(entry.value)))"
    named.add_init_script(f"window.shifts = []; {watch}.observe({{type: 'layout-shift', buffered: true}})")
    named.goto("structure/", wait_until="networkidle")
    expect(chip(named)).to_be_visible()
    assert named.evaluate("shifts.reduce((sum, shift) => sum + shift, 0)") < 0.01
    height = named.evaluate("document.documentElement.scrollHeight")
    chip(named).get_by_role("button", name="Reset").click()
    assert named.evaluate("document.documentElement.scrollHeight") == height


@pytest.mark.parametrize("value", ["<img src=x onerror=alert(1)>", "Orders", "o" * 49, "your-service", "-x", " "])
def test_a_stored_value_that_is_no_name_changes_nothing(page: Page, built_site: Path, value: str) -> None:
    page.goto("")
    page.evaluate("(value) => localStorage.setItem('kit.name', value)", value)
    page.goto("structure/")
    assert shown(page) == published(built_site / "structure/index.html")
    expect(chip(page)).to_have_count(0)


def test_without_storage_the_page_works(page: Page) -> None:
    refuse = "function (key) { if (key.startsWith('kit')) throw new DOMException('no', 'SecurityError'); return null; }"
    names = ("getItem", "setItem", "removeItem")
    page.add_init_script("".join(f"Storage.prototype.{name} = {refuse};" for name in names))
    page.goto("download/")
    page.get_by_label("Service name", exact=True).fill("orders")
    expect(page.get_by_role("button", name="Download orders.zip")).to_be_enabled()
    page.goto("structure/")
    expect(chip(page)).to_have_count(0)
