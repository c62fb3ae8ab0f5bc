"""Inbox: the worker's end of its orders."""

import socket
from collections.abc import Callable
from queue import SimpleQueue

from orchestrator.core.orders import Order
from orchestrator.names import AttemptKey
from orchestrator.worker.wire import MAX_DATAGRAM, NUMBER_BYTES, Go, Parcel, Release, decode_order


class Inbox:
    """Claims orders, in the order in which they were sent. Parcels and answers come in from another thread."""

    def __init__(self, orders: socket.socket) -> None:
        self._receive: Callable[[int, int], bytes] = orders.recv
        self._parcels: SimpleQueue[Parcel] = SimpleQueue()
        self._answers: SimpleQueue[Go | Release] = SimpleQueue()

    def claim(self, *, wait: bool) -> Order | None:
        """The next order, which is this worker's from here on; None if there is none now and it shall not wait."""
        try:
            data = self._receive(MAX_DATAGRAM, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        if len(data) > NUMBER_BYTES:
            return decode_order(memoryview(data)[NUMBER_BYTES:])
        return self._parcel(int.from_bytes(data))

    def _parcel(self, number: int) -> Order:
        """That parcel; the ones before it were taken back."""
        while (parcel := self._parcels.get()).number != number:
            continue
        return parcel.order

    def deliver(self, word: Parcel | Go | Release) -> None:
        """Take in what the executor said."""
        if isinstance(word, Parcel):
            self._parcels.put(word)
        else:
            self._answers.put(word)

    def may_begin(self, key: AttemptKey) -> bool:
        """Wait for the word about that attempt: True for Go, False for Release."""
        while (word := self._answers.get()).key != key:
            continue
        return isinstance(word, Go)
