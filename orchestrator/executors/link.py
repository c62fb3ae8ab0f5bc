"""WorkerLink: the executor's side of one worker process."""

import contextlib
import math
import os
import selectors
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orchestrator.executors.channel import Channel
from orchestrator.executors.flight import Flight
from orchestrator.worker.rawoutput import open_raw
from orchestrator.worker.wire import (
    MAX_DATAGRAM,
    NUMBER_BYTES,
    Beat,
    FromWorker,
    Lines,
    Parcel,
    ToWorker,
    frame,
)

_PATIENCE = 0.02  # seconds after which a body is long, and nothing waits behind it
_SHORT_PATIENCE = 0.002  # the same, while another worker has nothing to do
_DEAFNESS = 0.2  # seconds in which an idle worker would have claimed its order, were it not stopped
_NAP = 1.0  # seconds for which a worker that did not gets nothing
_WARMUP = 5.0  # seconds that a worker may take to be up, or to load code, before others are started beside it


class WorkerLink:
    """A worker, and the orders that it was sent and has not ended, in order, by number.

    ``busy_since`` is when it was last heard of or given work, on the monotonic clock; ``is_alone``: it lives for one
    order of its own.
    """

    def __init__(
        self, number: int, selector: selectors.BaseSelector, log_folder: Path, now: float, *, is_alone: bool
    ) -> None:
        self.number: Final = number
        self.is_alone: Final = is_alone
        self.pid = 0
        self.sent: dict[int, Flight] = {}
        self.codes: set[str] = set()
        self.busy_since = now
        self._asleep_until = 0.0
        self._head_begun = False
        self._count = 0
        self._lines = Lines()
        self._channel = Channel(selector, self)
        self._orders, self._claims = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._orders.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_DATAGRAM)
        self._orders.setblocking(False)
        self._raw_writer, self._raw_reader = open_raw(log_folder)

    @property
    def has_ended(self) -> bool:
        """Whether it has hung up."""
        return self._channel.has_ended

    @property
    def far_ends(self) -> tuple[int, int, int, int]:
        """The descriptors that the worker is to have."""
        return self._claims.fileno(), self._channel.far.fileno(), self._raw_writer, self._raw_reader

    def let_go(self) -> None:
        """Close what is the worker's alone, once it is on its way there."""
        self._channel.far.close()
        os.close(self._raw_writer)

    def close(self) -> None:
        """Hang up; a worker that lives still ends itself at once."""
        self._channel.hang_up()
        for end in (self._orders, self._claims):
            end.close()
        os.close(self._raw_reader)

    # ── its orders ───────────────────────────────────────────────────────────────────────────────────────

    def send(self, flight: Flight, now: float) -> bool:
        """Put the order at the end of its window; False where there is no room."""
        number = self._count + 1
        try:
            self._orders.send(number.to_bytes(NUMBER_BYTES) + flight.data)
        except BlockingIOError:
            return False
        if not flight.data:
            self.tell(Parcel(number=number, order=flight.order))
        if not self.sent:
            self.busy_since, self._head_begun = now, False
        self._count = flight.number = number
        self.sent[number] = flight
        self.codes.add(flight.order.code)
        return True

    def take_back(self) -> list[Flight]:
        """Everything that the worker has not claimed, and never will."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                number = self._claims.recv(NUMBER_BYTES, socket.MSG_DONTWAIT)
                found.append(self.sent.pop(int.from_bytes(number)))
        return found

    def begun(self, flight: Flight) -> None:
        """Its worker has said that the body begins."""
        flight.has_begun = True
        self._head_begun = True

    def ended(self, flight: Flight) -> None:
        """Its worker has said how it ended."""
        self.sent.pop(flight.number, None)
        self._head_begun = False

    # ── whether to give it more ──────────────────────────────────────────────────────────────────────────

    def has_room(self, now: float) -> bool:
        """Whether it would begin another order soon."""
        if self.has_ended or now < self._asleep_until:
            return False
        return not self.sent or (self.pid > 0 and now < self.stuck_at())

    def is_taken_up(self, now: float) -> bool:
        """Whether it will not take anything for a while: a body holds it, or it is stopped."""
        return now < self._asleep_until or (bool(self.sent) and self.stuck_at() <= now and self.warm_at() <= now)

    def stuck_at(self, *, others_idle: bool = False) -> float:
        """When what it works on proves long, so that nothing should wait behind it."""
        return self.busy_since + (_SHORT_PATIENCE if others_idle else _PATIENCE)

    def deaf_at(self) -> float:
        """When its one order should have begun."""
        return self.busy_since + _DEAFNESS

    def warm_at(self) -> float:
        """When it will at the latest be up, and have loaded what it works on; the past if it has already."""
        if self.pid and (self._head_begun or not self.sent):
            return -math.inf
        return self.busy_since + _WARMUP

    def recall(self, now: float, *, others_idle: bool) -> list[Flight]:
        """What need not wait here: it has ended, is at something long, is not up yet, or does not look."""
        if not self.sent:
            return []
        if not self.pid and not self.has_ended:
            return self.take_back() if others_idle else []
        if self.has_ended or (len(self.sent) > 1 and self.stuck_at(others_idle=others_idle) <= now):
            return self.take_back()
        if self._head_begun or now < self.deaf_at():
            return []
        found = self.take_back()
        if found:
            self._asleep_until = now + _NAP
        return found

    def moments(self, *, waiting: bool, others_idle: bool) -> Iterator[float]:
        """When one of these answers may change without a word from it."""
        if self.sent and (waiting or len(self.sent) > 1):
            yield self.stuck_at(others_idle=others_idle)
        if self.sent and not self._head_begun:
            yield self.deaf_at()
        if waiting:
            yield self.warm_at()
            yield self._asleep_until

    # ── what is said ─────────────────────────────────────────────────────────────────────────────────────

    def tell(self, word: ToWorker) -> None:
        """Say something; it goes out as fast as the worker listens."""
        self._channel.send(frame(word))

    def hear(self, now: float) -> list[FromWorker] | None:
        """What it has said; None if nothing, and ``has_ended`` where it will say no more."""
        data = self._channel.receive()
        if not data:
            return None
        words = self._lines.feed(data)
        if not _only_beats(words):
            self.busy_since = now
        self._asleep_until = 0.0
        return words

    def last_output(self, most: int) -> bytes:
        """The beginning of what a dead worker's body had written past sys.stdout, and nobody had taken in yet."""
        return os.read(self._raw_reader, most)

    def kill(self) -> None:
        """End the process and all that it has started."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


def _only_beats(words: list[FromWorker]) -> bool:
    """Whether all that they tell is that what it works on is long."""
    return bool(words) and all(type(word) is Beat for word in words)
