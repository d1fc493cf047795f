"""A PostgreSQL, empty databases on it, and a folder of migrations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kit import database
from kit.database import Dsn

Query = Callable[..., list[tuple[object, ...]]]


@pytest.fixture(autouse=True)
def no_own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own server must not decide a test."""
    for name in ("DATABASE_URL", *database.KEYS, *database.OPTIONAL_KEYS):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def db(empty_database: Dsn) -> Dsn:
    """A database without any table."""
    return empty_database


@pytest.fixture
def tables(query: Query) -> Callable[[Dsn], list[str]]:
    """The names of all tables, sorted."""
    text = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    return lambda dsn: [str(name) for (name,) in query(dsn, text)]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a migration into the folder `migrates` of this test, and return its path."""
    (tmp_path / "migrates").mkdir()

    def write(name: str, up: str, down: str = "", *, options: str = "") -> Path:
        path = tmp_path / "migrates" / name
        path.write_text(f"-- migrate:up{options}\n{up}\n-- migrate:down{options}\n{down}\n")
        return path

    return write


@pytest.fixture
def folder(write: Callable[..., Path], tmp_path: Path) -> Path:
    """A folder with one migration, which creates the table a."""
    write("20260101120000_a.sql", "CREATE TABLE a (n INT);", "DROP TABLE a;")
    return tmp_path / "migrates"
