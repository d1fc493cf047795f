"""The built site says how each of its blocks was verified, and nothing that a reader copies is changed by that."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tools.census import published
from tools.expand import digest
from tools.ledger import Entry, Ledger
from tools.stamp import badge_svg, blocks_in, page_of, shares, stamp

BLOCK = (
    '<div class="highlight"><pre><span></span><code><span class="k">echo</span> &lt;a&gt; &amp;\n</code></pre></div>'
)
TEXT = "echo <a> &\n"


def entry(page: str, text: str, kind: str = "executed", line: int = 3) -> Entry:
    return Entry(page, line, "sh", digest(text), kind, 'run, "compared" & <kept>', 0.25)  # type: ignore[arg-type]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    pages = {
        "index.html": f'<p><a class="x" href="verified/" id="kit-badge">See the proof</a></p>{BLOCK}{BLOCK}',
        "a/index.html": BLOCK,
        "verified/index.html": '<div id="kit-ledger"><p>Nothing.</p></div><p>After.</p>',
    }
    for name, text in pages.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text(text)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("")
    (tmp_path / "docs/verified.md").write_text("")
    return tmp_path / "site"


def stamped(site: Path, *entries: Entry) -> list[str]:
    found = stamp(site, Ledger(entries), site.parent / "docs")
    return [f"{one.page} {one.number} {one.entry.kind if one.entry else '-'}" for one in found]


def soup(site: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((site / name).read_text(), "html.parser")


def test_a_block_has_the_mark_of_its_own_page_and_a_text_that_stands_twice_needs_two_proofs(site: Path) -> None:
    found = stamped(site, entry("index.md", TEXT), entry("index.md", "other"), entry("b.md", TEXT))
    assert found == ["a.md 1 -", "index.md 1 executed", "index.md 2 -"]
    marks = soup(site, "index.html").select(".kit-mark")
    assert [mark.get_text() for mark in marks] == ["executed", "not verified yet"]


def test_a_mark_leads_to_its_row_and_the_row_back_to_the_block(site: Path) -> None:
    stamped(site, entry("index.md", TEXT), entry("index.md", TEXT), entry("a.md", TEXT, "needs-cluster"))
    mark = soup(site, "a/index.html").select_one(".kit-mark")
    assert mark is not None
    assert mark["title"] == 'run, "compared" & <kept>, in 0.25 s'
    assert mark["href"] == "../verified/#a-1"
    row = soup(site, "verified/index.html").select_one("#a-1 a")
    assert row is not None
    assert (row["href"], mark["id"]) == ("../a/#block-1", "block-1")
    assert soup(site, "index.html").select_one(".kit-mark")["href"] == "verified/#index-1"  # type: ignore[index]


def test_what_is_copied_does_not_change(site: Path) -> None:
    before = published(site, site.parent / "docs")
    stamped(site, entry("a.md", TEXT))
    assert published(site, site.parent / "docs") == before
    assert blocks_in((site / "a/index.html").read_text()) == [TEXT]
    assert soup(site, "a/index.html").select_one("pre").get_text() == TEXT  # type: ignore[union-attr]


def test_the_page_counts_by_language_and_names_every_opt_out_with_its_reason_and_substitute(site: Path) -> None:
    stamped(
        site,
        entry("index.md", TEXT),
        entry("index.md", TEXT),
        entry("a.md", TEXT, "needs-cluster"),
        entry("../README.md", "make test", "validated"),
    )
    page = soup(site, "verified/index.html")
    text = page.get_text(" ")
    assert "4 of 4 blocks are verified : 2 executed (50.0%), 1 validated, 1 checked" in text
    languages, opted = page.select("table")[:2]
    assert [[cell.get_text() for cell in row.select("td, th")] for row in languages.select("tbody tr")] == [
        ["sh", "3", "2", "0", "1", "0.8"],
        ["READMEs", "1", "0", "1", "0", "0.2"],
        ["all", "4", "2", "1", "1", "1.0"],
    ]
    assert [cell.get_text() for cell in opted.select("tbody td")][:2] == ["a.md, line 3", "needs a cluster"]
    assert 'run, "compared" & <kept>' in opted.get_text()
    assert [one.get_text() for one in page.select("summary")] == [
        "a.md: 1 of 1, 0.2 s",
        "index.md: 2 of 2, 0.5 s",
        "README.md: 1 of 1, 0.2 s",
    ]
    assert "After." in text


def test_a_site_without_proofs_says_so(site: Path) -> None:
    stamped(site)
    assert "None of 3 blocks is verified yet" in soup(site, "verified/index.html").get_text()
    assert soup(site, "index.html").select_one("#kit-badge").get_text() == "See the proof"  # type: ignore[union-attr]


@pytest.mark.parametrize(("proved", "says"), [(1, "33 %"), (2, "66 %"), (3, "100 %")])
def test_the_badge_has_the_share_in_words_and_100_only_when_nothing_is_left(site: Path, proved: int, says: str) -> None:
    stamped(site, *[entry("index.md", TEXT), entry("index.md", TEXT), entry("a.md", TEXT)][:proved])
    badge = soup(site, "index.html").select_one("#kit-badge svg")
    assert badge is not None
    assert badge["aria-label"] == f"{proved} of 3 code blocks verified: {proved} executed, 0 validated, 0 checked " + (
        "against a contract"
    )
    assert badge.select("text")[1].get_text() == says


def test_a_share_just_below_all_is_not_rounded_to_it() -> None:
    assert ">99 %<" in badge_svg(shares([entry("a.md", "x")] * 999), 1000)


@pytest.mark.parametrize(
    ("html", "page"),
    [("index.html", "index.md"), ("a/index.html", "a.md"), ("b/index.html", "b/index.md"), ("404.html", "404.md")],
)
def test_a_file_of_the_site_is_traced_to_its_page(html: str, page: str, site: Path) -> None:
    assert page_of(Path(html), site.parent / "docs") == page
