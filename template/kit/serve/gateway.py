"""Fission's router as a WSGI application.

How a function is called is left to a callable: tests call it in their own process, the server in a worker process.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from kit.serve import headers
from kit.serve.functions import Function
from kit.serve.router import Miss, Router
from kit.serve.wsgi import Environ, Headers, Reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

TEXT = ("Content-Type", "text/plain; charset=utf-8")


@dataclass(frozen=True)
class Record:
    """What is said about a request when it has been answered; `seconds` until the first byte of the answer."""

    method: str
    url: str
    status: int
    seconds: float
    function: str


class InvocationError(Exception):
    """The function could not answer; becomes the router's structured error.

    Source: fission/fission v1.27.0, pkg/error/invocation.go.
    """

    def __init__(self, status: int, component: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.component = component
        self.reason = reason


Invoke = Callable[[Function, Environ], Reply]


class Gateway:
    """The public port of Fission's router.

    Args:
        router: the routes; replace the attribute to change them.
        invoke: calls a function; it may raise InvocationError.
        pages: answers everything below `/_dev/`, which Fission does not have.
        log: is told about each answered request.
    """

    def __init__(
        self,
        router: Router,
        invoke: Invoke,
        pages: Callable[[Environ], Reply] | None = None,
        log: Callable[[Record], None] = lambda _: None,
    ) -> None:
        self.router = router
        self._invoke = invoke
        self._pages = pages
        self._log = log

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        begin = time.perf_counter()
        request = headers.request_id(environ)
        reply, function, cors = self._answer(environ, request)
        start_response(reply.status, headers.for_caller(reply.headers, request, cors))
        seconds = time.perf_counter() - begin
        url, status = headers.full_url(environ), int(reply.status.split()[0])
        self._log(Record(environ["REQUEST_METHOD"], url, status, seconds, function))
        return reply.body

    def _answer(self, environ: Environ, request: str) -> tuple[Reply, str, Headers]:
        method = environ["REQUEST_METHOD"]
        path = str(environ.get("PATH_INFO", "")).encode("latin-1").decode("utf-8", "surrogateescape")
        if self._pages and path.startswith("/_dev/"):
            return self._pages(environ), "", []
        if own := _own_path(method, path):
            return own, "", []
        found = self.router.match(method, path)
        if isinstance(found, Miss):
            phrase = "page not found" if found.status == HTTPStatus.NOT_FOUND else "method not allowed"
            return plain(found.status, f"{found.status} {phrase}\n"), "", []
        if not str(environ.get("CONTENT_LENGTH") or "0").isdecimal():
            return plain(400, "400 Bad Request"), "", []  # Go's server does not even read such a request
        route, cors = found.route, []
        if route.cors:
            origin = str(environ.get("HTTP_ORIGIN", ""))
            if headers.is_preflight(environ):
                allowed = headers.cors_preflight(route.cors, origin, route.methods)
                if allowed is None:
                    return plain(403, "cross-origin requests not permitted\n"), "", []
                return plain(204, ""), "", allowed
            cors = headers.cors_answer(route.cors, origin)
        trace = headers.trace_id(environ)
        try:
            rewritten = route.rewrite(path)
            inner = headers.for_function(environ, route.function, found.variables, rewritten, request, trace)
            inner["wsgi.input"] = io.BytesIO(_body(environ))
            inner["wsgi.input_terminated"] = True
            return self._invoke(route.function, inner), route.function.name, cors
        except InvocationError as error:
            return _structured(error, request, trace), route.function.name, cors
        except ValueError as error:
            failure = InvocationError(500, "function", "function_error", str(error))
            return _structured(failure, request, trace), route.function.name, cors


def plain(status: int, text: str) -> Reply:
    """Return a text answer of the router itself."""
    return _reply(status, [TEXT], text.encode())


def document(value: object) -> Reply:
    """Return a JSON answer of the router itself."""
    return _reply(200, [("Content-Type", "application/json")], json.dumps(value, indent=2).encode() + b"\n")


def _reply(status: int, fields: Headers, body: bytes) -> Reply:
    return Reply(f"{status} {HTTPStatus(status).phrase}", [*fields, ("Content-Length", str(len(body)))], [body])


def _own_path(method: str, path: str) -> Reply | None:
    """Answer the router's own paths. Source: pkg/router, registerRouterOwnedRoutes."""
    if path == "/":
        return plain(200, "") if method in ("GET", "OPTIONS") else plain(405, "405 method not allowed\n")
    if path in ("/router-healthz", "/readyz"):
        return plain(200, "")
    return document({"version": "local"}) if path == "/_version" else None


def _structured(error: InvocationError, request: str, trace: str) -> Reply:
    content = {
        "component": error.component,
        "reason": error.reason,
        "requestId": request,
        "traceId": trace,
        "message": str(error),
    }
    fields = [("Content-Type", "application/json"), ("X-Fission-Component", error.component)]
    return _reply(error.status, fields, json.dumps(content).encode() + b"\n")


def _body(environ: Environ) -> bytes:
    """Read the whole body, as bjoern does before it calls the function."""
    stream = environ["wsgi.input"]
    if length := environ.get("CONTENT_LENGTH"):
        return bytes(stream.read(int(length)))
    return bytes(stream.read()) if environ.get("wsgi.input_terminated") else b""
