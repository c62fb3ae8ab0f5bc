"""Vitals: what the parts of a home say of themselves, and how often."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from orchestrator.exceptions import StorageUnavailableError
from orchestrator.ports import Clock
from orchestrator.storage.database import writing
from orchestrator.storage.signs import EVERY, Role, Sign, give

Facts = Callable[[], Mapping[str, Any]]


class Vitals:
    """The signs of one process, for each role that it answers for. ``signs`` is asked whenever something is committed
    anyway, and mostly has nothing to say.
    """

    def __init__(self, clock: Clock, facts: Mapping[Role, Facts]) -> None:
        self._clock = clock
        self._facts = facts
        self._host = socket.gethostname()
        self._started_at = clock.now()
        self._said_at = datetime.min.replace(tzinfo=UTC)
        self._slowest = timedelta(0)

    def turned(self, took: timedelta) -> None:
        """A turn of the scheduler took so long."""
        self._slowest = max(self._slowest, took)

    def signs(self) -> Sequence[Sign]:
        """What is to be said now; nothing where that was said a moment ago."""
        now = self._clock.now()
        if self._said_at <= now < self._said_at + EVERY:
            return ()
        self._said_at = now
        slowest, self._slowest = self._slowest, timedelta(0)
        turns = {"slowest_turn_ms": round(slowest.total_seconds() * 1000, 1)}
        return [
            Sign(
                role=role,
                host=self._host,
                pid=os.getpid(),
                started_at=self._started_at,
                facts=dict(facts()) | (turns if role is Role.SCHEDULER else {}),
            )
            for role, facts in self._facts.items()
        ]


@contextlib.contextmanager
def signs_of_life(engine: Engine, clock: Clock, role: Role, facts: Facts) -> Iterator[None]:
    """Those of a process that commits nothing while it is idle, given by a thread for as long as the block."""
    vitals, ended = Vitals(clock, {role: facts}), threading.Event()

    def go_on() -> None:
        while not ended.is_set():
            with contextlib.suppress(StorageUnavailableError), writing(engine) as connection:
                give(connection, vitals.signs(), clock.now())
            ended.wait(EVERY.total_seconds())

    thread = threading.Thread(target=go_on, name="signs of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
