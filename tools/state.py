"""What a proof depends on. While none of it has changed, the proof holds; after that it says nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tools import ROOT, archive
from tools.expand import READMES, from_root

_FILES = ("mkdocs.yml", "Makefile", "requirements/kit.txt")
_FOLDERS = ("snippets", "tools")


def of_files(files: Iterable[Path], root: Path) -> str:
    """Return a hash of files: their names below a folder, their contents, and whether they can be executed."""
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(root)}\0{file.stat().st_mode & 0o100}\0".encode())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:16]


def of_kit(root: Path = ROOT) -> str:
    """Return a hash of everything that blocks of all pages depend on: template, snippets, tools and pins."""
    files = [root / name for name in _FILES] + archive.listing(root / "template")
    for folder in _FOLDERS:
        files += [p for p in sorted((root / folder).rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    return of_files(files, root)


def of_page(page: str, kit: str, root: Path = ROOT) -> str:
    """Return a hash of a page's own text and of the state of the kit, as `of_kit` gives it.

    Args:
        page: Relative to docs/.
        kit: What `of_kit` has returned.
        root: Root of the kit.
    """
    return hashlib.sha256(kit.encode() + (root / from_root(page)).read_bytes()).hexdigest()[:16]


def of_all_pages(root: Path = ROOT) -> dict[str, str]:
    """Return the state of each page and README. Take it before pages are read, so that it is that of what is run."""
    kit = of_kit(root)
    docs = root / "docs"
    names = [p.relative_to(docs).as_posix() for p in sorted(docs.rglob("*.md"))]
    names += [f"../{name}" for name in READMES if (root / name).exists()]
    return {name: of_page(name, kit, root) for name in names}


def unchanged(before: dict[str, str], root: Path = ROOT) -> dict[str, str]:
    """Return those states of pages, as `of_all_pages` gave them, that are still the same."""
    now = of_all_pages(root)
    return {page: of_page for page, of_page in before.items() if now.get(page) == of_page}
