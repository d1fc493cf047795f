"""Calling a WSGI application (PEP 3333). Imported by every worker, so it imports next to nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Headers = list[tuple[str, str]]
Environ = dict[str, Any]

# What python/server.py's server tells the application about itself.
_SERVER = {
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": False,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


@dataclass(frozen=True)
class Reply:
    """An answer; `status` is for example `200 OK`. If `body` has a `close`, it is called at the end."""

    status: str
    headers: Headers
    body: Iterable[bytes]


def call_wsgi(app: Callable[[Environ, StartResponse], Iterable[bytes]], environ: Environ) -> Reply:
    """Call a WSGI application and return its answer."""
    started: list[tuple[str, Headers]] = []

    def start_response(status: str, fields: Headers, _exc_info: object = None) -> Callable[[bytes], object]:
        started[:] = [(status, fields)]
        return lambda _: None

    body = app({**environ, **_SERVER}, start_response)
    return Reply(*started[0], body)
