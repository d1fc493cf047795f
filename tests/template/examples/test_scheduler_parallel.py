"""The scheduler in many processes at once, and in processes that are killed or too slow."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kit.pod import Pod

from .scheduler_ticks import Ticks, own_tests, serving

PATIENCE_SECONDS = 30
TESTS = own_tests()


@pytest.fixture
def dagster(pod: Pod) -> Iterator[Any]:
    with serving(TESTS.Dagster()) as server:
        pod.set_config("DAGSTER_URL", server.url)
        yield server


@pytest.fixture
def add_schedules(client: Any) -> Callable[[int], list[str]]:
    def add(number: int) -> list[str]:
        launch = {"repository_location": "lab", "job": "report"}
        bodies = [{"name": f"Report {i}", "cron": "@yearly", "launch": launch} for i in range(number)]
        return [client.post("/schedules", json=body).json["id"] for body in bodies]

    return add


def make_due() -> None:
    sql("UPDATE schedules SET next_at = date_trunc('year', now())")


def sql(statement: str) -> list[dict[str, Any]]:
    from helpers import execute, fetch_all

    return fetch_all(statement) if statement.startswith("SELECT") else [{"rows": execute(statement)}]


def states() -> Counter[str]:
    return Counter(row["state"] for row in sql("SELECT state FROM schedule_runs"))


def launches(server: Any) -> Counter[str]:
    """How often each of our runs was launched."""
    return Counter(run["tags"]["your-service/run"] for run in list(server.runs.values()))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def slowly(seconds: float) -> Callable[..., Any]:
    """Take some time over a launch, so that others really run beside it."""

    def answer(handler: Any, name: str, variables: dict[str, Any]) -> Any:
        time.sleep(seconds)
        return handler.server.answer(name, variables)

    return answer


def test_twenty_firings_at_once_launch_each_due_run_exactly_once(dagster: Any, pod: Pod, add_schedules: Any):
    add_schedules(30)
    make_due()
    sql("INSERT INTO schedule_runs (schedule_id) SELECT id FROM schedules")  # as if started by hand
    dagster.script["Launch"] = [slowly(0.05)] * 60
    with Ticks(pod.root, 20) as ticks:
        ticks.fire()
        answers = ticks.answers()
    assert len(answers) == 20
    done = sum((Counter({k: v for k, v in answer.items() if v}) for answer in answers), Counter())
    assert (done["planned"], done["launched"]) == (30, 60)
    assert sum(answer["launched"] > 0 for answer in answers) > 3, "they did share the work"
    assert sorted(launches(dagster).values()) == [1] * 60
    assert states() == {"launched": 60}
    make_due()
    with Ticks(pod.root, 20) as ticks:
        ticks.fire()
        assert sum(answer["planned"] for answer in ticks.answers()) == 0, "the same time is not planned again"


@pytest.mark.parametrize("accepted", [True, False])
def test_a_tick_that_is_killed_in_the_middle_of_a_launch_loses_nothing(
    dagster: Any, pod: Pod, add_schedules: Any, accepted: bool
):
    """Whether Dagster had the run when the tick was killed or not: in the end it has it once."""
    reached, gone = threading.Event(), threading.Event()

    def answer(handler: Any, name: str, variables: dict[str, Any]) -> None:
        if accepted:
            handler.server.answer(name, variables)
        reached.set()
        gone.wait(PATIENCE_SECONDS)
        handler.close_connection = True

    add_schedules(3)
    make_due()
    dagster.script["Launch"] = [answer]
    with Ticks(pod.root, 1) as ticks:
        ticks.fire()
        assert reached.wait(PATIENCE_SECONDS)
        ticks.kill()
    gone.set()
    assert states() == {"leased": 1, "queued": 2}
    with Ticks(pod.root, 2) as ticks:
        ticks.fire()
        assert sum(answer["launched"] for answer in ticks.answers()) == 2, "its lease has not ended"
    sql("UPDATE schedule_runs SET lease_until = now() WHERE state = 'leased'")
    with Ticks(pod.root, 2) as ticks:
        ticks.fire()
        ticks.answers()
    assert states() == {"launched": 3}
    assert sorted(launches(dagster).values()) == [1, 1, 1]
    assert {row["dagster_run_id"] for row in sql("SELECT dagster_run_id FROM schedule_runs")} == set(dagster.runs)


def test_a_tick_that_is_slower_than_its_lease_changes_nothing(dagster: Any, pod: Pod, add_schedules: Any):
    reached, gone = threading.Event(), threading.Event()

    def answer(handler: Any, name: str, variables: dict[str, Any]) -> Any:
        accepted = handler.server.answer(name, variables)
        reached.set()
        gone.wait(PATIENCE_SECONDS)
        return accepted

    add_schedules(1)
    make_due()
    dagster.script["Launch"] = [answer]
    with Ticks(pod.root, 1) as slow:
        slow.fire()
        assert reached.wait(PATIENCE_SECONDS)
        sql("UPDATE schedule_runs SET lease_until = now()")
        with Ticks(pod.root, 1) as quick:
            quick.fire()
            assert quick.answers()[0]["launched"] == 1
        (before,) = sql("SELECT state, epoch, dagster_run_id, launched_at FROM schedule_runs")
        gone.set()
        assert slow.answers()[0]["launched"] == 0
    assert sql("SELECT state, epoch, dagster_run_id, launched_at FROM schedule_runs") == [before]
    assert list(launches(dagster).values()) == [1]


def test_ticks_that_are_killed_at_random_lose_no_run_and_launch_none_twice(dagster: Any, pod: Pod, add_schedules: Any):
    draw = random.Random(3)
    add_schedules(25)
    make_due()
    dagster.script["Launch"] = [slowly(0.02)] * 200
    sql("UPDATE schedules SET max_attempts = 20")
    for _ in range(6):
        with Ticks(pod.root, 3) as ticks:
            ticks.fire()
            wanted = len(dagster.asked) + draw.randrange(1, 8)
            until(lambda wanted=wanted, ticks=ticks: len(dagster.asked) >= wanted or ticks.process.poll() is not None)
        time.sleep(0.1)  # what was sent before the end may still be on its way
        sql("UPDATE schedule_runs SET lease_until = now() WHERE state = 'leased'")
        sql("UPDATE schedule_runs SET run_at = now() WHERE state = 'queued'")
    assert states()["leased"] > 0 or len(launches(dagster)) < 25, "they were killed before all was done"
    with Ticks(pod.root, 3) as ticks:
        ticks.fire()
        ticks.answers()
    assert states() == {"launched": 25}
    assert sorted(launches(dagster).values()) == [1] * 25
