"""The shape of the docs: one skeleton for all how-to pages, no orphan snippets, no code that is addressed by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import ROOT
from tools.expand import published_pages

DOCS = ROOT / "docs"
HOW_TO = [p for p in sorted(DOCS.rglob("*.md")) if not re.search(r"^kind: (?!how-to)", p.read_text("utf-8"), re.M)]


@pytest.mark.parametrize("page", HOW_TO, ids=lambda p: p.relative_to(DOCS).as_posix())
def test_a_page_says_what_you_get_how_to_test_it_when_it_fails_and_what_is_next(page: Path) -> None:
    text = page.read_text("utf-8")
    assert "\n**What you get:**" in text
    headings = re.findall(r"^## (?:\d+\. )?(.+)$", text, re.M)
    wanted = ["When it fails", "Next"]
    assert [h for h in headings if h in wanted] == wanted
    assert re.search(r"^##+ (\d+\. )?(Test it|Run the tests|Run what is there)$", text, re.M)


def test_every_snippet_is_shown_by_a_page() -> None:
    shown = {block.file for page in published_pages() for block in page.blocks}
    here = {p for p in (ROOT / "snippets").rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert here - shown == set()


def test_pages_include_code_by_name_only() -> None:
    for page in DOCS.rglob("*.md"):
        text = page.read_text("utf-8")
        assert "--8<--" not in text, f"{page.name}: snippets are included with source(), by file or symbol"
        for name in re.findall(r"<%= ?source\((.+?)\) ?%>", text):
            assert re.fullmatch(r'"[\w./-]+"(, "[\w.]+")?(, indent=\d+)?', name), f"{page.name}: source({name})"


def test_every_page_has_a_title_and_a_description() -> None:
    for page in DOCS.rglob("*.md"):
        assert re.match(r"---\ntitle: .+\ndescription: .+\n", page.read_text("utf-8")), page.name


def test_the_template_holds_no_markers_for_the_docs() -> None:
    for path in (ROOT / "template").rglob("*"):
        if path.suffix in {".py", ".sql", ".sh", ".json"} and ".kit" not in path.parts and path.is_file():
            text = path.read_text("utf-8")
            assert not re.search(r"--8<--|\[(start|end):\w+\]$|<%=", text), path
