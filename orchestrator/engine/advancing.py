"""Advancing: what the code of workflows asks for becomes facts, and errands to other runs."""

import msgspec

from orchestrator.core import activations, advances
from orchestrator.core.activations import Advance, SignalRun, StartChild
from orchestrator.core.commands import CancelChild
from orchestrator.core.event import Asked
from orchestrator.core.requests import SendSignal
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.engine.children import Children
from orchestrator.engine.conversations import Conversations
from orchestrator.engine.memory import Memory
from orchestrator.engine.petitions import Petitions
from orchestrator.engine.turn import Turn


class Advancing:
    """Takes the advances that have come into the turn, each with all that it asks for or not at all."""

    def __init__(self, memory: Memory, conversations: Conversations, children: Children, petitions: Petitions) -> None:
        self._memory = memory
        self._conversations = conversations
        self._children = children
        self._petitions = petitions

    def take(self, turn: Turn) -> None:
        if self._conversations.is_silent:
            return
        for run_key in self._conversations.take_lost(turn.now):
            run = self._memory.roster.held(run_key)
            if isinstance(run, WorkflowRun):
                run.unanswered()
                turn.look_at(run)
        for advance in tuple(self._conversations.advances()):
            self._take(turn, advance)

    def _take(self, turn: Turn, advance: Advance) -> None:
        run = self._memory.roster.held(advance.run_key)
        if not isinstance(run, WorkflowRun):
            self._conversations.forget([advance.run_key])
            return
        turn.look_at(run)
        steps = advances.facts_of(run, advance)
        if isinstance(steps, advances.Outdated):
            run.unanswered()
            self._conversations.forget([run.run_key])
            return
        run.answered(advance.seq)
        for step in steps:
            self._carry_out(turn, run, step, advances.heard(run, advance))

    def _carry_out(self, turn: Turn, run: WorkflowRun, step: advances.Step, heard: int) -> None:
        """Record it; an errand before it may have brought news that the code had not heard when it asked."""
        match step:
            case StartChild():
                self._children.start(turn, run, step, heard)
            case SignalRun():
                refusal = self._petitions.deliver(turn, run, _signal(run, step))
                turn.record(run, advances.signal_sent(step, refusal, heard=heard))
            case activations.CancelChild(child_id=child_id):
                reason = f"its parent, run {run.run_id!r} of DAG {run.dag_id!r}, does not want it any more"
                key = run.children[child_id].child_run_key
                self._children.cancel(turn, CancelChild(child_id=child_id, child_run_key=key, reason=reason))
            case Asked():
                turn.record(run, msgspec.structs.replace(step, heard=heard) if heard else step)
            case _:
                turn.record(run, step)


def _signal(run: WorkflowRun, step: SignalRun) -> SendSignal:
    return SendSignal(
        dag_id=step.dag_id,
        run_id=step.run_id,
        by=f"run {run.run_id} of DAG {run.dag_id}",
        name=step.signal,
        payload=step.payload,
    )
