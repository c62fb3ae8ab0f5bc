"""TriggerLink: the triggerer's side of one process that runs triggers."""

import contextlib
import os
import selectors
import signal
from itertools import count
from typing import Final

from orchestrator.core.waits import Ticket, Wait
from orchestrator.executors.channel import Channel
from orchestrator.worker.triggers.wire import Begin, End, Ended, FromTriggers, Told, frame, from_triggers

_FRAME = 500  # waits in one word
_PATIENCE = 10.0  # seconds in which a process takes in that something is to be ended


class TriggerLink:
    """``code`` is the folder whose modules the process holds, ``tickets`` what it runs."""

    def __init__(self, number: int, selector: selectors.BaseSelector, code: str, now: float) -> None:
        self.number: Final = number
        self.code: Final = code
        self.pid = 0
        self.born_at: Final = now
        self.idle_since = now
        self.tickets: set[Ticket] = set()
        self._asked: dict[int, float] = {}
        self._numbers = count(1)
        self._words = from_triggers()
        self._channel = Channel(selector, self)

    @property
    def has_ended(self) -> bool:
        """Whether it has hung up."""
        return self._channel.has_ended

    @property
    def far_ends(self) -> tuple[int]:
        """The descriptor that the process is to have."""
        return (self._channel.far.fileno(),)

    def let_go(self) -> None:
        """Close what is the process's alone, once it is on its way there."""
        self._channel.far.close()

    def close(self) -> None:
        """Hang up; a process that lives still ends itself."""
        self._channel.hang_up()

    def kill(self) -> None:
        """End the process and all that it has started."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    # ── what is said ─────────────────────────────────────────────────────────────────────────────────────

    def begin(self, waits: list[Wait]) -> None:
        self.tickets.update(wait.ticket for wait in waits)
        for start in range(0, len(waits), _FRAME):
            self._channel.send(frame(Begin(code=self.code, waits=tuple(waits[start : start + _FRAME]))))

    def end(self, tickets: list[Ticket], now: float) -> None:
        number = next(self._numbers)
        self._asked[number] = now
        self.tickets.difference_update(tickets)
        self.idle_since = now
        self._channel.send(frame(End(number=number, tickets=tuple(tickets))))

    def hear(self, now: float) -> list[FromTriggers]:
        """What it has said. It is not stuck: what it was asked before may be on its way."""
        words = list(self._words.feed(self._channel.receive()))
        for word in words:
            if isinstance(word, Ended):
                self._asked.pop(word.number, None)
            elif isinstance(word, Told):
                self.idle_since = now
        return words

    # ── what it does not say ─────────────────────────────────────────────────────────────────────────────

    def stuck_at(self) -> float | None:
        """When it is to be given up, since it has not taken in by then what it was asked to end."""
        return min(self._asked.values()) + _PATIENCE if self._asked and self.pid else None
