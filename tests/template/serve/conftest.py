"""What all tests of this folder share, beside the fixtures of the folder above."""

from __future__ import annotations

import pytest
from kit import database


@pytest.fixture(autouse=True)
def no_own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own server must not decide a test."""
    for name in ("DATABASE_URL", *database.KEYS, *database.OPTIONAL_KEYS):
        monkeypatch.delenv(name, raising=False)
