"""Call functions in tests: through the local router and the environment, in the test's own process.

What differs from `python -m kit serve`: all functions share one process, and no timeout is enforced.
"""

from __future__ import annotations

import logging
import traceback
from functools import lru_cache
from typing import Any

from werkzeug.test import Client as WsgiClient
from werkzeug.test import TestResponse

from kit.project import Project
from kit.serve import functions
from kit.serve.environment import FunctionApp
from kit.serve.functions import Function
from kit.serve.gateway import Gateway, InvocationError
from kit.serve.router import Router
from kit.serve.wsgi import Environ, Reply, call_wsgi

_log = logging.getLogger("kit")


class Client:
    """Sends requests to the project's functions as if they came in through Fission's router.

    Every method returns werkzeug's TestResponse: `.status_code`, `.json`, `.text`, `.headers`.
    """

    def __init__(self, project: Project) -> None:
        self._wsgi = WsgiClient(_gateway(project))

    def get(self, path: str, **options: Any) -> TestResponse:
        """Send a GET request. Options are those of `open`."""
        return self.open("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        """Send a POST request. Options are those of `open`."""
        return self.open("POST", path, **options)

    def put(self, path: str, **options: Any) -> TestResponse:
        """Send a PUT request. Options are those of `open`."""
        return self.open("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        """Send a DELETE request. Options are those of `open`."""
        return self.open("DELETE", path, **options)

    def open(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        """Send a request.

        Args:
            method: any, also one that Fission refuses.
            path: with the query, if there is one.
            headers: names that hold `_` are dropped, as the pod's server does.
            options: `json`, `data`, `query_string` and all else that werkzeug's EnvironBuilder takes.
        """
        kept = {name: value for name, value in (headers or {}).items() if "_" not in name}
        return self._wsgi.open(path, method=method, headers=kept, **options)


@lru_cache(maxsize=1)
def _gateway(project: Project) -> Gateway:
    """One per test run: reading the blocks and importing the functions takes longer than most tests."""
    _, routes = functions.read(project, examples=True)
    folders = functions.folders(project, examples=True)
    apps: dict[str, FunctionApp] = {}

    def invoke(function: Function, environ: Environ) -> Reply:
        if function.name not in apps:
            app = FunctionApp()
            try:
                app.specialize(folders, function.entrypoint)
            except Exception as error:
                _log.exception("%s cannot be loaded", function.path)
                reason = traceback.format_exception_only(error)[-1].strip()
                message = f"{function.path.name}: {reason}"
                raise InvocationError(500, "executor", "specialization_failed", message) from error
            apps[function.name] = app
        return call_wsgi(apps[function.name], environ)

    return Gateway(Router(routes), invoke)
