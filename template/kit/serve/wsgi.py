"""Calling a WSGI application (PEP 3333) as the pod's server does. Imported by every worker, so it imports little."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Headers = list[tuple[str, str]]
Environ = dict[str, Any]
Server = Literal["bjoern", "gevent"]


@dataclass(frozen=True)
class Reply:
    """An answer; `status` is for example `200 OK`. If `body` has a `close`, it is called at the end."""

    status: str
    headers: Headers
    body: Iterable[bytes]


def call_wsgi(
    app: Callable[[Environ, StartResponse], Iterable[bytes]], environ: Environ, server: Server = "bjoern"
) -> Reply:
    """Call a WSGI application and return its answer.

    The first part of the body is fetched before the head goes out, so what fails until then is a 500 of the server:
    bjoern's has no header and no body. bjoern also refuses parts that are not `bytes`. Both were observed.

    Args:
        app: the application.
        environ: the request; what the server tells about itself is added.
        server: whose habits to have.
    """
    started: list[tuple[str, Headers]] = []

    def start_response(status: str, fields: Headers, _exc_info: object = None) -> Callable[[bytes], object]:
        started[:] = [(status, fields)]
        return lambda _: None

    if server == "bjoern" and not f"{environ.get('REQUEST_URI', '')}{environ.get('QUERY_STRING', '')}".isascii():
        return Reply("400 Bad Request", [("Content-Length", "0")], [])  # its parser reads such a request line as broken
    body = app({**environ, **_about(server)}, start_response)
    if isinstance(body, list):
        return Reply(*started[0], body)
    parts = iter(body)
    try:
        first = next(parts, b"")
        if server == "bjoern" and not isinstance(first, bytes):
            raise TypeError(f"iterable yielded non-bytes of type {type(first).__name__}")
    except Exception:
        traceback.print_exc()
        _close(body)
        text = b"" if server == "bjoern" else b"Internal Server Error"
        headers = [("Content-Type", "text/plain")] if text else []
        return Reply("500 Internal Server Error", [*headers, ("Content-Length", str(len(text)))], [text])
    return Reply(*started[0], _Parts(first, parts, body))


class _Parts(Iterator[bytes]):
    """A body whose first part has been fetched already."""

    def __init__(self, first: bytes, rest: Iterator[bytes], body: Iterable[bytes]) -> None:
        self._first: bytes | None = first
        self._rest = rest
        self._body = body

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._rest)

    def close(self) -> None:
        _close(self._body)


def _close(body: Iterable[bytes]) -> None:
    if close := getattr(body, "close", None):
        close()


def _about(server: Server) -> Environ:
    return {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": server == "bjoern",  # the image starts it with reuse_port
        "wsgi.run_once": False,
    }
