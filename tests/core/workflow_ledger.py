"""A run of a workflow under test: facts go in one after another, a second apart."""

from collections.abc import Iterable
from typing import Any

import msgspec

from orchestrator.core import advances, asks
from orchestrator.core.activations import Advance, Call, WorkflowCommand
from orchestrator.core.activity import Activity
from orchestrator.core.advances import Outdated
from orchestrator.core.commands import CancelRun, Command, ScheduleActivity
from orchestrator.core.commands import facts_of as facts_of_command
from orchestrator.core.decide import decide
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityRequested,
    ActivityScheduled,
    AnyEvent,
    Recorded,
    RunCreated,
    RunStarted,
)
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.runs import new_run, replay, take_in
from orchestrator.core.spec import DagSpec, RetrySpec, TaskSpec
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import DagKind, RunType, TaskState
from tests.core.ledger import EPOCH, at

FIRST = ("ship", "charge")
SECOND = ("charge", "refund")


def activities(*names: str, **fields: Any) -> tuple[TaskSpec, ...]:
    return tuple(TaskSpec(task_id=name, is_activity=True, **fields) for name in names)


def plan(version: int, names: Iterable[str], **fields: Any) -> Plan:
    spec = DagSpec(
        dag_id="order", kind=DagKind.WORKFLOW, tasks=activities(*names, retry=RetrySpec(retries=2)), **fields
    )
    return Plan(spec, version, f"v{version}")


class WorkflowLedger:
    """A history and the run that is folded from it; version n of the workflow is the n-th plan."""

    def __init__(self, *versions: Iterable[str], **fields: Any) -> None:
        self.plans = [plan(number, names, **fields) for number, names in enumerate(versions or (FIRST, SECOND))]
        created = RunCreated(
            dag_id="order",
            run_id="r1",
            run_uid="uid",
            run_type=RunType.MANUAL,
            version_id=0,
            fingerprint="v0",
            kind=DagKind.WORKFLOW,
        )
        self.facts = [Recorded(1, EPOCH, created)]
        self.run = workflow(new_run(7, self.plans[0], self.facts[0]))

    def add(self, *events: AnyEvent) -> None:
        for event in events:
            fact = Recorded(len(self.facts) + 1, at(len(self.facts)), event)
            self.facts.append(fact)
            take_in(self.run, fact, self.plans.__getitem__, lambda: self.facts)

    def begin(self) -> None:
        """Its code is told of the run and asks for nothing."""
        self.add(RunStarted())
        self.run.told(self.run.seq)
        self.run.answered(self.run.seq)

    def advance(self, *commands: WorkflowCommand, seq: int | None = None) -> list[Any] | Outdated:
        """The code has heard everything up to ``seq`` (all) and asks for these; what that becomes is recorded."""
        advance = Advance(run_key=7, seq=self.run.seq if seq is None else seq, commands=commands)
        steps = advances.facts_of(self.run, advance)
        if not isinstance(steps, Outdated):
            self.run.answered(advance.seq)
            self.add(*(step for step in steps if isinstance(step, AnyEvent.__args__)))
        return steps

    def call(self, *names: str) -> None:
        self.advance(*(Call(task_id=name, digest="d", input=msgspec.Raw(b"[1]")) for name in names))

    def request(self, task_id: str, map_index: int, **fields: Any) -> None:
        self.add(ActivityRequested(task_id=task_id, map_index=map_index, digest="d", **fields))

    def schedule(self, task_id: str, map_index: int) -> int:
        attempt = self.run.next_attempt(task_id, map_index)
        self.add(ActivityScheduled(task_id=task_id, map_index=map_index, attempt=attempt))
        return attempt

    def succeed(self, task_id: str, map_index: int) -> None:
        attempt = self.schedule(task_id, map_index)
        self.add(ActivityCompleted(task_id=task_id, map_index=map_index, attempt=attempt))

    def decide(self, second: float | None = None) -> list[Command]:
        """Everything that the run wants done; what is recordable of it is recorded, calls are not handed out."""
        now = at(len(self.facts)) if second is None else at(second)
        wanted: list[Command] = []
        while commands := decide(self.run, now):
            wanted += commands
            for command in commands:
                if isinstance(command, CancelRun):
                    self.add(*asks.cancelled(self.run, command.by, command.reason))
                elif type(command).__name__ not in ("ScheduleActivity", "CancelAttempt", "CancelChild", "Activate"):
                    self.add(*facts_of_command(command))  # type: ignore[arg-type]
        return wanted

    def scheduled(self) -> list[tuple[str, int, int]]:
        return [(c.task_id, c.map_index, c.count) for c in self.decide() if isinstance(c, ScheduleActivity)]

    def names(self) -> list[str]:
        """What the run wants done, by kind."""
        return [type(command).__name__ for command in self.decide()]

    def state(self, task_id: str, map_index: int) -> TaskState | None:
        activity = self.run.nodes[task_id].peek(map_index)
        return None if activity is None else activity.state

    def activity(self, task_id: str, map_index: int) -> Activity:
        return self.run.nodes[task_id].activity(map_index)

    def replayed(self) -> WorkflowRun:
        return workflow(replay(7, self.facts, self.plans.__getitem__))


def workflow(run: Run) -> WorkflowRun:
    assert isinstance(run, WorkflowRun)
    return run
