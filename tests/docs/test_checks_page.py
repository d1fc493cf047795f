"""The page of checks has a section for each rule, and for nothing else, in order."""

from __future__ import annotations

from pathlib import Path

from bs4 import BeautifulSoup
from kit.checks.registry import rules


def test_every_rule_has_a_section_and_every_section_a_rule(built_site: Path) -> None:
    page = BeautifulSoup((built_site / "checks/index.html").read_text("utf-8"), "html.parser")
    assert [heading["id"] for heading in page.select("h2")] == [rule_id.lower() for rule_id in rules()]


def test_the_link_that_a_finding_shows_leads_to_its_section(built_site: Path) -> None:
    for rule in rules().values():
        page, _, anchor = rule.anchor.partition("#")
        assert f'id="{anchor}"' in (built_site / page / "index.html").read_text("utf-8")
