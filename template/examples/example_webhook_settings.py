"""The settings of the webhook example, all in one place but for the secrets, which ``SOURCES`` names."""

from __future__ import annotations

from exceptions import ConfigurationError
from helpers import get_config


def is_gone(source: str) -> bool:
    """Return whether the source should end its subscription: it is listed in ``WEBHOOK_GONE_SOURCES``."""
    return source in (get_config("WEBHOOK_GONE_SOURCES") or "").split()


def tolerance_seconds() -> int:
    """Return how far a delivery's timestamp may be from our clock; longer gives replays more time."""
    return _whole_number("WEBHOOK_TOLERANCE_SECONDS", 300, 3_600)


def max_attempts() -> int:
    """Return after how many failures an event is dead."""
    return _whole_number("WEBHOOK_MAX_ATTEMPTS", 5, 100)


def _whole_number(key: str, default: int, highest: int) -> int:
    text = get_config(key) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= highest):
        raise ConfigurationError(f"configuration {key} is not a whole number from 1 to {highest}")
    return int(text)
