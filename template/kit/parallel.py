"""For tests of what happens at the same time: processes as pods run, and a look at who waits for a lock."""

from __future__ import annotations

import multiprocessing
import time
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import pytest

PATIENCE = 60  # seconds that a process may take; only a test that hangs needs them
BLOCKING_SECONDS = 10  # until somebody must be waiting


class Running:
    """Something that runs in a process of its own, from now on.

    The process is forked: it begins with everything that the test has, and a fresh interpreter would take longer than
    most tests.

    Args:
        work: what to run; its result must be picklable.
        arguments: what to call it with.
    """

    def __init__(self, work: Callable[..., Any], *arguments: Any) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_answer, args=(theirs, work, arguments), daemon=True)
        with warnings.catch_warnings():
            # Python warns of forks where threads run, because they might hold a lock; no lock of ours is needed there.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        theirs.close()

    def result(self) -> Any:
        """Return what the function returned, as soon as it has; its exception fails the test."""
        if not self._pipe.poll(PATIENCE):
            self._process.kill()
            pytest.fail(f"the process did not end within {PATIENCE} s")
        try:
            problem, value = self._pipe.recv()
        except EOFError:
            problem, value = "the process died without a word", None
        finally:
            self._pipe.close()
            self._process.join()
        if problem:
            pytest.fail(problem)
        return value


def at_once(count: int, work: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Run a function in some processes, which begin when all of them are there; return the results.

    Args:
        count: how many processes.
        work: called with the number of its process, from 0, and the arguments.
        arguments: the same for all.
    """
    barrier = multiprocessing.get_context("fork").Barrier(count)

    def begin(number: int) -> Any:
        barrier.wait(PATIENCE)
        return work(number, *arguments)

    running = [Running(begin, number) for number in range(count)]
    return [one.result() for one in running]


def wait_until_blocking(connection: Any) -> None:
    """Wait until somebody waits for a lock that this psycopg2 connection holds; fail the test if nobody ever does."""
    deadline = time.monotonic() + BLOCKING_SECONDS
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    pytest.fail("nobody waits for what this connection has locked")


def _answer(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        pipe.send(("", work(*arguments)))
    except BaseException:
        pipe.send((traceback.format_exc(), None))
