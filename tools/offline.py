"""The guide for reading from a folder, without a server: one zip with search that works from `file://`.

python -m tools.offline site/offline
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
import zipfile
from pathlib import Path

from tools.archive import Download, version

TOP = "fission-python-kit-guide"
_ADDRESS = re.compile(r'href="(?P<path>[\w./-]*/)(?P<anchor>#[^"]*)?"')


def download() -> Download:
    """Return the zip. Its bytes change with each run of the proofs: each block's proof is in it, with its seconds.

    Raises:
        tools.site.SiteError: The site has warnings.
    """
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        site = build(Path(folder))
        for path in sorted(path for path in site.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"{TOP}/{path.relative_to(site).as_posix()}", (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return Download(f"guide-{version()}.zip", packed.getvalue())


def build(folder: Path) -> Path:
    """Build the site for `file://`: links name files, and the search index is a script."""
    from tools import ledger, stamp
    from tools.after import markdown
    from tools.site import build_pages

    _, pages = build_pages(folder, from_files=True)
    markdown.write(folder, pages)
    stamp.stamp(folder, ledger.read())
    _name_files(folder)
    index = folder / "search/search_index.json"
    (folder / "search/search_index.js").write_text(f"var __index = {index.read_text('utf-8')}", "utf-8")
    for needless in (index, folder / "sitemap.xml", folder / "sitemap.xml.gz", folder / "404.html"):
        needless.unlink(missing_ok=True)
    return folder


def _name_files(site: Path) -> None:
    """Let the links that were added after the build name files: they were made for addresses that end with a slash."""
    for html in site.rglob("*.html"):
        folder = html.parent if html.name == "index.html" else html.with_suffix("")

        def named(found: re.Match[str], here: Path = html.parent, folder: Path = folder) -> str:
            if (here / found["path"]).is_file():
                return found[0]
            address = Path(os.path.normpath(folder / found["path"]))
            target = address / "index.html" if address.is_dir() else address.with_suffix(".html")
            if not target.is_file():
                return found[0]
            return f'href="{os.path.relpath(target, here)}{found["anchor"] or ""}"'

        text = html.read_text("utf-8")
        html.write_text(_ADDRESS.sub(named, text), "utf-8")


def publish(folder: Path) -> Download:
    """Write the zip into a folder."""
    made = download()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / made.name).write_bytes(made.data)
    return made


if __name__ == "__main__":
    from tools.site import SiteError

    try:
        made = publish(Path(sys.argv[1]))
    except SiteError as error:
        sys.exit(f"The guide is not packed:\n{error}")
    print(f"{made.sha256}  {made.name}  {made.size_kib} KiB")
