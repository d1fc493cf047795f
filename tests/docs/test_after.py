"""What is made from the built site: Markdown of each page, the lists for machines, old addresses, the 404 page."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urljoin

import pytest
from bs4 import BeautifulSoup

from tools import ROOT
from tools.after import redirects
from tools.after.markdown import readable
from tools.expand import FENCE, digest, published_pages
from tools.site import SiteError, build_pages
from tools.stamp import page_of


def fenced(text: str) -> list[str]:
    """The blocks of a Markdown text, as a program would take them out."""
    found: list[str] = []
    start: re.Match[str] | None = None
    body: list[str] = []
    for row in text.split("\n"):
        fence = FENCE.match(row)
        if start is None:
            start, body = fence, []
        elif fence and fence["ticks"] == start["ticks"] and fence["pad"] == start["pad"] and not fence["head"].strip():
            found.append("\n".join(body))
            start = None
        else:
            body.append(row.removeprefix(start["pad"]))
    assert start is None
    return found


def test_the_markdown_of_a_page_holds_exactly_its_verified_blocks(built_site: Path) -> None:
    for page in published_pages():
        text = (built_site / page.path).read_text("utf-8")
        assert Counter(map(digest, fenced(text))) == Counter(b.digest for b in page.blocks), page.path


def test_the_markdown_of_a_page_needs_no_browser(built_site: Path) -> None:
    for page in published_pages():
        text = (built_site / page.path).read_text("utf-8")
        for block in fenced(text):
            text = text.replace(block, "")
        left = re.search(r"<%|<svg|<div|<span|#!python|\{ ?[.#]\w", text)
        assert left is None, f"{page.path}: {left and left[0]}"
        assert text.startswith("# "), page.path


def test_the_markdown_of_a_page_holds_the_code_in_its_sentences_to_the_letter(built_site: Path) -> None:
    seen = 0
    for html in sorted(built_site.rglob("*.html")):
        soup = BeautifulSoup(html.read_text("utf-8"), "html.parser")
        if soup.select_one("article") is None or html.name == "404.html":
            continue
        page = page_of(html.relative_to(built_site), ROOT / "docs")
        text = " ".join((built_site / page).read_text("utf-8").replace("\\|", "|").split())
        for code in soup.select("article :is(p, li, td, h1, h2, h3, h4) code"):
            if code.find_parent("pre"):
                continue
            seen += 1
            assert " ".join(code.get_text().split()) in text, f"{page}: {code}"
    assert seen > 1000


def test_only_what_a_browser_needs_is_taken_out_of_a_sentence() -> None:
    text = (
        "## Title { #anchor }\n\n[Go](a.md){ .button .big } `x = {.a}` and `{:b}`, `#!python f({})`, `it\ngoes {.on}`\n"
        '\n```{ .yaml title="a.yaml" }\na: {.b}\n```\n\n<div markdown><span class="x">In</span> `<div>`{ #y }\n</div>\n'
    )
    assert readable(text) == (
        "## Title\n\n[Go](a.md) `x = {.a}` and `{:b}`, `f({})`, `it\ngoes {.on}`\n"
        "\n`a.yaml`:\n\n```yaml\na: {.b}\n```\n\nIn `<div>`\n"
    )


def test_a_picture_becomes_its_text() -> None:
    text = readable('<div><svg a="b">\n<title id="t">A title</title>\n<desc id="d">First. Then.</desc>\n</svg></div>')
    assert text == "*Picture: A title.* First. Then.\n"


def test_each_page_names_its_markdown(built_site: Path) -> None:
    for html in built_site.rglob("*.html"):
        soup = BeautifulSoup(html.read_text("utf-8"), "html.parser")
        if soup.select_one("article") is None or html.name == "404.html":
            continue
        link = soup.select_one('link[type="text/markdown"]')
        assert link is not None, html
        assert (html.parent / str(link["href"])).resolve().is_file(), html


def test_the_list_for_machines_names_every_page_once_with_what_it_is_about(built_site: Path) -> None:
    text = (built_site / "llms.txt").read_text("utf-8")
    assert re.match(r"# .+\n\n> .+\n\n## ", text)
    rows = re.findall(r"^- \[(.+?)\]\((.+?)\): (.+)$", text, re.M)
    assert sorted(path for _, path, _ in rows) == sorted(page.path for page in published_pages())
    assert all((built_site / path).is_file() for _, path, _ in rows)


def test_the_long_list_holds_every_page_and_its_links_begin_where_it_lies(built_site: Path) -> None:
    whole = (built_site / "llms-full.txt").read_text("utf-8")
    parts = re.split(r"<!-- (\S+\.md) -->\n\n", whole)
    texts = dict(zip(parts[1::2], parts[2::2], strict=True))
    link = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
    for page in published_pages():
        alone = (built_site / page.path).read_text("utf-8")
        there, here = link.findall(alone), link.findall(texts[page.path])
        assert link.sub("", alone).rstrip() == link.sub("", texts[page.path]).rstrip(), page.path
        assert [urljoin(page.path, target) for target in there] == here
        assert all((built_site / target.partition("#")[0]).is_file() for target in here), page.path


def test_every_old_address_leads_to_a_page_with_the_anchor_kept(built_site: Path) -> None:
    for old, new in redirects.read().items():
        soup = BeautifulSoup((built_site / old / "index.html").read_text("utf-8"), "html.parser")
        link = soup.select_one("a")
        assert link is not None
        assert urljoin(f"/{old}", str(link["href"])) == f"/{new}"
        assert "location.hash" in soup.script.get_text()
        assert (built_site / new / "index.html").is_file()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('"x/" = "nowhere/"', r"redirects\.toml:2: x/ leads to nowhere/, which does not exist"),
        ('"here/" = "here/"', r"redirects\.toml:2: here/ is a page"),
        ("x =", r"redirects\.toml:1: this is not TOML"),
    ],
)
def test_an_address_that_leads_nowhere_stops_the_build(line: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here/index.html").write_text("<html></html>")
    (tmp_path / "redirects.toml").write_text(f"[moved]\n{line}\n")
    with pytest.raises(SiteError, match=problem):
        redirects.write(tmp_path, tmp_path / "redirects.toml")


def test_the_404_page_leads_on_from_any_depth(built_site: Path) -> None:
    soup = BeautifulSoup((built_site / "404.html").read_text("utf-8"), "html.parser")
    links = [str(a["href"]) for a in soup.select("article a")]
    assert len(links) == 4
    assert all(link.startswith("/") and (built_site / link.lstrip("/") / "index.html").is_file() for link in links)


def test_a_site_of_another_builder_is_finished_by_one_command(built_site: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build_pages(site)
    assert not (site / "llms.txt").exists()
    done = subprocess.run([sys.executable, "-m", "tools.after", site], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("llms.txt", "404.html", "index.md", "quickstart/index.html"):
        assert (site / name).read_bytes() == (built_site / name).read_bytes(), name


def test_a_folder_without_a_site_is_refused_in_words(tmp_path: Path) -> None:
    for given in ([], [tmp_path]):
        command = [sys.executable, "-m", "tools.after", *given]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 2
        assert done.stderr.startswith("usage: python -m tools.after")
