"""Where the code of this home's workflows runs."""

from collections.abc import Callable

from orchestrator.assembly.backing import backing_of
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.dagbag.backends import Backing
from orchestrator.executors.replayer import LocalReplayer
from orchestrator.worker.blue.settings import BlueSettings


def make_replayer(config: Config, notice: Callable[[str], None]) -> LocalReplayer:
    """In processes of its own, which are there while there is a workflow; ``notice`` is told of what is odd."""
    return LocalReplayer(
        blue_settings(config),
        SystemClock(),
        processes=config.workflows.processes,
        idle_time=config.workflows.idle_seconds,
        notice=notice,
    )


def blue_settings(config: Config, backing: Backing | None = None) -> BlueSettings:
    """What every blue process is told."""
    return BlueSettings(
        log_folder=str(config.logging.base_log_folder),
        payloads=config.payloads.url,
        database=config.database.sql_alchemy_conn,
        fernet_key=config.core.fernet_key,
        fernet_file=str(config.fernet_file),
        allowed_classes=tuple(config.core.allowed_deserialization_classes.split()),
        backing=backing_of(config) if backing is None else backing,
        max_log_bytes=config.logging.max_log_bytes,
        memory_limit=config.workflows.memory_limit_mb * 1024**2,
        kept_runs=config.workflows.kept_runs,
        deadlock_timeout=config.workflows.deadlock_timeout.total_seconds(),
        import_timeout=config.core.dagbag_import_timeout.total_seconds(),
        quarantine=config.core.quarantine,
    )
