"""A workflow's run that wanders through every kind of fact that it can have, at random but legal."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from orchestrator.core import advances
from orchestrator.core.activations import Advance, Block, Call, CancelCall, CancelTimer, Continue, Return, SetTimer
from orchestrator.core.advances import Outdated
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivityScheduled,
    ActivityStarted,
    AnyEvent,
    ChildEnded,
    ChildStarted,
    RunCancelRequested,
    RunMoved,
    RunReset,
    RunResumed,
    SignalReceived,
    TimerFired,
    UpdateReceived,
)
from orchestrator.core.particulars import Failure, PayloadRef
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import BlockKind, DagKind, RunState, TaskState
from tests.contracts.stories import Story


def workflow_spec(*names: str) -> DagSpec:
    tasks = tuple(TaskSpec(task_id=name, is_activity=True) for name in names)
    return DagSpec(dag_id="order", kind=DagKind.WORKFLOW, file="order.py", tasks=tasks)


WORKFLOWS = {1: workflow_spec("charge", "ship"), 2: workflow_spec("charge", "ship", "refund")}

BIG = PayloadRef(sha256="cd" * 32, size=99_999)


class WorkflowWanderer:
    """Tells a story step by step; the same seed tells the same one."""

    def __init__(self, story: Story, seed: int) -> None:
        self._story = story
        self._random = random.Random(seed)

    def wander(self, steps: int) -> None:
        for _ in range(steps):
            step: Callable[[], list[AnyEvent]] = self._random.choices(
                [self._ask, self._hand_out, self._report, self._happen], [3, 3, 4, 2]
            )[0]
            self._story.tell(*step())

    @property
    def _run(self) -> WorkflowRun:
        assert isinstance(self._story.run, WorkflowRun)
        return self._story.run

    def _any(self, among: Any) -> Any:
        return self._random.choice(list(among)) if among else None

    def _ask(self) -> list[AnyEvent]:
        """The code asks for something."""
        run = self._run
        place, timer, later = self._any(run.unended), self._any(run.timers), self._story.at + timedelta(hours=1)
        commands = self._any(
            [
                *[[Call(task_id=name, digest="d", payload=BIG), Call(task_id=name, digest="d")] for name in run.nodes],
                [SetTimer(timer_id=f"t{run.seq}", fire_at=later, shielded=run.seq % 2 == 0)],
                [] if place is None else [CancelCall(task_id=place[0], map_index=place[1])],
                [] if timer is None else [CancelTimer(timer_id=timer)],
                [Continue(payload=BIG)],
                [Block(kind=BlockKind.STUCK, message="it never rests")] if run.seq % 3 == 0 else [],
                [Return(payload=BIG)] if run.seq % 4 == 0 else [],
            ]
        )
        steps = advances.facts_of(run, Advance(run_key=run.run_key, seq=run.seq, commands=tuple(commands)))
        return [] if isinstance(steps, Outdated) else [step for step in steps if isinstance(step, AnyEvent.__args__)]

    def _hand_out(self) -> list[AnyEvent]:
        place = self._any([place for place in self._run.unended if self._run.may_start(*place)])
        if place is None:
            return []
        attempt = self._run.next_attempt(*place)
        return [ActivityScheduled(task_id=place[0], map_index=place[1], attempt=attempt)]

    def _report(self) -> list[AnyEvent]:
        place = self._any(self._run.open)
        if place is None:
            return []
        where: dict[str, Any] = {"task_id": place[0], "map_index": place[1], "attempt": self._run.open[place]}
        failure, later = Failure(message="no"), self._story.at + timedelta(minutes=5)
        return [
            self._any(
                [
                    ActivityStarted(**where, worker="host:9"),
                    ActivityCompleted(**where, result=msgspec.Raw(b"1"), length=1),
                    ActivityCompleted(**where, payload=BIG),
                    ActivityFailed(**where, failure=failure),
                    ActivityFailed(**where, failure=failure, retry_at=later),
                    ActivityLost(**where, reason="gone", unknown=self._random.random() < 0.2),
                ]
            )
        ]

    def _happen(self) -> list[AnyEvent]:
        run = self._run
        reset = RunReset(seq=self._random.randint(1, run.seq))
        if run.is_ended:
            return [reset]
        child, timer, version = self._any(run.children), self._any(run.timers), self._random.choice([1, 2])
        return self._any(
            [
                [SignalReceived(name="go")],
                [UpdateReceived(update_id=f"u{run.seq}", name="pay")],
                [ChildStarted(child_id=f"c{run.seq}", dag_id="sub", run_id="s", child_run_key=99)],
                [] if child is None else [ChildEnded(child_id=child, state=RunState.SUCCESS, payload=BIG)],
                [] if timer is None else [TimerFired(timer_id=timer)],
                [RunResumed()],
                [RunMoved(version_id=version, fingerprint=str(version) * 64)] if version != run.version_id else [],
                [RunCancelRequested(by="ada")] if run.cancelling is None and run.seq % 3 == 0 else [],
                [reset] if run.cancelling is None else [],
            ]
        )


def states(story: Story) -> dict[tuple[str, int], TaskState]:
    """The state of each call that the run remembers."""
    nodes = story.run.nodes.items()
    return {(name, i): activity.state for name, node in nodes for i, activity in (node.many or {}).items()}
