"""WorkerProcess: one warm process that runs activities for as long as its scheduler lives."""

import contextlib
import faulthandler
import os
import resource
import select
import signal
import socket
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from orchestrator.core.orders import Failed, Order, Report, Skipped, Started
from orchestrator.dagbag import importing
from orchestrator.names import Delivery
from orchestrator.storage.payloads import FsspecPayloadStore
from orchestrator.worker.attempt import Attempts
from orchestrator.worker.bodies import Bodies
from orchestrator.worker.capture import Capture
from orchestrator.worker.connections import Connections
from orchestrator.worker.inbox import Inbox
from orchestrator.worker.interruption import Interruption
from orchestrator.worker.log import AttemptLog
from orchestrator.worker.rawoutput import RawOutput
from orchestrator.worker.results import Results
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.transactional import Transactions
from orchestrator.worker.wire import Cancel, Frames, FromWorker, Hello, encode

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
        self._settings = settings
        self._left = 1 if once else settings.max_activities or sys.maxsize
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._unsent = bytearray()
        self._inbox = Inbox(ends.orders)
        self._interruption = Interruption(signal.SIGTERM)
        self._log = AttemptLog(Path(settings.log_folder), settings.max_log_bytes, ends.raw, ends.raw.take_over())
        self._capture = Capture(self._log)
        self._attempts = Attempts(
            Bodies(importing.load, settings.kept_versions),
            Results(
                FsspecPayloadStore(settings.payloads),
                threshold=settings.payload_threshold,
                max_bytes=settings.max_result_bytes,
            ),
            Transactions(Connections(), settings.home_database),
            self._interruption,
        )

    def run(self) -> None:
        """Work until it is time to be replaced."""
        # A function, unlike SIG_IGN, is not passed on to the programs that a body starts.
        signal.signal(signal.SIGINT, lambda _number, _frame: None)
        faulthandler.enable(file=2)
        self._capture.install()
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
        self._interruption.install()
        self._capture.restore()
        self._log.begin(order.log, self._heading(order))
        self._left -= 1
        report = self._attempts.run(order, self._announce)
        self._capture.end_lines()
        self._log.end(*self._ending(report))
        self._say(report)

    def _announce(self, order: Order) -> bool:
        """Say that the body begins, together with how the one before ended; whether it may."""
        self._say(Started(key=order.key, at=datetime.now(UTC), worker=self._name))
        self._send()
        return order.delivery is not Delivery.AT_MOST_ONCE or self._inbox.may_begin(order.key)

    def _is_spent(self) -> bool:
        if self._left <= 0 or self._interruption.delivered is not None:
            return True
        limit = self._settings.memory_limit
        return limit > 0 and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT > limit

    # ── its log ──────────────────────────────────────────────────────────────────────────────────────────

    def _heading(self, order: Order) -> str:
        index = "" if order.key.map_index < 0 else f" [{order.key.map_index}]"
        return (
            f"{order.dag_id}.{order.key.task_id}{index} in run {order.run_id}: "
            f"attempt {order.key.attempt} begins in worker {self._name}"
        )

    def _ending(self, report: Report) -> list[tuple[str, str]]:
        """The last lines of the log: all of a failure, and how it went where anything else was said."""
        if isinstance(report, Failed):
            frames = [("ERROR", f"  at {frame}") for frame in report.failure.frames]
            return [("ERROR", f"failed ({report.kind}): {report.failure.message}"), *frames]
        if not self._log.is_written:
            return []
        if isinstance(report, Skipped):
            return [("INFO", f"skipped itself: {report.reason}")]
        return [("INFO", type(report).__name__.lower())]

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
            self._log.collect()
        return self._link.recv(_READ)
