"""What a request brings: path parameters, query and body, validated, with all mistakes reported at once."""

from typing import Any, TypeVar, overload

from flask import request
from pydantic import BaseModel
from pydantic import ValidationError as Invalid
from werkzeug.exceptions import RequestEntityTooLarge

from exceptions import ServiceException, ValidationError
from logs import original_path

MAX_BODY_BYTES = 1_048_576
MAX_PARAM_CHARS = 1_000

Model = TypeVar("Model", bound=BaseModel)
Default = TypeVar("Default")
_REQUIRED: Any = object()


@overload
def path_param(name: str) -> str: ...
@overload
def path_param(name: str, default: Default) -> str | Default: ...
def path_param(name: str, default: Any = _REQUIRED) -> Any:
    """Return the value of ``{name}`` in the trigger's URL.

    Fission sends it as the header ``X-Fission-Params-<Name>``, as UTF-8 bytes that WSGI reads as Latin-1: ``Jürgen``
    arrives as ``JÃ¼rgen`` and is repaired here. The router passes on headers that a client made up, so the value must
    also occur in the URL that the router saw.

    Args:
        name: The variable, letters and digits only; case does not matter.
        default: What to return when the URL has no such variable.

    Raises:
        ValidationError: The URL has no such variable and there is no default, or its value is not UTF-8, too long,
            or does not occur in the URL.

    Source: Fission, ``pkg/router/requesthHeader.go``; names with ``_`` never arrive (CVE-2015-0219 protection).
    """
    environ = request.environ
    raw: str | None = environ.get("HTTP_X_FISSION_PARAMS_" + name.upper())
    if raw is None:
        if default is _REQUIRED:
            raise _wrong_path(name, "missing")
        return default
    try:
        value = raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise _wrong_path(name, "not UTF-8") from None
    forged = "HTTP_X_FISSION_FULL_URL" in environ and value not in original_path(environ)
    if forged or len(value) > MAX_PARAM_CHARS or "\0" in value:
        raise _wrong_path(name, "not a valid value")
    return value


def which_param(*names: str) -> str | None:
    """Return which of these variables the URL has, for a ``main`` that serves several URLs and tells them apart by it.

    The router always sets the variable of the URL that it matched. If there is a second one, a client made it up to
    reach another operation than the URL names, past a gateway that looks at URLs.

    Args:
        names: Variables of which each URL has at most one; case does not matter.

    Returns:
        The name, for ``path_param``; None if the URL has none of them.

    Raises:
        ValidationError: More than one of them is there.
    """
    there = [name for name in names if path_param(name, None) is not None]
    if len(there) > 1:
        raise _wrong_path(there[0], f"not possible together with {there[1]}")
    return there[0] if there else None


def query_params(model: type[Model]) -> Model:
    """Return the query string as a model.

    Raises:
        ValidationError: Names all parameters that are unknown, repeated, missing or wrong.
    """
    given = request.args
    repeated = [_problem("query", key, "given more than once") for key in given if len(given.getlist(key)) > 1]
    try:
        parsed = model.model_validate_strings(given.to_dict())
    except Invalid as error:
        raise ValidationError("The query is not valid.", details=repeated + _problems("query", error)) from None
    if repeated:
        raise ValidationError("The query is not valid.", details=repeated)
    return parsed


def json_body(model: type[Model], *, max_bytes: int = MAX_BODY_BYTES) -> Model:
    """Return the JSON body as a model.

    Args:
        model: What the body must look like.
        max_bytes: The largest body that is read; the router sets no limit.

    Raises:
        ServiceException: 413 if the body is too large, 415 if it is not declared as JSON. A browser can send other
            types to any site without asking (CORS), so the type is required.
        ValidationError: The body is not JSON, or ``details`` names all fields that are wrong.
    """
    if not request.is_json:
        raise ServiceException("UNSUPPORTED_MEDIA_TYPE", 415, "The body must be JSON: Content-Type: application/json.")
    too_large = ServiceException("TOO_LARGE", 413, f"The body is larger than {max_bytes} bytes.")
    if (request.content_length or 0) > max_bytes:
        raise too_large
    try:
        request.max_content_length = max_bytes + 1  # a chunked body has no length to look at, and is cut here
        data = request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise too_large from None
    if len(data) > max_bytes:
        raise too_large
    try:
        return model.model_validate_json(data)
    except Invalid as error:
        raise ValidationError("The body is not valid.", details=_problems("body", error)) from None


def _problems(where: str, error: Invalid) -> list[dict[str, str]]:
    """List what is wrong, without quoting the values: they may be secret, or huge."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [_problem(where, ".".join(map(str, item["loc"])), item["msg"], item["type"]) for item in found]


def _wrong_path(name: str, message: str) -> ValidationError:
    return ValidationError("The URL is not valid.", details=[_problem("path", name, message)])


def _problem(where: str, name: str, message: str, kind: str = "value_error") -> dict[str, str]:
    return {"loc": f"{where}.{name}" if name else where, "msg": message, "type": kind}
