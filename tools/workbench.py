"""Where the blocks of a page run: its own folder, shells and database, on the stage that all pages share."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kit import database, dotenv, migrate, pod
from kit.errors import KitError
from kit.project import Project
from pytest_examples import EvalExample

from tools import ROOT, archive, environments
from tools.environments import DROPPED, unpack
from tools.environments import environment as environment  # its other users look for it here
from tools.expand import Block, Page, site_url
from tools.ledger import Unproved
from tools.stage import Stage
from tools.terminal import Terminal

SITE_PORT, RUN_PORT = 8000, 8888  # what pages say; the run uses free ports and translates
ACTIVATE = "`. .venv/bin/activate`"  # how pages say that a terminal needs the project's environment
VAULT_KEY = base64.b64encode(bytes(range(32))).decode()  # a key for pages, the same in every run


def evaluator(folder: Path) -> EvalExample:
    """Return what runs Python blocks, outside of pytest too: it only wants to know a few settings of a test.

    Assertions are not rewritten by it: its hook needs a whole pytest.
    """
    config = SimpleNamespace(getoption=lambda _: False)
    request: Any = SimpleNamespace(config=config, node=SimpleNamespace(nodeid="docs"))
    made = EvalExample(tmp_path=folder, pytest_request=request)
    made.set_config(line_length=120)  # longer output would be checked as a string in triple quotes
    return made


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Workbench:
    """What the blocks of one page share: a folder, shells, a database.

    A page that says `workspace: empty` in its front matter starts in an empty folder, as a newcomer does; others
    start in an unpacked `your-service/` whose virtual environment is ready, and active if the page says how.
    """

    def __init__(self, page: Page, stage: Stage, evaluate: EvalExample, folder: Path) -> None:
        self.page, self.stage, self.evaluate, self.folder = page, stage, evaluate, folder
        self.empty = page.meta.get("workspace") == "empty"
        self.vault_key = VAULT_KEY
        self.run_port = free_port()
        self._shows_site = False
        self._unpacking: Future[Path] | None = None
        self._terminals: dict[str, Terminal] = {}
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Workbench:
        if not self.empty and any(block.lang == "console" for block in self.page.blocks):
            aside = self._cleanup.enter_context(ThreadPoolExecutor(1))
            self._unpacking = aside.submit(self._unpack)  # while the blocks before the first terminal run
        return self

    def __exit__(self, *_: object) -> None:
        for terminal in self._terminals.values():
            terminal.close()
        self._cleanup.close()

    @functools.cached_property
    def project(self) -> Path:
        """An unpacked project of this page's own."""
        return self._unpacking.result() if self._unpacking else self._unpack()

    def _unpack(self) -> Path:
        if self.empty:
            return unpack(self.stage.archive, self.folder)
        # As if the project had been used before, compiled and with a database, which saves seconds; a newcomer's page
        # starts without. cp keeps the owner of the data, who is another one when root runs this.
        project, home = self.folder / archive.NAME, self.folder / archive.NAME / ".kit/postgres"
        subprocess.run(["cp", "-a", environments.unpacked(self.stage.archive), project], check=True)
        home.parent.mkdir()
        subprocess.run(["cp", "-a", environments.postgres_data(), home], check=True)
        note = home / "server.json"  # every copy names the same port, and pages run at the same time
        note.write_text(json.dumps(json.loads(note.read_text("utf-8")) | {"port": free_port()}), "utf-8")
        return project

    @functools.cached_property
    def empty_folder(self) -> Path:
        """Where a newcomer starts."""
        (self.folder / "empty").mkdir()
        return self.folder / "empty"

    @property
    def home(self) -> Path:
        """Where this page's shells begin, and what the names of its files are relative to."""
        return self.empty_folder if self.empty else self.project

    @property
    def project_python(self) -> Path:
        """The interpreter of the ready virtual environment."""
        return self.stage.venv / "bin/python"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of this page's shells."""
        env = environment() | {"PORT": str(self.run_port)}
        if not self.empty:
            env |= {"VENV": str(self.stage.venv)}
        return env

    def terminal(self, name: str) -> Terminal:
        """Return the page's shell of that name, opened on first use; it is prepared as the page's text says."""
        if name not in self._terminals:
            self._terminals[name] = Terminal(self.home, self.environment)
            if not self.empty and ACTIVATE in self.page.text:
                self._terminals[name].run(f". {self.stage.venv / 'bin/activate'}", 10)
        return self._terminals[name]

    def printed_aside(self, terminal: Terminal) -> str:
        """Return what the page's other shells have printed meanwhile; the reason of a failure often stands there."""
        others = {name: shell.unread() for name, shell in self._terminals.items() if shell is not terminal}
        return "".join(f"\nterminal {name} meanwhile printed\n{text}" for name, text in others.items() if text)

    @functools.cached_property
    def database_url(self) -> str:
        """A fresh, migrated database of this page's own."""
        migrated = self.stage.migrated
        return database.to_url(self._cleanup.enter_context(database.scratch(migrated, migrated["dbname"], "docs")))

    @property
    def server_url(self) -> str:
        """The PostgreSQL that all pages share, for tests that make databases of their own."""
        return database.to_url(self.stage.server)

    @contextlib.contextmanager
    def python_surroundings(self) -> Iterator[None]:
        """Import paths, settings and a database as a function has them, freshly imported."""
        project = Project(archive.TEMPLATE)
        secrets = database.to_secrets(database.parse(self.database_url)) | {"VAULT_KEY": VAULT_KEY}
        settings = pod.read_settings(project, names=(".env.example",))
        pod.lay_out(project, self.folder / "pod", settings, secrets)
        paths = [str(archive.TEMPLATE / part) for part in ("src", "examples", "")]
        with pytest.MonkeyPatch.context() as patch:
            for name in [n for n in os.environ if DROPPED.match(n)]:
                patch.delenv(name)
            patch.setenv(pod.ROOT_VARIABLE, str(self.folder / "pod"))
            forget(archive.TEMPLATE)
            patch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # pytest-examples does not put it back
            before = sys.path[:]
            sys.path[:0] = paths
            try:
                yield
            finally:
                sys.path[:] = before  # a block may have changed it, too
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
        for place in Project(archive.TEMPLATE).all_migrates:
            shutil.copytree(place, folder, dirs_exist_ok=True)
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
        """Put this run's ports in place of those that the page says, and its own site in place of the published one."""
        if site_url() in text or f":{SITE_PORT}" in text:  # only then the site has to be built and served
            self._shows_site = True
            text = text.replace(site_url(), f"http://127.0.0.1:{self.stage.site_port}/")
            text = text.replace(f":{SITE_PORT}", f":{self.stage.site_port}")
        return text.replace(f":{RUN_PORT}", f":{self.run_port}")

    def to_page(self, text: str) -> str:
        """Put the page's ports back."""
        if self._shows_site:
            text = text.replace(f"http://127.0.0.1:{self.stage.site_port}/", site_url())
            text = text.replace(f":{self.stage.site_port}", f":{SITE_PORT}")
        return text.replace(f":{self.run_port}", f":{RUN_PORT}")

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
