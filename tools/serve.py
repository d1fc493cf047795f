"""Serve the guide while it is written: the same site as `make site` builds, built again when a file changes."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tools import ROOT

WATCHED = ("docs", "snippets", "template", "tools", "mkdocs.yml", "bench/results")


def serve(port: int) -> None:
    """Serve the site on 127.0.0.1 until Ctrl-C; open pages reload when it was built again.

    A mistake at the start ends the command. Later ones are shown, and the last good site stays.
    """
    from mkdocs.livereload import LiveReloadServer

    os.environ["SITE_URL"] = f"http://127.0.0.1:{port}/"
    _refuse_taken(port)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="guide-") as folder:
        site, offline = Path(folder, "site"), Path(folder, "offline")
        if problem := _build(site, offline):
            sys.exit(f"The site is not built:\n{problem}")
        packing = subprocess.Popen([sys.executable, "-m", "tools.offline", str(offline)], stdout=subprocess.DEVNULL)
        threading.Thread(target=_hand_out, args=(packing, offline, site), daemon=True).start()

        def again() -> None:
            if problem := _build(site, offline):
                print(f"The site is not built again:\n{problem}", file=sys.stderr)

        server = LiveReloadServer(again, host="127.0.0.1", port=port, root=str(site), mount_path="/")
        server.error_handler = lambda code: (site / f"{code}.html").read_bytes() if code == 404 else None
        for path in WATCHED:
            server.watch(str(ROOT / path))
        print(f"The guide is on http://127.0.0.1:{port}/ (end: Ctrl-C)", flush=True)
        try:
            server.serve()  # type: ignore[no-untyped-call]
        except KeyboardInterrupt:
            print("stopping")
        finally:
            packing.kill()
            server.shutdown()


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            sys.exit(f"Port {port} cannot be used ({error.strerror}); choose another: make serve PORT={port + 1}")


def _build(site: Path, offline: Path) -> str:
    """Build into a folder beside and swap, so that no request finds a half-built site; return what is wrong."""
    from kit.errors import KitError

    from tools.expand import PageError
    from tools.site import SiteError, build_checked
    from tools.source import SourceError

    started, draft = time.monotonic(), site.with_name("draft")
    try:
        build_checked(draft)
    except (SiteError, SourceError, PageError, KitError, SystemExit) as error:
        return str(error)
    if offline.is_dir():
        shutil.copytree(offline, draft / "offline")
    old = site.with_name("old")
    if site.exists():
        site.rename(old)
    draft.rename(site)
    shutil.rmtree(old, ignore_errors=True)
    print(f"built in {time.monotonic() - started:.1f} s", flush=True)
    return ""


def _hand_out(packing: subprocess.Popen[bytes], offline: Path, site: Path) -> None:
    """Put the guide for reading offline into the site as soon as it is packed."""
    if packing.wait() == 0:
        shutil.copytree(offline, site / "offline", dirs_exist_ok=True)
