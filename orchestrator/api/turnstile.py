"""Turnstile: how many sign-ins are worked on at once, so that a flood of them leaves room for everybody else."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.exceptions import OrchestratorError

AT_ONCE, OF_ONE = 6, 3
WAIT_SECONDS = 2


class CrowdedError(OrchestratorError):
    """Too many sign in at this moment; nothing was looked at."""


class Turnstile:
    """At most ``at_once`` are let in, and ``of_one`` of each of the keys that they come under; others are sent away
    before they cost a thread, a query or a hash. All is in this process: a server that is gone lets nobody in.
    """

    def __init__(self, at_once: int = AT_ONCE, of_one: int = OF_ONE) -> None:
        self._at_once = at_once
        self._of_one = of_one
        self._inside: Counter[str] = Counter()
        self._count = 0
        self._lock = threading.Lock()

    @contextmanager
    def passed(self, *keys: str) -> Iterator[None]:
        """CrowdedError, at once, where it is full."""
        self._enter(keys)
        try:
            yield
        finally:
            self._leave(keys)

    def _enter(self, keys: tuple[str, ...]) -> None:
        with self._lock:
            if self._count >= self._at_once or any(self._inside[key] >= self._of_one for key in keys):
                raise CrowdedError(f"many are signing in at this moment; try again in {WAIT_SECONDS} seconds")
            self._count += 1
            self._inside.update(keys)

    def _leave(self, keys: tuple[str, ...]) -> None:
        with self._lock:
            self._count -= 1
            self._inside.subtract(keys)
            for key in keys:
                if not self._inside[key]:
                    del self._inside[key]
