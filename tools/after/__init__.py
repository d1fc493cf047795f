"""What is made from the site after it was built, without a plugin: Markdown for machines, old addresses, 404.

Each module here does one thing to the folder `site/`. `tools.site` calls them; any other builder can be followed by
`python -m tools.after site/`, or `python -m tools.after site/ https://docs.example.org/` to say where it is served.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.plugins import BasePlugin, event_priority

from tools.after import markdown, notfound, redirects
from tools.expand import Page


def finish(site: Path, pages: list[Page], site_url: str) -> None:
    """Add to a built site what readers and programs ask for beside the pages.

    Args:
        site: the folder that the builder has written.
        pages: the pages as the builder saw them, from `Collector` or `tools.expand.published_pages`.
        site_url: where the site will be served; links of 404.html begin at its path.

    Raises:
        tools.site.SiteError: `docs/redirects.toml` or the theme's 404.html is not as expected.
    """
    markdown.write(site, pages)
    redirects.write(site)
    notfound.write(site, site_url)


class Collector(BasePlugin):  # type: ignore[type-arg, no-untyped-call]
    """Keeps each page's text while MkDocs builds, so that nothing need be expanded twice."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[Page] = []

    @event_priority(-100)
    def on_page_markdown(self, text: str, *, page: Any, **_: Any) -> str:
        """Take the text after all plugins."""
        self.pages.append(Page(page.file.src_uri, dict(page.meta), [], text))
        return text
