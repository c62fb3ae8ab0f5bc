"""Watch: ends an attempt by its time-outs where there is no supervisor but the process that runs it."""

import threading
from collections.abc import Callable

from orchestrator.core.orders import Order
from orchestrator.worker.heartbeats import Heartbeats
from orchestrator.worker.wire import Cancel, gone_silent, patience, time_is_up


class Watch:
    """Calls ``interrupt`` from threads of its own, from ``begin`` to ``stop``."""

    def __init__(self, order: Order, heartbeats: Heartbeats, interrupt: Callable[[Cancel], None]) -> None:
        self._order = order
        self._heartbeats = heartbeats
        self._interrupt = interrupt
        self._heard = threading.Event()
        self._is_over = False
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """The body begins."""
        order = self._order
        if order.execution_timeout is not None:
            cancel = time_is_up(order.key, order.execution_timeout)
            self._start(threading.Timer(order.execution_timeout, self._interrupt, [cancel]))
        if order.heartbeat_timeout is not None:
            self._start(threading.Thread(target=self._listen, args=[order.heartbeat_timeout]))

    def hear(self) -> None:
        """The body has given a heartbeat."""
        self._heard.set()

    def stop(self) -> None:
        """Nothing is interrupted once this has returned."""
        self._is_over = True
        self._heard.set()
        for thread in self._threads:
            if isinstance(thread, threading.Timer):
                thread.cancel()
            thread.join()

    def _start(self, thread: threading.Thread) -> None:
        thread.daemon = True
        self._threads.append(thread)
        thread.start()

    def _listen(self, limit: float) -> None:
        while self._heard.wait(patience(limit)):
            if self._is_over:
                return
            self._heard.clear()
        beat = self._heartbeats.last(self._order.progress)
        self._interrupt(gone_silent(self._order.key, limit, "" if beat is None else beat.in_short))
