"""The dag processor of a home, in the process that calls."""

import threading
from collections.abc import Callable

from sqlalchemy import Engine

from orchestrator import doorbell
from orchestrator.assembly.catalog import make_catalog
from orchestrator.assembly.vault import make_vault
from orchestrator.assembly.vitals import signs_of_life
from orchestrator.authoring.defaults import Defaults
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.dagbag.asking import ParseVault
from orchestrator.dagbag.dag_processor import DagProcessor
from orchestrator.storage.database import connect
from orchestrator.storage.signs import Role


def run_dag_processor(config: Config, stop: threading.Event, *, on_ready: Callable[[], None] = lambda: None) -> None:
    """Keep the catalog as the DAG files are, until ``stop`` is set."""
    engine = connect(config.database.sql_alchemy_conn, patience=config.database.busy_timeout.total_seconds())
    try:
        processor = make_dag_processor(config, engine, on_change=lambda: _ring(config))
        on_ready()
        with signs_of_life(engine, SystemClock(), Role.DAG_PROCESSOR, processor.facts):
            processor.run(stop)
    finally:
        engine.dispose()


def make_dag_processor(
    config: Config, engine: Engine, *, on_change: Callable[[], None], vault: ParseVault | None = None
) -> DagProcessor:
    """A dag processor that records in an open database; variables and connections are those of that home, unless
    there is another ``vault``."""
    return DagProcessor(
        config.core.dags_folder,
        config.core.plugins_folder,
        writer=make_catalog(config, engine),
        on_change=on_change,
        clock=SystemClock(),
        defaults=defaults_of(config),
        timeout=config.core.dagbag_import_timeout,
        parallel=config.dag_processor.parsing_processes,
        max_file_bytes=config.dag_processor.max_file_bytes,
        refresh=config.dag_processor.refresh_interval,
        quarantine=config.core.quarantine,
        vault=vault or make_vault(config, engine, by="dag processor"),
    )


def defaults_of(config: Config) -> Defaults:
    """What DAGs and tasks get that do not say otherwise."""
    core = config.core
    return Defaults(
        timezone=core.default_timezone,
        catchup=config.scheduler.catchup_by_default,
        cron_intervals=config.scheduler.create_cron_data_intervals,
        max_active_runs=core.max_active_runs_per_dag,
        max_consecutive_failed_dag_runs=core.max_consecutive_failed_dag_runs_per_dag,
        max_active_tasks=core.max_active_tasks_per_dag,
        retries=core.default_task_retries,
        retry_delay=core.default_task_retry_delay,
        max_retry_delay=core.max_task_retry_delay,
        weight_rule=core.default_task_weight_rule,
    )


def _ring(config: Config) -> None:
    doorbell.ring(config.doorbell)
