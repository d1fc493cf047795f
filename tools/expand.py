"""Find every code block as the site publishes it, and where each of its lines was written."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import tempfile
import textwrap
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mkdocs.config import load_config
from mkdocs.exceptions import Abort, MkDocsException
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.files import get_files
from mkdocs.structure.nav import get_navigation
from mkdocs.structure.pages import Page as MkDocsPage

from tools import ROOT
from tools.source import MARK, SourceError, traced

HERE = "http://127.0.0.1:8000/"  # where the site is served if nothing else is said
READMES = ("README.md", "template/README.md", "template/AGENTS.md", "template/MANIFEST.md")
FENCE = re.compile(rf"(?P<pad>[ \t>]*)(?P<ticks>`{{3,}}|~{{3,}})[ \t]*(?P<head>[^`{MARK}]*)(?:{MARK}(?P<at>.*))?$")


_OPTION = re.compile(r'([\w-]+)="(.*?)"')


class PageError(Exception):
    """A page that cannot be taken apart, as `page:line: what, why, fix`."""


@dataclass(frozen=True)
class Block:
    """One published block of code.

    Attributes:
        page: The page, relative to docs/; a README outside of it begins with `../`.
        line: Line of the opening fence in the page.
        lang: Language of the fence, in lower case; empty when the fence names none.
        options: `key="value"` pairs of the fence.
        source: The code, without a final newline.
        origins: For each line of the code the file and line it was included from; None for one typed in the page.
    """

    page: str
    line: int
    lang: str
    options: dict[str, str] = field(hash=False)
    source: str
    origins: tuple[tuple[Path, int] | None, ...]

    @property
    def place(self) -> str:
        """Where a reader of a failure looks: `docs/page.md:12`, with the included file if there is one."""
        here = f"{from_root(self.page)}:{self.line}"
        if self.origins and self.origins[0]:
            path, line = self.origins[0]
            here += f" ({path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{line})"
        return here

    @property
    def file(self) -> Path | None:
        """The one file that all lines come from, or None when any line was typed in the page."""
        files = {o[0] if o else None for o in self.origins}
        return files.pop() if len(files) == 1 else None

    @property
    def digest(self) -> str:
        """Names the block by what a reader copies: the text alone."""
        return digest(self.source)


@dataclass(frozen=True)
class Page:
    """One page of the site.

    Attributes:
        path: Relative to docs/; a README outside of it begins with `../`.
        meta: Its front matter.
        blocks: Its blocks, in reading order.
        text: Its Markdown, with everything included.
    """

    path: str
    meta: dict[str, Any]
    blocks: list[Block]
    text: str = ""


def from_root(page: str) -> str:
    """Name a page as its file is named from the root of the kit: `docs/secrets.md`, `template/README.md`."""
    return posixpath.normpath(f"docs/{page}")


def site_url() -> str:
    """Return the address for which this process builds the site, as mkdocs.yml takes it from SITE_URL."""
    return (os.environ.get("SITE_URL") or HERE).rstrip("/") + "/"


def digest(text: str) -> str:
    """Return a short hash of a block's text, blind to newlines at its ends and to the address of the site."""
    return hashlib.sha256(text.strip("\n").replace(site_url(), HERE).encode()).hexdigest()[:16]


class _First(BasePlugin):  # type: ignore[type-arg, no-untyped-call]
    """Mark each fence with its line before any other plugin touches the page."""

    @event_priority(100)
    def on_page_markdown(self, text: str, *, page: Any, **_: Any) -> str:
        first = page.file.content_string.count("\n") - text.count("\n") + 1
        return "\n".join(_marked(text.split("\n"), first))


def _marked(rows: list[str], first: int) -> list[str]:
    return [f"{row}{MARK}:{n}" if FENCE.match(row) else row for n, row in enumerate(rows, first)]


def published_pages(config_file: Path = ROOT / "mkdocs.yml", only: str | None = None) -> list[Page]:
    """Run the site's own plugins over each page and return the pages with the blocks that readers will see.

    Args:
        config_file: The site's settings.
        only: Read this page alone, relative to docs/.

    Raises:
        PageError: The site's settings are wrong, a page includes what is not there, or a fence is not closed, is empty,
            stands in a comment, or has options outside of braces.
    """
    try:
        return _read_pages(config_file, only)
    except (MkDocsException, Abort, SourceError) as error:
        raise PageError(f"{config_file.name}: {error}") from error


def readme_pages(root: Path = ROOT) -> list[Page]:
    """Return the READMEs, which are read as they lie there, with their blocks.

    Raises:
        PageError: As `published_pages` does.
    """
    pages = []
    for name in READMES:
        rows = (root / name).read_text("utf-8").split("\n")
        pages.append(Page(f"../{name}", {}, _scan(f"../{name}", _marked(rows, 1)), "\n".join(rows)))
    return pages


def _read_pages(config_file: Path, only: str | None) -> list[Page]:
    with tempfile.TemporaryDirectory() as site, traced():
        config = load_config(str(config_file), site_dir=site)
        config.plugins["_first"] = _First()
        config.plugins.on_startup(command="build", dirty=False)
        config = config.plugins.on_config(config)
        config.plugins.on_pre_build(config=config)
        files = config.plugins.on_files(get_files(config), config=config)
        config.plugins.on_nav(get_navigation(files, config), config=config, files=files)
        pages = []
        for file in files.documentation_pages():
            if only not in (None, file.src_uri):
                continue
            page = file.page or MkDocsPage(None, file, config)
            page.read_source(config)
            text = page.markdown or ""
            first = (page.file.content_string or "").count("\n") - text.count("\n") + 1
            try:
                text = config.plugins.on_page_markdown(text, page=page, config=config, files=files)
            except SystemExit as end:  # how mkdocs-macros ends when a page asks for what is not there
                raise _asked_in_vain(file.src_uri, first, end) from None
            rows = text.split("\n")
            plain = "\n".join(row.partition(MARK)[0] for row in rows)
            pages.append(Page(file.src_uri, dict(page.meta), _scan(file.src_uri, rows), plain))
        return pages


def _asked_in_vain(page: str, first: int, end: SystemExit) -> PageError:
    """Say where in the page the failing macro stands; Jinja counts lines from the end of the front matter."""
    error = end.__context__ or end
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == "<template>"]
    return PageError(f"docs/{page}:{first - 1 + (lines[-1] or 1) if lines else 1}: {error}")


def _scan(page: str, lines: list[str]) -> list[Block]:
    blocks: list[Block] = []
    start: re.Match[str] | None = None
    body: list[str] = []
    hidden = False
    for line in lines:
        m = FENCE.match(line)
        if start is None:
            if m and hidden:
                raise PageError(_at(page, m, "this fence stands in a comment, where no reader sees it; remove it"))
            hidden = (hidden or "<!--" in line) and "-->" not in line
            start, body = m, []
        elif m and m["ticks"] == start["ticks"] and m["pad"] == start["pad"] and not m["head"].strip():
            blocks.append(_block(page, start, body))
            start = None
        else:
            pad = start["pad"] if line.startswith(start["pad"]) else start["pad"].rstrip()
            body.append(line.removeprefix(pad))
    if start is not None:
        raise PageError(_at(page, start, f"this fence is never closed; add {start['ticks']}"))
    return blocks


def _at(page: str, fence: re.Match[str], what: str) -> str:
    return f"{from_root(page)}:{_number(fence)}: {what}"


def _number(fence: re.Match[str]) -> int:
    line = (fence["at"] or "").rpartition(":")[2]
    return int(line) if line.isdecimal() else 0  # else somebody typed the mark


def _block(page: str, start: re.Match[str], body: list[str]) -> Block:
    rows = [row.partition(MARK) for row in body]
    head = start["head"].strip()
    options = dict(_OPTION.findall(head))
    if "=" in (left := _OPTION.sub("", head)):
        raise PageError(_at(page, start, f'write options as name="value", with double quotes, not {left.strip()}'))
    if options and not head.startswith("{"):
        raise PageError(_at(page, start, f"options need braces, or the site drops the fence: {{ .{head} }}"))
    if not "".join(body).strip():
        raise PageError(_at(page, start, "this block is empty"))
    lang = re.match(r"\{?\s*\.?([\w#+-]*)", head)
    origins = []
    for _, _, at in rows:
        path, _, line = at.rpartition(":")
        origins.append((Path(path), int(line)) if path and line.isdecimal() else None)
    source = textwrap.dedent("\n".join(r[0] for r in rows)).strip("\n")
    return Block(page, _number(start), lang[1].lower() if lang else "", options, source, tuple(origins))
