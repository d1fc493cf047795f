"""The census: what readers can copy from the built site against the blocks that are found in the pages, by count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tools import ROOT
from tools.expand import Page, digest
from tools.site import line_of
from tools.stamp import blocks_in, page_of


def published(site: Path, docs: Path = ROOT / "docs") -> dict[str, list[str]]:
    """Return the texts of all blocks of the built site by page; whoever wrote them, a macro or a bare <pre>."""
    files = sorted(site.rglob("*.html"))
    return {page_of(f.relative_to(site), docs): blocks_in(f.read_text("utf-8")) for f in files}


def differences(site: Path, pages: Iterable[Page], docs: Path = ROOT / "docs") -> list[str]:
    """Return what is published and not found in its page, and what is found and not published."""
    shown = published(site, docs)
    wrong = []
    for page in pages:
        texts = {digest(text): text for text in shown.get(page.path, [])}
        published_here = Counter(map(digest, shown.pop(page.path, [])))
        found = Counter(block.digest for block in page.blocks)
        for name in (published_here - found).elements():
            first = texts[name].strip().split("\n")[0]
            line = line_of(docs / page.path, first)
            wrong.append(f"docs/{page.path}:{line}: {first!r} is shown as code, but stands in no fence")
        hidden = found - published_here
        wrong += [f"{block.place}: this block is not published" for block in page.blocks if block.digest in hidden]
    for name, left in shown.items():
        wrong += [f"docs/{name}:1: {text.strip()!r} is shown as code, but no page has it" for text in left]
    return wrong
