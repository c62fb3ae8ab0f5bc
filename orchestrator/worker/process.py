"""WorkerProcess: one warm process that runs activities for as long as its scheduler lives."""

import contextlib
import faulthandler
import math
import os
import resource
import select
import signal
import socket
import sys
import threading
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from orchestrator.core.orders import Order, Started
from orchestrator.names import Delivery
from orchestrator.worker.equipment import equip, worker_name
from orchestrator.worker.inbox import Inbox
from orchestrator.worker.interruption import Interruption, heed_signals_in_children
from orchestrator.worker.logbook import Logbook
from orchestrator.worker.rawoutput import RawOutput
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.surroundings import Surroundings
from orchestrator.worker.wire import Beat, Cancel, Frames, FromWorker, Hello, encode

_TICK = 500  # milliseconds between looks at what a long body has printed past sys.stdout
_READ = 64 * 1024
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Endpoints(NamedTuple):
    """What a worker is born with: its ends of the two sockets, and the file behind its descriptors 1 and 2."""

    orders: socket.socket
    link: socket.socket
    raw: RawOutput


class WorkerProcess:
    """Claims orders and reports on them. It ends after one if ``once``, or when it has grown too old or too large."""

    def __init__(self, ends: Endpoints, settings: WorkerSettings, *, once: bool) -> None:
        self._link = ends.link
        self._memory_limit = settings.memory_limit or math.inf
        self._left = 1 if once else settings.max_activities or sys.maxsize
        self._name = worker_name()
        self._unsent = bytearray()
        self._inbox = Inbox(ends.orders)
        self._interruption = Interruption(signal.SIGTERM)
        self._logbook = Logbook(settings, ends.raw, self._name)
        self._attempts = equip(settings, self._interruption, self._tell_of_beat)
        self._surroundings = Surroundings()

    def run(self) -> None:
        """Work until it is time to be replaced."""
        heed_signals_in_children()
        faulthandler.enable(file=2)
        threading.Thread(target=self._listen, name="orchestrator-link", daemon=True).start()
        self._say(Hello(pid=os.getpid()))
        self._send()
        while not self._is_spent():
            self._work(self._next())
        self._send()

    def _next(self) -> Order:
        order = self._inbox.claim(wait=False)
        if order is None:
            self._send()
            order = self._inbox.claim(wait=True)
            assert order is not None
        return order

    def _work(self, order: Order) -> None:
        self._left -= 1
        self._interruption.install()
        self._logbook.begin(order)
        if not self._attempts.holds(order):
            self._send()
        report = self._attempts.run(order, self._announce)
        self._surroundings.restore()
        self._logbook.end(report)
        self._say(report)

    def _announce(self, order: Order) -> bool:
        """Say that the body begins, together with how the one before ended; whether it may."""
        self._surroundings.note()
        self._say(Started(key=order.key, at=datetime.now(UTC), worker=self._name))
        self._send()
        return order.delivery is not Delivery.AT_MOST_ONCE or self._inbox.may_begin(order.key)

    def _tell_of_beat(self, order: Order) -> None:
        # One heart beats at a time, and while it does, nothing else is said. If nobody listens, this process is ending.
        with contextlib.suppress(OSError):
            self._link.sendall(encode(Beat(key=order.key)) + b"\n")

    def _is_spent(self) -> bool:
        if self._left <= 0 or self._interruption.delivered is not None:
            return True
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT > self._memory_limit

    # ── its link ─────────────────────────────────────────────────────────────────────────────────────────

    def _say(self, word: FromWorker) -> None:
        self._unsent += encode(word) + b"\n"

    def _send(self) -> None:
        if self._unsent:
            self._link.sendall(self._unsent)
            self._unsent.clear()

    def _listen(self) -> None:
        """Take in what the executor says; when there is nobody left to report to, end this process and its children."""
        frames = Frames()
        with contextlib.suppress(OSError, msgspec.DecodeError):
            while data := self._hear():
                for word in frames.feed(data):
                    if isinstance(word, Cancel):
                        self._interruption.ask(word)
                    else:
                        self._inbox.deliver(word)
        os.killpg(0, signal.SIGKILL)

    def _hear(self) -> bytes:
        ready = select.poll()
        ready.register(self._link, select.POLLIN)
        while not ready.poll(_TICK):
            self._logbook.collect()
        return self._link.recv(_READ)
