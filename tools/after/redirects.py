"""Old addresses of pages lead to the new ones: `docs/redirects.toml` says which."""

from __future__ import annotations

import json
import tomllib
from html import escape
from pathlib import Path

from tools import ROOT
from tools.site import SiteError, line_of

FILE = ROOT / "docs/redirects.toml"


def write(site: Path, file: Path = FILE) -> None:
    """Write a page for each old address that sends readers on, with the anchor that they came for.

    Raises:
        SiteError: An address is taken by a page, or leads to a page that does not exist; the file is not TOML.
    """
    for old, new in read(file).items():
        at = f"{_name(file)}:{line_of(file, json.dumps(old) + ' ')}"
        target = site / new.partition("#")[0] / "index.html"
        if not target.exists():
            raise SiteError(f"{at}: {old} leads to {new}, which does not exist; name the page's address now")
        place = site / old / "index.html"
        if place.exists() and "http-equiv" not in place.read_text("utf-8"):
            raise SiteError(f"{at}: {old} is a page and cannot lead to {new}; remove one of them")
        up = "../" * len(Path(old).parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_page(up + new), "utf-8")


def read(file: Path = FILE) -> dict[str, str]:
    """Return the addresses, old to new, both relative to the site and with a slash at the end."""
    try:
        moved = tomllib.loads(file.read_text("utf-8"))["moved"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise SiteError(f"{_name(file)}:1: this is not TOML with a table [moved]: {error}") from error
    return {str(old): str(new) for old, new in moved.items()}


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file.name)


def _page(target: str) -> str:
    link = escape(target)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>This page has moved</title>\n'
        f'<link rel="canonical" href="{link}">\n<meta name="robots" content="noindex">\n'
        f'<script>location.replace("{link}" + location.hash)</script>\n'
        f'<meta http-equiv="refresh" content="0; url={link}">\n</head>\n'
        f'<body><p>This page has moved: <a href="{link}">{link}</a></p></body>\n</html>\n'
    )
