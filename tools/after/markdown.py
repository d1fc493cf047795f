"""Each page as Markdown with its code inside, and `llms.txt` and `llms-full.txt`, which list and hold them all.

The pages' own sources hold macros; what is written here is what readers see. Source of the two files' form:
https://llmstxt.org
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tools import ROOT
from tools.expand import Page

_FENCE = re.compile(r"^(?P<pad>\s*)(?P<ticks>`{3,})(?:\{ ?\.)?(?P<lang>[\w-]*)(?P<options>[^`]*?)\}?\s*$")
_DRAWING = re.compile(r"<svg.*?<title[^>]*>(.*?)</title>.*?<desc[^>]*>(.*?)</desc>.*?</svg>", re.S)


def write(site: Path, pages: list[Page]) -> None:
    """Write `<page>.md` beside each page, tell it in the page's head, and write the two lists."""
    texts = {page.path: readable(page.text) for page in pages}
    for path, text in texts.items():
        place = site / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
        _announce(site, path)
    settings, by_path = _settings(), {page.path: page for page in pages}
    head = f"# {settings['site_name']}\n\n> {settings['site_description']}\n"
    rows: list[str] = []
    for section, paths in _sections(settings["nav"]):
        rows += ["", f"## {section}", ""]
        rows += [f"- [{m['title']}]({path}): {m['description']}" for path in paths if (m := by_path[path].meta)]
    (site / "llms.txt").write_text(head + "\n".join(rows) + "\n", "utf-8")
    ordered = [path for _, paths in _sections(settings["nav"]) for path in paths]
    whole = [f"<!-- {path} -->\n\n{texts[path]}" for path in ordered]
    (site / "llms-full.txt").write_text(head + "\n" + "\n".join(whole), "utf-8")


def readable(text: str) -> str:
    """Return a page's text without what only a browser needs; blocks of code stay to the letter."""
    rows: list[str] = []
    fence = ""
    for row in _DRAWING.sub(r"*Picture: \1.* \2", text).split("\n"):
        if fence:
            fence = "" if row.rstrip() == fence else fence
        elif found := _FENCE.match(row):
            fence = found["pad"] + found["ticks"]
            if title := re.search(r'title="(.*?)"', found["options"]):
                rows += [f"{found['pad']}`{title[1]}`:", ""]
            row = fence + found["lang"]
        elif not (row := _plain(row)) and not (rows and rows[-1]):
            continue  # one blank line is enough where something was taken out
        rows.append(row)
    return "\n".join(rows).strip("\n") + "\n"


def _plain(row: str) -> str:
    row = re.sub(r"</?(?:div|span)\b[^>]*>", "", row)
    row = re.sub(r"\s*\{ ?[.#][^}]*\}", "", row)
    return row.replace("`#!python ", "`").rstrip()


def _announce(site: Path, path: str) -> None:
    """Name the Markdown in the page's head; the button that copies it reads that."""
    stem = path.removesuffix(".md")
    page = site / (f"{stem}.html" if stem.endswith("index") else f"{stem}/index.html")
    if not page.exists():
        page = site / f"{stem}.html"
    text = page.read_text("utf-8")
    up = "../" * (len(page.relative_to(site).parts) - 1)
    # The blank in rel means nothing in HTML; a bare "alternate" is a translation for the theme, which looks for it.
    link = f'<link rel="alternate " type="text/markdown" href="{up}{path}">'
    if link not in text:
        page.write_text(text.replace("</head>", f"{link}</head>", 1), "utf-8")


def _sections(nav: Any) -> list[tuple[str, list[str]]]:
    """Return the navigation's sections with the paths in each; pages at the top are the section Start."""
    found: dict[str, list[str]] = {"Start": []}
    for entry in nav:
        for title, below in entry.items():
            if isinstance(below, str):
                found["Start"].append(below)
            else:
                found[title] = _paths(below)
    return list(found.items())


def _paths(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [path for entry in nav for path in _paths(next(iter(entry.values())) if isinstance(entry, dict) else entry)]


def _settings() -> dict[str, Any]:
    """The parts of mkdocs.yml that are plain data; its tags are left alone."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda *_: None)
    loaded: dict[str, Any] = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Loader)  # noqa: S506 - it is safe
    return loaded
