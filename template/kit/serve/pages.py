"""What the local server answers below `/_dev/`; a cluster has nothing there.

The pages make no request to any other host. A web page of another site must not be able to fire timers or to read
what is here, so the server must be called by a local name, and what changes something needs a header that other
sites cannot send without asking.
"""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from kit.errors import KitError
from kit.pod import Settings
from kit.project import Project
from kit.serve.functions import Served
from kit.serve.gateway import Record, content, document, plain
from kit.serve.router import Router
from kit.serve.schedule import next_time
from kit.serve.triggers import Outcome, Trigger, Triggers
from kit.serve.wsgi import Environ, Reply
from kit.specs.models import Queue, Timer

RECENT = 50  # requests that are remembered
STATIC = Path(__file__).parent / "static"
HEADER = "HTTP_X_KIT"  # must be sent with what changes something
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"]  # harmless first
_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_FILES = {"": "index.html", "api/": "api.html"}
_SECURITY = [
    ("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
]  # fmt: skip


class Pages:
    """The pages and what their scripts ask for.

    Attributes:
        served: all functions.
        router: the routes to them.
        triggers: everything else that calls them.
        settings: the secrets and configs; only their names are shown.
        recent: the requests that were answered last, newest first.
        examples: whether `examples/` is served.
        timers_run: whether timers fire on schedule.
    """

    def __init__(
        self,
        project: Project,
        served: Served,
        triggers: Triggers,
        settings: Settings,
        *,
        examples: bool,
        timers_run: bool,
    ) -> None:
        self._project = project
        self.examples = examples
        self.timers_run = timers_run
        self.recent: deque[tuple[datetime, Record]] = deque(maxlen=RECENT)
        self.update(served, triggers, settings)

    def update(self, served: Served, triggers: Triggers, settings: Settings) -> None:
        """Take over what has changed."""
        self.served, self.triggers, self.settings = served, triggers, settings
        self.router = Router(served.routes)
        self._openapi: bytes | None = None

    def remember(self, record: Record) -> None:
        """Keep a request for the list, unless it was for these pages."""
        if not record.url.startswith("/_dev"):
            self.recent.appendleft((datetime.now(UTC), record))

    def __call__(self, environ: Environ) -> Reply:
        """Answer one request."""
        name = str(environ.get("HTTP_HOST", "")).rpartition(":")[0] or str(environ.get("HTTP_HOST", ""))
        if name not in _LOCAL:
            return plain(403, "403 these pages are shown to 127.0.0.1 and localhost only\n")
        path = str(environ["PATH_INFO"]).removeprefix("/_dev")
        if not path:
            return content(308, [("Location", "/_dev/")], b"")
        method = environ["REQUEST_METHOD"]
        if method == "POST":
            if not environ.get(HEADER):
                return plain(403, "403 the header X-Kit is missing\n")
            return self._do(path[1:], environ)
        if method not in ("GET", "HEAD"):
            return plain(405, "405 method not allowed\n")
        return self._show(path[1:])

    def _show(self, name: str) -> Reply:
        if name == "state.json":
            return document(self.state())
        if name == "openapi.json":
            return self._api()
        file = STATIC / _FILES.get(name, name.removeprefix("static/"))
        if (name in _FILES or name.startswith("static/")) and file.parent == STATIC and file.is_file():
            kind = f"{_TYPES[file.suffix]}; charset=utf-8"
            return content(200, [("Content-Type", kind), *_SECURITY], file.read_bytes())
        return plain(404, "404 page not found\n")

    def _do(self, name: str, environ: Environ) -> Reply:
        query = parse_qs(str(environ.get("QUERY_STRING", "")))
        wanted, event = (query.get(key, [""])[0] for key in ("name", "event"))
        body = environ["wsgi.input"].read()
        try:
            if name == "fire":
                return document([_told(self.triggers.fire(wanted))])
            if name == "send" and event:
                return document([_told(self.triggers.notify(wanted, event, body))])
            if name == "send":
                return document([_told(outcome) for outcome in self.triggers.send(wanted, body)])
        except KitError as error:
            return document({"error": str(error)}, 404)
        return plain(404, "404 page not found\n")

    def state(self) -> dict[str, Any]:
        """Return everything that the index page shows; values of secrets are not in it."""
        return {
            "project": self._project.name,
            "timers_run": self.timers_run,
            "functions": [self._describe(index) for index in range(len(self.served.functions))],
            "timers": [_timer(trigger) for trigger in self.triggers.timers],
            "queues": [_queue(trigger) for trigger in self.triggers.queues],
            "watches": [{"name": trigger.name, "function": trigger.function.name} for trigger in self.triggers.watches],
            "secrets": _names(self.settings.secrets),
            "configs": _names(self.settings.configs),
            # A copy first: other threads go on adding to it.
            "recent": [asdict(record) | {"at": at.isoformat(timespec="seconds")} for at, record in list(self.recent)],
        }

    def _describe(self, index: int) -> dict[str, Any]:
        block, function = self.served.blocks[index], self.served.functions[index]
        routes = [route for route in self.router.routes if route.function.name == function.name]
        return {
            "name": function.name,
            "file": block.path.relative_to(self._project.root).as_posix(),
            "line": block.line,
            "timeout_seconds": function.timeout,
            "routes": [
                {"path": route.path, "prefix": route.is_prefix, "methods": sorted(route.methods, key=METHODS.index)}
                for route in routes
            ],
        }

    def _api(self) -> Reply:
        """Generate in a process of its own: it imports the user's modules as they are now."""
        if self._openapi is None:
            options = ["--output", "-", *([] if self.examples else ["--no-examples"])]
            command = [sys.executable, "-m", "kit", "openapi", *options]
            done = subprocess.run(command, cwd=self._project.root, capture_output=True, check=False)
            if done.returncode:
                return document({"error": done.stderr.decode("utf-8", "replace").strip()}, 500)
            self._openapi = done.stdout
        return content(200, [("Content-Type", "application/json")], self._openapi)


def _told(outcome: Outcome) -> dict[str, Any]:
    return asdict(outcome) | {"body": outcome.body.decode("utf-8", "replace")}


def _timer(trigger: Trigger) -> dict[str, Any]:
    assert isinstance(trigger.config, Timer)  # noqa: S101 - only timers come here
    due = next_time(trigger.config.cron, datetime.now(UTC))
    return {
        "name": trigger.name,
        "function": trigger.function.name,
        "cron": trigger.config.cron,
        "method": trigger.config.method,
        "subpath": trigger.config.subpath,
        "next": due.isoformat(timespec="seconds") if due else None,
    }


def _queue(trigger: Trigger) -> dict[str, Any]:
    assert isinstance(trigger.config, Queue)  # noqa: S101 - only queues come here
    config = trigger.config
    return {"name": trigger.name, "function": trigger.function.name, "topic": config.topic, "type": config.type}


def _names(values: Mapping[str, str]) -> list[str]:
    return sorted(values)
