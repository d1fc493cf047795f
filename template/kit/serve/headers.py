"""What Fission's router adds to and takes from requests and answers.

Requests are WSGI environments (PEP 3333), where header values are bytes read as Latin-1.
Source: fission/fission v1.27.0, pkg/router/requesthHeader.go, rewrite.go, functionHandler.go,
pkg/utils/correlation/correlation.go, pkg/utils/httpsecurity/httpsecurity.go.
"""

from __future__ import annotations

import re
import secrets
import uuid
from urllib.parse import quote

from kit.serve.functions import Function
from kit.serve.wsgi import Environ, Headers
from kit.specs.models import Cors

# fidelity: identities
POD_ADDRESS = "pod.internal:8888"  # what a function sees as Host; in a cluster it is the pod's address
_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_REQUEST_ID = re.compile(r"[!-~]{1,192}")
_TRACE = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def request_id(environ: Environ) -> str:
    """Return the caller's request id if it is 1 to 192 printable ASCII characters without blanks, else a new one."""
    given = str(environ.get("HTTP_X_FISSION_REQUEST_ID", ""))
    return given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())


def trace_id(environ: Environ) -> str:
    """Return the trace id of the caller's `traceparent` header, or a new one."""
    found = _TRACE.fullmatch(str(environ.get("HTTP_TRACEPARENT", "")))
    return found[1] if found else secrets.token_hex(16)


def for_function(
    environ: Environ, function: Function, variables: dict[str, str], path: str, request: str, trace: str
) -> Environ:
    """Return the request as the function's pod receives it.

    Args:
        environ: the request as it reached the router.
        function: who answers.
        variables: of the path, decoded.
        path: what the function sees.
        request: the request id.
        trace: the trace id.

    Raises:
        ValueError: a variable holds a control character, which no header can carry.
    """
    address = str(environ.get("REMOTE_ADDR") or "127.0.0.1")
    inner = {
        key: value
        for key, value in environ.items()
        if not key.startswith("HTTP_") or key[5:].lower().replace("_", "-") not in _HOP_BY_HOP
    }
    for key in ("REQUEST_URI", "RAW_URI"):
        inner.pop(key, None)
    for name, value in variables.items():
        if "_" not in name:  # bjoern and gevent drop headers whose name holds "_", so the pod never sees them
            inner[f"HTTP_X_FISSION_PARAMS_{name.upper()}"] = _on_the_wire(name, value)
    forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", ""))
    host = str(environ.get("HTTP_HOST", ""))
    if not environ.get("HTTP_FORWARDED") and not environ.get("HTTP_X_FORWARDED_HOST"):
        inner["HTTP_FORWARDED"] = f'host="{host}";' if host.startswith("[") else f"host={host};"
        inner["HTTP_X_FORWARDED_HOST"] = host
    return inner | {
        "HTTP_X_FISSION_FULL_URL": full_url(environ),
        "HTTP_X_FISSION_FUNCTION_NAME": function.name,
        "HTTP_X_FISSION_FUNCTION_NAMESPACE": function.namespace,
        "HTTP_X_FISSION_FUNCTION_UID": function.uid,
        "HTTP_X_FISSION_FUNCTION_RESOURCEVERSION": "1",
        "HTTP_X_FISSION_REQUEST_ID": request,
        "HTTP_X_FORWARDED_FOR": f"{forwarded}, {address}" if forwarded else address,
        "HTTP_TRACEPARENT": f"00-{trace}-{secrets.token_hex(8)}-01",
        "HTTP_HOST": POD_ADDRESS,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "REMOTE_ADDR": "127.0.0.1",
    }


def full_url(environ: Environ) -> str:
    """Return path and query as the router received them, percent-encoded, without scheme and host."""
    raw = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or "")
    if raw and raw.isascii():
        return raw
    path = quote(str(environ.get("PATH_INFO", "/")).encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
    query = environ.get("QUERY_STRING")
    return f"{path}?{query}" if query else path


def for_caller(headers: Headers, request: str, cors: Headers) -> Headers:
    """Return an answer's headers as the router sends them on."""
    kept = [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]
    kept += [*cors, ("X-Content-Type-Options", "nosniff"), ("X-Fission-Request-ID", request)]
    if ("access-control-allow-origin", "*") not in [(name.lower(), value) for name, value in kept]:
        kept.append(("Vary", "Origin"))
    return kept


def is_preflight(environ: Environ) -> bool:
    """Tell whether a browser asks for permission before its real request."""
    wanted = ("HTTP_ORIGIN", "HTTP_ACCESS_CONTROL_REQUEST_METHOD")
    return environ["REQUEST_METHOD"] == "OPTIONS" and all(environ.get(key) for key in wanted)


def cors_answer(cors: Cors, origin: str) -> Headers:
    """Return the headers that allow a page of this origin to read the answer; none when it may not."""
    if not origin or not ({"*", origin} & set(cors.allow_origins)):
        return []
    found = [("Access-Control-Allow-Origin", "*" if "*" in cors.allow_origins else origin)]
    if cors.allow_credentials:
        found.append(("Access-Control-Allow-Credentials", "true"))
    if cors.expose_headers:
        found.append(("Access-Control-Expose-Headers", ", ".join(cors.expose_headers)))
    return found


def cors_preflight(cors: Cors, origin: str, methods: frozenset[str]) -> Headers | None:
    """Return the headers that allow a preflight request, or None when the origin may not call."""
    found = [(name, value) for name, value in cors_answer(cors, origin) if not name.endswith("Expose-Headers")]
    if not found:
        return None
    found.append(("Access-Control-Allow-Methods", ", ".join(cors.allow_methods or sorted(methods))))
    if cors.allow_headers:
        found.append(("Access-Control-Allow-Headers", ", ".join(cors.allow_headers)))
    return [*found, ("Access-Control-Max-Age", str(cors.max_age_seconds))]


def _on_the_wire(name: str, value: str) -> str:
    """Return a value as WSGI shows it: the UTF-8 bytes read as Latin-1."""
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise ValueError(f"the path variable {name} holds a control character, which no header can carry")
    return value.encode("utf-8", "surrogateescape").decode("latin-1")
