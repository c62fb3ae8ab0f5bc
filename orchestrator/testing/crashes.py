"""Crashes: where a simulation stops dead."""

from collections.abc import Callable


class Crash(BaseException):
    """Everything stops here. Not an Exception: nothing in the engine may catch it."""


class Crashes:
    """Counts the steps at which a crash makes a difference, and crashes at those that ``when`` names."""

    def __init__(self, when: Callable[[int], bool] = lambda _: False) -> None:
        self._when = when
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self._when(self.steps):
            raise Crash
