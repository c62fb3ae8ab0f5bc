"""Whatever happens to a workflow, in whatever order: all that is open is accounted for, and replay and fold agree."""

from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from orchestrator.core.activations import (
    Block,
    Call,
    CancelCall,
    CancelTimer,
    Continue,
    Raise,
    RecordValue,
    Return,
    SetTimer,
    WorkflowCommand,
)
from orchestrator.core.activity import Activity
from orchestrator.core.advances import Outdated
from orchestrator.core.commands import Activate, CancelChild, ScheduleActivity
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityRequested,
    ActivityScheduled,
    ActivityStarted,
    AnyEvent,
    ChildEnded,
    ChildStarted,
    Recorded,
    RunCancelRequested,
    RunContinued,
    RunEnded,
    RunMoved,
    RunPaused,
    RunReset,
    RunResumed,
    SignalReceived,
    TimerCancelled,
    TimerFired,
    TimerSet,
    UpdateReceived,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.runs import replay, replay_until
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import FINISHED, BlockKind, RunState, TaskState
from tests.core.ledger import at
from tests.core.workflow_ledger import WorkflowLedger, workflow

FAILURE = Failure(message="no")
names = st.sampled_from(["ship", "ship", "charge", "refund"])
numbers = st.integers(0, 5)


def calls(run: WorkflowRun) -> dict[tuple[str, int], Activity]:
    """The calls that replay can still speak of: since the run began anew, and not asked for in what a reset undid."""
    return {
        (name, index): activity
        for name, node in run.nodes.items()
        for index, activity in (node.many or {}).items()
        if activity.requested_seq > run.began_at and run.counts(Recorded(activity.requested_seq, at(0), RunResumed()))
    }


def state_of(run: WorkflowRun) -> dict[str, Any]:
    """Everything about the run that its history decides."""
    return {
        "run": (run.state, run.reason, run.started_at, run.ended_at, run.paused, run.cancelling, run.unfinished),
        "seqs": (run.asked_until, run.news_at, run.began_at, run.letter_at, run.renewed_at),
        "open": run.open,
        "unended": list(run.unended),
        "waiting": (run.timers, run.children, run.updates, run.blocked),
        "shielded": (run.shielded, run.shielded_timers),
        "nodes": {name: (node.shape, node.size) for name, node in run.nodes.items()},
        "calls": {
            place: tuple(getattr(activity, field) for field in Activity.__slots__)
            for place, activity in calls(run).items()
        },
    }


class Workflows(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ledger = WorkflowLedger()
        self.told: int | None = None
        self.attempts: set[tuple[str, int, int]] = set()
        self.occurrences: set[tuple[str, int]] = set()
        self.offered: set[tuple[str, int]] = set()

    @property
    def run(self) -> WorkflowRun:
        return self.ledger.run

    def one(self, places: list[Any], number: int) -> Any:
        return places[number % len(places)] if places else None

    # ── the engine ───────────────────────────────────────────────────────────────────────────────────────

    @rule()
    def turn(self) -> None:
        """What the run wants done is done; its code is told of the news, and has not answered yet."""
        for command in self.ledger.decide():
            match command:
                case Activate():
                    self.told = self.run.seq
                    self.run.told(self.run.seq)
                case ScheduleActivity(task_id=task_id, map_index=first, count=count):
                    self.offered |= {(task_id, first + number) for number in range(count)}
                case CancelChild(child_id=child_id):
                    assert child_id in self.run.children or self.run.is_ended or self.was_reset
                case _:
                    continue

    @property
    def was_reset(self) -> bool:
        return any(isinstance(fact.event, RunReset | RunContinued) for fact in self.ledger.facts)

    @precondition(lambda self: self.offered)
    @rule(number=numbers)
    def hand_out(self, number: int) -> None:
        place = self.one(sorted(self.offered), number)
        self.offered.discard(place)
        if not self.run.may_start(*place):
            return
        attempt = self.run.next_attempt(*place)
        assert (*place, attempt) not in self.attempts, "no number of an attempt is used twice"
        self.attempts.add((*place, attempt))
        self.ledger.add(ActivityScheduled(task_id=place[0], map_index=place[1], attempt=attempt))

    @precondition(lambda self: self.attempts)
    @rule(number=st.integers(0, 30), kind=st.integers(0, 5))
    def report(self, number: int, kind: int) -> None:
        """About an attempt of now or of long ago."""
        task_id, map_index, attempt = self.one(sorted(self.attempts), number)
        if task_id not in self.run.nodes:
            return
        where: dict[str, Any] = {"task_id": task_id, "map_index": map_index, "attempt": attempt}
        events: list[AnyEvent] = [
            ActivityStarted(**where),
            ActivityCompleted(**where, result=msgspec.Raw(b"1")),
            ActivityCompleted(**where),
            ActivityFailed(**where, failure=FAILURE),
            ActivityFailed(**where, failure=FAILURE, retry_at=at(50)),
            ActivityLost(**where, reason="gone", unknown=number % 3 == 0),
        ]
        self.ledger.add(events[kind])

    # ── the code ─────────────────────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: self.told is not None)
    @rule(name=names, kind=st.integers(0, 20), number=numbers, count=st.integers(0, 3), shielded=st.booleans())
    def answer(self, name: str, kind: int, number: int, count: int, shielded: bool) -> None:
        """The code has taken in what it was told, and asks for something."""
        told, self.told = self.told, None
        timer = SetTimer(timer_id=f"t{self.run.seq}", fire_at=at(number * 20), shielded=shielded)
        place, timer_id = self.one(list(self.run.unended), number), self.one(list(self.run.timers), number)
        last: list[WorkflowCommand] = {
            0: [Return(result=msgspec.Raw(b"1"))],
            1: [Raise(failure=FAILURE)],
            2: [Continue()],
            3: [Block(kind=BlockKind.STUCK, message="stuck")],
            4: [] if place is None else [CancelCall(task_id=place[0], map_index=place[1])],
            5: [] if timer_id is None else [CancelTimer(timer_id=timer_id)],
            6: [timer],
            7: [timer, RecordValue(name="dice")],
        }.get(kind, [])
        known = name in self.run.nodes
        asked = [Call(task_id=name, digest="d", shielded=shielded)] * (count if known else 0)
        letters = self.run.letter_at
        steps = self.ledger.advance(*([] if kind == 3 else asked), *last, seq=told)
        if isinstance(steps, Outdated):
            self.run.unanswered()
            return
        assert kind > 2 or letters <= (told or 0), "nothing that was said to it is left unheard"
        for step in steps:
            if isinstance(step, ActivityRequested):
                assert (step.task_id, step.map_index) not in self.occurrences, "no occurrence is used twice"
                self.occurrences.add((step.task_id, step.map_index))

    # ── the world ────────────────────────────────────────────────────────────────────────────────────────

    @rule(kind=st.integers(0, 12), number=numbers)
    def happen(self, kind: int, number: int) -> None:
        if self.run.is_ended:
            return
        child = self.one(list(self.run.children), number)
        place = self.one(list(self.run.unended), number)
        self.ledger.add(
            *{
                0: [SignalReceived(name="go")],
                1: [UpdateReceived(update_id=f"u{number}", name="pay")],
                2: [ChildStarted(child_id=f"c{number}", dag_id="sub", run_id="s", child_run_key=self.run.seq)],
                3: [] if child is None else [ChildEnded(child_id=child, state=RunState.SUCCESS)],
                4: [RunPaused()],
                5: [RunResumed()],
                6: [RunResumed()],
                7: [RunMoved(version_id=number % 2, fingerprint=f"v{number % 2}")],
                8: [] if self.run.cancelling or number else [RunCancelRequested()],
                9: [] if place is None else [_skipped(*place)],
            }.get(kind, [])
        )

    @rule(back=st.integers(0, 15))
    def reset(self, back: int) -> None:
        if self.run.cancelling is not None and not self.run.is_ended:
            return
        seq = max(1, self.run.seq - back)
        self.ledger.add(RunReset(seq=seq))
        self.told = None
        past = workflow(replay_until(7, lambda: self.ledger.facts, self.ledger.plans.__getitem__, seq))
        assert self.run.timers == past.timers
        assert self.run.children == past.children
        assert (self.run.began_at, self.run.asked_until) == (past.began_at, past.asked_until)
        assert self.run.has_news
        for place in past.unended:
            assert place[0] not in self.run.nodes or place in self.run.unended
        assert all(place in past.unended for place in self.run.unended)
        for place, then in calls(past).items():
            if place[0] in self.run.nodes and then.state in FINISHED:
                assert self.ledger.state(*place) is then.state
                assert self.ledger.activity(*place).result_seq == then.result_seq

    # ── what holds ───────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def everything_open_is_accounted_for(self) -> None:
        run = self.run
        unended = {place for place, activity in calls(run).items() if activity.state not in FINISHED}
        assert unended <= set(run.unended)
        assert run.unfinished == len(run.unended)
        assert all(run.nodes[name].activity(index).state not in FINISHED for name, index in run.unended)
        assert set(run.fresh) <= set(run.unended)
        there = {place for place in run.shielded if place[0] in run.nodes}  # what another version lacks may come back
        assert there <= set(run.unended)
        working = {p for p, a in calls(run).items() if a.state in (TaskState.QUEUED, TaskState.RUNNING)}
        assert working <= set(run.open)

    @invariant()
    def timers_are_those_that_are_set_and_not_over(self) -> None:
        """Counted anew from the facts that count; a cancellation or an end drops others."""
        waiting: set[str] = set()
        for fact in self.ledger.facts:
            match fact.event:
                case TimerSet(timer_id=timer_id) if self.run.counts(fact):
                    waiting.add(timer_id)
                case TimerFired(timer_id=timer_id) | TimerCancelled(timer_id=timer_id) if self.run.counts(fact):
                    waiting.discard(timer_id)
                case RunContinued() | RunEnded() if self.run.counts(fact):
                    waiting.clear()
        assert set(self.run.timers) <= waiting
        if self.run.cancelling is None:
            assert set(self.run.timers) == waiting

    @invariant()
    def an_ended_run_waits_for_nothing(self) -> None:
        run = self.run
        if run.is_ended:
            assert (run.unended, run.timers, run.children, run.updates, run.blocked) == ({}, {}, {}, {}, None)
            assert run.next_due() is None

    def teardown(self) -> None:
        again = self.ledger.replayed()
        assert state_of(again) == state_of(self.run)
        lean = workflow(replay(7, self.ledger.facts, self.ledger.plans.__getitem__, lean=True))
        assert state_of(lean) == state_of(self.run)
        assert again.has_news or not self.run.has_news, "a restart forgets no news"


def _skipped(task_id: str, map_index: int) -> ActivityMarked:
    return ActivityMarked(task_id=task_id, map_index=map_index, state=TaskState.SKIPPED)


TestWorkflows = Workflows.TestCase
TestWorkflows.settings = settings(max_examples=40, stateful_step_count=40)
