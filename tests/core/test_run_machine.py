"""Whatever the history says, in whatever order: the fold's counters agree with a recount, and replay with the fold."""

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from orchestrator.core.activity import Activity
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
    RunResumed,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.run import Run
from orchestrator.core.spec import mapping_over
from orchestrator.names import Delivery, RunState, TaskState
from tests.core.ledger import Ledger, at, check, counts, tasks

STARTABLE = {TaskState.NONE, TaskState.SCHEDULED, TaskState.UP_FOR_RETRY, TaskState.UP_FOR_RESCHEDULE}
FIELDS: dict[str, dict[str, Any]] = {
    "pay": {"delivery": Delivery.TRANSACTIONAL},
    "mail": {"delivery": Delivery.AT_MOST_ONCE},
    "sew": {"mapping": mapping_over(3)},
    "tidy": {"is_setup": True},
}
FIRST = tasks("order", "pay: order", "sew: order", "mail: pay sew", "tidy: mail", **FIELDS)
SECOND = tasks("order", "pay: order tidy", "tidy", "sew: order", "gift: sew", "mail: pay sew gift", **FIELDS)

names = st.sampled_from(["pay"] * 6 + ["sew", "sew", "order", "mail", "tidy", "gift"])  # mostly one: long stories
numbers = st.integers(0, 3)


def state_of(run: Run) -> dict[str, Any]:
    """Everything about a run that its history decides."""
    return {
        "run": (run.state, run.reason, run.started_at, run.ended_at, run.paused, run.cancelling, run.unfinished),
        "open": run.open,
        "nodes": {name: (node.shape, node.size, node.bad, node.skipped_by) for name, node in run.nodes.items()},
        "upstreams": {name: counts(node.upstreams) for name, node in run.nodes.items()},
        "activities": {
            (name, index): tuple(getattr(node.peek(index) or Activity(), field) for field in Activity.__slots__)
            for name, node in run.nodes.items()
            for index in node.indexes()
        },
    }


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(FIRST, SECOND)
        self.attempts: dict[tuple[str, int], int] = {}
        self.succeeded: set[tuple[str, int]] = set()

    @property
    def run(self) -> Run:
        return self.ledger.run

    def place(self, name: str, number: int) -> tuple[str, int] | None:
        node = self.run.nodes.get(name)
        return None if node is None else (name, node.indexes()[number % len(node.indexes())])

    @rule(name=names, number=numbers)
    def start(self, name: str, number: int) -> None:
        place = self.place(name, number)
        if place is None or place in self.run.open or self.ledger.state(*place) not in STARTABLE:
            return
        attempt = self.run.next_attempt(*place)
        assert attempt > self.attempts.get(place, 0) or self.ledger.state(*place) is TaskState.UP_FOR_RESCHEDULE
        self.attempts[place] = attempt
        self.ledger.add(ActivityScheduled(task_id=name, map_index=place[1], attempt=attempt))

    @rule(name=names, number=numbers, back=st.sampled_from([0, 0, 0, 1, 2]), kind=st.integers(0, 8))
    def report(self, name: str, number: int, back: int, kind: int) -> None:
        """What an executor says, about the attempt of now or about one of long ago."""
        place = self.place(name, number)
        if place is None or (attempt := self.ledger.activity(*place).attempt - back) < 1:
            return
        where: dict[str, Any] = {"task_id": name, "map_index": place[1], "attempt": attempt}
        events: list[AnyEvent] = [
            ActivityStarted(**where),
            ActivityCompleted(**where, skip=("mail",) if number == 1 else ()),
            ActivityFailed(**where, failure=Failure(message="no")),
            ActivityFailed(**where, failure=Failure(message="no"), retry_at=at(50)),
            ActivityLost(**where, reason="gone", free=number % 2 == 0),
            ActivityLost(**where, reason="gone", unknown=True),
            ActivitySkipped(**where),
            ActivityDeferred(**where, until=at(70) if number % 2 else None),
            ActivityResumed(**where),
        ]
        done = {place for place in self.all_places() if self.ledger.state(*place) is TaskState.SUCCESS}
        self.ledger.add(events[kind])
        assert all(self.ledger.state(*place) is TaskState.SUCCESS for place in done), "a recorded success stands"

    @rule(name=names, number=numbers, failed=st.booleans())
    def judge(self, name: str, number: int, failed: bool) -> None:
        place = self.place(name, number)
        if place is None or place in self.run.open or self.ledger.state(*place) not in STARTABLE:
            return
        kind = ActivityUpstreamFailed if failed else ActivitySkipped
        self.ledger.add(kind(task_id=name, map_index=place[1]))

    @rule(name=names, number=numbers, whole=st.booleans(), same_key=st.booleans())
    def clear(self, name: str, number: int, whole: bool, same_key: bool) -> None:
        if (place := self.place(name, number)) is not None:
            indexes = self.run.nodes[name].indexes()
            first, count = (indexes.start, len(indexes)) if whole else (place[1], 1)
            self.ledger.add(ActivityCleared(task_id=name, map_index=first, count=count, same_key=same_key))

    @rule(name=names, number=numbers, state=st.sampled_from([TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED]))
    def mark(self, name: str, number: int, state: TaskState) -> None:
        if (place := self.place(name, number)) is not None:
            self.ledger.add(ActivityMarked(task_id=name, map_index=place[1], state=state))

    @rule(name=names, number=numbers, state=st.sampled_from([TaskState.SUCCESS, TaskState.FAILED, TaskState.NONE]))
    def resolve(self, name: str, number: int, state: TaskState) -> None:
        if (place := self.place(name, number)) is not None:
            attempt = self.ledger.activity(*place).attempt
            self.ledger.add(OutcomeResolved(task_id=name, map_index=place[1], attempt=attempt, state=state))

    @precondition(lambda self: self.run.nodes["sew"].shape is None)
    @precondition(lambda self: self.run.nodes["sew"].one.state is TaskState.NONE)
    @rule(size=st.integers(0, 4))
    def expand(self, size: int) -> None:
        self.ledger.add(TaskExpanded(task_id="sew", shape=(size,)))

    @rule(version=st.integers(0, 1))
    def move(self, version: int) -> None:
        self.ledger.move(RunMoved(version_id=version, fingerprint=f"v{version}"), version)
        self.attempts = {place: number for place, number in self.attempts.items() if place[0] in self.run.nodes}

    @rule(kind=st.integers(0, 3))
    def steer(self, kind: int) -> None:
        self.ledger.add([RunPaused(), RunResumed(), RunCancelRequested(), RunEnded(state=RunState.FAILED)][kind])

    def all_places(self) -> list[tuple[str, int]]:
        return [(name, index) for name, node in self.run.nodes.items() for index in node.indexes()]

    @invariant()
    def counters_agree_with_a_recount(self) -> None:
        check(self.run)

    @invariant()
    def untouched_is_what_is_none(self) -> None:
        for name, node in self.run.nodes.items():
            none = [index for index in node.indexes() if self.ledger.state(name, index) is TaskState.NONE]
            assert [index for stretch in node.untouched() for index in stretch] == none

    def teardown(self) -> None:
        again = self.ledger.replayed()
        assert state_of(again) == state_of(self.run)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150, stateful_step_count=40)
