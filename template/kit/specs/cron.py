"""The grammar of schedules that Fission's timer reads: robfig/cron v3 with optional seconds.

Source: NewParser(SecondOptional | Minute | Hour | Dom | Month | Dow | Descriptor) of robfig/cron v3.0.1, which is
what Fission's pkg/timer and IsValidCronSpec use. Where that parser lets nonsense pass, we do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_DURATION = re.compile(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_ZONE = re.compile(r"(?:CRON_TZ|TZ)=(\S*)\s+")
_MONTHS = {
    name: i
    for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_DAYS = {name: i for i, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_LONGEST = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: dict[str, int]


_FIELDS = (
    _Field("second", 0, 59, {}),
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)


class _ScheduleError(ValueError):
    pass


def problem(schedule: str) -> str | None:
    """Return why Fission cannot run a schedule, or None if it can."""
    try:
        _check(schedule)
    except _ScheduleError as reason:
        return str(reason)
    return None


def has_seconds(schedule: str) -> bool:
    """Say whether a valid schedule has the sixth field."""
    return len(_ZONE.sub("", schedule, count=1).split()) == 6


def _check(schedule: str) -> None:
    rest = schedule
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        zone = _ZONE.match(schedule)
        if zone is None:
            raise _ScheduleError("a time zone must be followed by a blank and the schedule")
        _check_zone(zone.group(1))
        rest = schedule[zone.end() :].strip()
    if rest.startswith("@"):
        _check_descriptor(rest)
        return
    parts = rest.split()
    if len(parts) not in (5, 6):
        raise _ScheduleError(f"it has not 5 fields (minute first) or 6 (second first), but {len(parts)}")
    fields = _FIELDS[6 - len(parts) :]
    values = {field.name: _values(part, field) for part, field in zip(parts, fields, strict=True)}
    if parts[-1] in "*?" and all(
        day > _LONGEST.get(month, 31) for day in values["day of month"] for month in values["month"]
    ):
        raise _ScheduleError("no month has such a day, so it would never run")


def _check_zone(name: str) -> None:
    if name in ("UTC", "Local"):
        return
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise _ScheduleError(f"the time zone {name!a} is unknown") from None


def _check_descriptor(text: str) -> None:
    if text.startswith("@every "):
        duration = text.removeprefix("@every ")
        if not _DURATION.sub("", duration) == "" or not duration:
            raise _ScheduleError("@every wants a duration such as 90s, 15m or 1h30m")
        if not re.search(r"[1-9]", duration):
            raise _ScheduleError("@every wants a duration above zero")
    elif text not in _DESCRIPTORS:
        raise _ScheduleError(f"{text!a} is none of {', '.join(_DESCRIPTORS)} and @every <duration>")


def _values(text: str, field: _Field) -> set[int]:
    return {value for part in text.split(",") for value in _range(part, field)}


def _range(text: str, field: _Field) -> range:
    spread, *steps = text.split("/")
    low, *highs = spread.split("-")
    if len(highs) > 1 or len(steps) > 1:
        raise _ScheduleError(f"{text!a} is not a {field.name}")
    if low in ("*", "?"):
        if highs:
            raise _ScheduleError(f"{text!a} mixes {low} with a range")
        start, end = field.low, field.high
    else:
        start = _number(low, field)
        end = _number(highs[0], field) if highs else field.high if steps else start
    step = 1
    if steps:
        if not re.fullmatch(r"[0-9]{1,9}", steps[0], re.ASCII) or int(steps[0]) == 0:
            raise _ScheduleError(f"the step in {text!a} is not a number above 0")
        step = int(steps[0])
    if start > end:
        raise _ScheduleError(f"the range {text!a} runs backwards")
    return range(start, end + 1, step)


def _number(text: str, field: _Field) -> int:
    if text.lower() in field.names:
        return field.names[text.lower()]
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise _ScheduleError(f"{text!a} is not a {field.name}")
    value = int(text)
    if not field.low <= value <= field.high:
        raise _ScheduleError(f"the {field.name} {value} is not between {field.low} and {field.high}")
    return value
