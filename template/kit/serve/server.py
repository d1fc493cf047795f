"""`python -m kit serve`: the port, the database, the reload, start and end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kit import database, migrate, pod, signals
from kit.errors import KitError
from kit.objectstore import LocalStore
from kit.pod import Settings
from kit.private_file import write_private
from kit.project import Project
from kit.serve import functions, watch
from kit.serve.gateway import Gateway, Record
from kit.serve.http import HttpServer
from kit.serve.http_request import join_like_bjoern, join_like_gevent
from kit.serve.pages import Pages
from kit.serve.router import Router
from kit.serve.state import announced
from kit.serve.triggers import Clock, Triggers
from kit.serve.workers import Workers
from kit.specs.deployment import load_deployment

HOST = "127.0.0.1"  # never another: the local server trusts everybody who can reach it
LOOK_SECONDS = 0.25  # between two looks for changed files
BACKLOG = 256  # connections that may wait
SERVER_VARIABLE = "WSGI_FRAMEWORK"  # of the environment: GEVENT, or bjoern
SUFFIXES = frozenset({".py", ".sql", ".json"})

Say = Callable[[str], None]


def serve(project: Project, port: int, *, examples: bool, timers: bool, say: Say) -> None:
    """Serve all functions until Ctrl-C or SIGTERM, then end everything that was started.

    Args:
        project: whose functions.
        port: on 127.0.0.1; 0 takes any free one.
        examples: serve `examples/`, too.
        timers: fire timers on schedule.
        say: prints a line.

    Raises:
        KitError: the port is in use, a block or a migration is wrong, or the database does not start.
    """
    with ExitStack() as stack:
        stack.enter_context(signals.as_interrupts())
        try:
            LocalFission(project, port, examples=examples, timers=timers, say=say, stack=stack).run()
        except KeyboardInterrupt:
            signals.ignore()  # from here on everything is being ended
            say("stopping")


class LocalFission:
    """Everything that runs; what must be ended is put on the stack as it is started."""

    def __init__(
        self, project: Project, port: int, *, examples: bool, timers: bool, say: Say, stack: ExitStack
    ) -> None:
        self._project = project
        self._examples = examples
        self._say = say
        self._clock: Clock | None = None
        listener = stack.enter_context(_listen(port))
        served = functions.read(project, examples=examples)
        place = project.state / "pod" / "app"  # like the pod's /app, it holds nothing of the project
        place.mkdir(parents=True, exist_ok=True)
        folders = functions.folders(project, examples=examples)
        variables = load_deployment(project.root).settings.environment.runtime_envs
        self._workers = Workers(project.root, folders, {**variables, pod.ROOT_VARIABLE: str(place.parent)}, place)
        stack.callback(self._workers.stop)
        self._workers.start()  # before the database, because both take a moment
        self._dsn = stack.enter_context(database.development(project))
        self._migrate()
        self._store = LocalStore(project, say)
        stack.callback(self._store.stop)
        self._gateway = Gateway(Router([]), self._workers.invoke, log=self._log)
        triggers, settings = Triggers(served, self._gateway.call), self._lay_out()
        self._pages = Pages(project, served, triggers, settings, examples=examples, timers_run=timers)
        self._gateway.router, self._gateway.pages = self._pages.router, self._pages
        join = join_like_gevent if variables.get(SERVER_VARIABLE) == "GEVENT" else join_like_bjoern
        self._listen(HttpServer(listener, self._gateway, join), stack)
        self._greet(listener.getsockname()[1])
        stack.enter_context(announced(project, HOST, listener.getsockname()[1]))
        stack.callback(self._stop_clock)
        self._start_clock()

    def run(self) -> None:
        """Look for changed files until a signal comes."""
        before = self._look()
        wait = threading.Event()
        while True:
            wait.wait(LOOK_SECONDS)
            after = self._look()
            if files := watch.changed(before, after):
                before = after
                self._reload(files)

    def _listen(self, server: HttpServer, stack: ExitStack) -> None:
        threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
        stack.callback(server.close)

    def _greet(self, port: int) -> None:
        self._say(f"{self._project.name} on http://{HOST}:{port}/  (functions and routes: /_dev/, end: Ctrl-C)")
        place = f"{self._dsn.get('host')}:{self._dsn.get('port')}/{self._dsn.get('dbname')}"
        self._say(f"PostgreSQL on {place}")
        if self._store.place:
            self._say(f"S3 on {self._store.place}")
        for route in self._pages.router.routes:
            path = f"{route.path.rstrip('/')}/..." if route.is_prefix else route.path
            where = route.function.path.relative_to(self._project.root)
            self._say(f"  {','.join(sorted(route.methods)):<16} {path:<28} {route.function.name}  ({where})")

    def _log(self, record: Record) -> None:
        self._pages.remember(record)
        # fidelity: log-lines
        milliseconds = record.seconds * 1000
        self._say(f"{record.method} {record.url} {record.status} {milliseconds:.1f} ms {record.function}".rstrip())

    def _migrate(self) -> None:
        known = self._project.all_migrates
        folders = known if self._examples else self._project.migrates
        for version in migrate.apply(self._dsn, folders, known=known):
            self._say(f"applied migration {version}")

    def _lay_out(self) -> Settings:
        settings = pod.read_settings(self._project)
        settings.secrets.setdefault("VAULT_KEY", _vault_key(self._project))
        self._store.complete(settings, functions.folders(self._project, examples=self._examples))
        secrets = database.to_secrets(self._dsn)  # also of the user's server, whose settings may be incomplete
        # fidelity: one-secret
        pod.lay_out(self._project, self._project.state / "pod", settings, secrets)
        return Settings({**settings.secrets, **secrets}, settings.configs)

    def _start_clock(self) -> None:
        # fidelity: timers-off
        if self._pages.timers_run:
            self._clock = Clock(self._pages.triggers, self._say)

    def _stop_clock(self) -> None:
        if self._clock:
            self._clock.stop()

    def _look(self) -> watch.Snapshot:
        root = self._project.root
        files = [root / ".env", root / ".env.example", root / ".fission"]
        return watch.snapshot([self._project.src, self._project.examples, self._project.migrates, *files], SUFFIXES)

    def _reload(self, files: list[Path]) -> None:
        """Take over what has changed; what is wrong is said, and everything else goes on as it was."""
        problem = None
        try:
            self._project = Project(self._project.root)
            self._migrate()
            settings = self._lay_out()
            served = functions.read(self._project, examples=self._examples)
            self._pages.update(served, Triggers(served, self._gateway.call), settings)
            self._gateway.router = self._pages.router
            self._stop_clock()
            self._start_clock()
        except KitError as error:
            problem = error
        self._workers.reload()
        # Said at the end: who reads it may send a request.
        self._say(f"reload: {', '.join(str(file.relative_to(self._project.root)) for file in files)}")
        if problem:
            self._say(f"error: {problem}")


@contextmanager
def _listen(port: int) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            raise KitError(
                f"port {port} on {HOST} cannot be used ({getattr(error, 'strerror', error)}); perhaps another "
                f"`make run` uses it; end that one or take another port: make run PORT={port + 1}"
            ) from error
        yield listener


def _vault_key(project: Project) -> str:
    """Return the key that local runs use when `.env` has none; made once and kept."""
    path = project.state / "vault.key"
    if not path.exists():
        write_private(path, pod.new_vault_key())
    return path.read_text(encoding="ascii").strip()
