"""A rehearsal: a run, or one task, of a DAG file as it is now, in this process and on a stage."""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from orchestrator.assembly.home import Home
from orchestrator.assembly.scheduler import make_scheduler, settings_of
from orchestrator.assembly.stage import inline_executor, inline_replayer, staged
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.core.orders import Completed, Deferred, Failed, Lost, Order, Skipped, Started, TakenBack
from orchestrator.engine.scheduler import Scheduler
from orchestrator.executors.inline_triggerer import InlineTriggerer

_LONGEST_NAP = timedelta(milliseconds=100)


class Rehearsal:
    """``home`` answers questions about the run; nothing happens but in ``turn``."""

    def __init__(self, home: Home, scheduler: Scheduler) -> None:
        self.home = home
        self._scheduler = scheduler
        self._clock = SystemClock()

    def turn(self) -> None:
        """One turn of the scheduler, in which a body may run; then a short sleep if nothing is due."""
        self._scheduler.tick()
        due = self._scheduler.next_due()
        nap = _LONGEST_NAP if due is None else min(_LONGEST_NAP, due - self._clock.now())
        time.sleep(max(0.0, nap.total_seconds()))


@contextlib.contextmanager
def rehearse(config: Config, *, notice: Callable[[str], None]) -> Iterator[Rehearsal]:
    """The DAG files of ``config`` on a new store, with a scheduler whose activities, workflows and triggers run in this
    process.

    Only the main thread may do this. No schedule makes a run.
    """
    with staged(config) as home:
        executor = inline_executor(config, home)
        replayer = inline_replayer(config, home, notice)
        triggerer, settings = InlineTriggerer(SystemClock()), settings_of(home.config)
        scheduler = make_scheduler(home.config, home.engine, executor, replayer, triggerer, settings, notice)
        scheduler.start()
        try:
            yield Rehearsal(home, scheduler)
        finally:
            scheduler.stop()


def run_alone(config: Config, home: Home, order: Order) -> Completed | Failed | Skipped | Deferred | Lost | TakenBack:
    """Run one order of a staged home in this process, in the main thread; how it ended."""
    executor = inline_executor(config, home)
    executor.start()
    executor.submit([order])
    executor.go([order.key])
    while True:
        for report in executor.reports():
            if not isinstance(report, Started):
                return report
