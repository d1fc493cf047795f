"""Fission's router as a WSGI application.

How a function is called is left to a callable: tests call it in their own process, the server in a worker process.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Call:
    """What a trigger other than HTTP sends to a function.

    Attributes:
        method: of the request.
        subpath: the path that the function sees; begins with `/`.
        headers: those of the trigger.
        body: of the request.
    """

    method: str = "POST"
    subpath: str = "/"
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def environ(self, function: Function) -> Environ:
        """Return the request as it reaches the router's internal listener."""
        place = "" if function.namespace == "default" else f"{function.namespace}/"
        sent = [("User-Agent", "Go-http-client/1.1"), ("Accept-Encoding", "gzip"), *self.headers]
        named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent if "_" not in name}
        if "HTTP_CONTENT_TYPE" in named:
            named["CONTENT_TYPE"] = named.pop("HTTP_CONTENT_TYPE")
        return named | {
            "REQUEST_METHOD": self.method,
            "PATH_INFO": f"/fission-function/{place}{function.name}{self.subpath}",
            "QUERY_STRING": "",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": "router-internal",
            "SERVER_PORT": "8889",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(self.body)),
            "HTTP_HOST": "router-internal.fission",
        }


class Gateway:
    """The public port of Fission's router.

    Args:
        router: the routes; replace the attribute to change them.
        invoke: calls a function; it may raise InvocationError.
        log: is told about each answered request.

    Attributes:
        pages: if set, answers everything below `/_dev/`, which Fission does not have.
    """

    def __init__(
        self,
        router: Router,
        invoke: Invoke,
        log: Callable[[Record], None] = lambda _: None,
    ) -> None:
        self.router = router
        self.pages: Callable[[Environ], Reply] | None = None
        self._invoke = invoke
        self._log = log

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        begin = time.perf_counter()
        request = headers.request_id(environ)
        reply, function, cors = self._answer(environ, request)
        status = int(reply.status.split()[0])
        start_response(_status_line(status), headers.for_caller(reply.headers, request, cors))
        url, seconds = headers.full_url(environ), time.perf_counter() - begin
        self._log(Record(environ["REQUEST_METHOD"], url, status, seconds, function))
        return reply.body

    def call(self, function: Function, call: Call) -> Reply:
        """Call a function as Fission's timers, queues and watches do: through the router's internal listener.

        Any method reaches the pod, and there are no path variables. Source: pkg/router/routeshape.go,
        registerInternalRoute; pkg/publisher/webhookPublisher.go.
        """
        begin = time.perf_counter()
        environ = call.environ(function)
        request, trace = headers.request_id(environ), headers.trace_id(environ)
        inner = headers.for_function(environ, function, {}, call.subpath, request, trace)
        inner |= {"wsgi.input": io.BytesIO(call.body), "wsgi.input_terminated": True}
        try:
            reply = self._invoke(function, inner)
        except InvocationError as error:
            reply = _structured(error, request, trace)
        status, url = int(reply.status.split()[0]), headers.full_url(environ)
        self._log(Record(call.method, url, status, time.perf_counter() - begin, function.name))
        return reply

    def _answer(self, environ: Environ, request: str) -> tuple[Reply, str, Headers]:
        method = environ["REQUEST_METHOD"]
        path = str(environ.get("PATH_INFO", "")).encode("latin-1").decode("utf-8", "surrogateescape")
        # fidelity: dev-pages
        if self.pages and (path == "/_dev" or path.startswith("/_dev/")):
            return self.pages(environ), "", []
        if own := _own_path(method, path):
            return own, "", []
        # fidelity: authentication
        # fidelity: encoded-paths
        # fidelity: asynchronous
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
    return content(status, [TEXT], text.encode())


def document(value: object, status: int = 200) -> Reply:
    """Return a JSON answer of the router itself."""
    return content(status, [("Content-Type", "application/json")], json.dumps(value, indent=2).encode() + b"\n")


def content(status: int, fields: Headers, body: bytes) -> Reply:
    """Return an answer of the router itself."""
    return Reply(_status_line(status), [*fields, ("Content-Length", str(len(body)))], [body])


def _status_line(status: int) -> str:
    """Go's server writes its own phrase, whatever the function said."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} status code {status}"


def _own_path(method: str, path: str) -> Reply | None:
    """Answer the router's own paths. Source: pkg/router, registerRouterOwnedRoutes."""
    if path == "/":
        return plain(200, "") if method in ("GET", "OPTIONS") else plain(405, "405 method not allowed\n")
    if path in ("/router-healthz", "/readyz"):
        return plain(200, "")
    return document({"version": "local"}) if path == "/_version" else None


def _structured(error: InvocationError, request: str, trace: str) -> Reply:
    details = {
        "component": error.component,
        "reason": error.reason,
        "requestId": request,
        "traceId": trace,
        "message": str(error),
    }
    fields = [("Content-Type", "application/json"), ("X-Fission-Component", error.component)]
    return content(error.status, fields, json.dumps(details).encode() + b"\n")


def _body(environ: Environ) -> bytes:
    """Read the whole body, as bjoern does before it calls the function."""
    stream = environ["wsgi.input"]
    if length := environ.get("CONTENT_LENGTH"):
        return bytes(stream.read(int(length)))
    return bytes(stream.read()) if environ.get("wsgi.input_terminated") else b""
