"""Runs one attempt in a process that does not end with its scheduler."""

import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.core.orders import Failed, Order, Started
from orchestrator.core.particulars import Failure
from orchestrator.doorbell import ring
from orchestrator.names import Delivery
from orchestrator.worker.desk import Claim, Desk, Ending
from orchestrator.worker.equipment import equip, worker_name
from orchestrator.worker.heartbeats import Heartbeats
from orchestrator.worker.interruption import Interruption, heed_signals_in_children
from orchestrator.worker.logbook import Logbook
from orchestrator.worker.rawoutput import RawOutput, open_raw
from orchestrator.worker.watch import Watch
from orchestrator.worker.wire import Cancel

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
        watch = Watch(job.order, Heartbeats(Path(job.settings.heartbeat_folder)), self._end)
        attempts = equip(job.settings, self._interruption, lambda _order: watch.hear())
        report = attempts.run(job.order, lambda order: self._may_begin(order, watch))
        logbook.end(report)
        assert not isinstance(report, Started)
        self._finish(report)

    def _may_begin(self, order: Order, watch: Watch) -> bool:
        while order.delivery is Delivery.AT_MOST_ONCE and not self._desk.has_go():
            time.sleep(_GO_POLL)
        watch.begin()
        return True

    def _end(self, cancel: Cancel) -> None:
        """Interrupt the body; if it does not heed that in time, give it up."""
        timer = threading.Timer(self._cleanup_seconds, self._give_up, [cancel])
        timer.daemon = True
        timer.start()
        self._interruption.ask(cancel)

    def _look_for_cancel(self, _number: int, _frame: object) -> None:
        cancel = self._desk.cancelled()
        if cancel is not None:
            self._end(cancel)

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
