"""The real pages and the real site have none of the faults that the mutation suite injects."""

from __future__ import annotations

from pathlib import Path

from tools import census, links, shape
from tools.expand import published_pages


def test_pages_snippets_and_readme_name_what_is_there() -> None:
    assert shape.problems(published_pages()) == []


def test_what_is_published_stands_in_fences(built_site: Path) -> None:
    assert census.differences(built_site, published_pages()) == []


def test_every_link_leads_somewhere_and_nothing_is_asked_of_a_foreign_host(built_site: Path) -> None:
    assert links.Site(built_site).problems() == []
