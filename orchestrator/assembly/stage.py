"""A stage: a home of its own with the DAG files as they are now, thrown away at the end."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec.structs import replace

from orchestrator.assembly.backing import backing_of
from orchestrator.assembly.dag_processor import make_dag_processor
from orchestrator.assembly.executor import worker_settings
from orchestrator.assembly.home import Home
from orchestrator.assembly.replayer import blue_settings
from orchestrator.assembly.schema import lay_out
from orchestrator.assembly.vault import lazy_vault
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.config.settings import Url
from orchestrator.executors.inline import InlineExecutor
from orchestrator.executors.inline_replayer import InlineReplayer
from orchestrator.ports import Clock
from orchestrator.storage.database import connect, is_absent
from orchestrator.worker.blue.settings import BlueSettings
from orchestrator.worker.settings import WorkerSettings


@contextlib.contextmanager
def staged(config: Config) -> Iterator[Home]:
    """The settings and the DAG files of ``config``, with nothing written to its home; no schedule makes a run."""
    with bare(config) as home:
        _read_dag_files(home, config)
        yield home


@contextlib.contextmanager
def bare(config: Config, clock: Clock | None = None) -> Iterator[Home]:
    """A stage without DAGs, with the settings of ``config``."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-test-") as folder:
        stage = _moved(config, Path(folder))
        lay_out(stage)
        with Home(stage, connect(stage.database.sql_alchemy_conn), clock) as home:
            yield home


def inline_executor(config: Config, home: Home) -> InlineExecutor:
    """It runs what is staged."""
    return InlineExecutor(staged_worker(config, home))


def staged_worker(config: Config, home: Home) -> WorkerSettings:
    """With the real home's variables and connections; the real home's database is refused as the target of a
    transaction, as a worker does.
    """
    return replace(
        worker_settings(home.config, backing_of(config)),
        home_database=config.database.sql_alchemy_conn,
        fernet_file=str(config.fernet_file),
    )


def inline_replayer(config: Config, home: Home, notice: Callable[[str], None]) -> InlineReplayer:
    """It runs the workflows that are staged, in this process. ``notice`` is told of what a person should know."""
    return InlineReplayer(staged_blue(config, home), SystemClock(), notice=notice)


def staged_blue(config: Config, home: Home) -> BlueSettings:
    """With the real home's variables and connections."""
    return replace(
        blue_settings(home.config, backing_of(config)),
        database=config.database.sql_alchemy_conn,
        fernet_file=str(config.fernet_file),
    )


def _moved(config: Config, folder: Path) -> Config:
    """The same settings, with everything that is written in ``folder``."""
    return replace(
        config,
        home=folder,
        database=replace(config.database, sql_alchemy_conn=Url(f"sqlite:///{folder}/orchestrator.db")),
        payloads=replace(config.payloads, url=Url(str(folder / "payloads"))),
        logging=replace(config.logging, base_log_folder=folder / "logs", base_heartbeat_folder=folder / "heartbeats"),
    )


def _read_dag_files(home: Home, config: Config) -> None:
    """With the variables and connections of the real home, if it has a database."""
    has_vault = not is_absent(config.database.sql_alchemy_conn)
    vault = lazy_vault(config, by="test") if has_vault else None
    processor = make_dag_processor(home.config, home.engine, on_change=lambda: None, vault=vault)
    try:
        processor.scan()
    finally:
        processor.close()
        if vault is not None:
            vault.close()
    for dag in home.reads.dags():
        home.records.set_paused(dag.dag_id, True, by="test")
