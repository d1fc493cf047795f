"""One function as Fission's Python environment runs it.

Source: fission/environments, python/server.py of image version 1.35.0. The user's folder is appended to `sys.path`,
the handler is looked up once, GET, POST, PUT, HEAD, OPTIONS and DELETE reach it without arguments, everything else
is answered by Flask, and what it lets escape becomes Flask's HTML page.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Flask, abort, request

METHODS = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE"]  # no PATCH: Flask answers it with 405
STATE = "state.json"


class FunctionApp(Flask):
    """The Flask application in a function's pod."""

    def __init__(self) -> None:
        # fidelity: sentry
        # fidelity: fastapi
        super().__init__("server", root_path="/app")  # the image's names; logs show the first
        self.function: Callable[[], Any] | None = None
        self.add_url_rule("/specialize", "load", self._load, methods=["POST"])
        self.add_url_rule("/v2/specialize", "loadv2", self._load_v2, methods=["POST"])
        self.add_url_rule("/healthz", "healthz", lambda: ("", 200), methods=["GET"])
        self.add_url_rule("/", "userfunc_call", self._call, methods=METHODS)
        self.add_url_rule("/<path:path>", "userfunc_call", self._call, methods=METHODS)

    def specialize(self, folders: Iterable[Path], entrypoint: str) -> None:
        """Make this the application of one function.

        Args:
            folders: are appended to `sys.path`, so that the environment's own packages win.
            entrypoint: `module.function`; without a dot the module is `main`, empty means `main.main`.

        Raises:
            Exception: whatever importing the module raises.
        """
        for folder in folders:
            if str(folder) not in sys.path:
                sys.path.append(str(folder))
        module, function = split_entrypoint(entrypoint)
        self.function = getattr(importlib.import_module(module), function)

    def _call(self, **_path: str) -> Any:
        """Call the function; as in the image, it gets no arguments."""
        if self.function is None:
            self.logger.error("userfunc is None")
            return abort(500)
        return self.function()

    def _load(self) -> str:
        """Answer what the fetcher of an environment of version 1 sends."""
        self.logger.info("/specialize called")
        self.function = _import_file("/userfunc/user").main
        return ""

    def _load_v2(self) -> str:
        """Answer what Fission's fetcher sends when it has put the code in place."""
        wanted = request.get_json()
        state = Path(os.environ.get("USERFUNCVOL", "/userfunc"), STATE)
        if state.exists():
            self.logger.warning("Found state.json, overwriting")
        path, entrypoint = wanted["filepath"], wanted["functionName"]
        self.logger.info('specialize called with  filepath = "%s"   handler = "%s"', path, entrypoint)
        module, function = split_entrypoint(entrypoint)
        self.logger.debug('moduleName = "%s"    funcName = "%s"', module, function)
        if os.path.isdir(path):
            self.logger.debug('__package__ = "None"')
            self.specialize([Path(path)], entrypoint)
        else:
            self.function = getattr(_import_file(path), function)
        if state.parent.is_dir():  # it is in every pod, and in no local run
            state.write_text(json.dumps(wanted), encoding="utf-8")
        return ""


def split_entrypoint(entrypoint: str) -> tuple[str, str]:
    """Return module and function: `a.b.c` is `c` of `a.b`, `c` is `c` of `main`, and nothing is `main` of `main`."""
    module, _, function = entrypoint.rpartition(".")
    return module or "main", function or "main"


def configure_logging(app: FunctionApp) -> None:
    """Set up logging with the surprises of the image.

    The root logger lets everything pass but has no handler, so a module's INFO is lost and its WARNING appears
    bare on stderr; `current_app.logger` has two handlers and prints every line twice.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s - %(levelname)s - %(message)s"))
    logging.getLogger().setLevel(logging.DEBUG)
    app.logger.addHandler(handler)
    app.logger.addFilter(_as_server)


def _as_server(record: logging.LogRecord) -> bool:
    """Let our lines say that they come from `server.py`."""
    if record.pathname == __file__:
        record.module = "server"
    return True


def _import_file(path: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("mod", path)
    spec = importlib.util.spec_from_loader("mod", loader)
    assert spec, "a loader always gives a specification"  # noqa: S101 - a fact of importlib
    module = sys.modules["mod"] = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
