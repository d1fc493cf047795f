"""Cron expressions: five fields, checked, put into words, and turned into times.

cronsim decides what is valid and when it runs; cron-descriptor only puts into words what cronsim has accepted, because
it describes ``61 * * * *`` as happily as anything else. Both are imported where they are used.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

MAX_CRON_CHARS: Final = 100
MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_FIELD = re.compile(r"[0-9A-Z*,/#-]+")
_STEP = re.compile(r"/([0-9]+)")
_STEPS: Final = (60, 24, 31, 12, 7)  # how many values each field has: a larger step does not repeat as it says
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


def normalise(text: str) -> str:
    """Return an expression as five fields in capitals with single blanks between them.

    ``@hourly`` and its like become fields. What depends on when a process was started (``@every``, ``@reboot``), a
    field for seconds, and a time zone in front are refused: a schedule has a field for its time zone.

    Raises:
        ValueError: It is no such expression, or no day will ever match it; the text says which field is wrong.
    """
    from cronsim import CronSim, CronSimError

    if len(text) > MAX_CRON_CHARS:
        raise ValueError(f"longer than {MAX_CRON_CHARS} characters")
    text = MACROS.get(text.strip().lower(), text)
    fields = text.upper().split()
    if len(fields) != 5 or fields[0].startswith("@"):
        raise ValueError(f"expected minute, hour, day, month, weekday, or one of {' '.join(MACROS)}")
    for field, largest in zip(fields, _STEPS, strict=True):
        if not (field.isascii() and _FIELD.fullmatch(field)):
            raise ValueError("a field has other characters than digits, letters and * , - / #")
        if any(int(step) > largest for step in _STEP.findall(field)):
            raise ValueError(f"the step in {field} is larger than {largest}, so it would not repeat as it says")
    cron = " ".join(fields)
    try:
        next(CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(str(error)) from None
    except StopIteration:
        raise ValueError("no day matches it within 50 years") from None
    try:
        describe(cron)
    except Exception:  # of any kind: cron-descriptor trips over odd mixtures such as MON,*
        raise ValueError("it cannot be put into words; write it more simply") from None
    return cron


def time_zone(name: str) -> str:
    """Return the name of a time zone if there is such a zone, e.g. ``Europe/Berlin``.

    Raises:
        ValueError: There is none; ``localtime`` counts as none, because it means something else on each machine.
    """
    try:
        if not _ZONE.fullmatch(name) or name in ("localtime", "posixrules"):
            raise ValueError
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a folder, a file that is no zone, no file: all mean the same here
        raise ValueError("not the name of a time zone such as UTC or Europe/Berlin") from None
    return name


def describe(cron: str) -> str:
    """Return a valid expression in words, e.g. ``At 06:30, Monday through Friday``."""
    from cron_descriptor import Options, get_description

    options = Options()
    options.use_24hour_time_format = True
    options.locale_code = "en_US"  # else the words would depend on the machine
    return str(get_description(cron, options))


def next_runs(cron: str, zone: str, after: datetime, count: int = 1) -> list[datetime]:
    """Return the next times, in UTC, each later than ``after``; fewer if there are no more.

    Where clocks go forward, a time that is skipped runs when the skipped hour ends. Where they go back, a fixed time
    runs once, the first time that it comes, and ``*`` in the minute or the hour follows the clock on the wall through
    both hours, as Debian's cron does it.

    Args:
        cron: From ``normalise``.
        zone: From ``time_zone``.
        after: With a time zone.
        count: How many.
    """
    from cronsim import CronSim

    found: list[datetime] = []
    for local in CronSim(cron, after.astimezone(ZoneInfo(zone))):
        moment = local.astimezone(UTC)
        if moment > max([after, *found]):  # in a repeated hour cronsim begins with its first pass, which is over
            found.append(moment)
        if len(found) == count:
            break
    return found


def latest_run(cron: str, zone: str, due: datetime, now: datetime) -> datetime:
    """Return the last time that is not later than now, so that many missed times cost one run.

    Args:
        cron: From ``normalise``.
        zone: From ``time_zone``.
        due: A time of this schedule that is not later than now; it is the answer if none came after it.
        now: With a time zone.
    """
    from cronsim import CronSim

    start = (now + timedelta(minutes=1)).astimezone(ZoneInfo(zone))  # backwards from here, now itself is found, too
    for local in CronSim(cron, start, reverse=True):
        moment = local.astimezone(UTC)
        if moment <= now:
            return max(moment, due)
    return due
