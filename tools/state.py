"""What a proof depends on. While none of it has changed, the proof holds; after that it says nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tools import ROOT, archive
from tools.expand import from_root

_FILES = ("mkdocs.yml", "Makefile", "requirements/kit.txt")
_FOLDERS = ("snippets", "tools")


def of_kit(root: Path = ROOT) -> str:
    """Return a hash of everything that blocks of all pages depend on: template, snippets, tools and pins."""
    files = [root / name for name in _FILES] + archive.listing(root / "template")
    for folder in _FOLDERS:
        files += [p for p in sorted((root / folder).rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(root)}\0{file.stat().st_mode & 0o100}\0".encode())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:16]


def of_page(page: str, kit: str, root: Path = ROOT) -> str:
    """Return a hash of a page's own text and of the state of the kit, as `of_kit` gives it.

    Args:
        page: Relative to docs/.
        kit: What `of_kit` has returned.
        root: Root of the kit.
    """
    return hashlib.sha256(kit.encode() + (root / from_root(page)).read_bytes()).hexdigest()[:16]
