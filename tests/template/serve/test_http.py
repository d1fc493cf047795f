"""The HTTP server refuses what Go's refuses, keeps connections, and frames every answer."""

from __future__ import annotations

import io
import socket
import threading
import time

import pytest
from kit.serve.http import HttpServer
from kit.serve.http_request import BadRequestError, read_body, read_request


def parse(text: bytes):
    stream = io.BytesIO(text)
    environ = read_request(stream)
    return environ, read_body(stream, environ)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /\r\nHost: x\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"G(T / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBlank : 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nLong: " + b"a" * (1 << 20) + b"\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(head):
    with pytest.raises(BadRequestError):
        parse(head)


@pytest.mark.parametrize(
    "text", [b"", b"GET / HTTP/1.1\r\nHost", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab"]
)
def test_what_ends_too_early_is_an_end(text):
    with pytest.raises(EOFError):
        parse(text)


def test_forms_of_a_target():
    assert parse(b"GET http://shop.example:81/a?b=c HTTP/1.1\r\nHost: x\r\n\r\n")[0]["HTTP_HOST"] == "shop.example:81"
    environ, _ = parse(b"GET /a%20b?x=%20&y HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/a b", "x=%20&y")
    assert environ["REQUEST_URI"] == "/a%20b?x=%20&y"


def test_a_length_beside_chunks_is_ignored():
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n"
    environ, body = parse(head + b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n")
    assert (body, "CONTENT_LENGTH" in environ) == (b"abcde", False)


def app(environ, start_response):
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/stream":
        start_response("200 OK", [])
        return iter([b"a", b"", body])
    if environ["PATH_INFO"] == "/cut":
        start_response("200 OK", [("Content-Length", "9")])
        return cut()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def cut():
    yield b"abc"
    raise ConnectionError


@pytest.fixture
def server():
    listener = socket.create_server(("127.0.0.1", 0))
    found = HttpServer(listener, app)
    address = listener.getsockname()
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield address
    found.close()
    thread.join(5)
    assert not thread.is_alive()


def talk(address, text: bytes, until: bytes = b"") -> bytes:
    with socket.create_connection(address, 5) as caller:
        caller.sendall(text)
        seen = b""
        while not (until and seen.endswith(until)) and (part := caller.recv(65536)):
            seen += part
        return seen


POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"


def test_two_requests_share_a_connection_even_when_sent_at_once(server):
    seen = talk(server, POST + POST.replace(b"hi", b"ho"), b"ho")
    assert seen.count(b"HTTP/1.1 200 OK") == 2
    assert b"Connection: close" not in seen
    assert b"Server:" not in seen
    assert b"Date: " in seen


def test_a_connection_ends_when_asked(server):
    assert b"Connection: close" in talk(server, POST.replace(b"Host: x", b"Host: x\r\nConnection: close"))
    assert talk(server, POST.replace(b"HTTP/1.1", b"HTTP/1.0")).endswith(b"\r\n\r\nhi")


def test_what_has_no_length_comes_in_chunks(server):
    seen = talk(server, POST.replace(b"POST /", b"POST /stream"), b"0\r\n\r\n")
    assert seen.endswith(b"Transfer-Encoding: chunked\r\n" + seen.split(b"chunked\r\n")[1])
    assert seen.endswith(b"1\r\na\r\n2\r\nhi\r\n0\r\n\r\n")
    old = talk(server, POST.replace(b"POST /", b"POST /stream").replace(b"1.1", b"1.0"))
    assert old.endswith(b"\r\n\r\nahi")


def test_a_body_that_breaks_off_cuts_the_connection(server):
    with pytest.raises(ConnectionResetError):
        talk(server, b"GET /cut HTTP/1.1\r\nHost: x\r\n\r\n")


def test_a_client_that_waits_for_permission_gets_it(server):
    with socket.create_connection(server, 5) as caller:
        caller.sendall(POST[:-2].replace(b"Host: x", b"Host: x\r\nExpect: 100-continue"))
        assert caller.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.sendall(b"hi")
        assert caller.recv(4096).endswith(b"hi")


def test_a_refusal_says_so_and_closes(server):
    seen = talk(server, b"nonsense\r\n\r\n")
    assert seen.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert seen.endswith(b"\r\n\r\n400 Bad Request")


def test_clients_that_vanish_leave_no_thread(server):
    before = threading.active_count()
    for _ in range(50):
        with socket.create_connection(server, 5) as caller:
            caller.sendall(b"POST / HTTP/1.1\r\nContent-Le")
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= before
