"""Peer (c): Flask with SQLAlchemy's ORM, one gunicorn worker with ten threads.

Access log off, no CORS, no error mapping.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Flask, jsonify
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench import TEMPLATE

sys.path += [str(TEMPLATE / "src"), str(TEMPLATE / "examples")]
from example_crud_models import ItemResponse

app = Flask(__name__)
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://", 1))


class Base(DeclarativeBase):
    """The tables of this application."""


class Item(Base):
    """One row of items."""

    __tablename__ = "items"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str]
    price: Mapped[Decimal]
    status: Mapped[str]
    dimensions: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


@app.get("/items/<uuid:itemid>")
def read_item(itemid: UUID) -> Any:
    """Answer one item."""
    with Session(engine) as session:
        item = session.get(Item, itemid)
        if item is None:
            return jsonify(error="not found"), 404
        answer = jsonify(ItemResponse.model_validate(item, from_attributes=True).model_dump(mode="json"))
        answer.headers["ETag"] = f'"{item.version}"'
        return answer


if __name__ == "__main__":
    options = ["--bind", f"127.0.0.1:{sys.argv[1]}", "--workers", "1", "--worker-class", "gthread", "--threads", "10"]
    module = "bench.servers.sqlalchemy_gunicorn:app"
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *options, "--log-level", "warning", module])
