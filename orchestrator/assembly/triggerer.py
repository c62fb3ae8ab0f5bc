"""Where the triggers of this home run."""

from collections.abc import Callable

from orchestrator.assembly.backing import backing_of
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.executors.triggerer import LocalTriggerer
from orchestrator.processes.entry import Origin
from orchestrator.worker.triggers.settings import TriggererSettings


def make_triggerer(config: Config, notice: Callable[[str], None], origin: Origin | None = None) -> LocalTriggerer:
    """In processes of its own, which are there while something is deferred; ``notice`` is told of what is odd.

    They come from ``origin``, or an interpreter.
    """
    return LocalTriggerer(
        triggerer_settings(config),
        SystemClock(),
        capacity=config.triggerer.capacity,
        idle_time=config.triggerer.idle_seconds,
        notice=notice,
        origin=origin,
    )


def triggerer_settings(config: Config) -> TriggererSettings:
    """What every process for triggers is told."""
    return TriggererSettings(
        log_folder=str(config.logging.base_log_folder),
        database=config.database.sql_alchemy_conn,
        run_database=config.database.sql_alchemy_conn,
        fernet_key=config.core.fernet_key,
        fernet_file=str(config.fernet_file),
        backing=backing_of(config),
        allowed_classes=tuple(config.core.allowed_deserialization_classes.split()),
        max_log_bytes=config.logging.max_log_bytes,
    )
