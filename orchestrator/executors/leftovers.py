"""Leftovers: the progress of activities that have succeeded, until it is certain that nobody needs it."""

from collections import deque

from orchestrator.worker.heartbeats import Heartbeats

_SETTLED_SECONDS = 60.0  # in case the scheduler dies before it has recorded the success, and the body runs again


class Leftovers:
    """Removes each a while after it was added; moments are seconds of the monotonic clock.

    What is left when the process ends goes with its run.
    """

    def __init__(self, heartbeats: Heartbeats) -> None:
        self._heartbeats = heartbeats
        self._places: deque[tuple[float, str]] = deque()

    def add(self, place: str, now: float) -> None:
        """The activity with its progress there has succeeded."""
        self._places.append((now + _SETTLED_SECONDS, place))

    def clear(self, now: float) -> None:
        """Remove what has been left for long enough."""
        while self._places and self._places[0][0] <= now:
            self._heartbeats.remove(self._places.popleft()[1])
