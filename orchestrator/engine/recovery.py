"""Recovery: the ordinary path, entered once. Replay the open runs, and ask what became of their attempts."""

from collections.abc import Callable, Container
from datetime import datetime

from orchestrator.core.orders import Lost, Report, TakenBack
from orchestrator.core.run import Run
from orchestrator.engine.memory import Memory
from orchestrator.exceptions import OrchestratorError, StorageUnavailableError
from orchestrator.names import AttemptKey
from orchestrator.ports import Adoption, Executor, Projections


def recover(
    memory: Memory,
    projections: Projections,
    executor: Executor,
    now: datetime,
    heard_of: Container[AttemptKey],
    notice: Callable[[str], None],
) -> list[Report]:
    """Put every open run in its place; what is known of the attempts that were open.

    ``heard_of``: attempts whose ends are here and wait to be recorded; nobody need be asked about them. A run that
    cannot be read is left as it is, and ``notice`` hears why.
    """
    keys: list[AttemptKey] = []
    for run_key in projections.open_runs():
        run = _read(memory, run_key, notice)
        if run is not None:
            memory.place(run)
            keys += (AttemptKey(run_key, *place, attempt) for place, attempt in run.open.items())
            keys += run.callbacks.handed_out()
    keys = [key for key in keys if key not in heard_of]
    if not keys:
        return []
    verdicts = executor.adopt(keys)
    executor.go([key for key in keys if verdicts.get(key) is Adoption.RUNNING and _has_leave(memory, key)])
    found = (_report(memory, key, verdicts.get(key, Adoption.UNKNOWN), now) for key in keys)
    return [report for report in found if report is not None]


def _read(memory: Memory, run_key: int, notice: Callable[[str], None]) -> Run | None:
    try:
        return memory.roster.get(run_key)
    except StorageUnavailableError:
        raise
    except OrchestratorError as error:
        notice(f"run {run_key} is left as it is, since it cannot be read: {error}")
        return None


def _has_leave(memory: Memory, key: AttemptKey) -> bool:
    """Whether its start is recorded: the scheduler may have died before it could say so to the executor."""
    run = memory.roster.held(key.run_key)
    return run is not None and key.callback is None and not run.is_queued(key)


def _report(memory: Memory, key: AttemptKey, verdict: Adoption, now: datetime) -> Report | None:
    run = memory.roster.held(key.run_key)
    if verdict is Adoption.RUNNING or run is None:
        return None
    if verdict is Adoption.NOT_STARTED:
        return TakenBack(key=key, at=now)
    return Lost(
        key=key,
        at=now,
        reason="the scheduler or its host stopped while it was open",
        started=key.callback is not None or not run.is_queued(key),
        free=True,
    )
