"""Petitions: carrying out what others ask for through the requests table."""

from typing import TypeAlias

from orchestrator.core import asks
from orchestrator.core.events import RunMoved
from orchestrator.core.requests import AnyRequest, ClearTasks, TriggerRun
from orchestrator.core.run import Run
from orchestrator.engine import creation
from orchestrator.engine.memory import Memory
from orchestrator.engine.turn import Turn
from orchestrator.ports import Answer, PendingRequest, Projections

Refusal: TypeAlias = str


class Petitions:
    """Turns each pending request into facts and an answer, in one commit."""

    def __init__(self, memory: Memory, projections: Projections, keys: creation.RunKeys) -> None:
        self._memory = memory
        self._projections = projections
        self._keys = keys

    def take(self, turn: Turn, pending: PendingRequest) -> None:
        """Do what is asked, or say in the answer why not."""
        run_key = self._run_key(turn, pending.request)
        if isinstance(pending.request, TriggerRun):
            result = self._trigger(turn, pending.request, run_key)
        else:
            result = self._ask(turn, pending.request, run_key)
        refusal, run_key = (result, None) if isinstance(result, str) else (None, result)
        turn.answers.append(Answer(request_id=pending.id, refusal=refusal, run_key=run_key))

    def _run_key(self, turn: Turn, request: AnyRequest) -> int | None:
        """A run may have begun in this very turn, or be held without having been asked for by name before."""
        for run in turn.runs():
            if (run.dag_id, run.run_id) == (request.dag_id, request.run_id):
                return run.run_key
        return self._projections.run_key(request.dag_id, request.run_id)

    def _trigger(self, turn: Turn, request: TriggerRun, run_key: int | None) -> int | Refusal:
        if run_key is not None:
            return f"DAG {request.dag_id!r} has a run {request.run_id!r} already"
        entry = self._memory.schedules.entry(request.dag_id)
        if entry is None or entry.is_stale:
            return f"there is no DAG {request.dag_id!r} any more: its file is gone"
        created = creation.from_request(entry, request, turn.now)
        plan = self._memory.roster.plan(entry.version_id)
        run, first = creation.begin(self._keys.next(), plan, created, turn.now)
        turn.begin(run, first)
        self._memory.place(run)
        return run.run_key

    def _ask(self, turn: Turn, request: asks.Ask, run_key: int | None) -> int | Refusal:
        run = None if run_key is None else self._memory.roster.get(run_key)
        if run is None:
            return f"DAG {request.dag_id!r} has no run {request.run_id!r}"
        was_ended = run.is_ended
        if isinstance(request, ClearTasks) and (refusal := self._move(turn, run, request)):
            return refusal
        facts = asks.facts_of(run, request)
        if isinstance(facts, str):
            return facts
        turn.record_all(run, facts)
        if was_ended and not run.is_ended:
            self._memory.place(run)
        return run.run_key

    def _move(self, turn: Turn, run: Run, request: ClearTasks) -> Refusal | None:
        """Go over to the version that the request names, if that has the tasks to clear."""
        if request.version_id is None or request.version_id == run.version_id:
            return None
        plan = self._memory.roster.plan(request.version_id)
        missing = [task_id for task_id, _ in request.tasks if task_id not in plan.tasks]
        if missing:
            return f"task {missing[0]!r} is not in the version to run; clear it with --same-version"
        turn.record(run, RunMoved(version_id=plan.version_id, fingerprint=plan.fingerprint))
        run.move(plan)
        return None
