"""A newcomer who follows the page "Run locally" sees the index page in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tools.expand import published_pages
from tools.runners import prove
from tools.stage import Stage
from tools.workbench import Workbench, evaluator


def test_the_index_page_lists_what_the_page_has_made(stage: Stage, tmp_path: Path, chromium: Browser) -> None:
    page_of_docs = next(page for page in published_pages() if page.path == "run-locally.md")
    with Workbench(page_of_docs, stage, evaluator(tmp_path), tmp_path) as bench:
        for block in page_of_docs.blocks:
            prove(block, bench)
            if "leave-running" in block.options:
                break
        page = chromium.new_page()
        page.goto(bench.to_machine("http://127.0.0.1:8888/_dev/"))
        expect(page.get_by_role("heading", level=1)).to_have_text("your-service")
        expect(page.get_by_role("heading", name="your-service-report", exact=True)).to_be_visible()
        page.get_by_role("button", name="Fire your-service-report-nightly now").click()
        expect(page.locator("#timers")).to_contain_text('"timer": "your-service-report-nightly"')
        page.close()
