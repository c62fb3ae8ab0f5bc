"""CommandExecutor: runs each attempt by a command that an author says."""

import contextlib
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from orchestrator.core.orders import Failed, Lost, Order, Report, Started, TakenBack
from orchestrator.core.particulars import Failure
from orchestrator.executors.base import BaseExecutor, ExecutorSettings
from orchestrator.executors.channel import Channel
from orchestrator.executors.deadlines import Deadlines
from orchestrator.executors.epitaph import epitaph
from orchestrator.names import AttemptKey, Delivery, FailureKind
from orchestrator.worker.desk import Job
from orchestrator.worker.wire import Cancel, Go, Lines, Release, frame

_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from orchestrator.worker.run_order import main; main()"
_END_SECONDS = 2.0  # that a command may take to end once it has closed its stdout
_CANCELLED = "it was cancelled while it ran"


class CommandExecutor(BaseExecutor):
    """One process for each attempt, which runs ``python -m orchestrator.worker.run_order`` in the end, wherever it is.

    Override ``command``. The order goes to its stdin, the reports come from its stdout, and what it writes to stderr is
    the host's. ``capacity``: how many run at once; None is as many as the scheduler gives. When the host ends, stdin is
    closed, upon which ``run_order`` ends the attempt: nothing outlives the host, so nothing is adopted.
    """

    capacity: int | None = None

    def __init__(self, settings: ExecutorSettings) -> None:
        super().__init__(settings)
        self._selector = selectors.DefaultSelector()
        self._waiting: deque[Order] = deque()
        self._open: dict[AttemptKey, _Errand] = {}
        self._kills: Deadlines[AttemptKey] = Deadlines(self._open.__contains__)
        self._said: list[Report] = []

    def command(self, order: Order) -> Sequence[str]:  # noqa: ARG002 - for those who override it
        """The program and its arguments; here a new interpreter on this machine. ``order.queue`` is what a task asks
        for by ``queue``.
        """
        return [sys.executable, "-P", "-c", _PROGRAM, *sys.path]

    def submit(self, orders: Sequence[Order]) -> None:
        self._waiting.extend(orders)
        self._begin()

    def go(self, keys: Sequence[AttemptKey]) -> None:
        for errand in self._known(keys):
            errand.may_run = True
            errand.channel.send(frame(Go(key=errand.key)))

    def cancel(self, keys: Sequence[AttemptKey]) -> None:
        """End these; a command that does not end in time is killed."""
        self.take_back(keys)
        patience = self.settings.cleanup_time.total_seconds() + 1.0
        for errand in self._known(keys):
            if not errand.is_cancelled:
                errand.is_cancelled = True
                errand.channel.send(frame(Cancel(key=errand.key, kind=FailureKind.CANCELLED, message=_CANCELLED)))
                self._kills.add(time.monotonic() + patience, errand.key)

    def take_back(self, keys: Sequence[AttemptKey]) -> None:
        """Give back what waits, here or for its go."""
        wanted = set(keys)
        back = [order for order in self._waiting if order.key in wanted]
        self._waiting = deque(order for order in self._waiting if order.key not in wanted)
        self._said += (TakenBack(key=order.key, at=datetime.now(UTC)) for order in back)
        for errand in self._known(keys):
            errand.channel.send(frame(Release(key=errand.key)))

    def reports(self) -> list[Report]:
        for entry, _ in self._selector.select(0):
            self._hear(entry.data)
        for key in self._kills.due(time.monotonic()):
            self._open[key].kill()
        self._begin()
        said, self._said = self._said, []
        return said

    def files(self) -> Sequence[int]:
        return (self._selector.fileno(),)

    def next_due(self) -> datetime | None:
        if self._said:
            return datetime.now(UTC)
        due = self._kills.next()
        return None if due is None else datetime.now(UTC) + timedelta(seconds=max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        for errand in self._open.values():
            errand.channel.hang_up()
            errand.kill()
        self._open.clear()
        self._waiting.clear()

    def _known(self, keys: Sequence[AttemptKey]) -> list["_Errand"]:
        return [self._open[key] for key in keys if key in self._open]

    def _begin(self) -> None:
        room = math.inf if self.capacity is None else self.capacity
        while self._waiting and len(self._open) < room:
            order = self._waiting.popleft()
            try:
                self._open[order.key] = _Errand(order, self.command(order), self.settings, self._selector)
            except Exception as error:  # of an author's command(), or there is no such program
                reason = f"its command cannot be started: {type(error).__name__}: {error}"
                self._said.append(Lost(key=order.key, at=datetime.now(UTC), reason=reason, started=False))

    def _hear(self, errand: "_Errand") -> None:
        for report in errand.hear():
            if isinstance(report, Started):
                self._said.append(report)
            else:
                self._close(errand, report)
                return
        if errand.channel.has_ended:
            self._close(errand, errand.last_word())

    def _close(self, errand: "_Errand", report: Report) -> None:
        del self._open[errand.key]
        errand.channel.hang_up()
        errand.kill()
        self._said.append(report)


class _Errand:
    """A command under way, and the attempt that it is for."""

    def __init__(
        self, order: Order, command: Sequence[str], settings: ExecutorSettings, selector: selectors.BaseSelector
    ) -> None:
        self.key = order.key
        self.may_run = order.delivery is not Delivery.AT_MOST_ONCE
        self.is_cancelled = False
        self._has_started = False
        self._trouble = ""
        self._lines = Lines()
        self.channel = Channel(selector, self)
        self._process = self._started(list(command))
        self.channel.send(frame(Job(order, settings.workers, settings.cleanup_time.total_seconds())))

    def _started(self, command: list[str]) -> subprocess.Popen[bytes]:
        try:
            with self.channel.far as far:
                return subprocess.Popen(command, stdin=far.fileno(), stdout=far.fileno(), start_new_session=True)
        except BaseException:
            self.channel.hang_up()
            raise

    def hear(self) -> list[Report]:
        """What it has reported; where it says anything else, it is given up."""
        data = self.channel.receive()
        try:
            said = self._lines.feed(data) if data else []
        except msgspec.MsgspecError:
            said, self._trouble = [], f"its command wrote {data[:80]!r} to stdout, where reports belong"
            self.channel.hang_up()
        found = [report for report in said if getattr(report, "key", None) == self.key]
        self._has_started = self._has_started or any(isinstance(one, Started) for one in found)
        return found  # type: ignore[return-value]

    def last_word(self) -> Report:
        """What to say where the command has not said it."""
        at, is_running = datetime.now(UTC), self._has_started and self.may_run
        if self.is_cancelled and is_running:
            return Failed(key=self.key, at=at, kind=FailureKind.CANCELLED, failure=Failure(message=_CANCELLED))
        return Lost(key=self.key, at=at, reason=self._trouble or self._epitaph(), started=is_running)

    def _epitaph(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(_END_SECONDS)
            return epitaph(self._process.pid, -code if code < 0 else code << 8)
        return f"its command, process {self._process.pid}, has closed its stdout"

    def kill(self) -> None:
        """End the command and what it has started on this machine."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
