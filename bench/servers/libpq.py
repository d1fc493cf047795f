"""Prepared statements through libpq itself, on a connection that psycopg2 has opened.

psycopg2 sends every statement as text. This is the shortest way that libpq has, so it shows the limit; the
functions are those of https://www.postgresql.org/docs/17/libpq-exec.html.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import psycopg2

_TUPLES_OK = 2


class Prepared:
    """One statement with one parameter, prepared once.

    Args:
        connection: Open for as long as this object is used.
        sql: The statement, with ``$1`` for the value.
    """

    def __init__(self, connection: Any, sql: str) -> None:
        self._libpq = _library()
        self._address = ctypes.c_void_p(connection.pgconn_ptr)
        done = self._libpq.PQprepare(self._address, b"item", sql.encode(), 1, None)
        self._libpq.PQclear(ctypes.c_void_p(done))

    def row(self, value: str) -> list[bytes | None]:
        """Return the first row as PostgreSQL's text, None for NULL.

        Raises:
            LookupError: There is no row, or the server refused.
        """
        libpq = self._libpq
        values = (ctypes.c_char_p * 1)(value.encode())
        result = ctypes.c_void_p(libpq.PQexecPrepared(self._address, b"item", 1, values, None, None, 0))
        try:
            if libpq.PQresultStatus(result) != _TUPLES_OK or not libpq.PQntuples(result):
                raise LookupError(value)
            return [
                None if libpq.PQgetisnull(result, 0, column) else libpq.PQgetvalue(result, 0, column)
                for column in range(libpq.PQnfields(result))
            ]
        finally:
            libpq.PQclear(result)


def _library() -> ctypes.CDLL:
    """Load the very library that psycopg2 uses: its wheel brings one, else it is the system's."""
    bundled = Path(psycopg2.__file__).parent.with_name("psycopg2_binary.libs")
    found = next(iter(bundled.glob("libpq-*")), "libpq.so.5")
    libpq = ctypes.CDLL(str(found))
    for name in ("PQprepare", "PQexecPrepared"):
        getattr(libpq, name).restype = ctypes.c_void_p
    libpq.PQgetvalue.restype = ctypes.c_char_p
    return libpq
