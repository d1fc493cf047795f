"""Call functions in tests: through the local router and the environment, in the test's own process.

What differs from `python -m kit serve`: all functions share one process.
"""

from __future__ import annotations

import json
import logging
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import FrameType
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import Client as WsgiClient
from werkzeug.test import EnvironBuilder, TestResponse

from kit.errors import KitError
from kit.project import Project
from kit.serve import functions
from kit.serve.environment import FunctionApp
from kit.serve.functions import Function
from kit.serve.gateway import Gateway, InvocationError
from kit.serve.router import Router
from kit.serve.triggers import Outcome, Triggers
from kit.serve.wsgi import Environ, Reply, call_wsgi

_log = logging.getLogger("kit")


class Client:
    """Sends requests to the project's functions as if they came in through Fission's router.

    Every method returns werkzeug's TestResponse: `.status_code`, `.json`, `.text`, `.headers`. A function that takes
    longer than its time limit is stopped and answered by the router's 504.
    """

    def __init__(self, project: Project) -> None:
        gateway, self._triggers = _local_fission(project)
        self._wsgi = WsgiClient(gateway)

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

    def timer(self, name: str) -> TestResponse:
        """Fire a timer, as Fission does on schedule.

        Args:
            name: as in the Fission block, for example `nightly`, or that of its object.

        Raises:
            KitError: there is no such timer, or there are several.
        """
        return _response(self._triggers.fire(name))

    def message(self, topic: str, body: Any) -> TestResponse:
        """Deliver a queue message, and again as often as the trigger's `max_retries` allows while it fails.

        Args:
            topic: of the queue, or the name of the trigger.
            body: text or bytes; anything else is sent as JSON.

        Raises:
            KitError: no function listens to the topic, or several do.
        """
        outcomes = self._triggers.send(topic, to_bytes(body))
        if len(outcomes) > 1:
            names = ", ".join(outcome.trigger for outcome in outcomes)
            raise KitError(f"several functions listen to {topic}; name one of the triggers: {names}")
        return _response(outcomes[0])

    def event(self, watch: str, body: Any, *, event: str = "ADDED") -> TestResponse:
        """Tell a watch's function about a Kubernetes object.

        Args:
            watch: as in the Fission block.
            body: the object; sent as JSON.
            event: ADDED, MODIFIED or DELETED.

        Raises:
            KitError: there is no such watch or event.
        """
        return _response(self._triggers.notify(watch, event, to_bytes(body)))


def to_bytes(body: Any) -> bytes:
    """Return a message's bytes: text in UTF-8, bytes as they are, anything else as JSON."""
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else json.dumps(body)).encode()


@lru_cache(maxsize=1)
def _local_fission(project: Project) -> tuple[Gateway, Triggers]:
    """One per test run: reading the blocks and importing the functions takes longer than most tests."""
    served = functions.read(project, examples=True)
    folders = functions.folders(project, examples=True)
    # fidelity: test-client
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
        with _time_limit(function):
            return call_wsgi(apps[function.name], environ)

    gateway = Gateway(Router(served.routes), invoke)
    return gateway, Triggers(served, gateway.call)


class _TimeUp(BaseException):
    """Passes every `except Exception` of the function."""


@contextmanager
def _time_limit(function: Function) -> Iterator[None]:
    """Stop a function that takes too long. Signals reach the main thread only; elsewhere there is no limit."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, function.timeout)
    try:
        yield
    except _TimeUp:
        message = f"{function.name} did not answer within {function.timeout:.0f} s"
        raise InvocationError(504, "timeout", "function_timeout", message) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _response(outcome: Outcome) -> TestResponse:
    request = EnvironBuilder(method="POST").get_request()
    return TestResponse([outcome.body], str(outcome.status), Headers(outcome.headers), request)
