"""Where the local server of a project listens, for the commands that talk to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from kit.errors import KitError
from kit.private_file import write_private
from kit.project import Project

FILE = "serve.json"


@contextmanager
def announced(project: Project, host: str, port: int) -> Iterator[None]:
    """Write down that the server listens, and remove the note at the end."""
    path = project.state / FILE
    note = json.dumps({"host": host, "port": port})
    write_private(path, note)
    try:
        yield
    finally:
        if path.exists() and path.read_text(encoding="utf-8") == note:  # perhaps another server has started since
            path.unlink()


def address(project: Project) -> tuple[str, int]:
    """Return host and port of the running server.

    Raises:
        KitError: none runs.
    """
    try:
        found = json.loads((project.state / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise KitError("no local server runs in this project; start it with: make run") from None
    return found["host"], found["port"]
