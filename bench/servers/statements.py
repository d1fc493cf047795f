"""The SQL that the peers share. ``tests/bench`` holds it against that of ``template/examples/example_crud.py``."""

from __future__ import annotations

NAMES = ["id", "name", "description", "price", "status", "dimensions", "version", "created_at", "updated_at"]

READ = "SELECT * FROM items WHERE id = "

INSERT = """
        INSERT INTO items (name, description, price, status, dimensions)
        VALUES (%(name)s, %(description)s, %(price)s, %(status)s, %(dimensions)s)
        RETURNING *
        """
