"""The local server under nonsense and load: it neither hangs nor leaks, and says so when there is too much."""

from __future__ import annotations

import collections
import concurrent.futures
import os
import random
import socket
import threading
import time
from pathlib import Path

import pytest
import requests
from kit.serve.functions import Function
from kit.serve.gateway import InvocationError
from kit.serve.workers import Workers

REQUESTS = 10_000
CLIENTS = 200
SECONDS = 10.0  # that one answer may take

METHODS = [
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "get",
    "X",
    "",
    "\x00",
    "G T",
]
PLACES = [
    "/items",
    "/items/",
    "/items/7",
    "/echo",
    "/echo/x",
    "/_dev/",
    "/_dev/state.json",
    "/health",
    "/",
    "*",
    "x",
    "//",
]
BITS = ["%", "%2F", "%00", "%zz", "é", "?", "a=b&", "#", "..", " ", "\t", "'", '"', "{", "0" * 300, "\x7f", "limit=1"]
NAMES = [
    "Host",
    "X-A",
    "X_A",
    "Content-Type",
    "Cookie",
    "Expect",
    "Origin",
    "Connection",
    "X-User",
    "Te",
    "",
    "a b",
    "É",
]
VALUES = ["", "x", "application/json", "100-continue", "close", "keep-alive", "a" * 2000, "\x00", "ü", "-1", "1, 2"]


def make(chance: random.Random) -> tuple[bytes, bool]:
    """Return the bytes of one request and whether they may be incomplete."""
    target = chance.choice(PLACES) + "".join(chance.choices(BITS, k=chance.choice([0] * 7 + [1, 2])))
    lines = [f"{chance.choice(METHODS[:6] * 20 + METHODS)} {target} HTTP/1.{chance.choice('1' * 20 + '02')}"]
    lines += ["Host: localhost"] * chance.choice([1] * 12 + [0])
    lines += [f"{chance.choice(NAMES)}: {chance.choice(VALUES)}" for _ in range(chance.choice([0] * 6 + [1, 3]))]
    body = chance.choice([b"", b"", b'{"name": "x"}', b"\x00\xff" * 50, b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n"])
    length = chance.choice([str(len(body))] * 6 + ["0", "999999", "x", "-1"] * chance.choice([0, 0, 0, 1]))
    lines.append(chance.choice([f"Content-Length: {length}"] * 4 + ["Transfer-Encoding: chunked", "X-Nothing: 1"]))
    text = "\r\n".join([*lines, "\r\n"]).encode("utf-8" if chance.random() < 0.5 else "latin-1", "replace") + body
    return (text[: chance.randrange(len(text))], True) if chance.random() < 0.1 else (text, False)


def ask(port: int, text: bytes) -> str:
    """Send the bytes, close our side, and return the kind of answer; a server that hangs raises TimeoutError."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as caller:
        try:
            caller.sendall(text)
            caller.shutdown(socket.SHUT_WR)
            seen = b"".join(iter(lambda: caller.recv(1 << 16), b""))
        except ConnectionError:
            return "reset"
    assert seen == b"" or seen.startswith(b"HTTP/1.1 "), seen[:100]
    return seen[9:12].decode() or "closed"


def resources(pid: int) -> tuple[int, int, int]:
    """Open files, threads and kilobytes of a process."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"]), int(status["VmRSS"].split()[0])


def test_ten_thousand_fuzzed_requests(serve, write_function):
    block = '"http_triggers": {"echo": {"prefix": "/echo", "methods": ["GET", "POST", "PUT", "OPTIONS", "HEAD"]}}'
    write_function("echo", "return flask.request.get_data() or 'nothing'", top="import flask", block=block)
    running = serve()
    assert running.get("/health").status_code == 200
    port, pid, chance = int(running.url.rpartition(":")[2]), running.process.pid, random.Random(20261122)
    texts = [make(chance)[0] for _ in range(REQUESTS)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        counts = collections.Counter(pool.map(lambda text: ask(port, text), texts[:1000]))
        before = resources(pid)
        counts += collections.Counter(pool.map(lambda text: ask(port, text), texts[1000:]))
    assert running.get("/health").status_code == 200
    deadline = time.monotonic() + SECONDS
    while (after := resources(pid))[:2] > (before[0] + 2, before[1] + 2) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert sum(counts.values()) == REQUESTS
    assert counts["200"] > 500, counts
    assert counts["400"] > 500, counts
    assert set(counts) <= {"200", "201", "204", "308", "400", "403", "404", "405", "413", "415", "422", "500", "501",
                           "505", "100", "closed", "reset"}, counts  # fmt: skip
    assert counts["500"] < 20, counts
    assert (after[0] - before[0], after[1] - before[1]) <= (2, 2), (before, after)
    assert after[2] - before[2] < 20_000, (before, after)
    begin = running.output.find("Traceback")
    assert begin < 0, running.output[begin : begin + 3000]


def test_two_hundred_clients_at_once(serve, write_function):
    body = "return {'n': int(flask.request.args['n']) * 2}"
    write_function("double", body, top="import flask", block='"concurrency": 500, "http_triggers": '
                   '{"double": {"url": "/double", "methods": ["GET"]}}')  # fmt: skip
    running = serve("--no-examples")
    begun = threading.Barrier(CLIENTS)

    def client(number: int) -> bool:
        session = requests.Session()
        begun.wait(30)
        return all(
            session.get(f"{running.url}/double?n={number + turn}", timeout=60).json() == {"n": 2 * (number + turn)}
            for turn in range(3)
        )

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        assert list(pool.map(client, range(CLIENTS))) == [True] * CLIENTS


def test_more_requests_than_fission_admits_are_a_429(serve, write_function):
    write_function("slow", "time.sleep(0.7)\nreturn 'done'", top="import time", block='"concurrency": 2, '
                   '"http_triggers": {"slow": {"url": "/slow", "methods": ["GET"]}}')  # fmt: skip
    running = serve("--no-examples")
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: running.get("/slow"), range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert (refused.json()["component"], refused.json()["reason"]) == ("executor", "capacity_exceeded")
    assert refused.headers["X-Fission-Component"] == "executor"
    assert "Retry-After" not in refused.headers
    assert running.get("/slow").status_code == 200


def test_the_parent_of_the_workers_is_replaced_when_it_is_gone(template, tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "one.py").write_text("import os\n\ndef main():\n    return str(os.getppid())\n")
    workers = Workers(template, [tmp_path / "f"], {}, tmp_path)
    function = Function("one", "default", "one.main", 10, tmp_path / "f" / "one.py")
    spare = [socket.socket() for _ in range(12)]  # so that the new socket's number has two digits
    try:
        first = call(workers, function)
        os.kill(int(first), 9)
        deadline = time.monotonic() + SECONDS
        while (second := call(workers, function)) in (first, "gone") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert second not in (first, "gone")
    finally:
        workers.stop()
        for one in spare:
            one.close()


def call(workers: Workers, function: Function) -> str:
    import io

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_HOST": "x", "wsgi.input": io.BytesIO()}
    try:
        return b"".join(workers.invoke(function, environ).body).decode()
    except InvocationError:
        return "gone"
