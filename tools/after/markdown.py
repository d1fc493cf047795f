"""Each page as Markdown with its code inside, and `llms.txt` and `llms-full.txt`, which list and hold them all.

The pages' own sources hold macros; what is written here is what readers see. Source of the two files' form:
https://llmstxt.org
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools import ROOT
from tools.expand import Page

_FENCE = re.compile(r"^(?P<pad>\s*)(?P<ticks>`{3,})(?:\{ ?\.)?(?P<lang>[\w-]*)(?P<options>[^`]*?)\}?\s*$")
_CODE = r"(?P<code>(?P<tick>(?<!`)`+(?!`))(?:(?!\n\s*\n).)+?(?<!`)(?P=tick)(?!`))"  # may go on in the next line
_NEEDLESS = re.compile(rf"{_CODE}|</?(?:div|span)\b[^>]*>|[^\S\n]*\{{ ?[.#:][\w-][^}}]*\}}", re.S)
_LINK = re.compile(rf"{_CODE}|(?<=\]\()(?P<target>[^)\s]+)", re.S)
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
    whole = [f"<!-- {path} -->\n\n{_from_root(path, texts[path])}" for path in ordered]
    (site / "llms-full.txt").write_text(head + "\n" + "\n".join(whole), "utf-8")


def readable(text: str) -> str:
    """Return a page's text without what only a browser needs; blocks of code stay to the letter."""
    rows: list[str] = []
    for part in _parts(_DRAWING.sub(r"*Picture: \1.* \2", text)):
        if fence := _FENCE.match(part[0]):
            if title := re.search(r'title="(.*?)"', fence["options"]):
                rows += [f"{fence['pad']}`{title[1]}`:", ""]
            rows += [fence["pad"] + fence["ticks"] + fence["lang"], *part[1:]]
            continue
        for row in map(str.rstrip, _NEEDLESS.sub(_code_alone, "\n".join(part)).split("\n")):
            if row or (rows and rows[-1]):  # one blank line is enough where something was taken out
                rows.append(row)
    return "\n".join(rows).strip("\n") + "\n"


def _parts(text: str) -> Iterator[list[str]]:
    """Cut a text into blocks of code with their fences, and what stands between them."""
    part: list[str] = []
    end = ""
    for row in text.split("\n"):
        if not end and (fence := _FENCE.match(row)):
            if part:
                yield part
            part, end = [row], fence["pad"] + fence["ticks"]
            continue
        part.append(row)
        if end and row.rstrip() == end:
            yield part
            part, end = [], ""
    if part:
        yield part


def _code_alone(found: re.Match[str]) -> str:
    """Keep code to the letter, without the mark that colours it; drop what else was found."""
    return (found["code"] or "").replace("`#!python ", "`")


def _from_root(path: str, text: str) -> str:
    """Let the links of a page begin at the site's root, where the file lies that holds all pages."""

    def rooted(found: re.Match[str]) -> str:
        target = found["target"]
        if not target or re.match(r"[a-z]+:|/", target):
            return found[0]
        place, mark, anchor = target.partition("#")
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), place)) if place else path
        return place + mark + anchor

    parts = ((_FENCE.match(part[0]), "\n".join(part)) for part in _parts(text))
    return "\n".join(whole if is_code else _LINK.sub(rooted, whole) for is_code, whole in parts)


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
