"""Waiting in a workflow: for a time, or for a condition. Timers outlive every process."""

from collections.abc import Callable
from datetime import datetime, timedelta

from orchestrator.authoring.blue import Future, current_blue
from orchestrator.authoring.checks import checked, duration, optional
from orchestrator.authoring.place import author

_delay = duration(zero=True)
_limit = optional(_delay)


def sleep(delay: timedelta | float) -> None:
    """Go on after ``delay``, a timedelta or seconds; days are fine."""
    timer(delay).result()


def timer(delay: timedelta | float) -> Future[None]:
    """A future that comes after ``delay``; beside others in ``wait_any``, it is a time-out."""
    return current_blue().timer(checked(author(), "timer", "delay", delay, _delay))


def wait_condition(condition: Callable[[], bool], timeout: timedelta | float | None = None) -> bool:
    """Go on when ``condition`` holds, which is looked at whenever something has come; False if the time ran out."""
    return current_blue().wait_until(condition, checked(author(), "wait_condition", "timeout", timeout, _limit))


def now() -> datetime:
    """The moment that the code has come to, aware UTC; at a replay, the same as then."""
    return current_blue().now()
