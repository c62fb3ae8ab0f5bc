"""The executor that `[core] executor` names."""

from orchestrator.assembly.backing import backing_of
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.dagbag.backends import Backing
from orchestrator.executors.local import LocalExecutor
from orchestrator.ports import Executor
from orchestrator.processes.entry import Origin
from orchestrator.worker.settings import WorkerSettings


def make_executor(config: Config, origin: Origin | None = None) -> Executor:
    """Where the activities of this home run; its processes come from ``origin``, or an interpreter."""
    match config.core.executor:
        case "LocalExecutor":
            return _local(config, origin)


def _local(config: Config, origin: Origin | None) -> LocalExecutor:
    return LocalExecutor(
        worker_settings(config),
        SystemClock(),
        parallelism=config.core.parallelism,
        window=config.workers.window,
        idle_time=config.workers.idle_seconds,
        cleanup_time=config.core.killed_task_cleanup_time,
        origin=origin,
    )


def worker_settings(config: Config, backing: Backing | None = None) -> WorkerSettings:
    """What every worker is told."""
    return WorkerSettings(
        log_folder=str(config.logging.base_log_folder),
        heartbeat_folder=str(config.logging.base_heartbeat_folder),
        payloads=config.payloads.url,
        home_database=config.database.sql_alchemy_conn,
        run_database=config.database.sql_alchemy_conn,
        fernet_key=config.core.fernet_key,
        fernet_file=str(config.fernet_file),
        allowed_classes=tuple(config.core.allowed_deserialization_classes.split()),
        venv_folder=str(config.core.venv_cache_folder),
        venv_method=config.core.venv_install_method,
        backing=backing_of(config) if backing is None else backing,
        payload_threshold=config.payloads.threshold,
        max_result_bytes=config.workers.max_result_bytes,
        max_log_bytes=config.logging.max_log_bytes,
        max_activities=config.workers.max_activities_per_worker,
        memory_limit=config.workers.memory_limit_mb * 1024**2,
        default_deferrable=config.operators.default_deferrable,
    )
