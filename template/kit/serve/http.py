"""A small HTTP/1.1 server for one WSGI application: a thread per connection, connections are kept.

Werkzeug's own server closes each connection, names itself, and joins repeated headers differently from a pod.
"""

from __future__ import annotations

import io
import selectors
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from kit.serve.http_request import BadRequestError, Join, join_like_bjoern, read_body, read_request
from kit.serve.wsgi import Environ, Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

IDLE_SECONDS = 120.0  # as Fission's router: how long a connection may wait for its next request, or for one to go on
_LINGER_NOT = struct.pack("ii", 1, 0)

Application = Callable[[Environ, "StartResponse"], Iterable[bytes]]


class HttpServer:
    """Serves a WSGI application on a listening socket.

    Args:
        listener: `serve_forever` closes it at its end.
        app: must give each answer a `Content-Length`, or it is sent in chunks.
        join: makes one value of repeated request headers.
    """

    def __init__(self, listener: socket.socket, app: Application, join: Join = join_like_bjoern) -> None:
        self._listener = listener
        self._app = app
        self._join = join
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._wake, self._woken = socket.socketpair()

    def serve_forever(self) -> None:
        """Accept connections until `close` is called."""
        with self._listener, self._woken, selectors.DefaultSelector() as selector:
            self._listener.setblocking(False)
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._woken in ready:
                    return
                try:
                    connection, address = self._listener.accept()
                except BlockingIOError:
                    continue
                except OSError:  # for example too many open files; the client's connection waits
                    time.sleep(0.05)
                    continue
                threading.Thread(target=self._serve, args=(connection, address), daemon=True).start()

    def close(self) -> None:
        """Accept nothing more and cut all connections."""
        self._wake.close()
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _serve(self, connection: socket.socket, address: tuple[str, int]) -> None:
        with self._guard:
            self._open.add(connection)
        try:
            connection.settimeout(IDLE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection.makefile("rb", 1 << 16) as stream:
                while self._answer(connection, stream, address):
                    pass
        except (EOFError, OSError):
            pass  # the client is gone, or was silent for too long
        except Exception:
            traceback.print_exc()
        finally:
            with self._guard:
                self._open.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, stream: Any, address: tuple[str, int]) -> bool:
        """Answer one request; return whether another may follow."""
        try:
            environ = read_request(stream, self._join, lambda: connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n"))
            # fidelity: bodies
            body = read_body(stream, environ)
        except BadRequestError as error:
            text = f"HTTP/1.1 {error.status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
            connection.sendall(f"{text}{error}".encode("ascii"))
            connection.shutdown(socket.SHUT_WR)
            return False
        wanted = str(environ.get("HTTP_CONNECTION", "")).lower()
        keep = "close" not in wanted and (environ["SERVER_PROTOCOL"] != "HTTP/1.0" or "keep-alive" in wanted)
        # fidelity: websocket
        port = connection.getsockname()[1]
        environ |= {"REMOTE_ADDR": address[0], "SERVER_NAME": "127.0.0.1", "SERVER_PORT": str(port)}
        environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "wsgi.errors": sys.stderr}
        return _Answer(connection, environ, keep).send(self._app)


class _Answer:
    """One answer on its way to the client."""

    def __init__(self, connection: socket.socket, environ: Environ, keep: bool) -> None:
        self._connection = connection
        self._environ = environ
        self._keep = keep
        self._chunked = False
        self._has_body = True
        self._head = b""

    def send(self, app: Application) -> bool:
        """Call the application and send what it answers; return whether the connection can be kept."""
        body = app(self._environ, self._start)
        try:
            for part in body:
                if part and self._has_body:
                    part = b"%x\r\n%b\r\n" % (len(part), part) if self._chunked else part
                    self._connection.sendall(self._take_head() + part)
            if rest := self._take_head() + (b"0\r\n\r\n" if self._chunked and self._has_body else b""):
                self._connection.sendall(rest)
        except ConnectionError:  # the function failed in the middle; only cutting the connection can say so
            self._connection.sendall(self._take_head())
            if not self._chunked and self._has_body:
                self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            return False
        finally:
            if close := getattr(body, "close", None):
                close()
        return self._keep

    def _start(self, status: str, headers: Headers, _exc_info: object = None) -> Callable[[bytes], object]:
        names = {name.lower() for name, _ in headers}
        code = int(status[:3])
        no_body = code < 200 or code in (204, 304)
        self._has_body = not no_body and self._environ["REQUEST_METHOD"] != "HEAD"
        fields = [f"{name}: {value}" for name, value in headers]
        if not no_body and "content-length" not in names:
            if self._environ["SERVER_PROTOCOL"] == "HTTP/1.0":
                self._keep = False
            else:
                self._chunked = True
                fields.append("Transfer-Encoding: chunked")
        if "date" not in names:
            fields.append(f"Date: {formatdate(usegmt=True)}")
        if not self._keep:
            fields.append("Connection: close")
        self._head = "\r\n".join([f"HTTP/1.1 {status}", *fields, "\r\n"]).encode("latin-1")
        return lambda _: None

    def _take_head(self) -> bytes:
        head, self._head = self._head, b""
        return head
