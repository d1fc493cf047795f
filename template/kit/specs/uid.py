"""The project's own UUID, which marks the objects in the cluster as its own."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

from kit.errors import KitError

FILE = ".fission/uid"


def read_uid(root: Path) -> str | None:
    """Return the project's uid, or None before the first `kit specs`.

    Raises:
        KitError: the file holds something else.
    """
    path = root / FILE
    try:
        text = path.read_text(encoding="ascii").strip()
        return str(UUID(text))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise KitError(f"{FILE}:1:1: this is not a UUID; restore the file from version control.") from error


def create_uid(root: Path) -> str:
    """Give the project a new uid; two projects with one uid would delete each other's objects."""
    uid = str(uuid4())
    (root / FILE).write_text(f"{uid}\n", encoding="ascii")
    return uid
