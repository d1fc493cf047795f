"""What readers can copy from the built site is what was verified: no block more, no block less."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tools import ROOT, archive, stamp
from tools.expand import READMES, digest, published_pages, readme_pages
from tools.ledger import LEAST_EXECUTED, MOST_OPTED_OUT, Entry, Ledger, shares
from tools.site import build_pages


def published(site: Path) -> dict[str, list[str]]:
    """Return for each page of the built site the text of its blocks."""
    return {
        file.relative_to(site).as_posix(): [
            code.get_text() for code in BeautifulSoup(file.read_text("utf-8"), "html.parser").select("pre")
        ]
        for file in sorted(site.rglob("*.html"))
    }


def test_the_site_publishes_exactly_the_blocks_that_are_found(built_site: Path) -> None:
    shown = Counter(digest(text) for texts in published(built_site).values() for text in texts)
    found = Counter(block.digest for page in published_pages() for block in page.blocks)
    assert shown == found


def test_a_site_for_another_address_publishes_the_same_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Counter(block.digest for page in published_pages() for block in page.blocks)
    monkeypatch.setenv("SITE_URL", "https://kit.example.org/guide")
    build_pages(tmp_path / "site")
    texts = [text for page in published(tmp_path / "site").values() for text in page]
    assert any("https://kit.example.org/guide/downloads/" in text for text in texts)
    assert Counter(map(digest, texts)) == found


def test_every_published_block_is_in_the_ledger(built_site: Path, ledger: Ledger) -> None:
    shown = Counter(digest(text) for texts in published(built_site).values() for text in texts)
    proved = Counter(e.digest for e in ledger.entries if not e.is_readme)
    missing = shown - proved  # by count: a text that stands on two pages must be verified on both
    unaccounted = [
        f"{page}: {text.strip().splitlines()[0]}"
        for page, texts in published(built_site).items()
        for text in texts
        if digest(text) in missing
    ]
    assert unaccounted == [], f"{missing.total()} blocks are published and not verified"


def test_every_fence_of_the_readmes_is_in_the_ledger(ledger: Ledger) -> None:
    fences = {name: len(re.findall(r"(?m)^```\w+$", (ROOT / name).read_text("utf-8"))) for name in READMES}
    assert Counter(e.page.removeprefix("../") for e in ledger.entries if e.is_readme) == fences


def test_every_readme_of_the_kit_and_the_template_is_counted() -> None:
    shipped = [path for path in archive.listing() if path.suffix == ".md"]
    here = {path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *shipped]}
    assert {name for name in here if "```" in (ROOT / name).read_text("utf-8")} == set(READMES)


def test_a_block_of_a_readme_is_the_same_where_a_page_shows_it() -> None:
    of_pages = [block.source for page in published_pages() for block in page.blocks if "kit" in block.options]
    of_readme = [block.source for page in readme_pages() for block in page.blocks if page.path == "../README.md"]
    assert of_pages == of_readme


def test_most_blocks_are_executed_and_hardly_any_opts_out(ledger: Ledger) -> None:
    assert out_of_budget(ledger.entries) == []


def out_of_budget(entries: list[Entry]) -> list[str]:
    """Say which share is not what the page Verified promises; READMEs count, too."""
    found = shares(entries)
    wrong = []
    if found.share_executed < LEAST_EXECUTED:
        wrong.append(f"{found.share_executed:.1%} of {found.blocks} blocks are executed, not {LEAST_EXECUTED:.0%}")
    if found.share_opted_out > MOST_OPTED_OUT:
        wrong.append(f"{found.share_opted_out:.1%} of {found.blocks} blocks opt out, more than {MOST_OPTED_OUT:.0%}")
    return wrong


@pytest.mark.parametrize(
    ("executed", "validated", "opted_out", "says"),
    [(90, 7, 3, []), (89, 10, 1, ["89.0% of 100"]), (92, 4, 4, ["4.0% of 100"]), (0, 0, 0, ["0.0% of 0"])],
)
def test_a_share_that_falls_is_noticed(executed: int, validated: int, opted_out: int, says: list[str]) -> None:
    kinds = ["executed"] * executed + ["validated"] * validated + ["needs-cluster"] * opted_out
    found = out_of_budget([Entry("a.md", 1, "sh", "0", kind, "", 0.0) for kind in kinds])  # type: ignore[arg-type]
    assert [row[: len(start)] for row, start in zip(found, says, strict=True)] == says


def test_every_block_carries_its_proof_when_all_are_verified(built_site: Path, ledger: Ledger, tmp_path: Path) -> None:
    site = Path(shutil.copytree(built_site, tmp_path / "site"))
    unmarked = [f"{shown.page}: block {shown.number}" for shown in stamp.stamp(site, ledger) if not shown.entry]
    assert unmarked == []
