"""Where blocks are run: one stage for the whole run, one workbench for each page."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.server
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import database, dotenv, migrate, pod
from kit.database import Dsn
from kit.errors import KitError
from kit.postgres import Server
from kit.project import Project
from pytest_examples import EvalExample

from tools import ROOT, archive
from tools.expand import Block, Page
from tools.ledger import Unproved
from tools.terminal import Terminal

SITE_PORT, RUN_PORT = 8000, 8888  # what pages say; the run uses free ports and translates
VAULT_KEY = base64.b64encode(bytes(range(32))).decode()  # a key for pages, the same in every run
PYTHON = str(Path(getattr(sys, "_base_executable", sys.executable)))
_DROPPED = re.compile(r"^(DATABASE_URL|PG.*|VIRTUAL_ENV|PYTEST_.*|MAKE.*|MFLAGS|FISSION_.*|PYTHONPATH|PORT|VENV)$")


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def unpack(download: Path, folder: Path) -> Path:
    """Unpack the zip with its file modes and return the folder inside."""
    with zipfile.ZipFile(download) as z:
        for entry in z.infolist():
            made = Path(z.extract(entry, folder))
            made.chmod(entry.external_attr >> 16 & 0o777)
    return folder / archive.NAME


class Stage:
    """What all pages share: the built site over HTTP, a project's virtual environment, a PostgreSQL.

    Args:
        folder: A temporary folder.
        site: The built site.
    """

    def __init__(self, folder: Path, site: Path) -> None:
        self.folder, self.site = folder, site
        self._cleanup = contextlib.ExitStack()

    @functools.cached_property
    def archive(self) -> Path:
        """The zip, as the site offers it."""
        return self.site / "downloads" / f"{archive.NAME}-{archive.version()}.zip"

    @functools.cached_property
    def site_port(self) -> int:
        """The port on which the built site is served."""
        return self._cleanup.enter_context(served(self.site))

    @functools.cached_property
    def venv(self) -> Path:
        """A virtual environment made by a project's own `make setup`, or the one that KIT_PROJECT_VENV names."""
        if ready := os.environ.get("KIT_PROJECT_VENV"):
            return Path(ready)
        place = self.folder / "venv"
        project = unpack(self.archive, self.folder / "for-venv")
        env = environment() | {"VENV": str(place), "PYTHON": PYTHON}
        done = subprocess.run(["make", "setup"], cwd=project, env=env, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"make setup fails in a fresh project:\n{done.stdout}{done.stderr}")
        return place

    @functools.cached_property
    def server(self) -> Dsn:
        """The project's own throw-away PostgreSQL."""
        return self._cleanup.enter_context(Server.temporary()).dsn

    @functools.cached_property
    def migrated(self) -> Dsn:
        """A migrated database on it, to be copied."""
        dsn = self._cleanup.enter_context(database.scratch(self.server, prefix="docs_template"))
        migrate.apply(dsn, archive.TEMPLATE / "migrates")
        return dsn

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


def environment() -> dict[str, str]:
    """What a newcomer's shell has: nothing of this run's database, paths and test settings."""
    kept = {k: v for k, v in os.environ.items() if not _DROPPED.match(k)}
    here = str(Path(sys.executable).parent)
    kept["PATH"] = os.pathsep.join(p for p in kept["PATH"].split(os.pathsep) if p != here)
    return kept | {"LC_ALL": "C.UTF-8", "TERM": "dumb", "COLUMNS": "100", "PYTHON": PYTHON}


class Workbench:
    """What the blocks of one page share: a folder, shells, a database.

    A page that says `workspace: empty` in its front matter starts in an empty folder, as a newcomer does; others
    start in an unpacked `your-service/` whose virtual environment is ready and active.
    """

    def __init__(self, page: Page, stage: Stage, evaluate: EvalExample, folder: Path) -> None:
        self.page, self.stage, self.evaluate, self.folder = page, stage, evaluate, folder
        self.empty = page.meta.get("workspace") == "empty"
        self.run_port = free_port()
        self._terminals: dict[str, Terminal] = {}
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Workbench:
        return self

    def __exit__(self, *_: object) -> None:
        for terminal in self._terminals.values():
            terminal.close()
        self._cleanup.close()

    @functools.cached_property
    def project(self) -> Path:
        """An unpacked project of this page's own."""
        return unpack(self.stage.archive, self.folder)

    @property
    def project_python(self) -> Path:
        """The interpreter of the ready virtual environment."""
        return self.stage.venv / "bin/python"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of this page's shells."""
        env = environment() | {"PORT": str(self.run_port)}
        if not self.empty:
            env |= {"VENV": str(self.stage.venv), "PATH": f"{self.stage.venv / 'bin'}{os.pathsep}{env['PATH']}"}
        return env

    def terminal(self, name: str) -> Terminal:
        """Return the page's shell of that name, opened on first use."""
        if name not in self._terminals:
            start = self.folder if self.empty else self.project
            self._terminals[name] = Terminal(start, self.environment)
        return self._terminals[name]

    @functools.cached_property
    def database_url(self) -> str:
        """A fresh, migrated database of this page's own."""
        migrated = self.stage.migrated
        return database.to_url(self._cleanup.enter_context(database.scratch(migrated, migrated["dbname"], "docs")))

    @contextlib.contextmanager
    def python_surroundings(self) -> Iterator[None]:
        """Import paths, settings and a database as a function has them, freshly imported."""
        project = Project(archive.TEMPLATE)
        secrets = database.to_secrets(database.parse(self.database_url)) | {"VAULT_KEY": VAULT_KEY}
        settings = pod.read_settings(project, names=(".env.example",))
        pod.lay_out(project, self.folder / "pod", settings, secrets)
        paths = [str(archive.TEMPLATE / part) for part in ("src", "examples", "")]
        with pytest.MonkeyPatch.context() as patch:
            for name in [n for n in os.environ if _DROPPED.match(n)]:
                patch.delenv(name)
            patch.setenv(pod.ROOT_VARIABLE, str(self.folder / "pod"))
            forget(archive.TEMPLATE)
            sys.path[:0] = paths
            try:
                yield
            finally:
                del sys.path[: len(paths)]
                forget(archive.TEMPLATE)

    def run_kit(self, block: Block, *arguments: str) -> None:
        """Run `python -m kit ...` in the page's project; a failure is the block's."""
        command = [str(self.project_python), "-m", "kit", *arguments]
        done = subprocess.run(command, cwd=self.project, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise Unproved(block, f"python -m kit {' '.join(arguments)}: {done.stdout}{done.stderr}")

    def migrate_up_down_up(self, block: Block, file: Path) -> None:
        """Apply a migration after those of the template, take it back, and apply it again."""
        folder = self.folder / f"migrates-{block.digest}"
        shutil.copytree(archive.TEMPLATE / "migrates", folder)
        shutil.copy(file, folder)
        with database.scratch(self.stage.server, prefix="docs") as dsn:
            try:
                migrate.apply(dsn, folder)
                while migrate.revert(dsn, folder) not in (file.name.partition("_")[0], None):
                    pass
                migrate.apply(dsn, folder)
            except KitError as error:
                raise Unproved(block, str(error)) from None

    def read_dotenv(self, block: Block) -> None:
        """Read the block as the project reads its `.env`."""
        place = self.folder / "block.env"
        place.write_text(block.source + "\n", "utf-8")
        try:
            dotenv.read(place)
        except KitError as error:
            raise Unproved(block, f"the .env reader refuses it: {error}") from None

    def to_machine(self, text: str) -> str:
        """Put this run's ports in place of those that the page says."""
        return text.replace(f":{SITE_PORT}", f":{self.stage.site_port}").replace(f":{RUN_PORT}", f":{self.run_port}")

    def to_page(self, text: str) -> str:
        """Put the page's ports back."""
        return text.replace(f":{self.stage.site_port}", f":{SITE_PORT}").replace(f":{self.run_port}", f":{RUN_PORT}")

    def pattern_to_machine(self, pattern: re.Pattern[str]) -> re.Pattern[str]:
        """Translate the ports in what a running command must print."""
        return re.compile(self.to_machine(pattern.pattern))


def forget(folder: Path) -> None:
    """Drop the imported modules of a folder, so that the next import runs them again."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(folder) and not name.startswith("kit"):
            del sys.modules[name]


def fresh_copy(folder: Path) -> Path:
    """Copy the kit's sources for a test that changes them; generated files stay behind."""
    ignore = shutil.ignore_patterns(".git", ".venv", "site", "__pycache__", ".*_cache", ".cache", "downloads")
    return Path(shutil.copytree(ROOT, folder / "kit", ignore=ignore))
