"""Cron expressions: what is refused, how they read, and when they run, also where clocks change."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from example_scheduler_cron import describe, latest_run, next_runs, normalise, time_zone

BERLIN = "Europe/Berlin"
SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)  # in the night that follows, 02:00 becomes 03:00 (01:00 UTC)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)  # in the night that follows, 03:00 becomes 02:00 (01:00 UTC)


def hours(cron: str, after: datetime, count: int = 4) -> list[str]:
    return [moment.strftime("%d %H:%M") for moment in next_runs(cron, BERLIN, after, count)]


@pytest.mark.parametrize(
    ("text", "cron", "words"),
    [
        ("*/5 * * * *", "*/5 * * * *", "Every 5 minutes"),
        ("@daily", "0 0 * * *", "At 00:00"),
        (" @Weekly ", "0 0 * * 0", "At 00:00, only on Sunday"),
        ("30 18 * * mon-fri", "30 18 * * MON-FRI", "At 18:30, Monday through Friday"),
        ("0 0 L * *", "0 0 L * *", "At 00:00, on the last day of the month"),
        ("0 0 * * 1#2", "0 0 * * 1#2", "At 00:00, on the second Monday of the month"),
        ("0 0 1 * 1", "0 0 1 * 1", "At 00:00, on day 1 of the month, or on Monday"),
    ],
)
def test_what_is_valid_is_normalised_and_put_into_words(text: str, cron: str, words: str):
    assert (normalise(text), describe(cron)) == (cron, words)


@pytest.mark.parametrize(
    "text",
    [
        *("61 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "0 0 31 4 *", "0 0 30 2 *"),
        *("", "* * * *", "* * * * * *", "@every 5m", "@reboot", "TZ=UTC * * * * *", "? * * * *", "*/0 * * * *"),
        *("*/61 * * * *", "* */25 * * *", "0 22-2 * * *", "0 0 * * MON,*", "1 " * 200, "9" * 90),
        *("\uff10 0 * * *", "ß * * * *", "\0 * * * *"),
    ],
)
def test_nonsense_is_refused_with_a_reason(text: str):
    with pytest.raises(ValueError, match=r"\w+"):
        normalise(text)


@pytest.mark.parametrize("name", ["", "Berlin", "localtime", "Europe", "../UTC", "/etc/localtime", "UTC\0", "a" * 90])
def test_what_is_no_time_zone_is_refused(name: str):
    with pytest.raises(ValueError, match="not the name of a time zone"):
        time_zone(name)


def test_a_time_that_clocks_skip_runs_when_the_skipped_hour_ends():
    assert hours("30 2 * * *", SPRING, 2) == ["29 01:00", "30 00:30"]
    assert hours("0 1-4 * * *", SPRING) == ["29 00:00", "29 01:00", "29 02:00", "29 23:00"]


def test_a_fixed_time_that_clocks_repeat_runs_once():
    assert hours("30 2 * * *", AUTUMN, 2) == ["25 00:30", "26 01:30"]


def test_between_the_two_passes_of_a_repeated_hour_the_next_time_is_never_in_the_past():
    between = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time; the first 02:30 is over
    assert hours("30 2 * * *", between, 2) == ["26 01:30", "27 01:30"]


@pytest.mark.parametrize("start", [datetime(2026, 3, 29, 0, 10, tzinfo=UTC), datetime(2026, 10, 25, 0, 10, tzinfo=UTC)])
def test_every_half_hour_follows_real_time_through_both_changes(start: datetime):
    gaps = {after - before for before, after in pairwise(next_runs("*/30 * * * *", BERLIN, start, 8))}
    assert gaps == {timedelta(minutes=30)}


def test_a_zone_with_another_offset_than_hours_is_right():
    assert next_runs("0 9 * * *", "Asia/Kathmandu", SPRING)[0] == datetime(2026, 3, 29, 3, 15, tzinfo=UTC)


def test_of_many_missed_times_the_last_one_counts():
    due = datetime(2026, 1, 1, tzinfo=UTC)
    assert latest_run("0 * * * *", "UTC", due, datetime(2026, 1, 3, 7, 59, 59, tzinfo=UTC)).hour == 7
    assert latest_run("0 * * * *", "UTC", due, datetime(2026, 1, 3, 8, tzinfo=UTC)).hour == 8
    assert latest_run("0 0 1 1 *", "UTC", due, datetime(2026, 12, 31, tzinfo=UTC)) == due


def test_forwards_and_backwards_agree_for_any_expression():
    draw = random.Random(7)
    parts = ["*", "*/2", "5", "0", "1-5", "L", "1#2", "MON", "JAN", "2,3", "LW", "5L"]
    checked = 0
    while checked < 150:
        try:
            cron = normalise(" ".join(draw.choice(parts) for _ in range(5)))
        except ValueError:
            continue
        now = SPRING + timedelta(seconds=draw.randrange(366 * 86_400))
        first, second = next_runs(cron, BERLIN, now, 2)
        assert now < first < second
        assert latest_run(cron, BERLIN, first, first) == first, cron
        assert latest_run(cron, BERLIN, first, second - timedelta(seconds=1)) == first, cron
        assert describe(cron)
        checked += 1
