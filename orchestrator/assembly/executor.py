"""The executor that `[core] executor` names."""

from collections.abc import Callable

from orchestrator.assembly.backing import backing_of
from orchestrator.assembly.plugins import roll
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.dagbag.backends import Backing
from orchestrator.exceptions import ConfigError
from orchestrator.executors.base import ExecutorSettings
from orchestrator.executors.host_wire import Maker
from orchestrator.executors.hosted import HostedExecutor
from orchestrator.executors.local import LocalExecutor
from orchestrator.nearest import did_you_mean
from orchestrator.processes.entry import Origin
from orchestrator.worker.settings import WorkerSettings

_LOCAL = "LocalExecutor"


def make_executor(
    config: Config, origin: Origin | None = None, notice: Callable[[str], None] = lambda _: None
) -> LocalExecutor | HostedExecutor:
    """Where the activities of this home run; its processes come from ``origin``, or an interpreter.

    ConfigError where a plain name is neither built in nor a plugin's. ``notice`` hears of what befalls an author's.
    """
    if config.core.executor == _LOCAL:
        return _local(config, origin)
    return HostedExecutor(_maker(config), _hosted_settings(config), SystemClock(), notice=notice)


def _maker(config: Config) -> Maker:
    named = config.core.executor
    plugin = None if "." in named else _giver(config, named)
    return Maker(named=named, dags=str(config.core.dags_folder), plugins=str(config.core.plugins_folder), plugin=plugin)


def _giver(config: Config, named: str) -> tuple[str, str]:
    """The name and the source of the plugin that gives it."""
    cards = roll(config).bringing("executors")
    for card in cards:
        if named in card.brings["executors"]:
            return card.name, card.source
    known = [_LOCAL, *(name for card in cards for name in card.brings["executors"])]
    raise ConfigError(
        f"[core] executor is {named!r}, and there is none of that name{did_you_mean(named, known)}; there is "
        f"{', '.join(known)}, and any class by its dotted path (see `orchestrator plugins list`)"
    )


def _hosted_settings(config: Config) -> ExecutorSettings:
    return ExecutorSettings(
        workers=worker_settings(config),
        folder=str(config.home / "executor"),
        parallelism=config.core.parallelism,
        cleanup_time=config.core.killed_task_cleanup_time,
    )


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
        base_url=config.api.url,
    )
