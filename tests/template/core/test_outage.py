"""The database goes away and comes back while requests keep coming."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
from kit.database import Dsn
from kit.postgres import Server

from .processes import Answer, PodProcess


def connections_of_pods(dsn: Dsn) -> int:
    connection = psycopg2.connect(**dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'default/your-service'")
            return cursor.fetchone()[0]
    finally:
        connection.close()


class Writer(threading.Thread):
    """Creates one item after the other through a pod until it is told to stop."""

    def __init__(self, pod: PodProcess, prefix: str) -> None:
        super().__init__(daemon=True)
        self.pod, self.prefix = pod, prefix
        self.answers: list[tuple[str, Answer]] = []
        self.done = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.done.is_set():
            name = f"{self.prefix}-{number}"
            self.answers.append((name, self.pod.send("POST", "/", {"name": name, "price": 1})))
            number += 1
            time.sleep(0.005)


def test_an_outage_under_load_gives_only_clean_503s_and_nothing_is_lost_or_doubled(
    own_server: Path, start_pod: Callable[..., PodProcess], migrated: Callable[[Dsn], str]
):
    server = Server.start(own_server)
    url = migrated(server.dsn)
    pods = [start_pod(url), start_pod(url)]
    writers = [Writer(pod, f"{p}-{w}") for p, pod in enumerate(pods) for w in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(2):
            time.sleep(0.6)
            server.stop()
            time.sleep(0.6)
            server = Server.start(own_server)
            for pod in pods:
                assert pod.send("GET", "/?limit=1").status == 200, "the first request after the return failed"
        time.sleep(0.4)
    finally:
        for writer in writers:
            writer.done.set()
        for writer in writers:
            writer.join(30)

    answers = [answer for writer in writers for answer in writer.answers]
    assert {answer.status for _, answer in answers} == {201, 503}
    for _, answer in answers:
        if answer.status == 503:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.json["error_code"] == "UNAVAILABLE"

    assert connections_of_pods(server.dsn) == len(pods)
    stored = [row["name"] for row in _all_items(pods[0])]
    assert len(stored) == len(set(stored))
    assert {name for name, answer in answers if answer.status == 201} <= set(stored)
    server.stop()


def test_a_pod_that_starts_without_a_database_works_as_soon_as_there_is_one(
    own_server: Path, start_pod: Callable[..., PodProcess], migrated: Callable[[Dsn], str]
):
    server = Server.start(own_server)
    url = migrated(server.dsn)
    server.stop()
    pod = start_pod(url)
    assert [pod.send("GET", "/").status for _ in range(3)] == [503, 503, 503]
    server = Server.start(own_server)
    assert pod.send("GET", "/").status == 200
    assert "postgres:" not in (pod.root / "log").read_text()
    server.stop()


def _all_items(pod: PodProcess) -> list[dict[str, str]]:
    items: list[dict[str, str]] = []
    cursor = ""
    while True:
        page = pod.send("GET", f"/?limit=100&sort=name{cursor}").json
        items += page["items"]
        if not page["next_cursor"]:
            return items
        cursor = f"&cursor={page['next_cursor']}"
