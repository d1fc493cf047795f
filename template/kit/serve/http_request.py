"""Reading HTTP/1.1 requests from a socket and turning them into WSGI environments (PEP 3333, RFC 9112).

Two servers are imitated at once, because in a cluster a request passes both: Go's net/http, which Fission's router
is built on, decides what is no request at all; bjoern or gevent in the pod decides how its headers are joined.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from kit.serve.wsgi import Environ

HEAD_BYTES = 1 << 20  # Go's http.DefaultMaxHeaderBytes
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VERSION = re.compile(rb"HTTP/(\d)\.(\d)")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_BAD_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?")

Join = Callable[[str, list[str]], str]


class BadRequestError(Exception):
    """What arrived is no request; the connection ends after the answer."""

    def __init__(self, status: str = "400 Bad Request", text: str = "") -> None:
        super().__init__(text or status)
        self.status = status


def join_like_bjoern(name: str, values: list[str]) -> str:
    """Join repeated headers without a separator. Source: bjoern 3.2.2, request.c, on_header_value; observed.

    The router itself joins X-Forwarded-For. Source: Go, net/http/httputil, ReverseProxy.
    """
    return (", " if name == "X_FORWARDED_FOR" else "").join(values)


def join_like_gevent(name: str, values: list[str]) -> str:
    """Join repeated headers with commas, cookies with semicolons. Source: gevent, pywsgi.py; observed."""
    return ("; " if name == "COOKIE" else ",").join(values)


def read_request(stream: BinaryIO, join: Join = join_like_bjoern, go_on: Callable[[], None] = lambda: None) -> Environ:
    """Read the head of one request; the body is left for `read_body`.

    Args:
        stream: where from.
        join: makes one value of a repeated header.
        go_on: is called when the client wants to be told to send its body (`Expect: 100-continue`).

    Raises:
        BadRequestError: it is no request.
        EOFError: the client has closed the connection.
    """
    line = stream.readline(HEAD_BYTES)
    if line in (b"\r\n", b"\n"):  # RFC 9112, 2.2: one empty line is to be ignored
        line = stream.readline(HEAD_BYTES)
    if not line:
        raise EOFError
    method, target, minor = _request_line(line)
    fields = _fields(stream, HEAD_BYTES - len(line))
    path, query = _split(target, fields)
    environ: Environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "REQUEST_URI": (path + (b"?" + query if query or target.endswith(b"?") else b"")).decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/1.{minor}",
    }
    for name, values in fields.items():
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        environ[key] = values[0] if len(values) == 1 else join(name, values)
    if minor and "HTTP_HOST" not in environ:
        raise BadRequestError(text="400 Bad Request: missing required Host header")
    _check_length(environ, fields)
    if str(environ.pop("HTTP_EXPECT", "")).lower() == "100-continue":
        go_on()
    return environ


def read_body(stream: BinaryIO, environ: Environ) -> bytes:
    """Read the body that belongs to a head, whole, as bjoern does before it calls the function.

    Raises:
        BadRequestError: its chunks are malformed.
        EOFError: it ends too early.
    """
    if "HTTP_TRANSFER_ENCODING" in environ:
        parts = []
        while size := _chunk_size(stream):
            parts.append(_exactly(stream, size))
            if stream.readline(3).strip():
                raise BadRequestError
        while stream.readline(HEAD_BYTES).strip():
            pass  # trailers, which neither bjoern nor Flask shows
        return b"".join(parts)
    return _exactly(stream, int(environ.get("CONTENT_LENGTH") or 0))


def _request_line(line: bytes) -> tuple[str, bytes, int]:
    parts = line.rstrip(b"\r\n").split(b" ")
    if not line.endswith(b"\n") or len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or not parts[1]:
        raise BadRequestError
    version = _VERSION.fullmatch(parts[2])
    if not version:
        raise BadRequestError
    if version[1] != b"1":
        raise BadRequestError("505 HTTP Version Not Supported", "505 HTTP Version Not Supported: unsupported protocol")
    return parts[0].decode("ascii"), parts[1], int(version[2])


def _fields(stream: BinaryIO, left: int) -> dict[str, list[str]]:
    """Return all values by name, in capitals and with `_` for `-`. What holds `_` already is dropped, as in the pod."""
    found: dict[str, list[str]] = {}
    while True:
        line = stream.readline(left + 1)
        left -= len(line)
        if left < 0:
            raise BadRequestError("431 Request Header Fields Too Large")
        if not line.endswith(b"\n"):
            raise EOFError
        line = line.rstrip(b"\r\n")
        if not line:
            return found
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        if not colon or not _TOKEN.fullmatch(name) or _BAD_VALUE.search(value):
            raise BadRequestError
        if b"_" not in name:
            key = name.decode("ascii").upper().replace("-", "_")
            found.setdefault(key, []).append(value.decode("latin-1"))


def _split(target: bytes, fields: dict[str, list[str]]) -> tuple[bytes, bytes]:
    """Return path and query of a target in origin form, absolute form or `*`."""
    path, _, query = target.partition(b"?")
    if path[:7].lower() == b"http://":
        host, slash, rest = path[7:].partition(b"/")
        fields["HOST"] = [host.decode("latin-1")]
        path = slash + rest or b"/"
    elif not path.startswith(b"/") and path != b"*":
        raise BadRequestError
    if _BAD_ESCAPE.search(path) or any(byte < 0x21 or byte == 0x7F for byte in target):
        raise BadRequestError
    return path, query


def _check_length(environ: Environ, fields: dict[str, list[str]]) -> None:
    encodings = [value.lower() for value in fields.get("TRANSFER_ENCODING", [])]
    if encodings:
        if encodings != ["chunked"]:
            raise BadRequestError("501 Not Implemented", "501 Not Implemented: unsupported transfer encoding")
        environ.pop("CONTENT_LENGTH", None)
        return
    lengths = set(fields.get("CONTENT_LENGTH", []))
    if len(lengths) > 1 or any(not (value.isascii() and value.isdecimal()) or len(value) > 18 for value in lengths):
        raise BadRequestError
    for value in lengths:
        environ["CONTENT_LENGTH"] = value


def _chunk_size(stream: BinaryIO) -> int:
    line = stream.readline(4096)
    if not line:
        raise EOFError
    found = _CHUNK_SIZE.fullmatch(line.rstrip(b"\r\n"))
    if not found:
        raise BadRequestError
    return int(found[1], 16)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    content = stream.read(size) if size else b""
    if len(content) < size:
        raise EOFError
    return content
