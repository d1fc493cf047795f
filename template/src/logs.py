"""Log lines as JSON, with the keys that Fission looks for.

Fission's Python environment sets the root logger to DEBUG but gives it no handler: INFO lines are lost, warnings come
without context, and ``current_app.logger`` prints twice. ``set_up_logging`` puts that right, so that
``logging.getLogger(__name__).info("...")`` just works.

Source of the keys: Fission RFC-0016, sections 1a and 3 (``fission function logs --request-id`` finds them).
"""

import json
import logging
import os
import re
import sys
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from json.encoder import encode_basestring as quote  # a JSON string, umlauts unescaped, at the speed of C
from typing import Any
from urllib.parse import unquote

from flask import has_request_context, request

from exceptions import ConfigurationError
from settings import get_config, redact

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")  # W3C Trace Context
_REQUEST_ID = re.compile(r"[!-~]{1,192}")  # the rule of Fission's router, RFC-0015
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_own_folders = {os.path.dirname(os.path.abspath(__file__))}

Environ = dict[str, Any]  # WSGI: headers are HTTP_..., read from here because request.headers costs ten times as much


class JsonHandler(logging.Handler):
    """Writes each record as one line of JSON to standard output."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let DEBUG pass only from the service's own files: libraries would log headers, bodies and tokens."""
        return record.levelno > logging.DEBUG or os.path.dirname(record.pathname) in _own_folders

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; a problem while writing must not break the request."""
        try:
            write_line(format_record(record))
        except Exception:
            self.handleError(record)


def set_up_logging(own_file: str = __file__) -> None:
    """Send the log of the whole process through one ``JsonHandler``; harmless to repeat.

    The level is the configuration value ``LOG_LEVEL`` (DEBUG, INFO, WARNING, ERROR; default INFO).

    Args:
        own_file: A file whose folder counts as the service's own for DEBUG lines.
    """
    _own_folders.add(os.path.dirname(os.path.abspath(own_file)))
    try:
        level = (get_config("LOG_LEVEL") or "INFO").upper()
    except ConfigurationError:  # whoever needs a setting reports it; logging must not be what fails
        level = "INFO"
    root = logging.getLogger()
    root.setLevel(logging.getLevelNamesMapping().get(level, logging.INFO))
    if not any(isinstance(handler, JsonHandler) for handler in root.handlers):
        root.addHandler(JsonHandler())
    logging.getLogger("server").handlers.clear()  # the environment's own two would print its lines again


def log_request(environ: Environ, status: int, started: float, user: str | None) -> None:
    """Write the line of a finished request; formatted by hand, because every request pays for it.

    Args:
        environ: The request, as WSGI has it.
        status: HTTP status of the answer.
        started: ``time.perf_counter()`` at its start, seconds.
        user: Who asked, if known.
    """
    if logging.getLogger().level > logging.INFO:
        return
    write_line(
        f'{{"ts":"{_iso(time.time())}","level":"INFO","msg":"request"{_context(environ, user)},'
        f'"http.method":{quote(environ["REQUEST_METHOD"])},"http.path":{quote(original_path(environ))},"http.status_code":{status},'
        f'"duration_ms":{(time.perf_counter() - started) * 1000:.2f}}}'
    )


def format_record(record: logging.LogRecord) -> str:
    """Return a log record as one line of JSON; what was passed as ``extra=`` becomes further keys."""
    extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    if record.exc_info and record.exc_info[0]:
        extra["error"] = record.exc_info[0].__name__
        extra["traceback"] = logging.Formatter().formatException(record.exc_info)
    more = "," + json.dumps(extra, default=str, ensure_ascii=False)[1:-1] if extra else ""
    context = _context(request.environ) if has_request_context() else ""
    return (
        f'{{"ts":"{_iso(record.created)}","level":"{record.levelname}","msg":{quote(record.getMessage())}'
        f'{context},"logger":{quote(record.name)}{more}}}'
    )


def write_line(line: str) -> None:
    """Write a finished line in one piece, without any secret that was handed out."""
    with suppress(OSError, ValueError):  # an output that is closed must not break the request
        sys.stdout.write((redact(line) + "\n").encode("utf-8", "backslashreplace").decode())
        sys.stdout.flush()


def request_id(environ: Environ | None = None) -> str:
    """Return the id of this request: the router's, or a new one where no valid one came."""
    environ = request.environ if environ is None else environ
    found: str = environ.get("HTTP_X_FISSION_REQUEST_ID", "")
    if not _REQUEST_ID.fullmatch(found):
        found = environ["HTTP_X_FISSION_REQUEST_ID"] = str(uuid.uuid4())
    return found


def original_path(environ: Environ) -> str:
    """Return the path that the caller asked for; with a relative URL the function itself only sees ``/``."""
    full: str = environ.get("HTTP_X_FISSION_FULL_URL") or environ.get("PATH_INFO", "")
    return unquote(full.partition("?")[0].encode("latin-1", "replace").decode("utf-8", "replace"))


def trace_ids(environ: Environ) -> tuple[str | None, str | None]:
    """Return trace id and span id of the W3C header ``traceparent``, or None and None."""
    header = environ.get("HTTP_TRACEPARENT")
    match = _TRACEPARENT.fullmatch(header) if header else None
    return (match[1], match[2]) if match else (None, None)


def _context(environ: Environ, user: str | None = None) -> str:
    """Return ``,"key":"value"`` for all that is known about the request."""
    trace, span = trace_ids(environ)
    found = (
        ("fission.request.id", request_id(environ)),
        ("trace_id", trace),
        ("span_id", span),
        ("fission.function.name", environ.get("HTTP_X_FISSION_FUNCTION_NAME")),
        ("fission.function.namespace", environ.get("HTTP_X_FISSION_FUNCTION_NAMESPACE")),
        ("user", user or environ.get("HTTP_X_USER")),
    )
    return "".join([f',"{key}":{quote(value)}' for key, value in found if value])


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
