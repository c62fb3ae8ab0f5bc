"""Standstill: whether a run waits for a person alone, since its code, or that of a run below it, is blocked."""

from orchestrator.assembly.folding import folded
from orchestrator.assembly.home import Home
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.exceptions import NotFoundError
from orchestrator.names import TaskState
from orchestrator.storage.views import RunRow

_GOES_ON = (
    TaskState.SCHEDULED,
    TaskState.QUEUED,
    TaskState.RUNNING,
    TaskState.RESTARTING,
    TaskState.UP_FOR_RETRY,
    TaskState.UP_FOR_RESCHEDULE,
    TaskState.AWAITING_INPUT,
)


def standstill(home: Home, run: RunRow) -> RunRow | None:
    """The blocked run on which this one waits, which may be itself; None where anything else may let it go on,
    but for signals: what its code would do with one, a replay alone would tell."""
    if run.blocked:
        return run
    if run.is_ended or run.is_pending or home.reads.activities(run.run_key, states=_GOES_ON, limit=1):
        return None
    state = folded(home, run)
    if isinstance(state, WorkflowRun) and (state.unended or state.timers):
        return None
    below = [_below(home, child.child_run_key) for child in state.children.values()]
    return below[0] if below and all(below) else None


def _below(home: Home, run_key: int) -> RunRow | None:
    try:
        return standstill(home, home.reads.run_by_key(run_key))
    except NotFoundError:
        return None
