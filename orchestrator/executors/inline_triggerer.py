"""InlineTriggerer: runs triggers in this process, for `dags test` and for tests."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from orchestrator.core.orders import Fired
from orchestrator.core.waits import Dropped, Ticket, Wait
from orchestrator.ports import Clock
from orchestrator.worker.masked_streams import masked_streams
from orchestrator.worker.triggers.code import Code
from orchestrator.worker.triggers.journal import Journal
from orchestrator.worker.triggers.vigil import Vigil

_LOOK = timedelta(milliseconds=20)


class _Stage:
    """The event loop of one version's triggers."""

    def __init__(self, folder: str, said: list[Fired | Dropped], loop: asyncio.AbstractEventLoop) -> None:
        self.code = Code(folder)
        self.loop = loop
        journal = Journal(Path(), 0, print)
        self.vigil = Vigil(self.loop, journal, self.code.prepare, said.append, let_through=(KeyboardInterrupt,))

    def step(self) -> None:
        """Whatever can be done now, in every trigger."""
        with self.code.active(), masked_streams():
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()

    def close(self) -> None:
        with self.code.active(), contextlib.suppress(Exception), masked_streams():
            self.loop.run_until_complete(self.vigil.end_all())
        self.loop.close()


class InlineTriggerer:
    """Goes on at each ``reports()``, in the thread that calls it.

    What a trigger prints goes where the process's output goes, without secrets. Time passes in the triggers as
    ``new_loop`` has it.
    """

    def __init__(
        self, clock: Clock, new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    ) -> None:
        self._clock = clock
        self._new_loop = new_loop
        self._stages: dict[str, _Stage] = {}
        self._said: list[Fired | Dropped] = []

    def start(self) -> None:
        """Nothing has to be started."""

    def submit(self, waits: Sequence[Wait]) -> None:
        for wait in waits:
            folder = wait.code if wait.trigger.local else ""
            if folder not in self._stages:
                self._stages[folder] = _Stage(folder, self._said, self._new_loop())
            self._stages[folder].vigil.begin([replace(wait, log="")])

    def cancel(self, tickets: Sequence[Ticket]) -> None:
        for stage in self._stages.values():
            stage.vigil.end(tickets)

    def reports(self) -> list[Fired | Dropped]:
        """Go one step on."""
        for stage in self._stages.values():
            if stage.vigil:
                stage.step()
        said = list(self._said)
        self._said.clear()
        return said

    def files(self) -> Sequence[int]:
        return ()

    def next_due(self) -> datetime | None:
        """Soon, as long as there is something to wait for."""
        return self._clock.now() + _LOOK if any(stage.vigil for stage in self._stages.values()) else None

    def stop(self) -> None:
        """End all triggers; they clean up."""
        for stage in self._stages.values():
            stage.close()
        self._stages.clear()
