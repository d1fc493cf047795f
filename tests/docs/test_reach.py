"""A stranger finds every page from Home in two clicks, and can propose a change to it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from tools import site
from tools.expand import published_pages


def links(root: Path, file: Path) -> set[Path]:
    """The pages that a page links to."""
    soup = BeautifulSoup(file.read_text("utf-8"), "html.parser")
    found: set[Path] = set()
    for a in soup.find_all("a", href=True):
        url = urlsplit(str(a["href"]))
        if url.scheme or url.netloc or not url.path:
            continue
        target = (file.parent / unquote(url.path)).resolve()
        target = target / "index.html" if target.is_dir() else target
        if target.suffix == ".html" and target.is_file() and target.is_relative_to(root):
            found.add(target)
    return found


def test_every_page_is_two_clicks_from_home(built_site: Path) -> None:
    root = built_site.resolve()
    first = links(root, root / "index.html")
    near = first.union(*(links(root, file) for file in first))
    pages = {root / page.path.removesuffix(".md").removesuffix("index") / "index.html" for page in published_pages()}
    assert {page.relative_to(root).as_posix() for page in pages - near} == set()


def test_a_published_site_links_each_page_to_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDIT_URI", "https://git.example.com/kit/edit/main/docs/{path}")
    built = site.build(tmp_path / "site")
    text = (built / "reference/vault/index.html").read_text("utf-8")
    assert 'href="https://git.example.com/kit/edit/main/docs/reference/vault.md"' in text
