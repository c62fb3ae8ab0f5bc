"""FakeTriggerer: triggers whose timers go by a clock of ours."""

import asyncio
import heapq
from collections.abc import Callable
from contextvars import Context
from datetime import UTC, datetime
from typing import TypeVarTuple

from orchestrator.core.orders import Fired
from orchestrator.core.waits import Dropped
from orchestrator.executors.inline_triggerer import InlineTriggerer
from orchestrator.ports import Clock

_Given = TypeVarTuple("_Given")
_STEPS = 5  # of an event loop, in which a coroutine that need not wait gets on


class FakeLoop(asyncio.SelectorEventLoop):
    """``asyncio.sleep`` is over once the clock has been moved on; what waits for sockets waits in earnest."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._count = 0

    def time(self) -> float:
        return self._clock.now().timestamp()

    def call_at(
        self, when: float, callback: Callable[[*_Given], object], *args: *_Given, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = super().call_at(when, callback, *args, context=context)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def next_due(self) -> datetime | None:
        """When its next timer is over; None without one."""
        now = self.time()
        while self._timers and (self._timers[0][2].cancelled() or self._timers[0][0] <= now):
            heapq.heappop(self._timers)
        return datetime.fromtimestamp(self._timers[0][0], UTC) if self._timers else None


class FakeTriggerer(InlineTriggerer):
    """Runs triggers in this process, by a clock of ours; knows to the moment when one of them goes on."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, self._make)
        self._loops: list[FakeLoop] = []
        self._time = clock

    def reports(self) -> list[Fired | Dropped]:
        """Go on until only time, or the world outside, can bring news."""
        step = super().reports
        return [report for _ in range(_STEPS) for report in step()]

    def next_due(self) -> datetime | None:
        moments = [loop.next_due() for loop in self._loops if not loop.is_closed()]
        return min((moment for moment in moments if moment is not None), default=super().next_due())

    def _make(self) -> FakeLoop:
        self._loops.append(FakeLoop(self._time))
        return self._loops[-1]
