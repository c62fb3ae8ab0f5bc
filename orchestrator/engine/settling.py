"""Settling: every run that changed, or whose time has come, decides until it has nothing more to say."""

from collections import deque

from orchestrator.core import asks
from orchestrator.core.callback_events import CallbackScheduled
from orchestrator.core.commands import (
    Activate,
    CancelAttempt,
    CancelChild,
    CancelRun,
    Command,
    ScheduleActivity,
    facts_of,
)
from orchestrator.core.decide import decide
from orchestrator.core.events import ActivityScheduled
from orchestrator.core.run import Run
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.engine.children import Children
from orchestrator.engine.memory import Memory
from orchestrator.engine.past import Candidate
from orchestrator.engine.turn import Turn


class Settling:
    """Carries out what runs decide, as far as that can be done before the commit."""

    def __init__(self, memory: Memory, children: Children) -> None:
        self._memory = memory
        self._children = children

    def let_go(self, turn: Turn) -> None:
        """Offer what the run before has kept waiting, and keeps no more."""
        for one in self._memory.past.let_go(turn):
            self._memory.admission.offer(one.run, one.task, one.map_index, one.count)

    def settle(self, turn: Turn) -> None:
        """Let runs decide, and those that have something to decide because of them."""
        waiting = deque(turn.changed.values())
        while waiting:
            waiting.extend(self._settle_run(turn, waiting.popleft()))

    def admit(self, turn: Turn) -> None:
        """Record the attempts and the callbacks for which there is room."""
        admission = self._memory.admission
        self._call(turn, self._memory.callbacks.share(admission.free, is_contested=admission.is_contested))
        self._admit(turn)
        self._call(turn, admission.free)

    def _call(self, turn: Turn, room: int) -> None:
        for run, keys in self._memory.callbacks.take(room):
            self._memory.admission.take_slots(len(keys))
            for key in keys:
                assert key.callback is not None
                called = CallbackScheduled(
                    kind=key.callback, task_id=key.task_id, map_index=key.map_index, attempt=key.attempt
                )
                turn.record(run, called)
            turn.calls.append((run, keys))

    def _admit(self, turn: Turn) -> None:
        for admitted in self._memory.admission.admit():
            run, task_id, first, count = admitted.run, admitted.task_id, admitted.map_index, admitted.count
            self._memory.dispatch.prepare(run)
            attempt = run.next_attempt(task_id, first)
            turn.record(run, ActivityScheduled(task_id=task_id, map_index=first, count=count, attempt=attempt))
            turn.admitted.append((run, task_id, first, count))

    def _settle_run(self, turn: Turn, run: Run) -> list[Run]:
        """Decide for one run; the others that have something to decide because of it."""
        others = self._memory.begin_waiting(run.dag_id)
        may_go_on = self._memory.gate.is_active(run.run_key) or run.cancelling is not None
        if may_go_on:
            while commands := decide(run, turn.now):
                for command in commands:
                    others += self._carry_out(turn, run, command)
        self._memory.give_back(run)
        if fresh := run.callbacks.take_fresh():
            self._memory.callbacks.offer(run, fresh)
        self._memory.alarms.set(run.run_key, run.next_due() if may_go_on else None)  # its turn will wake it
        if run.run_key in turn.ends:
            others += self._children.ended(turn, run, turn.ends.pop(run.run_key))
        if run.is_ended and self._memory.gate.leave(run.run_key):
            self._memory.schedules.look_again(run.dag_id, turn.now)
            others += self._memory.begin_waiting(run.dag_id)
        return [other for other in others if other is not run]

    def _carry_out(self, turn: Turn, run: Run, command: Command) -> list[Run]:
        """Do what can be done now; the other runs that it changes."""
        if isinstance(command, ScheduleActivity):
            task = run.plan.tasks[command.task_id]
            if task.depends_on_past:
                self._memory.past.ask(Candidate(run, task, command.map_index, command.count), turn.now)
            else:
                self._memory.admission.offer(run, task, command.map_index, command.count)
        elif isinstance(command, CancelAttempt):
            turn.cancels.append(command.key)
        elif isinstance(command, CancelChild):
            return self._children.cancel(turn, command)
        elif isinstance(command, CancelRun):
            turn.record_all(run, asks.cancelled(run, command.by, command.reason))
        elif isinstance(command, Activate):
            assert isinstance(run, WorkflowRun)
            turn.activations[run.run_key] = run
        else:
            turn.record_all(run, facts_of(command))
        return []
