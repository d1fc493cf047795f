"""The types of single values in our files and in Fission's objects, with the rule that each one obeys."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"]
"""Source: enum of HTTPTrigger spec.methods."""

WatchType = Literal["POD", "SERVICE", "REPLICATIONCONTROLLER", "JOB"]
"""Source: CEL of KubernetesWatchTrigger spec."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_HOST = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_QUANTITY = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?\Z")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RESERVED_PATHS = ("/router-healthz", "/readyz", "/_version", "/auth/login")


def refuse(what: str, why: str, fix: str) -> PydanticCustomError:
    """Return the exception that carries our three sentences through pydantic."""
    return PydanticCustomError("kit", "{what}", {"what": what, "why": why, "fix": fix})


def _text(check: Callable[[str], None], **schema: Any) -> Any:
    """Make a string type from a check that raises; `schema` goes into the JSON Schema for editors."""

    def run(value: str) -> str:
        check(value)
        return value

    return Annotated[str, AfterValidator(run), Field(json_schema_extra=schema)]


def _label(value: str) -> None:
    if not _LABEL.match(value) or len(value) > 63:
        length = f" ({len(value)} characters)" if len(value) > 63 else ""
        raise refuse(
            f"{show(value)} is not a name for Kubernetes{length}",
            "Names are DNS-1123 labels: at most 63 lower-case letters, digits and inner hyphens",
            "Shorten or respell it",
        )


def _trigger_path(value: str) -> None:
    """Source: CEL of HTTPTrigger spec, validateTriggerPath."""
    why, fix = "Fission refuses such a trigger", "Write a path such as /items"
    if not value.startswith("/") or value == "/":
        raise refuse(f"{show(value)} is no path for a trigger", "It must begin with / and be more than /", fix)
    if ".." in value.split("/"):
        raise refuse(f"{show(value)} contains a .. segment", why, fix)
    if value in _RESERVED_PATHS or value.startswith("/fission-function/"):
        raise refuse(f"{show(value)} belongs to Fission's router", why, "Choose another path")


def _origin(value: str) -> None:
    """Source: HTTPTriggerCorsConfig.Validate."""
    if value == "*":
        return
    try:
        parts = urlsplit(value)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        raise _bad_origin(value) from None
    extra = parts.path or parts.query or parts.fragment or "@" in parts.netloc or "?" in value or "#" in value
    plain = value.isascii() and value.isprintable() and " " not in value
    if not parts.scheme or not parts.hostname or extra or not port_ok or not plain:
        raise _bad_origin(value)


def _bad_origin(value: str) -> PydanticCustomError:
    return refuse(
        f"{show(value)} is not an origin",
        "Browsers send scheme, host and port, nothing else",
        'Write it like "https://app.example.com", or "*"',
    )


def _hostname(value: str) -> None:
    if not _HOST.match(value) or len(value) > 253:
        raise refuse(
            f"{show(value)} is not a host name",
            "Routes take lower-case DNS names, with at most *. in front",
            'Write it like "shop.example.com"',
        )


def _quantity(value: str) -> None:
    if not _QUANTITY.match(value):
        raise refuse(
            f"{show(value)} is not a Kubernetes quantity",
            "CPU and memory are numbers with a unit",
            'Write it like "100m" (CPU) or "128Mi" (memory)',
        )


def _handler(value: str) -> None:
    if not _IDENTIFIER.match(value):
        raise refuse(
            f"{show(value)} is not the name of a function",
            "Fission looks the handler up in the module of the block",
            'Write the name of a function of this module, such as "main"',
        )


def _subpath(value: str) -> None:
    if not value.startswith("/"):
        raise refuse(
            f"{show(value)} does not begin with /",
            "Fission appends the subpath to the function's address as it is",
            "Put a / in front",
        )


def _route_path(value: str) -> None:
    """Source: CEL of HTTPTrigger spec.routeConfig."""
    if not value.startswith("/"):
        raise refuse(f"{show(value)} does not begin with /", "Fission refuses such a route", "Put a / in front")


def _env_name(value: str) -> None:
    if not _IDENTIFIER.match(value):
        raise refuse(
            f"{show(value)} is not the name of an environment variable",
            "Kubernetes and Python programs expect letters, digits and _",
            "Respell it",
        )


def _filled(value: str) -> None:
    if not value.strip():
        raise refuse("the text is empty", "Fission needs a value here", "Write one, or leave the key out")


def show(value: object) -> str:
    """Return a value as it may stand in a sentence: quoted, short, ASCII only."""
    text = ascii(value)[1:-1] if isinstance(value, str) else ascii(value)
    return f'"{text[:60]}{"…" if len(text) > 60 else ""}"'


Name = _text(_label, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", maxLength=63)
TriggerPath = _text(_trigger_path, pattern="^/.+")
Origin = _text(_origin)
Hostname = _text(_hostname)
Quantity = _text(_quantity, examples=["100m", "128Mi"])
Handler = _text(_handler)
RoutePath = _text(_route_path, pattern="^/")
Subpath = _text(_subpath, pattern="^/")
EnvName = _text(_env_name)
Text = _text(_filled, minLength=1)
Seconds = Annotated[int, Field(ge=1, le=86_400)]
Count = Annotated[int, Field(ge=0, le=10_000)]
