"""The processes in which functions run: `python -m kit.serve.worker` is their parent.

The parent imports what every function needs once and then forks a child per function, so that a cold start takes
milliseconds. It gets its orders over the socket that it inherits, whose number is its argument: a JSON object with
`folders` and `entrypoint` and, attached, the socket for the new child; or one with `kill` and a process id. When the
server is gone, however it ended, the parent ends all children and then itself.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from kit.serve import frames
from kit.serve.environment import FunctionApp, configure_logging
from kit.serve.frames import DONE, GRACE, Channel
from kit.serve.wsgi import Server, call_wsgi

MESSAGE = 1 << 16  # bytes; an order is far smaller

_children: set[int] = set()


def main() -> None:
    """Fork children until the server is gone."""
    # fidelity: cold-start
    for name in ("psycopg2", "pydantic"):  # what most functions import; saves it in every cold start
        with contextlib.suppress(ImportError):
            __import__(name)
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path.cwd()]  # the pod has no kit
    os.chdir(os.environ.get("KIT_WORKER_FOLDER", "/"))
    signal.signal(signal.SIGCHLD, _reap)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=int(sys.argv[1]))
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE, 1)
        if not message:
            break
        order = json.loads(message)
        if "kill" in order:
            if order["kill"] in _children:
                _signal(order["kill"], signal.SIGKILL)
            control.send(DONE)
            continue
        with socket.socket(fileno=descriptors[0]) as end:
            child = os.fork()
            if not child:
                control.close()
                _run(Channel(end), [Path(folder) for folder in order["folders"]], order["entrypoint"])
            _children.add(child)
        control.send(DONE)
    _end_children()


def _run(server: Channel, folders: list[Path], entrypoint: str) -> NoReturn:
    """Be the pod of one function; never returns."""
    os.setpgid(0, 0)  # what the function starts can then be ended with it
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, _terminate)
    status = 0
    try:
        # fidelity: limits
        # fidelity: python-version
        app = FunctionApp()
        configure_logging(app)
        try:
            app.specialize(folders, entrypoint)
        except Exception as error:
            traceback.print_exception(error)
            server.send_json(frames.FAILED, {"reason": _reason(error, folders)})
        else:
            server.send_json(frames.READY, {"pid": os.getpid()})
            _serve(server, app)
    except (EOFError, OSError):
        pass  # the server has no more work for us
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else 1
    except BaseException as error:
        traceback.print_exception(error)
        status = 1
    finally:
        _leave(status)


def _serve(server: Channel, app: FunctionApp) -> None:
    """Answer one request after the other."""
    # fidelity: gevent
    server_kind: Server = "gevent" if os.environ.get("WSGI_FRAMEWORK") == "GEVENT" else "bjoern"
    while True:
        _, content = server.receive()
        texts, body = frames.unpack_call(content)
        environ: dict[str, Any] = {**texts, "wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
        reply = call_wsgi(app, environ, server_kind)
        server.send_json(frames.HEAD, [reply.status, reply.headers])
        try:
            for part in reply.body:
                if part:
                    server.send(frames.DATA, part)
        except Exception as error:
            if isinstance(error, OSError) and _is_gone(server):
                raise
            traceback.print_exception(error)
            server.send(frames.BROKEN)
        else:
            server.send(frames.END)
        finally:
            if close := getattr(reply.body, "close", None):
                close()


def _is_gone(server: Channel) -> bool:
    try:
        return server.end.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _reason(error: Exception, folders: list[Path]) -> str:
    """Say in one line what is wrong, and in which line of the user's code."""
    text = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {text}"
    places = [
        f"{frame.filename}:{frame.lineno}: "
        for frame in traceback.extract_tb(error.__traceback__)
        if any(Path(frame.filename).is_relative_to(folder) for folder in folders)
    ]
    return (places[-1] if places else "") + text


def _terminate(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise SystemExit(1)  # as in the image: `finally` and `atexit` run, `except Exception` does not see it


def _leave(status: int) -> NoReturn:
    """End a child without running what the parent has registered to run at its own end."""
    import atexit
    import logging

    try:
        atexit._run_exitfuncs()  # the function's own; the parent registered none
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _reap(_number: int, _frame: FrameType | None) -> None:
    for child in list(_children):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(child, os.WNOHANG)[0]:
                _children.discard(child)


def _signal(child: int, number: int) -> None:
    """Signal a child and what it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, number)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, number)


def _end_children() -> None:
    for child in list(_children):
        _signal(child, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while _children and time.monotonic() < deadline:
        time.sleep(0.02)
        _reap(0, None)
    for child in list(_children):
        _signal(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


if __name__ == "__main__":
    main()
