"""Write into the built site how each block was verified: a mark on the block, the page Verified, a badge on Home.

A script over site/, because proofs come after the build: blocks are verified in a project from the archive of the built
site. It adds to the HTML and changes nothing in it, so that what readers copy is what the builder wrote.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

from tools import ROOT
from tools.expand import digest, from_root
from tools.ledger import Entry, Ledger, Shares, shares

PAGE = "verified.md"
_PRE = re.compile(r"<pre\b[^>]*>(.*?)</pre>", re.S)
_TAG = re.compile(r"<[^>]+>")
_LEDGER = re.compile(r'(<div id="kit-ledger">).*?(</div>)', re.S)
_BADGE = re.compile(r'(<a [^>]*\bid="kit-badge"[^>]*>)(.*?)(</a>)', re.S)
WORDS = {"executed": "executed", "validated": "validated", "needs-cluster": "checked against a contract"}
_OPEN = "not verified yet"


@dataclass(frozen=True)
class Shown:
    """A block of the built site; `entry` is its proof, if one holds. `number` counts from 1 on its page."""

    page: str
    number: int
    entry: Entry | None


def stamp(site: Path, ledger: Ledger, docs: Path = ROOT / "docs") -> list[Shown]:
    """Mark every block of the site, and return them all.

    What is not in the ledger is said to be not verified yet; if nothing is, only the page Verified says so.

    Args:
        site: The built site.
        ledger: The proofs that hold.
        docs: The folder that the site was built from.
    """
    texts = {file: file.read_text("utf-8") for file in sorted(site.rglob("*.html"))}
    plain, found = dict(texts), list[Shown]()
    for file, text in texts.items():
        page = page_of(file.relative_to(site), docs)
        texts[file] = _marked(text, page, ledger.of_page(page), found)
    readmes = [e for e in ledger.entries if e.is_readme]
    count = shares([s.entry for s in found if s.entry] + readmes)
    for file, text in (texts if count.blocks else plain).items():  # in a fresh clone the page Verified says it for all
        page = page_of(file.relative_to(site), docs)
        if page == PAGE:
            text = _LEDGER.sub(lambda m: m[1] + _report(found, readmes) + m[2], text)
        if count.blocks:
            text = _BADGE.sub(lambda m: m[1] + badge_svg(count, len(found) + len(readmes)) + m[3], text)
        file.write_text(text, "utf-8")
    return found


def page_of(html: Path, docs: Path) -> str:
    """Return the page that a file of the site was built from: `a/index.html` comes from `a.md` or from `a/index.md`."""
    if html.name == "index.html" and html.parent.name and (docs / f"{html.parent}.md").exists():
        return f"{html.parent.as_posix()}.md"
    return html.with_suffix(".md").as_posix()


def blocks_in(html: str) -> list[str]:
    """Return the texts of all <pre> of a file, as a reader copies them."""
    return [_text(found[1]) for found in _PRE.finditer(html)]


def _text(inner: str) -> str:
    return unescape(_TAG.sub("", inner))


def _marked(text: str, page: str, entries: list[Entry], found: list[Shown]) -> str:
    left = list(entries)
    number = 0

    def mark(block: re.Match[str]) -> str:
        nonlocal number
        number += 1
        named = digest(_text(block[1]))
        entry = next((e for e in left if e.digest == named), None)
        if entry:
            left.remove(entry)  # a text that stands twice on the page was verified twice
        shown = Shown(page, number, entry)
        found.append(shown)
        return block[0] + _mark(shown)

    return _PRE.sub(mark, text)


def _mark(shown: Shown) -> str:
    """Return a line of HTML below the block: outside of <pre>, so that it is neither copied nor counted."""
    name = f'id="block-{shown.number}"'
    if not shown.entry:
        return f'<span class="kit-mark kit-mark--open" {name}>{_OPEN}</span>'
    entry = shown.entry
    target = posixpath.relpath(f"verified/#{row_id(shown)}", _folder(shown.page))
    title = escape(f"{entry.how}, in {_seconds(entry.seconds)}")
    return f'<a class="kit-mark kit-mark--{entry.kind}" {name} href="{target}" title="{title}">{WORDS[entry.kind]}</a>'


def _folder(page: str) -> str:
    """Return the address of a page below the root of the site."""
    return re.sub(r"(^|/)index$", r"\1", page.removesuffix(".md")) or "."


def row_id(shown: Shown) -> str:
    """Return the name of a block's row on the page Verified."""
    return f"{re.sub('[^a-z0-9]+', '-', shown.page.removesuffix('.md'))}-{shown.number}"


def badge_svg(count: Shares, blocks: int) -> str:
    """Draw the share of verified blocks; it has its own background, so that it is read in light and dark."""
    done = f"{100 * count.blocks // blocks} %"  # 100 only when nothing is left
    words = (
        f"{count.blocks} of {blocks} code blocks verified: {count.executed} executed, {count.validated} validated, "
        f"{count.needs_cluster} checked against a contract"
    )
    colour = "#1b6e3c" if count.blocks == blocks else "#8a4b00"
    text = 'y="15" text-anchor="middle" fill="#fff" font-size="12" font-family="system-ui, sans-serif"'
    return (
        f'<svg class="kit-badge" role="img" aria-label="{words}" viewBox="0 0 172 22" width="172" height="22">'
        f"<title>{words}</title>"
        f'<rect width="116" height="22" rx="3" fill="#37474f"/><rect x="112" width="60" height="22" rx="3" '
        f'fill="{colour}"/><text x="56" {text}>blocks verified</text><text x="142" {text}>{done}</text></svg>'
    )


def _report(found: list[Shown], readmes: list[Entry]) -> str:
    """Return the ledger as HTML: a sentence, a table by language and one by page, the opt-outs, and every block."""
    proved = [s.entry for s in found if s.entry] + readmes
    parts = [_sentence(shares(proved), len(found) + len(readmes))]
    if not proved:
        return parts[0]
    languages = Ledger(proved).groups()
    rows = [_row(name, shares(entries)) for name, entries in languages.items()]
    parts.append(_table("By language", ["Language", *_COLUMNS], [*rows, _row("all", shares(proved), strong=True)]))
    opted = [s for s in found if s.entry and s.entry.kind == "needs-cluster"]
    named = [(_link(s), s.entry.how) for s in opted if s.entry]
    named += [(f"{from_root(e.page)}, line {e.line}", e.how) for e in readmes if e.kind == "needs-cluster"]
    parts.append(
        _table(
            "Not run here",
            ["Block", "Why", "What is checked instead"],
            [f"<tr><td>{where}</td><td>needs a cluster</td><td>{escape(how)}</td></tr>" for where, how in named],
        )
    )
    parts.append('<h3 id="by-page">By page</h3>')
    for page in dict.fromkeys(s.page for s in found):
        parts.append(_page(page, [s for s in found if s.page == page]))
    for page in dict.fromkeys(e.page for e in readmes):
        of_page = [e for e in readmes if e.page == page]
        rows = [_block(e, f"line {e.line}") for e in of_page]
        parts.append(_details(from_root(page), shares(of_page), len(of_page), rows))
    return "\n".join(parts)


_COLUMNS = ["Blocks", "Executed", "Validated", "Needs a cluster", "Seconds"]


def _sentence(n: Shares, blocks: int) -> str:
    if not n.blocks:
        return (
            f"<p><strong>None of {blocks} blocks is verified yet</strong> on this machine: <code>make docs</code>.</p>"
        )
    left = blocks - n.blocks
    rest = f" {left} are not verified yet in this state; run <code>make docs</code>." if left else ""
    return (
        f"<p><strong>{n.blocks} of {blocks} blocks are verified</strong>: {n.executed} executed "
        f"({n.share_executed:.1%}), {n.validated} validated, {n.needs_cluster} checked against a recorded contract "
        f"({n.share_opted_out:.1%}). It took {n.seconds:.0f} seconds of work.{rest}</p>"
    )


def _row(name: str, n: Shares, *, strong: bool = False) -> str:
    cells = [name, n.blocks, n.executed, n.validated, n.needs_cluster, f"{n.seconds:.1f}"]
    tag = "th" if strong else "td"
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"


def _table(title: str, heads: list[str], rows: Iterable[str]) -> str:
    name = re.sub("[^a-z]+", "-", title.lower())
    body = "".join(rows) or f'<tr><td colspan="{len(heads)}">none</td></tr>'
    return f'<h3 id="{name}">{title}</h3>{_scrolling(title, heads, body)}'


def _scrolling(title: str, heads: list[str], body: str) -> str:
    """Return a table that narrow screens scroll, by keyboard, too."""
    head = "".join(f"<th>{h}</th>" for h in heads)
    return (
        f'<div class="kit-ledger" role="region" aria-label="{title}" tabindex="0"><table class="kit-ledger__table">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _page(page: str, found: list[Shown]) -> str:
    rows = []
    for shown in found:
        if shown.entry:
            rows.append(_block(shown.entry, _link(shown), row_id(shown)))
        else:
            rows.append(f"<tr><td>{_link(shown)}</td><td></td><td>{_OPEN}</td><td></td><td></td></tr>")
    return _details(page, shares([s.entry for s in found if s.entry]), len(found), rows)


def _details(title: str, n: Shares, blocks: int, rows: list[str]) -> str:
    heads = ["Block", "Language", "Verified", "How", "Seconds"]
    summary = f"{title}: {n.blocks} of {blocks}, {n.seconds:.1f} s"
    return f"<details><summary>{summary}</summary>{_scrolling(title, heads, ''.join(rows))}</details>"


def _block(entry: Entry, where: str, name: str = "") -> str:
    cells = [where, entry.lang, WORDS[entry.kind], escape(entry.how), f"{entry.seconds:.2f}"]
    row = f'<tr id="{name}">' if name else "<tr>"
    return row + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _link(shown: Shown) -> str:
    line = f", line {shown.entry.line}" if shown.entry else ""
    target = posixpath.relpath(f"{_folder(shown.page)}/#block-{shown.number}", "verified")
    return f'<a href="{target}">{shown.page}{line}</a>'


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.0f} s"
