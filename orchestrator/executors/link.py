"""WorkerLink: the executor's side of one worker process."""

import contextlib
import math
import os
import selectors
import signal
import socket
from pathlib import Path
from typing import Final

from orchestrator.executors.flight import Flight
from orchestrator.worker.rawoutput import open_raw
from orchestrator.worker.wire import (
    MAX_DATAGRAM,
    NUMBER_BYTES,
    FromWorker,
    Lines,
    Parcel,
    ToWorker,
    frame,
)

_READ = 256 * 1024
_PATIENCE = 0.02  # seconds after which a body is long, and nothing waits behind it
_SHORT_PATIENCE = 0.002  # the same, while another worker has nothing to do
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
        self.has_ended = False
        self.sent: dict[int, Flight] = {}
        self.codes: set[str] = set()
        self.busy_since = now
        self._head_begun = False
        self._count = 0
        self._lines = Lines()
        self._unsent = bytearray()
        self._selector = selector
        self._orders, self._claims = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._orders.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_DATAGRAM)
        self._orders.setblocking(False)
        self._link, self._far_end = socket.socketpair()
        self._link.setblocking(False)
        self._raw_writer, self._raw_reader = open_raw(log_folder)
        selector.register(self._link, selectors.EVENT_READ, self)

    @property
    def far_ends(self) -> tuple[int, int, int, int]:
        """The descriptors that the worker is to have."""
        return self._claims.fileno(), self._far_end.fileno(), self._raw_writer, self._raw_reader

    def let_go(self) -> None:
        """Close what is the worker's alone, once it is on its way there."""
        self._far_end.close()
        os.close(self._raw_writer)

    def close(self) -> None:
        """Hang up; a worker that lives still ends itself at once."""
        self._hang_up()
        for end in (self._orders, self._claims, self._link):
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

    def stuck_at(self, *, others_idle: bool = False) -> float:
        """When what it works on has proved long, so that nothing should wait behind it; endless if it has no work."""
        if not self.sent:
            return math.inf
        return self.busy_since + (_SHORT_PATIENCE if others_idle else _PATIENCE)

    def warm_at(self) -> float:
        """When it will at the latest be up, and have loaded what it works on; the past if it has already."""
        if self.pid and (self._head_begun or not self.sent):
            return -math.inf
        return self.busy_since + _WARMUP

    # ── what is said ─────────────────────────────────────────────────────────────────────────────────────

    def tell(self, word: ToWorker) -> None:
        """Say something; it goes out as fast as the worker listens."""
        self._unsent += frame(word)
        self.flush()

    def flush(self) -> None:
        """Send what is left to say, as far as it goes."""
        if self.has_ended:
            return
        try:
            while self._unsent:
                del self._unsent[: self._link.send(self._unsent[:_READ])]
        except BlockingIOError:
            self._selector.modify(self._link, selectors.EVENT_READ | selectors.EVENT_WRITE, self)
            return
        except ConnectionError:
            self._unsent.clear()  # it has died; reading tells so as well
        self._selector.modify(self._link, selectors.EVENT_READ, self)

    def hear(self, now: float) -> list[FromWorker] | None:
        """What it has said; None if nothing, and ``has_ended`` where it will say no more."""
        if self._unsent:
            self.flush()
        try:
            data = self._link.recv(_READ)
        except BlockingIOError:
            return None
        except ConnectionError:
            data = b""
        if not data:
            self._hang_up()
            return None
        self.busy_since = now
        return self._lines.feed(data)

    def _hang_up(self) -> None:
        if not self.has_ended:
            self.has_ended = True
            self._selector.unregister(self._link)

    def last_output(self, most: int) -> bytes:
        """The beginning of what a dead worker's body had written past sys.stdout, and nobody had taken in yet."""
        return os.read(self._raw_reader, most)

    def kill(self) -> None:
        """End the process and all that it has started."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
