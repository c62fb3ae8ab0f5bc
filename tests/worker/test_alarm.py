"""The alarm that interrupts code which computes and computes."""

import signal
import threading
from time import monotonic, process_time
from types import FrameType

import pytest

from orchestrator.worker.blue.alarm import Alarm


class Struck(BaseException):
    pass


def strike(_frame: FrameType | None) -> None:
    raise Struck


def compute(seconds: float) -> None:
    end = process_time() + seconds
    while process_time() < end:
        pass


def test_code_that_computes_for_too_long_is_struck_where_it_is() -> None:
    began = process_time()
    with pytest.raises(Struck), Alarm().watching(0.1, int, strike):
        compute(5.0)
    assert 0.1 <= process_time() - began < 2.0


def test_code_that_gets_on_is_left_alone() -> None:
    steps = 0
    with Alarm().watching(0.1, lambda: steps, strike):
        for _ in range(6):
            compute(0.05)
            steps += 1


def test_code_that_does_nothing_for_too_long_is_struck_too() -> None:
    began = process_time()
    with pytest.raises(Struck), Alarm().watching(0.05, int, strike):
        threading.Event().wait(30)
    assert process_time() - began < 0.05


def test_time_in_which_the_machine_stood_still_is_not_that_of_the_code() -> None:
    with Alarm().watching(0.1, int, strike):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])  # as a process that is stopped, it sees no look
        try:
            threading.Event().wait(0.7)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])


def test_without_a_limit_nothing_is_struck() -> None:
    with Alarm().watching(0.0, int, strike):
        compute(0.1)


def test_each_look_is_a_sign_of_life_until_it_strikes() -> None:
    beats: list[float] = []
    with pytest.raises(Struck), Alarm(lambda: beats.append(monotonic())).watching(0.2, int, strike):
        compute(5.0)
    assert beats


def test_the_timer_and_the_signal_of_others_are_as_before() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _frame: heard.append(number))
    others, interval = signal.setitimer(signal.ITIMER_REAL, 60.0, 7.0)
    began = monotonic()
    try:
        with Alarm().watching(0.1, int, strike):
            compute(0.02)
        left, again = signal.getitimer(signal.ITIMER_REAL)
        assert 60.0 - (monotonic() - began) - 1.0 < left <= 60.0
        assert again == 7.0
        signal.raise_signal(signal.SIGALRM)
        assert heard == [signal.SIGALRM]
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, max(others - monotonic() + began, 0.001) if others else 0.0, interval)
