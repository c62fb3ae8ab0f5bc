"""Alarm: interrupts code that computes and computes without ever coming to rest."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, process_time
from types import FrameType

_LOOKS = 8  # in the time that code has
_IDLE = 5  # times what the code may compute: for how long it may do nothing, which a busy machine looks like

Strike = Callable[[FrameType | None], None]


class Alarm:
    """Looks at the code by a timer, in the main thread. ``beat`` is called at each look."""

    def __init__(self, beat: Callable[[], None] = lambda: None) -> None:
        self._beat = beat
        self._progress: Callable[[], int] = int
        self._strike: Strike = lambda _: None
        self._limit = 0.0
        self._seen = -1
        self._since = 0.0
        self._looks = 0
        self._own = self._look

    @contextmanager
    def watching(self, limit: float, progress: Callable[[], int], strike: Strike) -> Iterator[None]:
        """Call ``strike`` inside of the code once it has computed for ``limit`` seconds (0: for ever) while
        ``progress`` stood still, and again as long as that does not help. What it raises is raised in the code.
        """
        if not limit:
            yield
            return
        self._progress, self._strike, self._limit = progress, strike, limit
        began = monotonic()
        self._seen, self._since, self._looks = progress(), process_time(), 0
        before = signal.getsignal(signal.SIGALRM)
        if before is not self._own:
            signal.signal(signal.SIGALRM, self._own)
        others, interval = signal.setitimer(signal.ITIMER_REAL, limit / _LOOKS, limit / _LOOKS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            if before is not self._own:
                signal.signal(signal.SIGALRM, before)
            if others:  # in a process of others', such as a test's, somebody else waits for this timer
                signal.setitimer(signal.ITIMER_REAL, max(others - monotonic() + began, 0.001), interval)

    def _look(self, _number: int, frame: FrameType | None) -> None:
        """Looks are counted and not the time between them, in which the whole machine may have stood still."""
        progress, computed = self._progress(), process_time()
        self._looks += 1
        if progress != self._seen:
            self._seen, self._since, self._looks = progress, computed, 0
        elif computed - self._since >= self._limit or self._looks >= _IDLE * _LOOKS:
            self._strike(frame)
            return
        self._beat()
