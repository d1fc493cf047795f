"""A kit of three pages under the settings of the real one, and all its checks in the order of `make test`."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import tools
from tools import ROOT, census, expand, links, shape, site, source
from tools.expand import Page, PageError, published_pages, readme_pages
from tools.proving import outcomes
from tools.stage import Stage

for found in pkgutil.walk_packages(tools.__path__, "tools."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)  # now, while ROOT is the real kit: some are imported when they are needed

HERE = Path(__file__).parent / "tiny"
NAV = "nav:\n  - Home: index.md\n  - Page: page.md\n  - Project: project.md\n"


def make(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the tiny kit, and let the tools take it for the real one."""
    root = Path(shutil.copytree(HERE, folder / "kit"))
    shutil.copytree(ROOT / "docs/assets", root / "docs/assets")
    (root / "tools").mkdir()  # the settings name it
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    settings = re.sub(r"(?m)^nav:\n(?:[ #].*\n|\n)*", NAV, settings)
    settings = settings.replace("module_name: tools/macros", f"module_name: {ROOT / 'tools/macros'}")
    (root / "mkdocs.yml").write_text(settings, "utf-8")
    for module in (tools, expand, source):
        monkeypatch.setattr(module, "ROOT", root)
    return root


def findings(root: Path, stage: Stage, folder: Path, page: str) -> Iterator[list[str]]:
    """What each check says, the cheap ones first: pages, their shape, their blocks, the site, its census, its links.

    Args:
        root: The kit.
        stage: Where blocks run.
        folder: An empty one.
        page: The page whose blocks are run.
    """
    try:
        pages = published_pages(root / "mkdocs.yml")
        readmes = readme_pages(root)
    except PageError as error:
        yield [str(error)]
        return
    yield shape.problems(pages, root)
    yield _wrong_blocks(next(p for p in [*pages, *readmes] if expand.from_root(p.path) == page), stage, folder)
    built = folder / "site"
    try:
        site.build_pages(built, root / "mkdocs.yml")
    except site.SiteError as error:
        yield str(error).split("\n")
        return
    yield census.differences(built, pages, root / "docs")
    yield links.Site(built, root / "docs").problems()


def _wrong_blocks(page: Page, stage: Stage, folder: Path) -> list[str]:
    place = folder / "blocks"
    place.mkdir()
    vars(stage).pop("tested", None)  # that of the kit before
    return [outcome.error for outcome in outcomes(page, stage, place) if not outcome.proof]
