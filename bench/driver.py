"""Load: wrk where it is installed, else a small driver in Python.

Both send the same bytes in a closed loop: every connection sends its next request when the answer is there. Requests
are whole HTTP/1.1 messages; ``########`` in one of them is replaced by a number that never repeats.
"""

from __future__ import annotations

import itertools
import json
import selectors
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench import BENCH

PLACEHOLDER = b"########"
NUMBERS_PER_RUN = 200_000  # more than any server answers in one run
_first_number = itertools.count(0, NUMBERS_PER_RUN)


@dataclass(frozen=True)
class Load:
    """What one run measured.

    Attributes:
        rps: answers per second.
        p50_ms: half of the answers took at most this long.
        p99_ms: 99 of 100 answers took at most this long.
        failed: answers outside 2xx, and connections that broke.
    """

    rps: float
    p50_ms: float
    p99_ms: float
    failed: int


def build_request(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return the bytes of one HTTP/1.1 request."""
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: bench.example",
        *(f"{key}: {value}" for key, value in headers.items()),
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def name() -> str:
    """Return which driver this machine uses, with its version."""
    if wrk := shutil.which("wrk"):
        said = subprocess.run([wrk, "-v"], capture_output=True, text=True, check=False)
        return " ".join((said.stdout + said.stderr).split()[:2])
    return "bench/driver.py (wrk is not installed; on Debian: apt-get install wrk)"


def run(url: str, requests: Sequence[bytes], connections: int, seconds: float, work: Path) -> Load:
    """Send requests in turn over some connections for some seconds.

    Args:
        url: host and port.
        requests: what to send; each connection takes the next one.
        connections: how many requests are on the way at any time.
        seconds: how long; with wrk at least 1.
        work: a folder for the file that wrk reads.

    Raises:
        RuntimeError: the driver did not work, or no answer came.
    """
    first = next(_first_number)
    wrk = shutil.which("wrk")
    load = (
        _wrk(wrk, url, requests, connections, seconds, work, first)
        if wrk
        else _own(url, requests, connections, seconds, first)
    )
    if not load.rps:
        raise RuntimeError(f"{url} gave no answer within {seconds} s")
    return load


def _wrk(
    wrk: str, url: str, requests: Sequence[bytes], connections: int, seconds: float, work: Path, first: int
) -> Load:
    file = work / "requests"
    file.write_bytes(b"\0".join(requests))
    arguments = ["-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s", "-s", str(BENCH / "wrk.lua")]
    done = subprocess.run(
        [wrk, *arguments, url, "--", str(file), str(first)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"wrk failed: {(done.stderr or done.stdout).strip()}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return Load(found["requests"] / found["seconds"], found["p50_ms"], found["p99_ms"], found["failed"])


class _Connection:
    """One connection of the driver in Python: at any time one request is on its way."""

    def __init__(self, address: tuple[str, int], messages: Iterator[bytes]) -> None:
        self.socket = socket.create_connection(address, 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._messages = messages
        self._received = b""
        self._sent_at = 0.0

    def send(self) -> None:
        self._received = b""
        self._sent_at = time.perf_counter()
        self.socket.sendall(next(self._messages))

    def receive(self) -> tuple[bool, float] | None:
        """Return whether the answer is a 2xx, and after how many seconds it was complete; None while it is not."""
        chunk = self.socket.recv(262_144)
        if not chunk:
            raise ConnectionError("closed by the server")
        self._received += chunk
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return None
        length = head.lower().partition(b"\ncontent-length:")[2].partition(b"\r")[0]
        if not length.strip().isdigit():
            raise RuntimeError("the driver in Python needs answers with a Content-Length; install wrk")
        if len(body) < int(length):
            return None
        return head.startswith(b"HTTP/1.1 2"), time.perf_counter() - self._sent_at


def _own(url: str, requests: Sequence[bytes], connections: int, seconds: float, first: int) -> Load:
    parts = urlsplit(url)
    numbers = itertools.count(first)
    messages = (raw.replace(PLACEHOLDER, b"%08d" % next(numbers)) for raw in itertools.cycle(requests))
    taken: list[float] = []
    failed = 0
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connection = _Connection((parts.hostname or "127.0.0.1", parts.port or 80), messages)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send()
        started = time.perf_counter()
        while (now := time.perf_counter()) < started + seconds:
            for key, _ in selector.select(0.1):
                answer = key.data.receive()
                if answer is not None:
                    failed += not answer[0]
                    taken.append(answer[1])
                    key.data.send()
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    taken.sort()
    middle, late = (taken[int(len(taken) * share)] * 1000 if taken else 0.0 for share in (0.5, 0.99))
    return Load(len(taken) / (now - started), middle, late, failed)
