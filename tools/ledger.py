"""The ledger: which block was verified, how, in how many seconds, and in which state of the kit.

`.cache/ledger.json` keeps it between runs, a record for each page with the state in which its blocks were verified.
A record of another state is not read: a proof that is out of date is none. Nothing of it is committed, because a file
with seconds in it changes on each machine, and one without them would be a second truth beside the run.
"""

from __future__ import annotations

import fcntl
import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tools import ROOT, state
from tools.expand import Block

Kind = Literal["executed", "validated", "needs-cluster"]
KINDS: tuple[Kind, ...] = ("executed", "validated", "needs-cluster")
LEAST_EXECUTED, MOST_OPTED_OUT = 0.90, 0.03  # shares of all blocks; a test fails beyond them
FILE = ROOT / ".cache/ledger.json"


class Unproved(AssertionError):  # noqa: N818 - it names the state of the block
    """A block that is not what its page says."""

    def __init__(self, block: Block, what: str) -> None:
        super().__init__(f"{block.place}: {what}")


@dataclass(frozen=True)
class Proof:
    """How one block was verified.

    Attributes:
        kind: `executed` when it ran; `validated` when it was parsed and compared with what it claims to be;
            `needs-cluster` when it was checked against a recorded contract, because it runs in a cluster only.
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

    @property
    def is_readme(self) -> bool:
        """Whether the block stands in a README, which is no page of the site."""
        return self.page.startswith("../")


@dataclass(frozen=True)
class Shares:
    """How many of some blocks were verified in which way."""

    blocks: int
    executed: int
    validated: int
    needs_cluster: int
    seconds: float

    @property
    def share_executed(self) -> float:
        """From 0 to 1; 0 if there are no blocks."""
        return self.executed / self.blocks if self.blocks else 0.0

    @property
    def share_opted_out(self) -> float:
        """From 0 to 1; 0 if there are no blocks."""
        return self.needs_cluster / self.blocks if self.blocks else 0.0


def shares(entries: Iterable[Entry]) -> Shares:
    """Count entries by kind."""
    found = list(entries)
    kinds = Counter(e.kind for e in found)
    seconds = sum(e.seconds for e in found)
    return Shares(len(found), kinds["executed"], kinds["validated"], kinds["needs-cluster"], seconds)


class Ledger:
    """Collects the entries of one run, or of all runs that still hold."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = list(entries)

    def add(self, block: Block, proof: Proof, seconds: float) -> None:
        """Note that a block was verified."""
        self.entries.append(
            Entry(block.page, block.line, block.lang, block.digest, proof.kind, proof.how, round(seconds, 3))
        )

    @property
    def digests(self) -> Counter[str]:
        """How often each text was verified."""
        return Counter(e.digest for e in self.entries)

    def of_page(self, page: str) -> list[Entry]:
        """Return the entries of one page, in reading order."""
        return [e for e in self.entries if e.page == page]

    def groups(self) -> dict[str, list[Entry]]:
        """Return the entries of the site by language, and those of READMEs as a group of their own."""
        found: dict[str, list[Entry]] = {}
        for entry in sorted(self.entries, key=lambda e: (e.is_readme, e.lang)):
            found.setdefault("READMEs" if entry.is_readme else entry.lang, []).append(entry)
        return found

    def summary(self) -> list[str]:
        """Return the table that `make test` prints: blocks per language and kind, with seconds."""
        rows = [f"{'language':<12}{'blocks':>8}{'executed':>10}{'validated':>11}{'needs-cluster':>15}{'seconds':>9}"]
        for name, entries in [*self.groups().items(), ("all", self.entries)]:
            n = shares(entries)
            rows.append(
                f"{name:<12}{n.blocks:>8}{n.executed:>10}{n.validated:>11}{n.needs_cluster:>15}{n.seconds:>9.1f}"
            )
        return rows

    def write(self, states: dict[str, str], file: Path = FILE) -> None:
        """Put the entries of these pages in place of what the file says of them.

        Args:
            states: For each page that is proved completely the state before its first block ran.
            file: Where to.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two runs that end together both keep their records
            records = _read(file)
            for page, of_page in states.items():
                records[page] = {"state": of_page, "blocks": [asdict(e) for e in self.of_page(page)]}
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=file.parent, prefix="ledger-", delete=False
            ) as draft:
                draft.write(json.dumps(records, indent=1) + "\n")
            Path(draft.name).replace(file)  # another run may read it at this moment


def read(file: Path = FILE, root: Path = ROOT) -> Ledger:
    """Return the entries that still hold: neither their page nor anything that they depend on has changed."""
    records, kit = _read(file), state.of_kit(root)
    held = []
    for page, record in records.items():
        try:
            if record["state"] == state.of_page(page, kit, root):
                held += [Entry(**e) for e in record["blocks"]]
        except (OSError, TypeError):  # the page is gone, or an older kit wrote this
            continue
    return Ledger(held)


def last_seconds(file: Path = FILE) -> Counter[str]:
    """Return how long each page took the last time, whatever its state: good enough to start with the longest."""
    found: Counter[str] = Counter()
    for page, record in _read(file).items():
        found[page] = sum(entry.get("seconds", 0) for entry in record["blocks"])
    return found


def _read(file: Path) -> dict[str, Any]:
    """Return the records that have the right form."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {page: one for page, one in found.items() if _is_record(one)} if isinstance(found, dict) else {}


def _is_record(one: Any) -> bool:
    return isinstance(one, dict) and "state" in one and isinstance(one.get("blocks"), list)
