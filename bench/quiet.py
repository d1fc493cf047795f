"""Notice what else runs on the machine, and wait for it to pause.

Between two turns everything of ours is idle, so whatever keeps the processors busy then belongs to somebody else.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

_STAT = Path("/proc/stat")  # Linux only; elsewhere every moment counts as quiet
_SAMPLE_SECONDS = 0.3
_QUIET = 0.08  # of all processors, in use by others


class Quiet:
    """A gate in front of every turn.

    Args:
        patience: seconds to wait in all; when they are used up, turns begin regardless.
    """

    def __init__(self, patience: float) -> None:
        self._left = patience
        self._seen: list[float] = []

    def wait(self) -> None:
        """Return when others are quiet, or patience is at its end."""
        while True:
            busy = _busy_share(_SAMPLE_SECONDS)
            if busy < _QUIET or self._left <= 0:
                self._seen.append(busy)
                return
            time.sleep(0.5)
            self._left -= _SAMPLE_SECONDS + 0.5

    @property
    def others(self) -> float:
        """How much of the processors others used at the beginning of a turn, as a share; half of the turns had less."""
        return round(median(self._seen), 2) if self._seen else 0.0


def _busy_share(seconds: float) -> float:
    if not _STAT.exists():
        return 0.0
    before = _times()
    time.sleep(seconds)
    spent = [after - earlier for after, earlier in zip(_times(), before, strict=True)]
    idle = spent[3] + spent[4]  # idle and waiting for the disk; https://man7.org/linux/man-pages/man5/proc_stat.5.html
    return 1 - idle / (sum(spent) or 1)


def _times() -> list[int]:
    return [int(field) for field in _STAT.read_text().split("\n", 1)[0].split()[1:9]]
