"""The pages below /_dev/ in a real Chromium; any foreign request and any console error fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import axe_playwright_python
import pytest
import requests
from playwright.sync_api import Browser, Page, expect

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
BLOCK = """
"timers": {"nightly": {"cron": "0 3 * * *", "subpath": "/night"}},
"queues": {"orders": {"type": "kafka", "topic": "orders"}},
"watches": {"pods": {"type": "POD"}},
"http_triggers": {"report": {"url": "/report/{day}", "methods": ["GET"]}, "files": {"prefix": "/f", "methods": ["GET"]}}
"""
BODY = "seen = flask.request.headers\nreturn {'timer': seen.get('X-Fission-Timer-Name'), 'path': flask.request.path}"


@pytest.fixture
def running(serve, write_function, project):
    write_function("report", BODY, top="import flask", block=BLOCK.replace("\n", ""))
    (project / ".env").write_text("TOKEN=very-secret\n")
    return serve()


@pytest.fixture
def open_page(chromium: Browser, running) -> Iterator[Callable[..., Page]]:
    contexts, problems = [], []

    def open_(path: str, **options: object) -> Page:
        contexts.append(chromium.new_context(base_url=running.url, reduced_motion="reduce", **options))
        contexts[-1].on("request", lambda r: r.url.startswith(running.url + "/") or problems.append(r.url))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and problems.append(message.text))
        page.goto(path)
        page.wait_for_selector("body[data-ready]")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert problems == []


def test_the_index_lists_everything_and_shows_no_secret(open_page, running):
    page = open_page("/_dev/")
    expect(page.get_by_role("heading", level=1)).to_have_text("acme-orders")
    for text in (
        "acme-orders-items",
        "acme-orders-report",
        "src/report.py:",
        "GET /report/{day}",
        "GET /f and everything",
    ):
        expect(page.get_by_text(text, exact=False).first).to_be_visible()
    expect(page.locator("#settings")).to_contain_text("TOKEN")
    expect(page.locator("#settings")).to_contain_text("LOG_LEVEL")
    assert "very-secret" not in page.content() + requests.get(f"{running.url}/_dev/state.json", timeout=5).text


def test_a_route_is_called_with_its_form_by_keyboard_alone(open_page):
    page = open_page("/_dev/")
    form = page.locator("details", has_text="GET POST /items").last
    form.locator("summary").focus()
    page.keyboard.press("Enter")
    form.get_by_label("Method").select_option("POST")
    form.get_by_label("Body").fill('{"name": "lamp", "price": "1.00"}')
    form.get_by_label("Body").press("Tab")
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(form.get_by_role("status")).to_contain_text("201 Created in")
    expect(form.get_by_role("status")).to_contain_text('"name": "lamp"')
    expect(page.locator("#recent")).to_contain_text("POST /items")


def test_path_variables_and_the_rest_of_a_prefix_are_filled_in(open_page):
    page = open_page("/_dev/")
    form = page.locator("details", has_text="/report/{day}")
    form.locator("summary").click()
    form.get_by_label("day").fill("a b")
    form.get_by_role("button", name="Send").click()
    expect(page.locator("#recent")).to_contain_text("GET /report/a%20b")
    form = page.locator("details", has_text="/f and everything below")
    form.locator("summary").click()
    form.get_by_label("Rest of the path").fill("/x/y")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("status")).to_contain_text('"path": "/f/x/y"')


def test_timers_queues_and_watches_are_fired_from_the_page(open_page):
    page = open_page("/_dev/")
    page.get_by_role("button", name="Fire acme-orders-report-nightly now").click()
    expect(page.locator("#timers")).to_contain_text('"timer":"acme-orders-report-nightly"')
    expect(page.locator("#timers")).to_contain_text('"path":"/night"')
    queue = page.locator("article", has_text="acme-orders-report-orders")
    queue.get_by_label("Message").fill("{}")
    queue.get_by_role("button").click()
    expect(queue.get_by_role("status")).to_contain_text("200; done")
    watch = page.locator("article", has_text="acme-orders-report-pods")
    watch.get_by_label("Event").select_option("DELETED")
    watch.get_by_role("button").click()
    expect(watch.get_by_role("status")).to_contain_text("200; done")
    expect(page.locator("#recent")).to_contain_text("/fission-function/acme-orders-report/night")


def test_the_api_page_lists_operations_with_examples_from_the_models(open_page, running):
    page = open_page("/_dev/api/")
    form = page.locator("details", has_text="POST /items").first
    form.locator("summary").click()
    expect(form.get_by_label("Body")).to_have_value('{\n  "name": "text",\n  "price": 0\n}')
    form.get_by_label("Body").fill('{"name": "chair", "price": "2.00"}')
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("status")).to_contain_text("201 Created")
    listing = page.locator("details", has_text="GET /items Answer one page")
    listing.locator("summary").click()
    listing.get_by_label("limit (query)").fill("1")
    listing.get_by_role("button", name="Send").click()
    expect(listing.get_by_role("status")).to_contain_text('"limit": 1')
    itemid = requests.get(f"{running.url}/items", timeout=5).json()["items"][0]["id"]
    page.goto("/_dev/api/")
    replacing = page.locator("details", has_text="PUT /items/{itemid}").first
    replacing.locator("summary").click()
    replacing.get_by_label("itemid").fill(itemid)
    replacing.get_by_label("If-Match (header)").fill('"1"')
    replacing.get_by_role("button", name="Send").click()
    expect(replacing.get_by_role("status")).to_contain_text("200 OK")
    expect(replacing.get_by_role("status")).to_contain_text('"version": 2')
    page.locator("#models summary", has_text="ItemIn").click()
    expect(page.locator("#models")).to_contain_text('"additionalProperties": false')


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/_dev/", "/_dev/api/"])
def test_axe_finds_nothing(open_page, path, scheme):
    page = open_page(path, color_scheme=scheme, viewport={"width": 360, "height": 740}, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(AXE.read_text("utf-8"))
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(found["id"], found["nodes"][0]["html"]) for found in result["violations"]] == []


def test_other_sites_can_neither_read_nor_fire(running):
    port = running.url.rpartition(":")[2]
    rebound = requests.get(f"{running.url}/_dev/state.json", headers={"Host": f"evil.example:{port}"}, timeout=5)
    assert rebound.status_code == 403
    assert requests.post(f"{running.url}/_dev/fire?name=nightly", timeout=5).status_code == 403
    assert requests.get(f"{running.url}/_dev/fire?name=nightly", timeout=5).status_code == 404
    assert "Access-Control-Allow-Origin" not in requests.get(f"{running.url}/_dev/state.json", timeout=5).headers
    for path in (
        "/_dev/static/../pages.py",
        "/_dev/static/%2e%2e/pages.py",
        "/_dev/static//etc/passwd",
        "/_dev/static/",
    ):
        raw = requests.Request("GET", running.url).prepare()
        raw.url = running.url + path
        assert requests.Session().send(raw, timeout=5).status_code == 404
    policy = requests.get(f"{running.url}/_dev/", timeout=5).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
