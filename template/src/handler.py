"""The decorator for ``main()``: whatever happens inside, the caller receives a well-formed answer.

Fission's Python environment turns an uncaught exception into an HTML page and a ``None`` into a ``TypeError``.
``@entrypoint`` turns every outcome into JSON, writes one log line per request, and leaves the database connection
clean.
"""

import json
import logging
import re
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request
from werkzeug.exceptions import HTTPException

import database
from exceptions import ConfigurationError, ServiceException, ValidationError, from_database_error
from logs import Environ, log_request, original_path, request_id, set_up_logging, trace_ids
from settings import get_config

# What the function itself answers to browsers of other origins. The allowed origins are the configuration value
# CORS_ORIGINS, separated by blanks or commas (or "*"). Leave it unset if the trigger has "cors" in its Fission block:
# the router would add its headers to these, and browsers refuse answers that have both.
CORS_HEADERS: dict[str, str] = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, X-User, If-Match, If-None-Match, Idempotency-Key",
    "Access-Control-Expose-Headers": "Location, ETag, Idempotent-Replayed, Retry-After, X-Fission-Request-Id",
    "Access-Control-Max-Age": "600",
}

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"  # RFC 9457
MAX_USER_CHARS = 256

_EXPOSE = "Access-Control-Expose-Headers"  # the only one of them that browsers want with every answer
_NUL_IN_TEXT = "A string literal cannot contain NUL (0x00) characters."  # psycopg2's ValueError
_log = logging.getLogger(__name__)

Answer = tuple[bytes | str, int, dict[str, str]]


def entrypoint(main: Callable[[], Any]) -> Callable[[], Response]:
    """Make a function fit to be Fission's entry point.

    ``main`` returns a model, a dict or a list (200), a pair ``(body, status)``, a triple ``(body, status, headers)``,
    ``None`` (204) or a Flask response. A ``ServiceException`` is answered as it says, a database error by its
    SQLSTATE, anything else with 500 and a fixed sentence; the log has the traceback. ``SystemExit``, which Fission's
    server raises on SIGTERM, passes through untouched.
    """
    set_up_logging(main.__code__.co_filename)
    first = True

    @wraps(main)
    def answer() -> Response:
        nonlocal first
        started = time.perf_counter()
        environ = request.environ
        failure: Exception | None = None
        try:
            if first:  # again, for where the configuration comes after the import, as in tests
                set_up_logging()
                first = False
            response = _response(main())
        except Exception as error:
            failure = error
            response = _response(format_error_response(error))
        finally:
            database.release(failure)
        if "HTTP_ORIGIN" in environ:
            response.headers.extend(cors_headers())
        log_request(environ, response.status_code, started, get_user_from_headers(environ))
        return response

    return answer


def by_method(**functions: Callable[[], Any]) -> Any:
    """Call the function for the method of the request, e.g. ``by_method(GET=list_items, POST=create_item)``.

    HEAD is answered like GET, without the body. OPTIONS is answered with what is allowed.

    Raises:
        ServiceException: 405 with ``Allow``, for any other method.
    """
    method = request.method
    if "GET" in functions:
        functions.setdefault("HEAD", functions["GET"])
    if method in functions:
        return functions[method]()
    allow = {"Allow": ", ".join([*functions, "OPTIONS"])}
    if method == "OPTIONS":
        return b"", 204, allow
    refusal = ServiceException("METHOD_NOT_ALLOWED", 405, f"{method} is not possible here.")
    refusal.headers.update(allow)
    raise refusal


def format_error_response(error: Exception) -> Answer:
    """Return body, status and headers that tell a caller about an error, and log what only we may know."""
    known = _known(error)
    if known is None:
        known = ServiceException("INTERNAL_ERROR", 500, "Something went wrong; the request id finds it in the log.")
        _log.error("unhandled error", exc_info=error)
    elif isinstance(error, ConfigurationError):
        _log.error("configuration: %s", error)
    elif known.http_status >= 500 and known is not error:
        _log.error("database error", exc_info=error)
    body = known.to_dict()
    body |= {
        "x_user": known.x_user or get_user_from_headers(),
        "details": None if known.details is None else _plain(known.details),
        "instance": original_path(request.environ),
        "request_id": request_id(),
        "trace_id": trace_ids(request.environ)[0],
    }
    return _to_json(body), known.http_status, {"Content-Type": PROBLEM_TYPE, **known.headers}


def get_user_from_headers(environ: Environ | None = None) -> str | None:
    """Return who sends the request: the header ``X-User``, or None.

    It is as trustworthy as whoever sets it: Fission passes a client's header on, so let your gateway overwrite it.
    Latin-1 is repaired as in ``path_param``; control characters and everything after 256 characters are dropped.
    """
    raw = (request.environ if environ is None else environ).get("HTTP_X_USER")
    if not raw or (raw.isascii() and raw.isprintable() and len(raw) <= MAX_USER_CHARS):
        return raw or None
    user = raw.encode("latin-1", "replace").decode("utf-8", "replace")
    return "".join(filter(str.isprintable, user))[:MAX_USER_CHARS].strip() or None


def cors_headers() -> dict[str, str]:
    """Return the CORS headers for this request; empty unless its origin is listed in ``CORS_ORIGINS``."""
    try:
        allowed = get_config("CORS_ORIGINS")
    except ConfigurationError:
        allowed = None
    if not allowed:
        return {}
    environ = request.environ
    found = {"Access-Control-Allow-Origin": "*"}
    if allowed != "*":
        origin = environ.get("HTTP_ORIGIN", "")
        if origin not in re.split(r"[,\s]+", allowed):
            return {"Vary": "Origin"}
        found = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    if environ["REQUEST_METHOD"] == "OPTIONS":
        return found | CORS_HEADERS
    return found | {name: value for name, value in CORS_HEADERS.items() if name == _EXPOSE}


def _known(error: Exception) -> ServiceException | None:
    if isinstance(error, ServiceException):
        return error
    if hasattr(error, "pgcode"):  # psycopg2.Error, recognised without importing it
        return from_database_error(error)
    if isinstance(error, ValueError) and str(error) == _NUL_IN_TEXT:
        return ValidationError("A text contains a NUL character.")
    if isinstance(error, HTTPException) and error.code and error.code >= 400:
        code = (error.name or "error").upper().replace(" ", "_")
        return ServiceException(code, error.code, f"{error.name}.")
    return None


def _response(result: Any) -> Response:
    if isinstance(result, Response):
        return result
    body, status, headers = result, 200, None
    if isinstance(result, tuple):
        body, status, headers = (*result, None)[:3]
    if body is None or body == b"":
        response = Response(b"", 204 if status == 200 else status)
        response.headers.clear()  # nothing has no type
    elif isinstance(body, str | bytes):
        response = Response(body, status, content_type="text/plain; charset=utf-8")
    else:
        response = Response(_to_json(body), status, content_type=JSON_TYPE)
    if headers:
        response.headers.update(headers)
    return response


def _to_json(body: Any) -> bytes | str:
    """Return JSON: of a pydantic model at pydantic's speed, of anything else with the standard library."""
    serializer = getattr(type(body), "__pydantic_serializer__", None)
    if serializer is not None:
        encoded: bytes = serializer.to_json(body)
        return encoded
    return json.dumps(body, default=_plain)


def _plain(value: Any) -> Any:
    """Return what JSON can hold for dates, decimals, UUIDs, enums, sets and models; of anything else its ``str``."""
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value, fallback=str)
