"""Peer (a), the pattern of most functions: read the secrets and connect anew for every request.

It runs in the same environment as ours. Errors are not mapped, nothing is logged, no CORS header is sent.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import psycopg2
from flask import jsonify, request
from psycopg2.extras import RealDictCursor

from bench import TEMPLATE
from bench.servers import environment
from bench.servers.statements import READ

sys.path += [str(TEMPLATE / "src"), str(TEMPLATE / "examples")]
from example_crud_models import ItemResponse

SECRETS = Path(os.environ["FISSION_POD_ROOT"], "secrets/default/fission-your-service-env")


def main() -> Any:
    """Answer the item whose id is in the header that Fission's router sets."""
    host, port, name, user, password = (
        (SECRETS / key).read_text().strip() for key in ("PG_HOST", "PG_PORT", "PG_DB", "PG_USER", "PG_PASS")
    )
    connection = psycopg2.connect(host=host, port=port, dbname=name, user=user, password=password)
    try:
        with connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(READ + "%s", (request.headers["X-Fission-Params-Itemid"],))
            row = cursor.fetchone()
    finally:
        connection.close()
    if row is None:
        return jsonify(error="not found"), 404
    answer = jsonify(ItemResponse.model_validate(row).model_dump(mode="json"))
    answer.headers["ETag"] = f'"{row["version"]}"'
    return answer


if __name__ == "__main__":
    environment.serve_function(main, int(sys.argv[1]))
