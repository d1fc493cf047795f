"""Schedules are judged as robfig/cron v3.0.1 judges them in Fission, and more strictly where it lets nonsense pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.specs.cron import has_seconds, problem

GOOD = [
    "* * * * *",
    "*/5 * * * *",
    "0 */5 * * * *",
    "30 2 * * MON-FRI",
    "30 2 1,15 jan-mar,DEC ?",
    "5/15 * * * *",
    "0-30/10 8-18 * * 1-5",
    "@hourly",
    "@every 1h30m",
    "@every 90s",
    "@every 1.5h",
    "CRON_TZ=Europe/Berlin 30 2 * * *",
    "TZ=UTC   0 0 * * 0",
    "CRON_TZ=America/New_York @daily",
    "0 0 29 2 *",
    "0 0 31 2 1",
]
BAD = {
    "": "but 0",
    "* * * *": "but 4",
    "* * * * * * *": "but 7",
    "60 * * * *": "minute 60 is not between 0 and 59",
    "* 24 * * *": "hour 24",
    "* * 0 * *": "day of month 0",
    "* * * 13 *": "month 13",
    "* * * * 7": "day of week 7",
    "0 0 L * *": "is not a day of month",
    "0 0 15W * *": "is not a day of month",
    "* * * * MON#1": "is not a day of week",
    "30-10 * * * *": "runs backwards",
    "*/0 * * * *": "step",
    "*/x * * * *": "step",
    "1-2-3 * * * *": "is not a minute",
    "1,,2 * * * *": "is not a minute",
    "1/2/3 * * * *": "is not a minute",
    "*-5 * * * *": "mixes",
    "@reboot": "is none of",
    "@Daily": "is none of",
    "@every": "is none of",
    "@every 5": "wants a duration",
    "@every 0s": "above zero",
    "@every -5m": "wants a duration",
    "CRON_TZ=Mars/Olympus 0 0 * * *": "time zone 'Mars/Olympus' is unknown",
    "CRON_TZ=../../etc/passwd 0 0 * * *": "is unknown",
    "CRON_TZ=Europe/Berlin": "followed by a blank",
    "0 0 31 2 *": "would never run",
    "0 0 31 4,6,9,11 ?": "would never run",
    "٣ * * * *": "is not a minute",
}


@pytest.mark.parametrize("schedule", GOOD)
def test_accepts(schedule):
    assert problem(schedule) is None


@pytest.mark.parametrize(("schedule", "reason"), BAD.items(), ids=ascii)
def test_refuses(schedule, reason):
    assert reason in (problem(schedule) or "accepted")


def test_knows_the_seconds_field():
    assert [has_seconds(schedule) for schedule in GOOD[:4]] == [False, False, True, False]
    assert has_seconds("CRON_TZ=UTC 0 0 0 * * *")


@given(st.text(alphabet="0123456789*/-,?@ LWMONTZ=.every\tü", max_size=25))
def test_any_text_gets_an_answer(text):
    assert problem(text) is None or problem(text)


@given(st.tuples(st.integers(0, 59), st.integers(0, 23), st.integers(1, 28), st.integers(1, 12), st.integers(0, 6)))
def test_every_moment_of_a_year_can_be_written(fields):
    assert problem(" ".join(map(str, fields))) is None
