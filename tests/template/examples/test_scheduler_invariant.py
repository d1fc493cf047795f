"""Whatever happens in whatever order: no run is lost, none is held by two, and what is final stays as it is."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

MAX_ATTEMPTS = 3
WORKERS = 4
STEPS = 800
FINAL = {"succeeded", "failed", "canceled"}


@dataclass
class Model:
    """What must be true, kept beside the database.

    Attributes:
        state: of each run.
        epoch: of each run, as far as it was leased.
        attempts: of each run, since it was queued first or redriven.
        seen: what each worker holds in its hands; true or outdated.
        watched: runs that a follower has read, with the epoch at that time.
    """

    state: dict[str, str] = field(default_factory=dict)
    epoch: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    ended: set[str] = field(default_factory=set)
    seen: dict[int, Any] = field(default_factory=dict)
    watched: list[Any] = field(default_factory=list)

    def holds(self, lease: Any) -> bool:
        return self.state.get(lease.id) == "leased" and self.epoch[lease.id] == lease.epoch


class World:
    """Does one thing after the other and compares what each answers with the model."""

    def __init__(self, client: Any, draw: random.Random) -> None:
        import example_scheduler_queue as queue
        from helpers import execute, fetch_all

        self.queue, self.execute, self.fetch_all, self.client, self.draw = queue, execute, fetch_all, client, draw
        self.model = Model()
        self.planned = 0
        launch = {"repository_location": "lab", "job": "report"}
        for number in range(5):
            body = {"name": f"S{number}", "cron": "@yearly", "launch": launch, "max_attempts": MAX_ATTEMPTS}
            assert client.post("/schedules", json=body).status_code == 201

    def plan(self) -> None:
        self.execute("UPDATE schedules SET next_at = date_trunc('year', now())")  # so that most were planned before
        self.planned += self.queue.plan_due_runs()
        self.adopt()

    def by_hand(self) -> None:
        self.execute("INSERT INTO schedule_runs (schedule_id) SELECT id FROM schedules ORDER BY random() LIMIT 1")
        self.planned += 1
        self.adopt()

    def adopt(self) -> None:
        for row in self.fetch_all("SELECT id FROM schedule_runs"):
            self.model.state.setdefault(row["id"], "queued")

    def lease(self) -> None:
        lease = self.queue.lease_run()
        if lease is not None:
            ended = self.model.state[lease.id] == "leased" and lease.id in self.model.ended
            assert self.model.state[lease.id] == "queued" or ended
            self.model.ended.discard(lease.id)
            self.model.state[lease.id] = "leased"
            self.model.epoch[lease.id] += 1
            self.model.attempts[lease.id] += 1
            assert lease.epoch == self.model.epoch[lease.id]
            assert self.model.attempts[lease.id] <= MAX_ATTEMPTS
            self.model.seen[self.draw.randrange(WORKERS)] = lease  # whoever held another one was killed

    def settle(self) -> None:
        if not self.model.seen:
            return
        worker = self.draw.choice(sorted(self.model.seen))
        lease = self.model.seen[worker]
        if self.draw.random() < 0.5:
            del self.model.seen[worker]  # else it tries once more later, by then in vain
        holds = self.model.holds(lease)
        kind = self.draw.choice(["launched", "retry", "waiting", "dead"])
        if kind == "launched":
            assert self.queue.settle_launched(lease, f"dagster-{lease.id}-{lease.epoch}") == holds
            after = "launched"
        elif kind == "dead":
            assert self.queue.settle_dead(lease, "never") == holds
            after = "dead"
        elif kind == "waiting":
            assert self.queue.settle_waiting(lease, "away") == holds
            after = "queued"
            self.model.attempts[lease.id] -= holds
        else:
            after = "queued" if self.model.attempts[lease.id] < MAX_ATTEMPTS else "dead"
            assert self.queue.settle_retry(lease, "not now") == (after if holds else None)
        if holds:
            self.model.state[lease.id] = after
            self.model.ended.discard(lease.id)

    def watch(self) -> None:
        self.model.watched += self.queue.launched_runs()

    def follow(self) -> None:
        if not self.model.watched:
            return
        run = self.draw.choice(self.model.watched)
        current = self.model.state[run.id] == "launched" and self.model.epoch[run.id] == run.epoch
        state = self.draw.choice(["launched", "succeeded", "failed", "canceled", "dead"])
        assert self.queue.settle_followed(run, state, "SOME", "reason") == current
        if current:
            self.model.state[run.id] = state

    def pass_time(self) -> None:
        self.execute("UPDATE schedule_runs SET run_at = now() WHERE state = 'queued'")

    def end_leases(self) -> None:
        rows = self.fetch_all("SELECT id FROM schedule_runs WHERE state = 'leased'")
        for row in rows:
            if self.draw.random() < 0.5:
                self.execute("UPDATE schedule_runs SET lease_until = now() WHERE id = %(id)s", row)
                self.model.ended.add(row["id"])

    def bury(self) -> None:
        lost = [
            run
            for run in self.model.ended
            if self.model.state[run] == "leased" and self.model.attempts[run] >= MAX_ATTEMPTS
        ]
        assert self.queue.bury_lost_runs() == len(lost)
        for run in lost:
            self.model.state[run] = "dead"
            self.model.ended.discard(run)

    def redrive(self) -> None:
        if not self.model.state:
            return
        run = self.draw.choice(sorted(self.model.state))
        answer = self.client.post(f"/schedule-runs/{run}/redrive")
        assert answer.status_code == (200 if self.model.state[run] == "dead" else 409)
        if answer.status_code == 200:
            self.model.state[run] = "queued"
            self.model.attempts[run] = 0

    def check(self) -> None:
        rows = self.fetch_all("SELECT id, state, epoch, attempts, last_error FROM schedule_runs")
        assert len(rows) == self.planned, "nothing is lost, nothing comes from nowhere"
        assert {row["id"]: row["state"] for row in rows} == self.model.state
        for row in rows:
            assert (row["epoch"], row["attempts"]) == (self.model.epoch[row["id"]], self.model.attempts[row["id"]])
            assert row["state"] != "dead" or row["last_error"]


@pytest.mark.parametrize("seed", range(6))
def test_no_order_of_events_loses_a_run_or_lets_two_hold_it(client: Any, seed: int):
    draw = random.Random(seed)
    world = World(client, draw)
    events = [world.plan, world.by_hand, world.pass_time, world.end_leases, world.bury, world.redrive, world.watch]
    events += [world.lease] * 4 + [world.settle] * 3 + [world.follow] * 2
    reached: set[str] = set()
    for _ in range(STEPS):
        draw.choice(events)()
        world.check()
        reached |= set(world.model.state.values())
    assert reached == {"queued", "leased", "launched", "dead"} | FINAL, "all states were reached"
