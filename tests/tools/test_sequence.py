"""Sequence diagrams from TOML: everything said is drawn, in the picture's text alternative, and mistakes are named."""

from __future__ import annotations

import re
import tomllib
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools import ROOT
from tools.sequence import LETTER, WIDTH, sequence
from tools.source import SourceError

PLANS = sorted((ROOT / "docs/assets/drawings").glob("*.toml"))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("plan", PLANS, ids=lambda p: p.stem)
def test_everything_that_is_said_is_drawn_within_the_picture(plan: Path) -> None:
    tree = ElementTree.fromstring(sequence(plan.relative_to(ROOT).as_posix()))
    height = float(tree.attrib["viewBox"].split()[3])
    drawn = " ".join(t.text or "" for t in tree.iter(f"{SVG}text"))
    for step in tomllib.loads(plan.read_text("utf-8"))["step"]:
        for word in (step.get("text") or step["note"]).split():
            assert word in drawn
    for text in tree.iter(f"{SVG}text"):
        half = len(text.text or "") * LETTER / 2
        assert float(text.attrib["x"]) - half >= 0
        assert float(text.attrib["x"]) + half <= WIDTH
        assert float(text.attrib["y"]) < height


@pytest.mark.parametrize("plan", PLANS, ids=lambda p: p.stem)
def test_the_text_alternative_tells_every_step_in_order(plan: Path) -> None:
    found = re.search(r"<desc[^>]*>(.*?)</desc>", sequence(plan.relative_to(ROOT).as_posix()), re.S)
    assert found is not None
    told, at = unescape(found[1]), 0
    for step in tomllib.loads(plan.read_text("utf-8"))["step"]:
        at = told.index(step.get("text") or step["note"], at) + 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title = ", "no diagram"),
        ('title = "t"\nactors = ["A"]\n[[step]]\nfrom = "A"\nto = "B"\ntext = "x"', "'B'"),
        ('title = "t"\nactors = ["A"]\n[[step]]\nfrom = "A"\nto = "A"\ntext = "x"', "A talks to itself; write a note"),
    ],
)
def test_a_plan_that_is_wrong_is_named(
    text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.toml").write_text(text)
    monkeypatch.setattr("tools.source.ROOT", tmp_path)
    with pytest.raises(SourceError, match=re.escape(problem)):
        sequence("x.toml")


def test_every_drawing_is_shown_by_a_page() -> None:
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md"))
    assert [plan.name for plan in PLANS if f"drawings/{plan.name}" not in pages] == []
