"""The errors of the service, and what a caller is told about each.

Raise one of these anywhere below ``@entrypoint`` and the caller receives it as JSON. What is not a
``ServiceException`` is a bug: it is logged with its traceback and answered with a fixed sentence.
"""

from http.client import responses
from typing import Any

RETRY_AFTER_SECONDS = 2


class ServiceException(Exception):  # noqa: N818 - the name that existing services know
    """An error that the caller may see.

    Args:
        error_code: Stable name for programs, in capitals, e.g. ``"ITEM_SOLD_OUT"``.
        http_status: HTTP status of the answer, 400-599.
        error_msg: One sentence for people. It leaves the service: no internals, no secrets.
        x_user: The user whom it concerns, if known; else taken from the request.
        details: Anything JSON-like that helps the caller, e.g. the list of invalid fields.
    """

    def __init__(
        self,
        error_code: str,
        http_status: int,
        error_msg: str,
        x_user: str | None = None,
        details: Any = None,
    ) -> None:
        super().__init__(error_msg)
        self.error_code = error_code
        self.http_status = http_status
        self.error_msg = error_msg
        self.x_user = x_user
        self.details = details
        self.headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if http_status in (503, 504) else {}

    def to_dict(self) -> dict[str, Any]:
        """Return the five keys of the service's own format and the members of RFC 9457 (problem details)."""
        return {
            "error_code": self.error_code,
            "http_status": self.http_status,
            "error_msg": self.error_msg,
            "x_user": self.x_user,
            "details": self.details,
            "type": "about:blank",
            "title": responses.get(self.http_status, "Error"),
            "status": self.http_status,
            "detail": self.error_msg,
        }


class _WithFixedCode(ServiceException):
    """An error whose class says code and status."""

    code = ""
    status = 500

    def __init__(self, error_msg: str, x_user: str | None = None, details: Any = None) -> None:
        super().__init__(self.code, self.status, error_msg, x_user, details)


class ValidationError(_WithFixedCode):
    """400: the request is wrong; ``details`` lists every problem that was found."""

    code, status = "VALIDATION_ERROR", 400


class NotFoundError(_WithFixedCode):
    """404: there is no such thing."""

    code, status = "NOT_FOUND", 404


class ConflictError(_WithFixedCode):
    """409: the request is right, but not with the data as they are."""

    code, status = "CONFLICT", 409


class DatabaseError(_WithFixedCode):
    """500: the database refused a statement that the service should not have sent."""

    code, status = "DATABASE_ERROR", 500


class UnavailableError(_WithFixedCode):
    """503 with ``Retry-After``: something that the service needs is away for a moment."""

    code, status = "UNAVAILABLE", 503


class ConfigurationError(ServiceException):
    """500: a setting is missing or unusable. The text names the setting and goes to the log only."""

    def __init__(self, problem: str) -> None:
        super().__init__("CONFIGURATION_ERROR", 500, "The service is not configured correctly.")
        self.args = (problem,)  # what str() shows; the caller gets error_msg


_AWAY = "The database is not available; try again in a moment."

# SQLSTATE, or its first two characters (the class), to error code, HTTP status and sentence.
# Source: PostgreSQL documentation, appendix A "Error Codes".
SQLSTATES: dict[str, tuple[str, int, str]] = {
    "22": ("VALIDATION_ERROR", 400, "A value has the wrong form or is out of range."),
    "23502": ("VALIDATION_ERROR", 400, "A required value is missing."),
    "23514": ("VALIDATION_ERROR", 400, "A value breaks a rule of the data."),
    "23503": ("CONFLICT", 409, "The request refers to something that does not exist, or is still in use."),
    "23505": ("CONFLICT", 409, "There is already one with the same value."),
    "23P01": ("CONFLICT", 409, "It overlaps with one that exists."),
    "25006": ("UNAVAILABLE", 503, _AWAY),  # read only: a standby answers, e.g. in the middle of a failover
    "40": ("UNAVAILABLE", 503, "The request collided with another one; try again."),
    "53": ("UNAVAILABLE", 503, _AWAY),
    "55P03": ("UNAVAILABLE", 503, "The data are locked at the moment; try again."),
    "57014": ("TIMEOUT", 504, "The database took too long for this request."),
    "57P": ("UNAVAILABLE", 503, _AWAY),
    "08": ("UNAVAILABLE", 503, _AWAY),
}


def from_database_error(error: Exception) -> ServiceException:
    """Translate an exception of psycopg2 into what the caller may know.

    Never the server's text, which quotes values: only the name of the violated constraint, so name constraints
    in a way that callers understand (``items_name_is_unique``).
    """
    state: str = getattr(error, "pgcode", None) or ""
    if not state and type(error).__name__ in ("OperationalError", "InterfaceError"):
        state = "08"  # the connection broke: the server had no chance to send a code
    known = SQLSTATES.get(state) or SQLSTATES.get(state[:3]) or SQLSTATES.get(state[:2])
    if known is None:
        return DatabaseError("The database could not carry out the request.")
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    return ServiceException(*known, details={"constraint": constraint} if constraint else None)
