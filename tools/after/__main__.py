"""Finish a site that another builder has made: python -m tools.after site/."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mkdocs.config import load_config

from tools import ROOT
from tools.after import finish
from tools.expand import PageError, published_pages
from tools.site import SiteError


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.after", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("site", type=Path, help="the folder that the builder has written")
    parser.add_argument("url", nargs="?", help="where it will be served (default: site_url of mkdocs.yml)")
    given = parser.parse_args()
    if not (given.site / "404.html").is_file():
        parser.error(f"{given.site} holds no built site: there is no 404.html in it")
    try:
        finish(given.site, published_pages(), given.url or load_config(str(ROOT / "mkdocs.yml")).site_url or "/")
    except (SiteError, PageError) as error:
        sys.exit(f"The site is not finished:\n{error}")


main()
