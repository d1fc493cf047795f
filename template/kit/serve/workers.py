"""One worker process per function, started at the first request as Fission does it.

A function gets one request at a time, like a pod with bjoern. A process of its own keeps its module-level state,
for example its one database connection, apart from all other functions; a function may call another one over HTTP
without blocking it. When the time limit of a request has passed, the router answers and the worker goes on with
what it does, as in a cluster; the next request gets a fresh worker, as if it were sent to another pod.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kit.serve import frames
from kit.serve.frames import DONE, GRACE, Channel
from kit.serve.functions import Function
from kit.serve.gateway import InvocationError
from kit.serve.wsgi import Environ, Reply

# fidelity: abandoned-requests
ABANDONED = 60.0  # seconds that a worker may go on after its request has timed out


@dataclass
class _Worker:
    channel: Channel
    pid: int


# fidelity: one-pod
# fidelity: idle-pods
@dataclass
class _Slot:
    """The place of one function: who holds the lock may use the worker."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    worker: _Worker | None = None
    stale: bool = False
    requests: int = 0  # that run or wait


class Workers:
    """Calls functions in processes of their own.

    Args:
        root: the project; the processes import the kit from there.
        folders: where the functions' modules lie.
        variables: the environment variables of the processes, in addition to ours.
        place: the processes' working directory.
    """

    def __init__(self, root: Path, folders: Sequence[Path], variables: Mapping[str, str], place: Path) -> None:
        self._folders = [str(folder) for folder in folders]
        self._root = root
        self._environ = {
            **os.environ,
            **variables,
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "KIT_WORKER_FOLDER": str(place),
        }
        self._slots: dict[str, _Slot] = {}
        self._guard = threading.Lock()  # for the parent process
        self._counting = threading.Lock()  # for the slots
        self._parent: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start the parent process, so that the first request need not wait for it."""
        with self._guard:
            self._ensure_parent()

    def stop(self) -> None:
        """End all processes: politely, then firmly."""
        with self._guard:
            if self._control:
                self._control.close()
            if self._parent:
                try:
                    self._parent.wait(GRACE + 3)
                except subprocess.TimeoutExpired:
                    self._parent.kill()
                    self._parent.wait()
            self._control = self._parent = None
        for slot in list(self._slots.values()):
            if slot.worker:
                slot.worker.channel.close()

    def reload(self) -> None:
        """Let every function be loaded again at its next request; requests that run may end."""
        for slot in list(self._slots.values()):
            slot.stale = True
            if slot.lock.acquire(blocking=False):
                with self._counting:
                    slot.requests += 1
                self._release(slot)

    def invoke(self, function: Function, environ: Environ) -> Reply:
        """Call a function.

        Raises:
            InvocationError: it cannot be loaded, takes too long, or its process ends, or it has too many requests.
        """
        with self._counting:
            slot = self._slots.setdefault(function.name, _Slot())
            if function.capacity is not None and slot.requests >= function.capacity:
                message = f"{function.name} has {slot.requests} requests at a time, and Fission would admit no more"
                raise InvocationError(429, "executor", "capacity_exceeded", message)
            slot.requests += 1
        if not slot.lock.acquire(timeout=function.timeout):
            self._leave(slot)
            raise _timed_out(function)
        deadline = time.monotonic() + function.timeout  # waiting for a pod has a budget of its own
        try:
            if slot.worker and not _is_alive(slot.worker):  # for example killed while it was idle
                self._drop(slot)
            worker = slot.worker = slot.worker or self._specialize(function)
            texts = {key: value for key, value in environ.items() if isinstance(value, str)}
            worker.channel.send(frames.CALL, frames.pack_call(texts, environ["wsgi.input"].read()))
            _, content = worker.channel.receive(deadline)
        except TimeoutError as error:
            self._abandon(slot)
            self._release(slot)
            raise _timed_out(function) from error
        except (EOFError, OSError) as error:
            self._drop(slot)
            self._release(slot)
            message = f"the process of {function.name} ended during the request; its output says why"
            raise InvocationError(500, "function", "function_error", message) from error
        except BaseException:
            self._drop(slot)
            self._release(slot)
            raise
        status, headers = json.loads(content)
        return Reply(status, [(name, value) for name, value in headers], _Body(self, slot, worker.channel, deadline))

    def _specialize(self, function: Function) -> _Worker:
        """Start a process for a function. Source: pkg/router, `fromExecutor`: a failure is a 500 of the executor."""
        ours, theirs = socket.socketpair()
        channel = Channel(ours)
        try:
            with theirs, self._guard:
                control = self._ensure_parent()
                order = {"folders": self._folders, "entrypoint": function.entrypoint}
                socket.send_fds(control, [json.dumps(order).encode()], [theirs.fileno()])
                control.recv(len(DONE))
        except OSError:  # the parent is gone, perhaps killed for want of memory; the next request starts another
            channel.close()
            raise
        try:
            kind, content = channel.receive(time.monotonic() + function.timeout)
        except (EOFError, TimeoutError) as error:
            channel.close()
            reason = "it ended" if isinstance(error, EOFError) else f"it took more than {function.timeout:.0f} s"
            message = f"{function.path.name} cannot be loaded: {reason}"
            raise InvocationError(500, "executor", "specialization_failed", message) from error
        answer = json.loads(content)
        if kind == frames.FAILED:
            channel.close()
            raise InvocationError(500, "executor", "specialization_failed", answer["reason"])
        return _Worker(channel, answer["pid"])

    def _ensure_parent(self) -> socket.socket:
        if self._control and self._parent and self._parent.poll() is None:
            return self._control
        if self._control:
            self._control.close()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "kit.serve.worker", str(theirs.fileno())],
                cwd=self._root,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C reaches the server only, which then ends the workers
            )
        return self._control

    def _drop(self, slot: _Slot) -> None:
        """End a slot's worker now."""
        worker, slot.worker = slot.worker, None
        if worker:
            worker.channel.close()
            self._kill(worker.pid)

    def _abandon(self, slot: _Slot) -> None:
        """Let a worker finish alone what took too long."""
        worker, slot.worker = slot.worker, None
        if worker:
            worker.channel.close()
            timer = threading.Timer(ABANDONED, self._kill, [worker.pid])
            timer.daemon = True
            timer.start()

    def _kill(self, pid: int) -> None:
        with self._guard, suppress(OSError):
            if self._control:
                self._control.send(json.dumps({"kill": pid}).encode())
                self._control.recv(len(DONE))

    def _release(self, slot: _Slot) -> None:
        """Give a slot back."""
        if slot.stale:
            slot.stale = False
            if slot.worker:
                slot.worker.channel.close()  # it ends by itself, after its `atexit` handlers
                slot.worker = None
        slot.lock.release()
        self._leave(slot)

    def _leave(self, slot: _Slot) -> None:
        with self._counting:
            slot.requests -= 1


class _Body(Iterator[bytes]):
    """The body of an answer as it arrives. The worker is free as soon as the last piece has been read."""

    def __init__(self, workers: Workers, slot: _Slot, channel: Channel, deadline: float) -> None:
        self._workers = workers
        self._slot: _Slot | None = slot
        self._channel = channel
        self._deadline = deadline
        self._next: bytes | Exception | None = None
        self._advance()

    def __next__(self) -> bytes:
        part = self._next
        if part is None:
            raise StopIteration
        if isinstance(part, Exception):
            self._next = None
            raise part
        self._advance()  # most answers have one piece, and then the worker is free before it is sent
        return part

    def close(self) -> None:
        """Give up: the caller is gone, or everything was read."""
        if self._slot:
            self._workers._drop(self._slot)
            self._done()

    def _advance(self) -> None:
        """Fetch the next piece; an error is kept until the pieces before it have been handed out."""
        self._next = None
        if not self._slot:
            return
        try:
            kind, content = self._channel.receive(self._deadline)
        except TimeoutError:
            self._workers._abandon(self._slot)
            self._next = ConnectionError("the time limit passed while the function answered")
        except EOFError:
            self._workers._drop(self._slot)
            self._next = ConnectionError("the process of the function ended while it answered")
        else:
            if kind == frames.DATA:
                self._next = content
                return
            if kind == frames.BROKEN:
                self._next = ConnectionError("the function failed while it answered")
        self._done()

    def _done(self) -> None:
        slot, self._slot = self._slot, None
        if slot:
            self._workers._release(slot)


def _is_alive(worker: _Worker) -> bool:
    try:
        return worker.channel.end.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def _timed_out(function: Function) -> InvocationError:
    message = f"{function.name} did not answer within {function.timeout:.0f} s"
    return InvocationError(504, "timeout", "function_timeout", message)
