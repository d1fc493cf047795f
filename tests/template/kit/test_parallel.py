"""Functions in processes of their own: results come back, failures fail the test, nobody begins early."""

from __future__ import annotations

import os
import signal
import time

import pytest
from kit import parallel
from kit.parallel import Running, at_once


def test_each_call_runs_in_a_process_of_its_own_and_returns_its_result():
    found = at_once(3, lambda number, word: (number, word, os.getpid()), "x")
    assert [(number, word) for number, word, _ in found] == [(0, "x"), (1, "x"), (2, "x")]
    assert len({os.getpid(), *(pid for _, _, pid in found)}) == 4


def test_all_of_them_begin_when_all_of_them_are_there():
    intervals = at_once(4, lambda _number: (time.monotonic(), time.sleep(0.3), time.monotonic()))
    assert max(begin for begin, _, _ in intervals) < min(end for _, _, end in intervals)


def test_an_exception_fails_the_test_with_its_traceback():
    def broken() -> None:
        raise ValueError("no such thing")

    with pytest.raises(pytest.fail.Exception, match="no such thing"):
        Running(broken).result()


def test_a_process_that_dies_or_hangs_fails_the_test(monkeypatch):
    with pytest.raises(pytest.fail.Exception, match="died without a word"):
        Running(os._exit, 1).result()
    monkeypatch.setattr(parallel, "PATIENCE", 0.2)
    hanging = Running(time.sleep, 60)
    with pytest.raises(pytest.fail.Exception, match=r"did not end within 0\.2 s"):
        hanging.result()
    hanging._process.join(5)
    assert hanging._process.exitcode == -signal.SIGKILL
