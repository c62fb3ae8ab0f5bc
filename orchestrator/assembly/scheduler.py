"""The scheduler of a home, with its database and its executor."""

import contextlib
import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Engine

from orchestrator.assembly.catalog import make_catalog
from orchestrator.assembly.executor import make_executor
from orchestrator.assembly.replayer import make_replayer
from orchestrator.assembly.triggerer import make_triggerer
from orchestrator.assembly.vitals import Vitals
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.doorbell import PipeDoorbell, ring
from orchestrator.engine.loop import StopRequest, serve
from orchestrator.engine.scheduler import Scheduler
from orchestrator.engine.settings import Settings
from orchestrator.ports import Executor, Replayer, Triggerer
from orchestrator.processes.entry import Origin
from orchestrator.storage.database import connect
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.projections import SqlProjections
from orchestrator.storage.signs import Role, Sign

_STOPPING = (signal.SIGTERM, signal.SIGINT)


def run_scheduler(
    config: Config,
    *,
    notice: Callable[[str], None],
    on_ready: Callable[[], None] = lambda: None,
    origin: Origin | None = None,
) -> None:
    """Schedule until SIGTERM or SIGINT: once to finish what runs, twice to stop at once.

    SchedulerRunningError if this database has a scheduler; ``notice`` is given sentences that a person should read.
    What activities and triggers run in comes from ``origin``, or an interpreter.
    """
    patience = config.database.busy_timeout.total_seconds()
    engine = connect(config.database.sql_alchemy_conn, patience=patience)
    settings = settings_of(config)
    executor = make_executor(config, origin, notice)
    replayer, triggerer = make_replayer(config, notice), make_triggerer(config, notice, origin)
    vitals = Vitals(
        SystemClock(), {Role.SCHEDULER: dict, Role.EXECUTOR: executor.facts, Role.TRIGGERER: triggerer.facts}
    )
    scheduler = make_scheduler(config, engine, executor, replayer, triggerer, settings, notice, vitals.signs)
    doorbell = PipeDoorbell(config.doorbell)
    stop = StopRequest()
    try:
        with _stopped_by_signals(config, stop, notice):
            serve(
                scheduler,
                doorbell=doorbell,
                clock=SystemClock(),
                settings=settings,
                stop=stop,
                on_ready=on_ready,
                on_turn=vitals.turned,
            )
    finally:
        doorbell.close()
        engine.dispose()


def make_scheduler(
    config: Config,
    engine: Engine,
    executor: Executor,
    replayer: Replayer,
    triggerer: Triggerer,
    settings: Settings,
    notice: Callable[[str], None],
    signs: Callable[[], Sequence[Sign]] = tuple,
) -> Scheduler:
    """A scheduler on an open database, with the executor, the replayer and the triggerer that it is given."""
    _spare_the_garbage_collector()
    return Scheduler(
        store=SqlHistoryStore(engine, signs),
        projections=SqlProjections(engine),
        catalog=make_catalog(config, engine),
        executor=executor,
        replayer=replayer,
        triggerer=triggerer,
        clock=SystemClock(),
        settings=settings,
        notice=notice,
    )


def settings_of(config: Config) -> Settings:
    """What the configuration says to the engine."""
    return Settings(
        owner=f"{socket.gethostname()}:{os.getpid()}",
        parallelism=config.core.parallelism,
        max_lost_attempts=config.core.max_lost_attempts,
        callback_timeout=config.callbacks.timeout,
        queued_timeout=config.scheduler.task_queued_timeout,
        shutdown_grace=config.scheduler.shutdown_grace,
    )


@contextlib.contextmanager
def _stopped_by_signals(config: Config, stop: StopRequest, notice: Callable[[str], None]) -> Iterator[None]:
    def on_signal(_number: int, _frame: object) -> None:
        stop.ask()
        if stop.times == 1:
            grace = config.scheduler.shutdown_grace.total_seconds()
            notice(f"stopping: what runs has {grace:g} s to end; ask again to stop at once")
        ring(config.doorbell)

    before = [(number, signal.signal(number, on_signal)) for number in _STOPPING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _spare_the_garbage_collector() -> None:
    """Runs are trees of small objects without cycles: frequent full collections would walk all of them for nothing."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
