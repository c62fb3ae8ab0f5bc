"""Runs one attempt in a process that does not end with its scheduler."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.core.events import Failure
from orchestrator.core.orders import Failed, Order, Started
from orchestrator.doorbell import ring
from orchestrator.names import Delivery
from orchestrator.worker.desk import Claim, Desk, Ending
from orchestrator.worker.equipment import equip, worker_name
from orchestrator.worker.interruption import Interruption, heed_signals_in_children
from orchestrator.worker.logbook import Logbook
from orchestrator.worker.rawoutput import RawOutput, open_raw
from orchestrator.worker.wire import Cancel, time_is_up

_GO_POLL = 0.05  # seconds between two looks for the word that lets an at_most_once body begin


class DetachedProcess:
    """The process of one attempt. SIGTERM makes it look for a Cancel on its desk."""

    def __init__(self, desk: Desk, bell: Path, cleanup_seconds: float) -> None:
        self._desk = desk
        self._bell = bell
        self._cleanup_seconds = cleanup_seconds
        self._interruption = Interruption(signal.SIGUSR1)

    def run(self) -> None:
        """Claim the attempt, unless somebody has, and see it through to its report."""
        self._desk.hold()
        heed_signals_in_children()
        self._interruption.install()
        signal.signal(signal.SIGTERM, self._look_for_cancel)
        job = self._desk.job()
        if job is None or not self._desk.claim(Claim(os.getpid(), worker_name())):
            return
        ring(self._bell)
        logbook = Logbook(job.settings, RawOutput(*open_raw(self._desk.folder)), worker_name())
        logbook.begin(job.order)
        report = equip(job.settings, self._interruption).run(job.order, self._may_begin)
        logbook.end(report)
        assert not isinstance(report, Started)
        self._finish(report)

    def _may_begin(self, order: Order) -> bool:
        while order.delivery is Delivery.AT_MOST_ONCE and not self._desk.has_go():
            time.sleep(_GO_POLL)
        limit = order.execution_timeout
        if limit is not None:
            self._after(limit, self._interruption.ask, time_is_up(order.key, limit))
            self._after(limit + self._cleanup_seconds, self._give_up, time_is_up(order.key, limit))
        return True

    def _after(self, seconds: float, act: Callable[[Cancel], None], cancel: Cancel) -> None:
        timer = threading.Timer(seconds, act, [cancel])
        timer.daemon = True
        timer.start()

    def _look_for_cancel(self, _number: int, _frame: object) -> None:
        cancel = self._desk.cancelled()
        if cancel is not None:
            self._after(self._cleanup_seconds, self._give_up, cancel)
            self._interruption.ask(cancel)

    def _give_up(self, cancel: Cancel) -> None:
        """The body has not heeded being interrupted: end it with all that it has started."""
        failure = Failure(message=cancel.message)
        self._finish(Failed(key=cancel.key, at=datetime.now(UTC), kind=cancel.kind, failure=failure))

    def _finish(self, report: Ending) -> None:
        self._desk.report(report)
        ring(self._bell)
        os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Arguments: the desk's folder, the bell, the seconds to clean up in."""
    desk, bell, cleanup_seconds = sys.argv[1:4]
    sys.argv[:] = ["orchestrator-worker"]
    DetachedProcess(Desk(Path(desk)), Path(bell), float(cleanup_seconds)).run()
