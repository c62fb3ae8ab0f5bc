"""A rehearsal: one run of a DAG file as it is now, in this process, on a store of its own that is thrown away."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import Engine

from orchestrator.assembly.dag_processor import make_dag_processor
from orchestrator.assembly.executor import worker_settings
from orchestrator.assembly.home import Home
from orchestrator.assembly.scheduler import make_scheduler, settings_of
from orchestrator.assembly.schema import lay_out
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.config.settings import Url
from orchestrator.engine.scheduler import Scheduler
from orchestrator.executors.inline import InlineExecutor
from orchestrator.storage.database import connect

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
    """The DAG files of ``config`` on a new store, with a scheduler whose activities run in this process.

    Only the main thread may do this. No schedule makes a run.
    """
    with tempfile.TemporaryDirectory(prefix="orchestrator-test-") as folder:
        stage = _stage(config, Path(folder))
        lay_out(stage)
        engine = connect(stage.database.sql_alchemy_conn)
        home = Home(stage, engine)
        try:
            _read_dag_files(home, engine)
            scheduler = make_scheduler(stage, engine, _executor(config, stage), settings_of(stage), notice)
            scheduler.start()
            try:
                yield Rehearsal(home, scheduler)
            finally:
                scheduler.stop()
        finally:
            home.close()


def _stage(config: Config, folder: Path) -> Config:
    """The same settings, with everything that is written in ``folder``."""
    return replace(
        config,
        home=folder,
        database=replace(config.database, sql_alchemy_conn=Url(f"sqlite:///{folder}/orchestrator.db")),
        payloads=replace(config.payloads, url=Url(str(folder / "payloads"))),
        logging=replace(config.logging, base_log_folder=folder / "logs"),
    )


def _read_dag_files(home: Home, engine: Engine) -> None:
    processor = make_dag_processor(home.config, engine, on_change=lambda: None)
    try:
        processor.scan()
    finally:
        processor.close()
    for dag in home.reads.dags():
        home.records.set_paused(dag.dag_id, True, by="test")


def _executor(config: Config, stage: Config) -> InlineExecutor:
    """It refuses the real home's database as the target of a transaction, as a worker would."""
    settings = replace(worker_settings(stage), home_database=config.database.sql_alchemy_conn)
    return InlineExecutor(settings, SystemClock())
