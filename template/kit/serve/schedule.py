"""When a timer runs next, as Fission's timer computes it: robfig/cron v3, SpecSchedule.Next and ConstantDelaySchedule.

A schedule has passed `kit.specs.cron.problem` before it comes here, so it is well-formed. Without `TZ=` times are
UTC, as in Fission's timer pod. Times that the clock skips in spring do not run; those that it repeats run twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

YEARS = 5  # how far robfig/cron looks ahead
_ZONE = re.compile(r"(?:CRON_TZ|TZ)=(\S*)\s+")
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_BOUNDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def next_time(schedule: str, after: datetime) -> datetime | None:
    """Return the next run of a valid schedule, in UTC, or None if there is none within five years.

    Args:
        schedule: 5 fields, 6 fields (second first), `@hourly` and the like, or `@every 90s`.
        after: with a time zone; the run is later than this.
    """
    if schedule.startswith("@every "):
        return after.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=_delay(schedule))
    fields = _parse(schedule)
    begin = after.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    day = begin.astimezone(fields.zone).date()
    for _ in range(366 * YEARS):
        if fields.has(day):
            for minute in _minutes(day, fields):
                for second in sorted(fields.seconds):
                    if (found := minute + timedelta(seconds=second)) >= begin:
                        return found
        day += timedelta(days=1)
    return None


@dataclass(frozen=True)
class _Fields:
    zone: tzinfo
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    both: bool  # a `*` in one of the two day fields: both must fit; else one of them suffices

    def has(self, day: date) -> bool:
        fits = (day.day in self.days, day.isoweekday() % 7 in self.weekdays)
        return day.month in self.months and (all(fits) if self.both else any(fits))


def _minutes(day: date, fields: _Fields) -> Iterator[datetime]:
    """Yield the matching minutes of a local day, in UTC; by absolute time, so that a change of the clock is right."""
    begin = datetime(day.year, day.month, day.day, tzinfo=fields.zone).astimezone(UTC)
    for offset in range(-60, 26 * 60):
        moment = begin + timedelta(minutes=offset)
        local = moment.astimezone(fields.zone)
        if local.date() == day and local.hour in fields.hours and local.minute in fields.minutes:
            yield moment


def _parse(schedule: str) -> _Fields:
    zone: tzinfo = UTC
    if found := _ZONE.match(schedule):
        zone = UTC if found[1] in ("UTC", "Local", "") else ZoneInfo(found[1])
        schedule = schedule[found.end() :].strip()
    parts = _DESCRIPTORS.get(schedule, schedule).split()
    parts = ["0", *parts] if len(parts) == 5 else parts
    seconds, minutes, hours, days, months, weekdays = [
        _values(part, *bounds) for part, bounds in zip(parts, _BOUNDS, strict=True)
    ]
    both = _is_star(parts[3]) or _is_star(parts[5])
    return _Fields(zone, seconds, minutes, hours, days, months, weekdays, both)


def _values(text: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        spread, _, step = part.partition("/")
        first, _, last = spread.partition("-")
        if first in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first)
            end = _number(last) if last else high if step else start
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str) -> int:
    name = text.lower()
    if name in _MONTHS:
        return _MONTHS.index(name) + 1
    return _DAYS.index(name) if name in _DAYS else int(text)


def _is_star(field: str) -> bool:
    """Tell what robfig/cron notes as a star: one of the parts is `*` or `?`, without a step above 1."""
    parts = [part.partition("/") for part in field.split(",")]
    return any(spread in ("*", "?") and int(step or 1) == 1 for spread, _, step in parts)


def _delay(schedule: str) -> float:
    """Return the seconds of `@every <duration>`: whole ones, at least 1. Source: robfig/cron, Every."""
    parts = re.findall(r"([0-9.]+)(ns|us|µs|μs|ms|s|m|h)", schedule.removeprefix("@every "))
    return float(max(1, int(sum(float(number) * _SECONDS[unit] for number, unit in parts) + 1e-9)))
