"""Problems in a team's files, each with its place, its reason and its remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from kit.errors import KitError


@dataclass(frozen=True, order=True)
class SpecError:
    """One problem at one place; `line` and `column` count from 1, `rule` is the id of a check or empty."""

    path: Path
    line: int
    column: int
    what: str
    why: str
    fix: str
    rule: str = ""

    def __str__(self) -> str:
        tag = f"{self.rule} " if self.rule else ""
        return f"{self.path}:{self.line}:{self.column}: {tag}{self.what}. {self.why}. {self.fix}."

    def relative_to(self, root: Path) -> SpecError:
        """Return the same problem with the path as a user in `root` would type it."""
        path = self.path.relative_to(root) if self.path.is_relative_to(root) else self.path
        return replace(self, path=path)


class SpecErrors(KitError):  # noqa: N818 - it holds several
    """All problems that were found, in the order of files and lines."""

    def __init__(self, errors: Iterable[SpecError]) -> None:
        self.errors = tuple(sorted(set(errors)))
        super().__init__("\n".join(str(error) for error in self.errors))
