"""Messages between the server and its worker processes, over a socket pair.

A message is one letter for its kind, four bytes with the length of its content, and the content.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

READY = b"R"  # worker: the function is loaded; content: JSON with `pid`
FAILED = b"F"  # worker: it could not be loaded; content: JSON with `reason`
CALL = b"C"  # server: a request; content: two parts, the WSGI environment's texts as JSON and the body
HEAD = b"H"  # worker: status and headers of the answer as JSON
DATA = b"D"  # worker: a piece of the answer's body
END = b"E"  # worker: the answer is complete
BROKEN = b"B"  # worker: the body ended in an exception after its head was sent

DONE = b"."  # its answer to each order; the server waits for it, so that two orders never arrive as one
GRACE = 2.0  # seconds between SIGTERM and SIGKILL at the end

_PREFIX = struct.Struct("!cI")


class Channel:
    """One end of a socket pair."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end

    def send(self, kind: bytes, content: bytes = b"") -> None:
        """Send one message.

        Raises:
            OSError: the other side is gone.
        """
        self.end.sendall(_PREFIX.pack(kind, len(content)) + content)

    def send_json(self, kind: bytes, content: Any) -> None:
        """Send one message whose content is JSON."""
        self.send(kind, json.dumps(content).encode("ascii"))

    def receive(self, deadline: float | None = None) -> tuple[bytes, bytes]:
        """Receive one message.

        Args:
            deadline: until when to wait, on the clock of `time.monotonic`.

        Raises:
            TimeoutError: the deadline has passed.
            EOFError: the other side is gone.
        """
        kind, size = _PREFIX.unpack(self._exactly(_PREFIX.size, deadline))
        return kind, self._exactly(size, deadline)

    def close(self) -> None:
        """Close this end; the other side notices."""
        self.end.close()

    def _exactly(self, size: int, deadline: float | None) -> bytes:
        parts, missing = [], size
        while missing:
            if deadline is None:
                self.end.settimeout(None)
            else:
                self.end.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                part = self.end.recv(min(missing, 1 << 20))
            except ConnectionError as error:
                raise EOFError from error
            finally:
                self.end.settimeout(None)
            if not part:
                raise EOFError
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


def pack_call(environ: dict[str, str], body: bytes) -> bytes:
    """Return the content of a CALL."""
    text = json.dumps(environ).encode("ascii")
    return struct.pack("!I", len(text)) + text + body


def unpack_call(content: bytes) -> tuple[dict[str, str], bytes]:
    """Return the WSGI environment's texts and the body of a CALL."""
    (size,) = struct.unpack_from("!I", content)
    return json.loads(content[4 : 4 + size]), content[4 + size :]
