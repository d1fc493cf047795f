"""The page for addresses that do not exist: it says what to do, instead of a number alone."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from tools.site import SiteError

TITLE = "<h1>404 - Not found</h1>"
ADVICE = """<h1>There is no such page</h1>
<p>The address may be old, or mistyped. The search above finds pages, error codes such as
<code>VALIDATION_ERROR</code> and checks such as <code>FK001</code>. Or begin here:</p>
<ul>
<li><a href="{base}">Home</a>: everything by task</li>
<li><a href="{base}getting-started/">Getting started</a>: from the download to a running service</li>
<li><a href="{base}reference/error-codes/">Error codes</a> and <a href="{base}checks/">Checks</a></li>
</ul>"""


def write(site: Path, site_url: str) -> None:
    """Put advice into `404.html`. It is served at any depth, so its links begin at the path of `site_url`.

    Raises:
        SiteError: The theme's page has changed and has no place for it.
    """
    page = site / "404.html"
    text = page.read_text("utf-8")
    if TITLE not in text:
        raise SiteError("404.html:1: the theme's heading is not there; see tools/after/notfound.py")
    page.write_text(text.replace(TITLE, ADVICE.format(base=urlsplit(site_url).path or "/")), "utf-8")
