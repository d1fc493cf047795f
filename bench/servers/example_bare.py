"""The limit of an example: the statements of one request, sent again and again, and nothing else.

The first two requests go to the example itself, the second one under observation: which statements it sends, and what
it answers. Every further request sends the same statements, one round trip each, on a bare reused connection, and gets
the same answer. So the limit follows the example by itself; what is missing is all that Python does in between.
What never repeats is replaced each time: the eight digits of ``OBSERVED``, and ids that the example has made up.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg2
from flask import Response, request

from bench.servers import environment, example

OBSERVED = "90000001"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_numbers = itertools.count(50_000_000)  # far from those of bench/driver.py, which asks for the example itself

Statement = tuple[str, Any]


class _Observed(psycopg2.extensions.cursor):
    """A cursor that remembers what it was told to execute."""

    statements: list[Statement] = []  # noqa: RUF012 - one list for all cursors, because a request may open several

    def execute(self, query: str, parameters: Any = None) -> None:
        self.statements.append((query, parameters))
        super().execute(query, parameters)


class Limit:
    """The application: first the example, then its statements alone."""

    def __init__(self) -> None:
        self._example = example.loaded().function
        self._answers = 0
        self._response: tuple[bytes, int, dict[str, str]] | None = None
        self._connection: Any = None
        self._made_up: set[str] = set()

    def main(self) -> Any:
        """Answer a request."""
        if self._response is None:
            return self._observe()
        with self._connection.cursor() as cursor:
            fresh = {OBSERVED: str(next(_numbers)), **{key: str(uuid4()) for key in self._made_up}}
            for query, parameters in _Observed.statements:
                cursor.execute(query, renewed(parameters, fresh))
                if cursor.description:
                    cursor.fetchall()
        return Response(*self._response)

    def _observe(self) -> Any:
        _Observed.statements.clear()
        assert self._example is not None
        response = self._example()
        self._answers += 1
        if self._answers == 2:
            self._response = response.get_data(), response.status_code, dict(response.headers)
            asked = request.full_path + str(request.headers) + request.get_data(as_text=True)
            self._made_up = {key for _, values in _Observed.statements for key in ids(values) if key not in asked}
            self._connection = _connect(os.environ["DATABASE_URL"])
            self._connection.autocommit = True
        return response


def ids(value: Any) -> Iterator[str]:
    """Return the values of a statement that are UUIDs."""
    for one in value.values() if isinstance(value, dict) else value or ():
        if isinstance(one, str) and UUID.fullmatch(one):
            yield one


def renewed(value: Any, fresh: dict[str, str]) -> Any:
    """Return the values of a statement with other texts in place of some."""
    if isinstance(value, str):
        for old, new in fresh.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, dict):
        return {key: renewed(one, fresh) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [renewed(one, fresh) for one in value]
    return value


_connect = psycopg2.connect


def _connect_observed(*arguments: Any, **options: Any) -> Any:
    return _connect(*arguments, **options, cursor_factory=_Observed)


if __name__ == "__main__":
    psycopg2.connect = _connect_observed
    app = environment.Environment()
    app.function = Limit().main
    environment.serve(app, int(sys.argv[1]))
