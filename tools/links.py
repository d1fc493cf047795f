"""What is wrong with the built site: links and resources that are not there, foreign requests, names given twice.

Builders look at Markdown links; this looks at the HTML that readers get, whoever wrote it.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools import ROOT
from tools.site import line_of
from tools.stamp import page_of

MADE_LATER = ("offline/",)  # `make site` packs it from a second build, which would cost every test run seconds

# What a browser fetches without being asked.
_FETCHED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"), ("link", "href")}
_FETCHING = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect", "dns-prefetch", "manifest"}


class _Html(HTMLParser):
    """Names, links and fetched addresses of one file."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.headings: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        if "id" in found:
            self.ids[found["id"]] += 1
            if re.fullmatch("h[1-6]", tag):
                self.headings.append(found["id"])
        for key in ("href", "src"):
            if key in found and not (tag == "link" and not _FETCHING & set(found.get("rel", "").split())):
                (self.fetched if (tag, key) in _FETCHED else self.links).append(found[key])


class Site:
    """A built site.

    Args:
        folder: Where it lies.
        docs: The pages that it was built from, to name lines.
        address: Its `site_url`.
    """

    def __init__(self, folder: Path, docs: Path = ROOT / "docs", address: str = "http://127.0.0.1:8000/") -> None:
        self.folder, self.docs, self.address = folder, docs, address

    @cached_property
    def _files(self) -> dict[str, _Html]:
        files = sorted(self.folder.rglob("*.html"))
        return {f.relative_to(self.folder).as_posix(): _Html(f.read_text("utf-8")) for f in files}

    def problems(self) -> list[str]:
        """Return all findings, as `docs/page.md:line: what is wrong`."""
        found = self._sums()
        for name, html in self._files.items():
            found += self._names(name, html)
            for target in html.fetched:
                found += self._foreign(name, target)
            for target in dict.fromkeys([*html.links, *html.fetched]):
                found += self._target(name, target)
        for style in sorted(self.folder.rglob("*.css")):
            for target in re.findall(r"(?:url\(|@import\s+)[\"']?(https?://[^\"')\s]+)", style.read_text("utf-8")):
                found.append(f"docs/{style.relative_to(self.folder)}:1: asks a foreign host for {target}")
        return found

    def _at(self, name: str, text: str) -> str:
        page = page_of(Path(name), self.docs)
        return f"docs/{page}:{line_of(self.docs / page, text)}"

    def _names(self, name: str, html: _Html) -> list[str]:
        twice = [f"{self._at(name, f'#{i}')}: two elements have the id {i}" for i, n in html.ids.items() if n > 1]
        for heading in html.headings:
            first = re.sub(r"_\d+$", "", heading)
            if first != heading and first in html.ids:
                words = first.replace("-", " ")
                twice.append(f"{self._at(name, words)}: two headings have the anchor {first}; reword one")
        return twice

    def _foreign(self, name: str, target: str) -> list[str]:
        parts = urlsplit(target)
        if not parts.netloc or target.startswith(self.address):
            return []
        return [f"{self._at(name, target)}: asks a foreign host for {target}; ship the file with the site"]

    def _target(self, name: str, target: str) -> list[str]:
        address = self.address if target.startswith(self.address) else ""
        parts = urlsplit(target.removeprefix(address))
        if parts.scheme or parts.netloc or target.startswith("javascript:"):
            return []
        absolute = parts.path.startswith("/") or address
        path = unquote(parts.path)
        path = posixpath.normpath(path.lstrip("/") if absolute else posixpath.join(posixpath.dirname(name), path))
        if not parts.path and not address:
            path = name
        elif (self.folder / path).is_dir():
            path = posixpath.normpath(posixpath.join(path, "index.html"))
        if path.startswith(MADE_LATER):
            return []
        if not (self.folder / path).is_file():
            return [f"{self._at(name, target)}: {target} leads to nothing"]
        anchor = unquote(parts.fragment)
        if anchor and path in self._files and anchor not in self._files[path].ids and not anchor.startswith("__"):
            return [f"{self._at(name, target)}: {target}: {path} has no element with the id {anchor}"]
        return []

    def _sums(self) -> list[str]:
        folder = self.folder / "downloads"
        if not folder.is_dir():
            return []
        sums = {hashlib.sha256(p.read_bytes()).hexdigest(): p.name for p in folder.iterdir()}
        found = []
        for number, row in enumerate((folder / "SHA256SUMS").read_text("utf-8").splitlines(), 1):
            checksum, _, name = row.partition("  ")
            if sums.get(checksum) != name:
                found.append(f"downloads/SHA256SUMS:{number}: this is not the checksum of {name}")
        for name in self._files:
            for checksum in set(re.findall(r"\b[0-9a-f]{64}\b", (self.folder / name).read_text("utf-8"))):
                if checksum not in sums:
                    found.append(f"{self._at(name, checksum)}: {checksum[:12]}... is the checksum of no download")
        return found
