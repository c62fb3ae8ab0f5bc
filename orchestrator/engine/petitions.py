"""Petitions: carrying out what others ask for through the requests table."""

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from orchestrator.core import answers, asks, run_types
from orchestrator.core.activity import Node
from orchestrator.core.events import AnyEvent, RunEnded, RunReset
from orchestrator.core.particulars import NULL, PayloadRef
from orchestrator.core.plan import Plan
from orchestrator.core.requests import (
    AnswerTask,
    AnyRequest,
    ClearTasks,
    ForkRun,
    MoveRun,
    ResetRun,
    SendSignal,
    TriggerRun,
)
from orchestrator.core.run import Run
from orchestrator.core.spec import TaskSpec
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.engine import creation
from orchestrator.engine.dispatch import value_of
from orchestrator.engine.forks import begin_fork
from orchestrator.engine.memory import Memory
from orchestrator.engine.moves import record_changes
from orchestrator.engine.turn import Turn
from orchestrator.exceptions import OrchestratorError, StorageUnavailableError
from orchestrator.names import UNMAPPED
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
        result = self._result(turn, pending.request)
        refusal, run_key = (result, None) if isinstance(result, str) else (None, result)
        turn.answers.append(Answer(request_id=pending.id, refusal=refusal, run_key=run_key))

    def deliver(self, turn: Turn, sender: Run, signal: SendSignal) -> Refusal | None:
        """Send a run's signal to another run; why it was not taken, if it was not. That it was sent is recorded only
        where it has come."""
        result = self._result(turn, signal)
        if isinstance(result, str):
            return result
        turn.tie(sender.run_key, result)
        return None

    def _result(self, turn: Turn, request: AnyRequest) -> int | Refusal:
        """The key of the run that it changes. What cannot be looked up is refused: it must not hold up all others."""
        try:
            run_key = self._run_key(turn, request)
            if isinstance(request, TriggerRun):
                return self._trigger(turn, request, run_key)
            if isinstance(request, ForkRun):
                source = self._projections.run_key(request.dag_id, request.source)
                return begin_fork(turn, self._memory, self._keys, request, source, run_key)
            return self._ask(turn, request, run_key)
        except StorageUnavailableError:
            raise
        except OrchestratorError as error:
            return str(error)

    def _run_key(self, turn: Turn, request: AnyRequest) -> int | None:
        """A run may have begun in this very turn."""
        begun = turn.begun(request.dag_id, request.run_id)
        return self._projections.run_key(request.dag_id, request.run_id) if begun is None else begun

    def _trigger(self, turn: Turn, request: TriggerRun, run_key: int | None) -> int | Refusal:
        if run_key is not None:
            return f"DAG {request.dag_id!r} has a run {request.run_id!r} already"
        entry = self._memory.schedules.entry(request.dag_id)
        if entry is None or entry.is_stale:
            return f"there is no DAG {request.dag_id!r} any more: its file is gone"
        if (refusal := run_types.refusal(entry.spec, request.run_type)) is not None:
            return refusal
        created = creation.from_request(entry, request, turn.now)
        plan = self._memory.roster.plan(entry.version_id)
        run, first = creation.begin(self._keys.next(), plan, created, turn.now)
        turn.begin(run, first)
        self._memory.place(run)
        return run.run_key

    def _ask(self, turn: Turn, request: asks.Ask | AnswerTask, run_key: int | None) -> int | Refusal:
        run = None if run_key is None else self._memory.roster.get(run_key)
        if run is None:
            return f"DAG {request.dag_id!r} has no run {request.run_id!r}"
        if isinstance(request, AnswerTask):
            return self._answer(turn, run, request)
        if isinstance(request, ResetRun) and (refusal := self._had_ended(run, request)) is not None:
            return refusal
        was_ended = run.is_ended
        facts = asks.facts_of(run, request, self._target(request), self._latest(run.dag_id))
        if isinstance(request, ClearTasks) and _moves(run, request):
            facts = self._move(turn, run, request)
        if isinstance(facts, str):
            return facts
        record_changes(turn, self._memory, run, facts)
        if was_ended and not run.is_ended:
            self._memory.place(run)
        return run.run_key

    def _answer(self, turn: Turn, run: Run, request: AnswerTask) -> int | Refusal:
        """Let a task that asks a person go on."""

        def read(seq: int) -> msgspec.Raw:
            fresh = turn.fact(run, seq)
            found = value_of(fresh.event) if fresh else self._memory.results.get(run.run_key, [seq]).get(seq)
            return NULL if found is None or isinstance(found, PayloadRef) else found

        facts = answers.facts_of(run, request, read, turn.now)
        if isinstance(facts, str):
            return facts
        turn.record_all(run, facts)
        return run.run_key

    def _had_ended(self, run: Run, request: ResetRun) -> Refusal | None:
        """Where a workflow has ended there is no code to go on."""
        if not isinstance(run, WorkflowRun) or not 1 <= request.seq <= run.seq:
            return None
        for fact in reversed(self._memory.roster.facts(run.run_key, request.seq)):
            if isinstance(fact.event, RunReset):
                return None
            if isinstance(fact.event, RunEnded):
                last = f"`--to {fact.seq - 1}` goes back to its last fact before that"
                return (
                    f"run {run.run_id!r} had ended at seq {fact.seq}, so by seq {request.seq} nothing was left; {last}"
                )
        return None

    def _target(self, request: asks.Ask) -> Plan | None:
        """The plan of the version that the run is to go over to."""
        if not isinstance(request, MoveRun | ResetRun) or request.version_id is None:
            return None
        return self._memory.roster.plan(request.version_id)

    def _latest(self, dag_id: str) -> int | None:
        """The version that the DAG has now."""
        entry = self._memory.schedules.entry(dag_id)
        return None if entry is None else entry.version_id

    def _move(self, turn: Turn, run: Run, request: ClearTasks) -> list[AnyEvent] | Refusal:
        """Go over to the version that the request names, if that has what is to be cleared; what to record there."""
        plan = self._memory.roster.plan(request.version_id or run.version_id)
        refusal = asks.untimely(run, request) or next(_missing(run, plan, request), None)
        if refusal is not None:
            return refusal
        record_changes(turn, self._memory, run, [asks.moved(plan, self._latest(run.dag_id))])
        return asks.facts_of(run, request)


def _moves(run: Run, request: ClearTasks) -> bool:
    return request.version_id is not None and request.version_id != run.version_id


def _missing(run: Run, plan: Plan, request: ClearTasks) -> Iterator[Refusal]:
    """What is to be cleared and will not be in the run once it has moved."""
    for task_id, map_index in request.tasks:
        task = plan.tasks.get(task_id)
        if task is None:
            yield f"task {task_id!r} is not in the version to run; clear it with --same-version"
        elif map_index is not None and map_index not in _indexes(task, run.nodes.get(task_id)):
            yield f"task {task_id!r} has no map index {map_index} in the version to run; clear all of it"


def _indexes(task: TaskSpec, before: Node | None) -> range:
    """The map indexes of a task of another version once the run has moved there."""
    return before.indexes() if before is not None and before.is_mapped == task.is_mapped else range(UNMAPPED, 0)
