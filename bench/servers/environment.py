"""What Fission's Flask environment does around a function: bjoern, its routes and methods, its way to load.

It behaves like ``python/server.py`` of fission/environments 1.35.0 (bjoern 3.2.2, Flask 3.1.3), so that what is
measured behind it is what a pod would do. Left out: sockets, Sentry, and the file for restarts.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, abort, request

METHODS = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE"]


class Environment(Flask):
    """The application: one function, on every path."""

    def __init__(self) -> None:
        super().__init__("server", root_path=str(Path(__file__).parent))
        self.function: Callable[[], Any] | None = None
        logging.getLogger().setLevel(logging.DEBUG)
        printer = logging.StreamHandler(sys.stdout)
        printer.setFormatter(logging.Formatter("%(asctime)s - %(levelname)s - %(message)s"))
        self.logger.addHandler(printer)
        self.add_url_rule("/healthz", "healthz", lambda: ("", 200), methods=["GET"])
        self.add_url_rule("/v2/specialize", "load", self._specialize, methods=["POST"])
        self.add_url_rule("/", "call", self._call, methods=METHODS)
        self.add_url_rule("/<path:path>", "call", self._call, methods=METHODS)

    def load(self, folder: str, handler: str) -> None:
        """Import ``module.function`` from a folder, which goes to the end of ``sys.path``."""
        module, _, function = handler.rpartition(".")
        sys.path.append(folder)
        self.function = getattr(importlib.import_module(module), function)

    def _specialize(self) -> tuple[str, int]:
        body = request.get_json()
        self.load(body["filepath"], body["functionName"])
        return "", 200

    def _call(self, path: str = "") -> Any:  # noqa: ARG002 - the environment throws it away as well
        if self.function is None:
            abort(500)
        return self.function()


def serve(app: Any, port: int) -> None:
    """Answer requests until the process is killed."""
    import bjoern

    bjoern.run(app, "127.0.0.1", port)


def serve_function(function: Callable[[], Any], port: int) -> None:
    """Answer requests with a function of this process."""
    app = Environment()
    app.function = function
    serve(app, port)
