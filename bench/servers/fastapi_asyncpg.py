"""Peer (b): FastAPI with an asyncpg pool, on the uvicorn that Fission's FastAPI environment 1.35.0 pins.

One process, as in a pod; access log off, no CORS, no error mapping. asyncpg prepares every statement by itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import uvicorn
from fastapi import FastAPI, HTTPException, Query, Response
from pydantic_core import from_json

from bench import TEMPLATE
from bench.servers.statements import READ

sys.path += [str(TEMPLATE / "src"), str(TEMPLATE / "examples")]
from example_crud_models import ItemResponse
from models import PaginatedResponse


async def _set_up(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=str, decoder=from_json, schema="pg_catalog")


@asynccontextmanager
async def _with_pool(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], init=_set_up) as pool:  # ten connections
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_with_pool)


@app.get("/items/{itemid}", response_model=ItemResponse)
async def read_item(itemid: UUID, response: Response) -> dict[str, Any]:
    """Answer one item."""
    row = await app.state.pool.fetchrow(READ + "$1", itemid)
    if row is None:
        raise HTTPException(404)
    response.headers["ETag"] = f'"{row["version"]}"'
    return dict(row)


@app.get("/items", response_model=PaginatedResponse[ItemResponse])
async def list_items(
    limit: Annotated[int, Query(ge=1, le=100)] = 20, offset: Annotated[int, Query(ge=0)] = 0, total: bool = False
) -> dict[str, Any]:
    """Answer one page by offset, with the number of all items if asked."""
    pool = app.state.pool
    rows = await pool.fetch("SELECT * FROM items ORDER BY created_at DESC, id DESC LIMIT $1 OFFSET $2", limit, offset)
    page: dict[str, Any] = {"items": [dict(row) for row in rows], "limit": limit, "offset": offset}
    if total:
        page["total"] = await pool.fetchval("SELECT count(*) FROM items")
    return page


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
