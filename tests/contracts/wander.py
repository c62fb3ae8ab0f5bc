"""A run that wanders through every kind of fact, at random but legal."""

import random
from collections.abc import Iterator
from datetime import timedelta

import msgspec

from orchestrator.core.board import Place
from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityResumed,
    ActivityScheduled,
    ActivitySkipped,
    ActivityStarted,
    ActivityUpstreamFailed,
    AnyEvent,
    OutcomeResolved,
    RunCancelRequested,
    RunEnded,
    RunMoved,
    RunPaused,
    RunReset,
    RunResumed,
    SignalReceived,
    TaskExpanded,
    TimerFired,
    TimerSet,
    VersionMarker,
)
from orchestrator.core.particulars import Failure, PayloadRef
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.names import FailureKind, RunState, TaskState
from tests.contracts.stories import SPEC, Story

MOVED = DagSpec(
    dag_id=SPEC.dag_id,
    file=SPEC.file,
    tasks=(
        TaskSpec(task_id="extract", operator="BashOperator"),
        TaskSpec(task_id="each"),
        TaskSpec(task_id="report", upstream=("extract",)),
    ),
)
VERSIONS = {1: SPEC, 2: MOVED}

_STARTABLE = (TaskState.NONE, TaskState.SCHEDULED, TaskState.UP_FOR_RETRY, TaskState.UP_FOR_RESCHEDULE)


class Wanderer:
    """Tells a story step by step; the same seed tells the same one."""

    def __init__(self, story: Story, seed: int) -> None:
        self._story = story
        self._random = random.Random(seed)
        self._timers = 0

    def wander(self, steps: int) -> None:
        for _ in range(steps):
            self._story.tell(self._of_run() if self._random.random() < 0.15 else self._of_activity())

    def _places(self) -> Iterator[Place]:
        for task_id, node in self._story.run.nodes.items():
            for map_index in node.indexes():
                yield task_id, map_index

    def _of_run(self) -> AnyEvent:
        run = self._story.run
        choices: list[AnyEvent] = [
            RunPaused(by="ada"),
            RunResumed(by="ada"),
            RunCancelRequested(by="ada"),
            RunEnded(state=self._random.choice([RunState.SUCCESS, RunState.FAILED]), reason="so it ended"),
            TimerSet(timer_id=f"t{self._timers}", fire_at=self._story.at + timedelta(hours=1)),
            TimerFired(timer_id=f"t{self._random.randint(0, self._timers)}"),
            RunReset(seq=self._random.randint(1, run.seq)),
            SignalReceived(name="go", payload=msgspec.Raw(b"[1]")),
            VersionMarker(name="patched", version=1),
        ]
        moved_to = self._random.choice(list(VERSIONS))
        if moved_to != run.version_id:
            choices.append(RunMoved(version_id=moved_to, fingerprint=str(moved_to) * 64))
        each = run.nodes.get("each")
        if each is not None and each.is_mapped and each.shape is None:
            choices.append(TaskExpanded(task_id="each", shape=(2, self._random.randint(0, 2))))
        self._timers += 1
        return self._random.choice(choices)

    def _of_activity(self) -> AnyEvent:
        task_id, map_index = self._random.choice(list(self._places()))
        return self._random.choice(self._steps(task_id, map_index))

    def _steps(self, task_id: str, map_index: int) -> list[AnyEvent]:
        run = self._story.run
        activity = run.nodes[task_id].activity(map_index)
        where = {"task_id": task_id, "map_index": map_index}
        this = {**where, "attempt": activity.attempt}
        match activity.state:
            case state if state in _STARTABLE:
                following = {**where, "attempt": run.next_attempt(task_id, map_index)}
                scheduled = ActivityScheduled(**following)
                return [scheduled, scheduled, ActivitySkipped(**where), ActivityUpstreamFailed(**where)]
            case TaskState.QUEUED:
                started = ActivityStarted(**this, worker="host:9")
                return [started, started, ActivityLost(**this, reason="host gone", free=True)]
            case TaskState.DEFERRED:
                return [ActivityResumed(**this)]
            case TaskState.AWAITING_INPUT:
                states = (TaskState.SUCCESS, TaskState.FAILED, TaskState.NONE)
                return [OutcomeResolved(**this, state=state, by="ada") for state in states]
            case TaskState.RUNNING | TaskState.RESTARTING:
                return self._outcomes(this)
            case _:
                return [
                    ActivityCleared(**where, same_key=self._random.random() < 0.5),
                    ActivityMarked(**where, state=self._random.choice([TaskState.SUCCESS, TaskState.FAILED])),
                ]

    def _outcomes(self, this: dict[str, object]) -> list[AnyEvent]:
        later = self._story.at + timedelta(minutes=5)
        failure = Failure(message="it broke")
        return [
            ActivityCompleted(**this, result=msgspec.Raw(b'{"n":1}'), length=1),
            ActivityCompleted(**this, payload=PayloadRef(sha256="cd" * 32, size=99_999)),
            ActivityFailed(**this, failure=failure, retry_at=later),
            ActivityFailed(**this, failure=failure, kind=FailureKind.TIMEOUT),
            ActivityLost(**this, reason="its worker died"),
            ActivityLost(**this, reason="nobody knows", unknown=True),
            ActivityDeferred(**this, until=later),
            ActivityDeferred(**this, trigger=msgspec.Raw(b'{"kind":"file"}')),
            ActivitySkipped(**this, reason="its body said so"),
        ]
