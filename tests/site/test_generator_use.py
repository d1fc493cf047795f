"""Using the generator by keyboard, and sharing what was chosen."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]


def field(page: Page, label: str) -> str:
    return page.get_by_label(label, exact=True).input_value()


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.id")


def test_the_address_holds_the_choices_and_brings_them_back(open_generator: Open) -> None:
    page = open_generator()
    page.get_by_label("Service name", exact=True).fill("orders")
    expect(page).to_have_url(re.compile(r"/download/#name=orders$"))
    page.get_by_label("Namespace", exact=True).fill("shop")
    page.get_by_label("Executor", exact=True).select_option("newdeploy")
    page.get_by_role("checkbox").first.check()
    expect(page).to_have_url(re.compile(r"#name=orders&namespace=shop&executor=newdeploy&add=[a-z]+$"))
    page.reload()
    expect(page.get_by_role("checkbox").first).to_be_checked()
    assert field(page, "Service name") == "orders"
    assert field(page, "Namespace") == "shop"
    assert field(page, "Executor") == "newdeploy"
    page.get_by_role("checkbox").first.uncheck()
    page.get_by_label("Executor", exact=True).select_option("poolmgr")
    page.get_by_label("Namespace", exact=True).fill("default")
    page.get_by_label("Service name", exact=True).fill("")
    expect(page).to_have_url(re.compile(r"/download/$"))


def test_the_copied_link_opens_the_same_choices(open_generator: Open) -> None:
    page = open_generator("#name=orders&executor=newdeploy")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link to these choices").click()
    expect(page.locator("#kit-status[role=status]")).to_have_text("Copied the link.")
    assert page.evaluate("navigator.clipboard.readText()").endswith("/download/#name=orders&executor=newdeploy")


@pytest.mark.parametrize("button", ["Copy commands", "Copy link to these choices", "Copy file"])
def test_copying_again_is_announced_again(open_generator: Open, button: str) -> None:
    page = open_generator("#name=orders")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    status = page.locator("#kit-status[role=status]")
    heard = "(node) => new MutationObserver(() => heard.push(node.textContent)).observe(node, {childList: true})"
    page.evaluate("window.heard = []")
    status.evaluate(heard)
    for times in range(1, 4):
        page.get_by_role("button", name=button).click()
        page.wait_for_function(
            "(times) => heard.filter((text) => text.startsWith('Copied ')).length === times", arg=times
        )


def test_another_link_in_the_same_tab_is_followed(open_generator: Open) -> None:
    page = open_generator("#name=orders")
    page.evaluate("location.hash = '#name=billing'")
    expect(page.get_by_role("button", name="Download billing.zip")).to_be_enabled()
    page.evaluate("location.hash = '#next'")
    expect(page.get_by_role("button", name="Download billing.zip")).to_be_enabled()


def test_a_hostile_link_is_text_and_what_is_not_offered_is_dropped(open_generator: Open) -> None:
    page = open_generator(
        "#name=%3Cimg src=x onerror=alert(1)%3E&executor=evil&add=../../etc,nothing&namespace=%00%22%27"
    )
    assert field(page, "Service name") == "<img src=x onerror=alert(1)>"
    assert field(page, "Executor") == "poolmgr"
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)
    expect(page.locator("#kit-generator img")).to_have_count(0)
    expect(page.locator("#kit-name-problem")).to_contain_text("is no valid name")
    expect(page.get_by_role("region", name="The same without a browser")).not_to_contain_text("img")


def test_a_project_is_made_by_keyboard_alone(open_generator: Open) -> None:
    page = open_generator()
    page.get_by_label("Service name", exact=True).focus()
    page.keyboard.type("orders")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused(page) == "kit-executor"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox").first).to_be_checked()
    for _ in range(page.get_by_role("checkbox").count()):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Download orders.zip")).to_be_focused()
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    assert started.value.suggested_filename == "orders.zip"


@pytest.mark.parametrize("keys", ["Control+Enter", "Meta+Enter"])
@pytest.mark.parametrize("place", ["#kit-namespace", "[role=tree] [tabindex='0']", "body", "[type=submit]"])
def test_control_enter_downloads_from_anywhere_once(open_generator: Open, keys: str, place: str) -> None:
    page, started = open_generator("#name=orders"), []
    page.on("download", lambda download: started.append(download))
    page.locator(place).focus()
    with page.expect_download():
        page.keyboard.press(keys)
    page.keyboard.press("Tab")
    assert Path(started[0].path()).stat().st_size > 100_000
    assert len(started) == 1


def test_control_enter_in_the_search_is_the_search_s(open_generator: Open) -> None:
    page, started = open_generator("#name=orders"), []
    page.on("download", lambda download: started.append(download))
    page.get_by_placeholder("Search").focus()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#kit-status[role=status]")).to_be_empty()
    assert started == []


def test_control_enter_without_a_name_says_why_and_goes_to_the_field(open_generator: Open) -> None:
    page = open_generator()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Service name", exact=True)).to_be_focused()
    expect(page.locator("#kit-status[role=status]")).to_have_text("Type a name, and the download is ready.")


def test_control_enter_goes_to_the_first_field_that_is_wrong(open_generator: Open) -> None:
    page = open_generator("#name=orders&namespace=Shop")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Namespace", exact=True)).to_be_focused()
    expect(page.locator("#kit-status[role=status]")).to_have_text("No download yet: the namespace is not valid.")
    page.get_by_label("Service name", exact=True).fill("Orders")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Service name", exact=True)).to_be_focused()


def test_a_slash_in_a_field_is_a_letter_and_elsewhere_opens_the_search(open_generator: Open) -> None:
    page = open_generator()
    page.get_by_label("Service name", exact=True).focus()
    page.keyboard.press("/")
    assert field(page, "Service name") == "/"
    page.locator("[role=tree] [tabindex='0']").focus()
    page.keyboard.press("/")
    expect(page.get_by_placeholder("Search")).to_be_focused()


def test_the_tree_is_walked_by_keyboard(open_generator: Open) -> None:
    page = open_generator("#name=orders")
    page.get_by_role("tree").locator("[tabindex='0']").focus()
    steps = [
        ("Home", "orders"),
        ("ArrowUp", "orders"),
        ("ArrowDown", ".fission"),
        ("ArrowRight", "deployment.json"),
        ("ArrowLeft", ".fission"),
        ("ArrowLeft", ".fission"),
        ("ArrowDown", ".gitea"),
        ("ArrowRight", ".gitea"),
        ("ArrowRight", "workflows"),
        ("ArrowLeft", ".gitea"),
        ("s", "src"),
        ("End", "requirements.in"),
    ]
    for key, expected in steps:
        page.keyboard.press(key)
        assert focused(page) == expected, key
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="requirements.in")).to_be_visible()
    expect(page.get_by_role("treeitem", name="requirements.in", exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator("[role=treeitem][aria-selected=true]")).to_have_count(1)
    expect(page.locator("[role=tree] [tabindex='0']")).to_have_count(1)
    closed = page.locator("[data-path='manifests/']")
    expect(closed).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("*")
    expect(closed).to_have_attribute("aria-expanded", "true")


def test_letters_go_through_the_tree_and_not_through_the_site(open_generator: Open) -> None:
    page = open_generator("#name=orders")
    page.get_by_role("tree").locator("[tabindex='0']").focus()
    page.keyboard.type("health")
    assert focused(page) == "health.py"
    page.keyboard.type("npsf.")  # shortcuts of the site: next page, previous page, search
    assert focused(page) == "health.py"
    expect(page).to_have_url(re.compile("/download/#name=orders$"))


def test_what_is_open_and_focused_stays_while_the_name_is_typed(open_generator: Open) -> None:
    page = open_generator("#name=orders")
    page.locator("[data-path='manifests/']").locator("> span").click()
    page.locator("[data-path='manifests/secret.yaml']").locator("> span").click()
    page.get_by_label("Service name", exact=True).fill("billing")
    expect(page.locator("[data-path='manifests/secret.yaml']")).to_be_visible()
    expect(page.get_by_role("region", name="manifests/secret.yaml")).to_contain_text("billing")
    expect(page.get_by_label("Service name", exact=True)).to_be_focused()


def test_the_tree_keeps_its_place_in_a_closed_folder_while_the_name_is_typed(open_generator: Open) -> None:
    page = open_generator("#name=orders")
    name = page.get_by_label("Service name", exact=True)
    page.locator("[data-path='.fission/deployment.json'] > span").click()
    page.locator("[data-path='.fission/'] > span").click()
    name.fill("billing")
    page.locator("[role=tree] [tabindex='0']").focus()
    assert focused(page) == ".fission"
    page.keyboard.press("ArrowDown")
    assert focused(page) == ".gitea"
    name.fill("red-gate")
    page.locator("[role=tree] [tabindex='0']").focus()
    assert focused(page) == ".gitea"


def test_a_place_in_the_tree_that_goes_away_becomes_the_closed_folder_of_the_chosen_file(open_generator: Open) -> None:
    page = open_generator("#name=orders&add=crud")
    page.locator("[data-path='.fission/'] > span").click()
    page.keyboard.type("example_crud")
    assert focused(page) == "example_crud.py, added"
    page.get_by_role("checkbox", name=re.compile("^crud ")).uncheck()
    page.locator("[role=tree] [tabindex='0']").focus()
    assert focused(page) == ".fission"


def test_keys_work_where_a_browser_focuses_the_list_itself(open_generator: Open) -> None:
    page = open_generator("#name=orders")
    tree = page.get_by_role("tree")
    tree.evaluate("(tree) => { tree.tabIndex = -1; tree.focus(); }")
    page.keyboard.press("Home")
    assert focused(page) == "orders"
    tree.focus()
    page.keyboard.press("ArrowDown")
    assert focused(page) == ".fission"
