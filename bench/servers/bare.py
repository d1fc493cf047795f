"""Peer (d), the limit: what a function in Fission's environment can reach at all.

One connection, a statement prepared through libpq, JSON put together by hand. No validation, no error mapping, no
log, no CORS. POST is the same INSERT as ours, sent by psycopg2 on a bare reused connection.
"""

from __future__ import annotations

import json
import os
import sys
from json.encoder import encode_basestring as quoted
from typing import Any

import psycopg2
from flask import Response, request

from bench.servers import environment
from bench.servers.libpq import Prepared
from bench.servers.statements import INSERT, NAMES, READ

connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
read = Prepared(connection, READ + "$1")


def main() -> Response:
    """Answer one item, or create one."""
    if request.method == "POST":
        return _insert()
    row = read.row(request.environ["HTTP_X_FISSION_PARAMS_ITEMID"])
    texts = [value.decode() if value is not None else "null" for value in row]
    key, name, description, price, status, dimensions, version, created, updated = texts
    body = (
        f'{{"id":"{key}","name":{quoted(name)},"description":{quoted(description)},"price":"{price}",'
        f'"status":"{status}","dimensions":{dimensions},"version":{version},"created_at":"{created}",'
        f'"updated_at":"{updated}"}}'
    )
    return Response(body, mimetype="application/json", headers={"ETag": f'"{version}"'})


def _insert() -> Response:
    values: dict[str, Any] = json.loads(request.get_data())
    values["dimensions"] = json.dumps(values["dimensions"])
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values)
        row = dict(zip(NAMES, cursor.fetchone(), strict=True))
    headers = {"Location": f"/items/{row['id']}", "ETag": f'"{row["version"]}"'}
    return Response(json.dumps(row, default=str), 201, mimetype="application/json", headers=headers)


if __name__ == "__main__":
    environment.serve_function(main, int(sys.argv[1]))
