"""Build or serve the guide site.

python -m tools.site build
python -m tools.site serve --port 8000
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from pathlib import Path

os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")  # notices about MkDocs 2 on every build
os.environ.setdefault("DISABLE_MKDOCS_2_WARNING", "true")

from tools import ROOT


def build(folder: Path, config_file: Path = ROOT / "mkdocs.yml") -> Path:
    """Build the site strictly: a broken link, anchor, include or name raises, and `folder` is not to be used.

    Raises:
        mkdocs.exceptions.Abort: The site has warnings; they were logged.
    """
    from mkdocs.commands.build import build as mkdocs_build
    from mkdocs.config import load_config

    config = load_config(str(config_file), site_dir=str(folder), strict=True)
    config.plugins.on_startup(command="build", dirty=False)
    mkdocs_build(config)
    config.plugins.on_shutdown()
    return folder


def serve(port: int) -> None:
    """Serve the site on 127.0.0.1 until Ctrl-C, rebuilding and reloading on change."""
    from mkdocs.commands.serve import serve as mkdocs_serve

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            sys.exit(f"Port {port} cannot be used ({error.strerror}); choose another: make serve PORT={port + 1}")
    os.environ["SITE_URL"] = f"http://127.0.0.1:{port}/"
    mkdocs_serve(str(ROOT / "mkdocs.yml"), dev_addr=f"127.0.0.1:{port}", livereload=True, open_in_browser=False)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build into site/")
    commands.add_parser("serve", help="serve on 127.0.0.1").add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args()
    if chosen.command == "serve":
        serve(chosen.port)
        return

    import logging

    from mkdocs.exceptions import Abort, MkDocsException

    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    started = time.monotonic()
    from tools.expand import PageError, published_pages

    try:
        published_pages()  # names page and line of a wrong include or fence, which the builder itself does not
        build(ROOT / "site")
    except (Abort, MkDocsException, PageError) as error:
        sys.exit(f"The site is not built: {error}")
    print(f"Built site/ in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
