"""Next times as robfig/cron v3 computes them. Source of the cases: its spec_test.go semantics, FACTS 8."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from kit.serve.schedule import next_time
from kit.specs.cron import problem


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("schedule", "after", "wanted"),
    [
        ("0 3 * * *", "2026-11-22 02:59:59.5", "2026-11-22 03:00"),
        ("0 3 * * *", "2026-11-22 03:00:00", "2026-11-23 03:00"),
        ("*/15 * * * *", "2026-11-22 10:07", "2026-11-22 10:15"),
        ("5/20 * * * *", "2026-11-22 10:26", "2026-11-22 10:45"),
        ("30 0 3 * * *", "2026-11-22 02:00", "2026-11-22 03:00:30"),
        ("*/10 * * * * *", "2026-11-22 02:00:09", "2026-11-22 02:00:10"),
        ("0 0 29 2 *", "2026-11-22 00:00", "2028-02-29 00:00"),
        ("0 0 * * MON-FRI", "2026-11-20 12:00", "2026-11-23 00:00"),
        ("0 0 * jan,Jul sun", "2026-11-22 00:00", "2027-01-03 00:00"),
        ("0 0 13 * FRI", "2026-11-22 00:00", "2026-11-27 00:00"),  # both days given: one suffices
        ("0 0 13 * *", "2026-11-22 00:00", "2026-12-13 00:00"),
        ("0 0 */2 * FRI", "2026-11-22 00:00", "2026-11-23 00:00"),  # a step is no star in robfig/cron 3.0.1
        ("0 0 ? * SUN", "2026-11-22 00:00", "2026-11-29 00:00"),
        ("@hourly", "2026-11-22 10:07", "2026-11-22 11:00"),
        ("@daily", "2026-11-22 10:07", "2026-11-23 00:00"),
        ("@weekly", "2026-11-23 10:07", "2026-11-29 00:00"),
        ("@monthly", "2026-11-22 10:07", "2026-12-01 00:00"),
        ("@yearly", "2026-11-22 10:07", "2027-01-01 00:00"),
        ("@every 90s", "2026-11-22 10:00:00.7", "2026-11-22 10:01:30"),
        ("@every 1h30m", "2026-11-22 10:00", "2026-11-22 11:30"),
        ("@every 1.5s", "2026-11-22 10:00", "2026-11-22 10:00:01"),
        ("@every 20ms", "2026-11-22 10:00", "2026-11-22 10:00:01"),
        ("TZ=Europe/Berlin 30 2 * * *", "2026-11-22 00:00", "2026-11-22 01:30"),
        ("CRON_TZ=Asia/Tokyo 0 6 * * *", "2026-11-22 00:00", "2026-11-22 21:00"),
        ("TZ=Europe/Berlin 30 2 * * *", "2026-03-28 12:00", "2026-03-30 00:30"),  # no 02:30 on the 29th
        ("TZ=Europe/Berlin 30 2 * * *", "2026-10-25 00:00", "2026-10-25 00:30"),  # the first 02:30
        ("TZ=Europe/Berlin 30 2 * * *", "2026-10-25 00:30", "2026-10-25 01:30"),  # and the second
        ("TZ=America/Sao_Paulo 0 0 4 11 *", "2018-11-01 00:00", "2019-11-04 03:00"),  # a day that began at 01:00
        ("0 0 31 4,6 ?", "2026-11-22 00:00", None),
    ],
)
def test_next_times(schedule, after, wanted):
    assert next_time(schedule, at(after)) == (at(wanted) if wanted else None)


def test_a_next_time_is_later_and_nothing_lies_between():
    """Random schedules against looking at every second."""
    chance = random.Random(5)
    fields = (
        ["*", "*/7", "0", "5,50"],
        ["*", "*/20", "7", "1-3"],
        ["*", "3", "22-23"],
        ["*", "1", "22"],
        ["*", "11"],
        ["*", "0"],
    )
    for second, minute, hour, day, month, weekday in chance.sample(list(itertools.product(*fields)), 60):
        schedule = f"{second} {minute} {hour} {day} {month} {weekday}"
        assert problem(schedule) is None
        begin = datetime(2026, 11, 21, 22, 30, tzinfo=UTC) + timedelta(seconds=chance.randrange(5000))
        found = next_time(schedule, begin)
        assert found is not None
        assert found > begin
        for earlier in range(1, min(int((found - begin).total_seconds()), 4000)):
            assert next_time(schedule, begin + timedelta(seconds=earlier)) == found
            if earlier > 40:
                break
