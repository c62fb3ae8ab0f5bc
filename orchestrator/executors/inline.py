"""InlineExecutor: runs activities in this process, for `dags test` and for tests."""

import bdb
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path

from orchestrator.authoring.passing_time import RealTime, Time, keeping_time
from orchestrator.core.orders import Completed, Order, Report, Skipped, Started, TakenBack
from orchestrator.dagbag import importing
from orchestrator.exceptions import UsageError
from orchestrator.executors.leftovers import Leftovers
from orchestrator.names import AttemptKey, Delivery
from orchestrator.ports import Adoption
from orchestrator.worker.bodies import Loader
from orchestrator.worker.equipment import equip, worker_name
from orchestrator.worker.heartbeats import Heartbeats
from orchestrator.worker.interruption import Interruption
from orchestrator.worker.masked_streams import masked_streams
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.watch import Watch


class InlineExecutor:
    """One step at each ``reports()``: first an order has started, at the next call its body runs, in the main thread.

    What a body prints goes where the process's output goes, without secrets; Ctrl-C, and to quit the debugger, ends the
    process. ``isolation`` means nothing. ``time`` is that of the bodies, too; ``load`` is how a version's code is had.
    Each attempt is inside of ``around(order)``; ``let_through`` are exceptions that end all of it, as Ctrl-C does.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        time: Time | None = None,
        load: Loader = importing.load,
        around: Callable[[Order], AbstractContextManager[object]] = nullcontext,
        let_through: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._clock = time or RealTime()
        self._around = around
        self._interruption = Interruption(signal.SIGALRM)
        self._attempts = equip(
            settings, self._interruption, self._take_beat, (KeyboardInterrupt, bdb.BdbQuit, *let_through), load
        )
        self._heartbeats = Heartbeats(Path(settings.heartbeat_folder))
        self._leftovers = Leftovers(self._heartbeats)
        self._watch: Watch | None = None
        self._has_progress = False
        self._waiting: deque[Order] = deque()
        self._begun: deque[Order] = deque()
        self._gone: set[AttemptKey] = set()
        self._said: list[Report] = []

    def start(self) -> None:
        """Nothing has to be started; UsageError outside of the main thread, where time-outs cannot reach a body."""
        if threading.current_thread() is not threading.main_thread():
            raise UsageError("tasks that run in this process run in its main thread only; start this from there")

    def submit(self, orders: Sequence[Order]) -> None:
        self._waiting.extend(orders)

    def go(self, keys: Sequence[AttemptKey]) -> None:
        self._gone.update(keys)

    def cancel(self, keys: Sequence[AttemptKey]) -> None:
        """Give them back: while somebody calls this, no body runs."""
        self.take_back(keys)

    def take_back(self, keys: Sequence[AttemptKey]) -> None:
        """Give back what has not run."""
        for orders in (self._waiting, self._begun):
            back = [order for order in orders if order.key in keys]
            for order in back:
                orders.remove(order)
                self._said.append(TakenBack(key=order.key, at=self._clock.now()))

    def adopt(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Adoption]:
        """What ran in a process that is no more is lost with it."""
        return dict.fromkeys(keys, Adoption.LOST)

    def reports(self) -> list[Report]:
        """Go one step on."""
        self._leftovers.clear(time.monotonic())
        said, self._said = self._said, []
        order = self._next_to_run()
        if order is not None:
            return [*said, self._run(order)]
        if self._waiting:
            order = self._waiting.popleft()
            self._begun.append(order)
            said.append(Started(key=order.key, at=self._clock.now(), worker=worker_name()))
        return said

    def files(self) -> Sequence[int]:
        return ()

    def next_due(self) -> datetime | None:
        """Now, as long as there is a step to take."""
        can_step = self._said or self._waiting or self._next_to_run() is not None
        return self._clock.now() if can_step else None

    def stop(self) -> None:
        """Forget what has not run, and let go of the code that was loaded."""
        self._waiting.clear()
        self._begun.clear()
        self._attempts.close()

    def _next_to_run(self) -> Order | None:
        return next((order for order in self._begun if self._may_run(order)), None)

    def _may_run(self, order: Order) -> bool:
        return order.delivery is not Delivery.AT_MOST_ONCE or order.key in self._gone

    def _run(self, order: Order) -> Report:
        self._begun.remove(order)
        self._gone.discard(order.key)
        before = signal.getsignal(signal.SIGALRM)
        self._interruption.install()
        self._has_progress = False
        self._watch = watch = Watch(order, self._heartbeats, self._interruption.ask)
        try:
            with keeping_time(self._clock), self._around(order), masked_streams():
                report = self._attempts.run(order, self._announce)
        except bdb.BdbQuit:
            raise KeyboardInterrupt from None
        finally:
            watch.stop()  # its signal must not come when nobody listens for it any more
            signal.signal(signal.SIGALRM, before)
        if self._has_progress and isinstance(report, (Completed, Skipped)):
            self._leftovers.add(order.progress, time.monotonic())
        return report

    def _announce(self, _order: Order) -> bool:
        assert self._watch is not None
        self._watch.begin()
        return True

    def _take_beat(self, _order: Order) -> None:
        assert self._watch is not None
        self._watch.hear()
        self._has_progress = True
