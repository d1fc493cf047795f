"""A pod of ours without the router: what `python -m kit serve` is made of, as python/server.py is started."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

sys.path[:] = [str(Path(__file__).resolve().parents[3] / "template"), *sys.path[1:]]  # not what lies beside this file

from kit.serve.environment import FunctionApp, configure_logging  # noqa: E402
from kit.serve.http import HttpServer  # noqa: E402
from kit.serve.http_request import join_like_bjoern, join_like_gevent  # noqa: E402
from kit.serve.wsgi import call_wsgi  # noqa: E402

gevent = os.environ.get("WSGI_FRAMEWORK") == "GEVENT"
app = FunctionApp()
configure_logging(app)


def answer(environ, start_response):
    reply = call_wsgi(app, environ, "gevent" if gevent else "bjoern")
    start_response(reply.status, reply.headers)
    return reply.body


listener = socket.create_server(("127.0.0.1", int(os.environ["RUNTIME_PORT"])), backlog=64)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
HttpServer(listener, answer, join_like_gevent if gevent else join_like_bjoern).serve_forever()
