"""Build or serve the guide site.

python -m tools.site build
python -m tools.site serve --port 8000
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")  # notices about MkDocs 2 on every build
os.environ.setdefault("DISABLE_MKDOCS_2_WARNING", "true")

from tools import ROOT

if TYPE_CHECKING:
    from tools.expand import Page
    from tools.stamp import Shown


class SiteError(Exception):
    """A site that must not be published; one line for each finding, as `file:line: what`."""


def build(folder: Path, config_file: Path = ROOT / "mkdocs.yml") -> Path:
    """Build the site strictly, then mark its blocks with the proofs that hold.

    Raises:
        SiteError: A broken link, anchor, include or name; `folder` is not to be used.
    """
    build_marked(folder, config_file)
    return folder


def build_marked(folder: Path, config_file: Path = ROOT / "mkdocs.yml") -> list[Shown]:
    """Build as `build` does, and return all blocks with the proofs that hold."""
    from tools import ledger, stamp
    from tools.after import finish

    config, pages = build_pages(folder, config_file)
    finish(folder, pages, config.site_url or "/")
    return stamp.stamp(folder, ledger.read())


def build_checked(folder: Path) -> list[Shown]:
    """Build as `build_marked` does, after the pages were read: that names page and line where the builder does not.

    Raises:
        SiteError: As `build` does; a page's front matter, fences or HTML are wrong, or an old address leads nowhere.
        PageError: A page asks for what is not there.
    """
    from tools import shape
    from tools.expand import published_pages

    with _silent():  # what is said here is an error anyway, or is said again by the build
        pages = published_pages()
    if wrong := shape.problems(pages):
        raise SiteError("\n".join(wrong))
    return build_marked(folder)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep MkDocs and its plugins from printing, for example the whole traceback of a template."""
    logger = logging.getLogger("mkdocs")
    logger.addHandler(nothing := logging.NullHandler())
    logger.propagate, before = False, logger.propagate
    try:
        yield
    finally:
        logger.propagate = before
        logger.removeHandler(nothing)


def build_pages(
    folder: Path, config_file: Path = ROOT / "mkdocs.yml", *, from_files: bool = False
) -> tuple[Any, list[Page]]:
    """Let MkDocs build the site strictly, and nothing after it; return its settings and the pages that it has seen.

    With `from_files` links name files instead of folders, and search needs no worker, so that no server is needed.

    Raises:
        SiteError: As `build` does.
    """
    from mkdocs.commands.build import build as mkdocs_build
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort, MkDocsException

    from tools.after import Collector

    heard = _Heard(logging.WARNING)
    logger = logging.getLogger("mkdocs")
    logger.addHandler(heard)
    try:
        config = load_config(str(config_file), site_dir=str(folder), strict=True)
        if from_files:
            config.use_directory_urls = False
            config.extra["polyfills"] = ["assets/offline-worker.js"]
        config.plugins["_collector"] = collector = Collector()
        config.plugins.on_startup(command="build", dirty=False)
        mkdocs_build(config)
        config.plugins.on_shutdown()
        return config, collector.pages
    except (Abort, MkDocsException) as error:
        found = [located(message, config_file.parent) for message in heard.messages]
        raise SiteError("\n".join(found) or f"{config_file.name}: {error}") from error
    finally:
        logger.removeHandler(heard)


class _Heard(logging.Handler):
    """Keeps the warnings of a build."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def located(message: str, root: Path) -> str:
    """Put file and line before a warning of MkDocs, which names the page and what is wrong on it, but not where."""
    page = re.search(r"(?:Doc file|but the doc) '([^']+\.md)'", message)
    target = re.search(r"link '([^']+)'", message)
    if page and target:
        return f"docs/{page[1]}:{line_of(root / 'docs' / page[1], target[1])}: {message}"
    if named := re.search(r"A reference to '([^']+)' is included in the 'nav'", message):
        return f"mkdocs.yml:{line_of(root / 'mkdocs.yml', named[1])}: {message}"
    if omitted := re.findall(r"^\s+- (\S+\.md)$", message, re.M):
        return "\n".join(f"docs/{name}:1: this page is not in the nav of mkdocs.yml; add it" for name in omitted)
    return message


def line_of(file: Path, text: str) -> int:
    """Return the first line of a file that holds a text, or 1."""
    try:
        rows = file.read_text("utf-8").splitlines()
    except OSError:
        return 1
    return next((number for number, row in enumerate(rows, 1) if text in row), 1)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build into site/")
    commands.add_parser("serve", help="serve on 127.0.0.1").add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args()
    if chosen.command == "serve":
        from tools.serve import serve

        serve(chosen.port)
        return

    started = time.monotonic()
    from kit.errors import KitError

    from tools import offline
    from tools.expand import PageError
    from tools.source import SourceError

    try:
        shown = build_checked(ROOT / "site")
        print(f"Built site/ in {time.monotonic() - started:.1f} s")
        started = time.monotonic()
        print(f"Packed {offline.publish(ROOT / 'site/offline').name} in {time.monotonic() - started:.1f} s")
    except (SiteError, SourceError, PageError, KitError) as error:
        sys.exit(f"The site is not built:\n{error}")
    if left := sum(not one.entry for one in shown):
        print(
            f"{left} of {len(shown)} blocks have no proof that holds, and the site says so; `make docs` verifies them"
        )


if __name__ == "__main__":
    from tools import site  # others raise the SiteError of that name, which is another class than the one here

    site.main()
