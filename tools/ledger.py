"""The ledger: which published block was verified, how, and in how many seconds."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tools.expand import Block

Kind = Literal["executed", "validated"]


class Unproved(AssertionError):  # noqa: N818 - it names the state of the block
    """A block that is not what its page says."""

    def __init__(self, block: Block, what: str) -> None:
        super().__init__(f"{block.place}: {what}")


@dataclass(frozen=True)
class Proof:
    """How one block was verified.

    Attributes:
        kind: `executed` when it ran, `validated` when it was parsed and compared with what it claims to be.
        how: The check, in words.
    """

    kind: Kind
    how: str


@dataclass(frozen=True)
class Entry:
    """One line of the ledger; `seconds` is wall time."""

    page: str
    line: int
    lang: str
    digest: str
    kind: Kind
    how: str
    seconds: float


class Ledger:
    """Collects the entries of one run."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, block: Block, proof: Proof, seconds: float) -> None:
        """Note that a block was verified."""
        self.entries.append(
            Entry(block.page, block.line, block.lang, block.digest, proof.kind, proof.how, round(seconds, 3))
        )

    @property
    def digests(self) -> Counter[str]:
        """How often each text was verified."""
        return Counter(e.digest for e in self.entries)

    def summary(self) -> list[str]:
        """Return the table that `make test` prints: blocks per language, executed and validated, seconds."""
        rows = [f"{'language':<12}{'blocks':>8}{'executed':>10}{'validated':>11}{'seconds':>9}"]
        groups = {lang: [e for e in self.entries if e.lang == lang] for lang in sorted({e.lang for e in self.entries})}
        for name, found in [*groups.items(), ("all", self.entries)]:
            ran = sum(e.kind == "executed" for e in found)
            seconds = sum(e.seconds for e in found)
            rows.append(f"{name:<12}{len(found):>8}{ran:>10}{len(found) - ran:>11}{seconds:>9.1f}")
        return rows

    def write(self, path: Path) -> None:
        """Write the entries as JSON, in reading order."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([asdict(e) for e in self.entries], indent=1) + "\n", "utf-8")
