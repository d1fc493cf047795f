"""What the pages of one run share: the built site over HTTP, a virtual environment, a PostgreSQL, the run of tests."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kit import database, migrate
from kit.database import Dsn
from kit.postgres import Server
from kit.project import Project

import tools
from tools import ROOT, archive, environments, tested
from tools.tested import Tested


class Stage:
    """What all pages share: the built site over HTTP, a project's virtual environment, a PostgreSQL.

    Each part is made when a page first needs it.

    Args:
        folder: A temporary folder.
        site: The built site, or what builds it.
    """

    def __init__(self, folder: Path, site: Path | Callable[[], Path]) -> None:
        self.folder, self._site = folder, site
        self._cleanup = contextlib.ExitStack()

    @classmethod
    def shared(cls, folder: Path, parts: Mapping[str, Any]) -> Stage:
        """Take over what another process has made, as `parts()` gives it; that process cleans up."""
        stage = cls(folder, parts["site"])
        vars(stage).update(parts)
        return stage

    def parts(self) -> dict[str, Any]:
        """Make everything, and return it for other processes."""
        names = ("site", "archive", "site_port", "venv", "server", "migrated", "tested")
        return {name: getattr(self, name) for name in names}

    @functools.cached_property
    def site(self) -> Path:
        """The built site."""
        return self._site() if callable(self._site) else self._site

    @functools.cached_property
    def archive(self) -> Path:
        """The zip, as the site offers it; while nobody needs the site, as the build takes it over."""
        unbuilt = callable(self._site) and "site" not in vars(self)
        folder = ROOT / "docs/downloads" if unbuilt else self.site / "downloads"
        return folder / f"{archive.NAME}-{archive.version()}.zip"

    @functools.cached_property
    def site_port(self) -> int:
        """The port on which the built site is served."""
        return self._cleanup.enter_context(served(self.site))

    @functools.cached_property
    def venv(self) -> Path:
        """A virtual environment with a project's own requirements, or the one that KIT_PROJECT_VENV names."""
        if given := os.environ.get("KIT_PROJECT_VENV"):
            return Path(given)
        return environments.ready("project", archive.TEMPLATE / "dev-requirements.txt")

    @functools.cached_property
    def server(self) -> Dsn:
        """The project's own throw-away PostgreSQL."""
        return self._cleanup.enter_context(Server.temporary()).dsn

    @functools.cached_property
    def migrated(self) -> Dsn:
        """A migrated database on it, to be copied."""
        dsn = self._cleanup.enter_context(database.scratch(self.server, prefix="docs_template"))
        migrate.apply(dsn, Project(archive.TEMPLATE).all_migrates)
        return dsn

    @functools.cached_property
    def tested(self) -> Tested:
        """Which lines the template's own tests run."""
        return tested.of(tools.ROOT / "template")

    def close(self) -> None:
        """Stop everything."""
        self._cleanup.close()


@contextlib.contextmanager
def served(folder: Path) -> Iterator[int]:
    """Serve a folder on a free port of 127.0.0.1, in a thread, and yield the port."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
