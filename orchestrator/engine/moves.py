"""Moves: runs that go over to another version of their DAG, or back to what they were."""

from collections.abc import Callable, Iterable

from orchestrator.core.compatibility import Meaning, compare
from orchestrator.core.events import AnyEvent, RunMoved, RunReset
from orchestrator.core.run import Run
from orchestrator.core.runs import replay_until
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.engine.memory import Memory
from orchestrator.engine.turn import Turn
from orchestrator.names import NewVersion
from orchestrator.ports import DagEntry


def record_changes(turn: Turn, memory: Memory, run: Run, events: Iterable[AnyEvent]) -> None:
    """Record facts of which some change more of the run than the fold alone can: its plan, or all that it was."""
    for event in events:
        turn.record(run, event)
        if isinstance(event, RunMoved):
            run.move(memory.roster.plan(event.version_id))
            memory.dispatch.forget(run.run_key)
        elif isinstance(event, RunReset):
            run.rewind(_past(memory, run, event.seq))


def _past(memory: Memory, run: Run, seq: int) -> Run:
    """The run as it was after ``seq``."""
    facts = memory.roster.facts(run.run_key, seq)
    return replay_until(run.run_key, lambda: facts, memory.roster.plan, seq)


def follow_versions(turn: Turn, memory: Memory, entries: Iterable[DagEntry], notice: Callable[[str], None]) -> None:
    """These DAGs have a new version. A workflow that is blocked tries it; what moves with its DAG goes over.

    After a restart every version seems new: a run that a person put on another in its place stays where it is.
    """
    latest = {entry.dag_id: entry for entry in entries if not entry.is_stale}
    if not latest:
        return
    for run in list(memory.roster):
        entry = latest.get(run.dag_id)
        if entry is None or run.is_ended or entry.version_id in (run.version_id, run.instead_of):
            continue
        if _is_blocked(run) or (entry.spec.on_new_version is NewVersion.MOVE and _fits(memory, run, entry, notice)):
            record_changes(
                turn, memory, run, [RunMoved(version_id=entry.version_id, fingerprint=_fingerprint(memory, entry))]
            )


def _is_blocked(run: Run) -> bool:
    return isinstance(run, WorkflowRun) and run.blocked is not None


def _fingerprint(memory: Memory, entry: DagEntry) -> str:
    return memory.roster.plan(entry.version_id).fingerprint


def _fits(memory: Memory, run: Run, entry: DagEntry, notice: Callable[[str], None]) -> bool:
    """Whether the run can go over as if nothing had changed for it; of a workflow, its replay will tell."""
    findings = compare(run, memory.roster.plan(entry.version_id).spec)
    against = [finding for finding in findings if finding.meaning is not Meaning.COMPATIBLE]
    if against:
        what = f"task {against[0].task_id!r}: " if against[0].task_id else ""
        notice(
            f"run {run.run_id!r} of DAG {run.dag_id!r} stays on its version, although its DAG says that runs move: "
            f"{what}{against[0].message}; move it yourself if that is meant"
        )
    return not against
