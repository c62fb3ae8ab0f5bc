"""What a workflow's run wants done, what its code's asking becomes, and what people may ask of it."""

from datetime import timedelta

import msgspec
import pytest

from orchestrator.core import advances, asks
from orchestrator.core.activations import (
    Advance,
    AnswerUpdate,
    Block,
    Call,
    CancelCall,
    CancelChild,
    CancelTimer,
    Continue,
    MarkVersion,
    Raise,
    RecordValue,
    Return,
    SetTimer,
    SignalRun,
    StartChild,
)
from orchestrator.core.advances import Outdated
from orchestrator.core.commands import Activate, CancelAttempt
from orchestrator.core.events import (
    ActivityCancelRequested,
    ActivityFailed,
    ActivityMarked,
    ActivityRequested,
    ChildEnded,
    ChildStarted,
    RunBlocked,
    RunCancelRequested,
    RunEnded,
    RunMoved,
    RunPaused,
    RunReset,
    RunResumed,
    RunStarted,
    SignalReceived,
    TimerCancelled,
    TimerFired,
    TimerSet,
    UpdateAnswered,
    UpdateReceived,
    ValueRecorded,
    VersionMarker,
)
from orchestrator.core.orders import Deferred, Failed
from orchestrator.core.outcomes import facts_of as facts_of_report
from orchestrator.core.particulars import Failure
from orchestrator.core.requests import (
    CancelRun,
    ClearTasks,
    MarkTask,
    MoveRun,
    PauseRun,
    ResetRun,
    ResumeRun,
    SendSignal,
    SendUpdate,
)
from orchestrator.core.spec import Entrance
from orchestrator.names import AttemptKey, BlockKind, RunState, TaskState
from tests.core.ledger import Ledger, at, tasks
from tests.core.workflow_ledger import WorkflowLedger

WHO = {"dag_id": "order", "run_id": "r1", "by": "ada"}
BOOM = Failure(message="boom", where="order.py:7")
BLOCKED = RunBlocked(kind=BlockKind.STUCK, message="it does not come to rest")


@pytest.fixture
def ledger() -> WorkflowLedger:
    ledger = WorkflowLedger(("ship", "charge"), ("charge",), dagrun_timeout=timedelta(hours=1))
    ledger.begin()
    return ledger


# ── deciding ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_run_is_started_and_its_code_is_told_once() -> None:
    ledger = WorkflowLedger()
    assert ledger.names() == ["StartRun", "Activate"]
    assert ledger.names() == []
    assert ledger.run.started_at == at(1)


def test_calls_that_are_asked_for_together_are_offered_together(ledger: WorkflowLedger) -> None:
    ledger.call("ship", "ship", "ship", "charge", "ship")
    assert ledger.scheduled() == [("ship", 0, 3), ("charge", 0, 1), ("ship", 3, 1)]
    assert ledger.scheduled() == []


def test_a_call_is_offered_again_when_its_retry_is_due(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.decide()
    ledger.schedule("ship", 0)
    ledger.add(ActivityFailed(task_id="ship", map_index=0, failure=BOOM, retry_at=at(100)))
    assert ledger.decide(99) == []
    assert [type(command).__name__ for command in ledger.decide(100)] == ["ScheduleActivity"]


def test_timers_that_have_come_fire_once_in_order(ledger: WorkflowLedger) -> None:
    ledger.add(*(TimerSet(timer_id=name, fire_at=at(when)) for name, when in (("b", 70), ("a", 60), ("c", 90))))
    ledger.add(TimerCancelled(timer_id="b"))
    ledger.decide(80)
    assert [fact.event for fact in ledger.facts if isinstance(fact.event, TimerFired)] == [TimerFired(timer_id="a")]
    assert ledger.run.timers == {"c": at(90)}


def test_one_activation_is_under_way_at_a_time(ledger: WorkflowLedger) -> None:
    ledger.add(SignalReceived(name="one"))
    assert ledger.decide() == [Activate()]
    ledger.add(SignalReceived(name="two"))
    assert ledger.decide() == []
    ledger.run.answered(3)
    assert ledger.decide() == [Activate()]


@pytest.mark.parametrize("event", [RunPaused(), BLOCKED], ids=["paused", "blocked"])
def test_the_code_of_a_run_that_is_paused_or_blocked_is_told_nothing_until_it_goes_on(
    ledger: WorkflowLedger, event: RunPaused | RunBlocked
) -> None:
    ledger.add(event, SignalReceived(name="go"))
    assert ledger.decide() == []
    ledger.add(RunResumed())
    assert ledger.decide() == [Activate()]


def test_a_paused_run_hands_out_nothing_and_a_blocked_one_what_was_asked_for(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.add(RunPaused())
    assert ledger.scheduled() == []
    ledger.add(BLOCKED, RunResumed(), BLOCKED)
    assert ledger.scheduled() == [("ship", 0, 1)]


def test_a_run_whose_time_is_up_is_cancelled_once(ledger: WorkflowLedger) -> None:
    names = [type(command).__name__ for command in ledger.decide(3601)]
    assert names == ["CancelRun", "Activate"]
    assert ledger.decide(3602) == []
    assert not ledger.run.is_ended


def test_what_a_cancelled_run_had_open_is_ended_and_its_code_is_told(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.decide()
    ledger.schedule("ship", 0)
    ledger.add(ChildStarted(child_id="c", dag_id="sub", run_id="s", child_run_key=9), RunCancelRequested())
    wanted = ledger.decide()
    assert wanted[0] == CancelAttempt(key=AttemptKey(7, "ship", 0, 1))
    assert [type(command).__name__ for command in wanted[1:]] == ["CancelChild", "Activate"]


def test_an_ended_run_has_what_it_left_open_ended_and_wants_nothing_else(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.decide()
    ledger.schedule("ship", 0)
    ledger.add(ChildStarted(child_id="c", dag_id="sub", run_id="s", child_run_key=9))
    ledger.advance(Return())
    assert ledger.names() == ["CancelAttempt", "CancelChild"]
    assert ledger.names() == []


# ── what the code asks for ───────────────────────────────────────────────────────────────────────────────


def test_each_thing_that_the_code_asks_for_becomes_a_fact(ledger: WorkflowLedger) -> None:
    ledger.add(UpdateReceived(update_id="u", name="pay"), TimerSet(timer_id="old", fire_at=at(99)))
    ledger.call("ship")
    child, signal = StartChild(child_id="c", dag_id="sub"), SignalRun(name="s", dag_id="d", run_id="r", signal="go")
    steps = ledger.advance(
        Call(task_id="ship", digest="d"),
        Call(task_id="ship", digest="d", shielded=True),
        CancelCall(task_id="ship", map_index=0),
        SetTimer(timer_id="t", fire_at=at(60)),
        CancelTimer(timer_id="old"),
        child,
        signal,
        AnswerUpdate(update_id="u", result=msgspec.Raw(b"1")),
        RecordValue(name="dice", value=msgspec.Raw(b"6")),
        MarkVersion(name="new", version=1),
    )
    assert steps == [
        ActivityRequested(task_id="ship", map_index=1, digest="d"),
        ActivityRequested(task_id="ship", map_index=2, digest="d", shielded=True),
        ActivityCancelRequested(task_id="ship", map_index=0),
        TimerSet(timer_id="t", fire_at=at(60)),
        TimerCancelled(timer_id="old"),
        child,
        signal,
        UpdateAnswered(update_id="u", result=msgspec.Raw(b"1")),
        ValueRecorded(name="dice", value=msgspec.Raw(b"6")),
        VersionMarker(name="new", version=1),
    ]


def test_what_is_over_already_is_not_cancelled_and_not_answered(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.succeed("ship", 0)
    steps = ledger.advance(
        CancelCall(task_id="ship", map_index=0),
        CancelTimer(timer_id="t"),
        CancelChild(child_id="c"),
        AnswerUpdate(update_id="u"),
    )
    assert steps == []


def test_an_update_is_answered_once_though_the_code_answers_twice_in_one_go(ledger: WorkflowLedger) -> None:
    ledger.add(UpdateReceived(update_id="u", name="pay"))
    steps = ledger.advance(AnswerUpdate(update_id="u"), AnswerUpdate(update_id="u"))
    assert steps == [UpdateAnswered(update_id="u")]


def test_occurrences_never_start_again(ledger: WorkflowLedger) -> None:
    ledger.call("ship", "ship")
    ledger.advance(Continue())
    ledger.call("ship")
    ledger.add(RunReset(seq=2))
    ledger.call("ship")
    assert list(ledger.run.unended) == [("ship", 3)]


def test_facts_say_up_to_where_the_code_had_heard_if_that_is_not_all(ledger: WorkflowLedger) -> None:
    seq = ledger.run.seq
    ledger.add(SignalReceived(name="go"))
    assert ledger.advance(MarkVersion(name="p", version=1), seq=seq) == [VersionMarker(name="p", version=1, heard=seq)]
    assert ledger.advance(MarkVersion(name="q", version=1)) == [VersionMarker(name="q", version=1)]


def test_a_workflow_that_returns_ends_with_its_result(ledger: WorkflowLedger) -> None:
    ledger.add(UpdateReceived(update_id="u", name="pay"))
    steps = ledger.advance(Return(result=msgspec.Raw(b"[1]")))
    assert isinstance(steps, list)
    assert isinstance(steps[0], UpdateAnswered)
    assert steps[1] == RunEnded(state=RunState.SUCCESS, result=msgspec.Raw(b"[1]"))


def test_a_workflow_that_raises_fails_with_the_place(ledger: WorkflowLedger) -> None:
    assert ledger.advance(Raise(failure=BOOM)) == [
        RunEnded(state=RunState.FAILED, reason="order.py:7: boom", failure=BOOM)
    ]


def test_a_workflow_that_raises_its_cancellation_fails_with_the_reason_of_that(ledger: WorkflowLedger) -> None:
    ledger.add(RunCancelRequested(reason="ada said so"))
    ledger.advance(Raise(failure=BOOM, cancelled=True))
    assert (ledger.run.state, ledger.run.reason) == (RunState.FAILED, "ada said so")


def test_a_workflow_that_raises_something_else_while_it_cleans_up_fails_with_that(ledger: WorkflowLedger) -> None:
    ledger.add(RunCancelRequested(reason="ada said so"))
    ledger.advance(Raise(failure=BOOM))
    assert (ledger.run.state, ledger.run.reason) == (RunState.FAILED, "order.py:7: boom")


def test_a_workflow_may_end_well_although_it_was_cancelled(ledger: WorkflowLedger) -> None:
    ledger.add(RunCancelRequested())
    ledger.advance(Return())
    assert ledger.run.state is RunState.SUCCESS


@pytest.mark.parametrize("command", [Return(), Raise(failure=BOOM), Continue()], ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("letter", [SignalReceived(name="go"), UpdateReceived(update_id="u", name="pay")])
def test_a_workflow_does_not_end_over_a_signal_or_an_update_that_it_has_not_heard(
    ledger: WorkflowLedger, command: Return | Raise | Continue, letter: SignalReceived | UpdateReceived
) -> None:
    seq = ledger.run.seq
    ledger.add(letter)
    assert isinstance(ledger.advance(MarkVersion(name="p", version=1), command, seq=seq), Outdated)
    assert not isinstance(ledger.advance(command), Outdated)


@pytest.mark.parametrize(
    "event",
    [RunMoved(version_id=1, fingerprint="v1"), RunReset(seq=2), BLOCKED, RunEnded(state=RunState.FAILED)],
    ids=lambda event: type(event).__name__,
)
def test_what_the_code_says_of_what_counts_no_more_is_dropped(ledger: WorkflowLedger, event: RunMoved) -> None:
    seq = ledger.run.seq
    ledger.add(event)
    assert isinstance(ledger.advance(Call(task_id="charge", digest="d"), seq=seq), Outdated)


def test_a_call_of_an_activity_that_the_version_lacks_blocks_the_run_and_nothing_else_is_done(
    ledger: WorkflowLedger,
) -> None:
    steps = ledger.advance(Call(task_id="ship", digest="d"), Call(task_id="fly", digest="d"))
    assert [type(step).__name__ for step in steps] == ["RunBlocked"]  # type: ignore[union-attr]
    assert ledger.run.blocked is not None
    assert "calls activity 'fly'" in ledger.run.blocked.message
    assert "it has ship, charge" in ledger.run.blocked.message


def test_code_that_cannot_go_on_blocks_its_run(ledger: WorkflowLedger) -> None:
    block = Block(kind=BlockKind.STUCK, message="it does not come to rest", where="order.py:3", frames=("a", "b"))
    ledger.advance(block)
    assert ledger.run.blocked == RunBlocked(
        kind=block.kind, message=block.message, where=block.where, frames=("a", "b")
    )
    assert ledger.run.state is RunState.RUNNING


def test_errands_to_other_runs_become_facts_where_they_are_carried_out() -> None:
    command = StartChild(child_id="c", dag_id="sub", shielded=True)
    started = advances.child_started(command, "s", 9, heard=4)
    assert started == ChildStarted(child_id="c", dag_id="sub", run_id="s", child_run_key=9, shielded=True, heard=4)
    refused = advances.child_refused(command, "s", "there is no DAG 'sub'", heard=0)
    assert [type(fact).__name__ for fact in refused] == ["ChildStarted", "ChildEnded"]
    assert advances.child_ended("c", RunEnded(state=RunState.SUCCESS, result=msgspec.Raw(b"1"))) == ChildEnded(
        child_id="c", state=RunState.SUCCESS, result=msgspec.Raw(b"1")
    )
    sent = advances.signal_sent(SignalRun(name="s", dag_id="d", run_id="r", signal="go"), "it has ended", heard=0)
    assert (sent.sent, bytes(sent.value)) == (True, b'"it has ended"')


def test_an_advance_is_answered_with_what_was_heard() -> None:
    ledger = WorkflowLedger()
    assert advances.heard(ledger.run, Advance(run_key=7, seq=1)) == 0
    ledger.add(SignalReceived(name="go"))
    assert advances.heard(ledger.run, Advance(run_key=7, seq=1)) == 1


# ── what is reported of a call ───────────────────────────────────────────────────────────────────────────


def test_a_failed_attempt_of_a_call_that_was_given_up_is_not_tried_again(ledger: WorkflowLedger) -> None:
    ledger.call("ship", "ship")
    for index in (0, 1):
        ledger.schedule("ship", index)
    ledger.add(ActivityCancelRequested(task_id="ship", map_index=1))
    failed = [
        facts_of_report(ledger.run, Failed(key=AttemptKey(7, "ship", i, 1), at=at(9), failure=BOOM), now=at(9))[0]
        for i in (0, 1)
    ]
    assert [fact.retry_at is None for fact in failed if isinstance(fact, ActivityFailed)] == [False, True]
    deferred = Deferred(key=AttemptKey(7, "ship", 1, 1), at=at(9), trigger=msgspec.Raw(b"{}"))
    assert isinstance(facts_of_report(ledger.run, deferred, now=at(9))[0], ActivityFailed)


# ── what people ask for ──────────────────────────────────────────────────────────────────────────────────


def test_signals_and_updates_are_for_workflows_only() -> None:
    run = Ledger(tasks("a")).run
    for ask in (SendSignal(name="go", **WHO), SendUpdate(update_id="u", name="go", **WHO)):
        refusal = asks.facts_of(run, ask)
        assert isinstance(refusal, str)
        assert "static DAG 'shop'" in refusal


def test_a_name_that_the_workflow_does_not_list_is_refused_with_the_nearest() -> None:
    listed = WorkflowLedger(signals=(Entrance(name="approve"),), updates=(Entrance(name="pay"),)).run
    assert asks.facts_of(listed, SendSignal(name="aprove", **WHO)) == (
        "workflow 'order' has no signal 'aprove'; did you mean 'approve'?"
    )
    assert asks.facts_of(listed, SendSignal(name="approve", **WHO)) == [SignalReceived(name="approve", by="ada")]
    refusal = asks.facts_of(listed, SendUpdate(update_id="u", name="pray", **WHO))
    assert refusal == "workflow 'order' has no update 'pray'; did you mean 'pay'?"
    assert isinstance(asks.facts_of(WorkflowLedger().run, SendSignal(name="anything", **WHO)), list)


def test_an_update_that_is_asked_for_twice_is_taken_in_once(ledger: WorkflowLedger) -> None:
    ask = SendUpdate(update_id="u", name="pay", payload=msgspec.Raw(b"{}"), **WHO)
    facts = asks.facts_of(ledger.run, ask)
    assert facts == [UpdateReceived(update_id="u", name="pay", payload=msgspec.Raw(b"{}"), by="ada")]
    ledger.add(*facts, UpdateAnswered(update_id="u"))
    assert asks.facts_of(ledger.run, ask) == []


def test_a_second_cancel_ends_a_workflow(ledger: WorkflowLedger) -> None:
    ask = CancelRun(reason="enough", **WHO)
    ledger.add(UpdateReceived(update_id="u", name="pay"))
    ledger.add(*asks.facts_of(ledger.run, ask))  # type: ignore[misc]
    assert not ledger.run.is_ended
    assert asks.cancelled(ledger.run, "parent", "gone") == []
    ledger.add(*asks.facts_of(ledger.run, ask))  # type: ignore[misc]
    assert (ledger.run.state, ledger.run.updates) == (RunState.FAILED, {})
    assert ledger.run.reason == "enough; it was cancelled again before its code had cleaned up"


def test_a_cancel_ends_a_run_at_once_whose_code_is_blocked_and_cannot_clean_up(ledger: WorkflowLedger) -> None:
    ledger.add(UpdateReceived(update_id="u", name="pay"), BLOCKED)
    ledger.add(*asks.facts_of(ledger.run, CancelRun(reason="enough", **WHO)))  # type: ignore[misc]
    assert (ledger.run.state, ledger.run.updates) == (RunState.FAILED, {})
    assert ledger.run.reason == "enough; its code was blocked (stuck) and has cleaned up nothing"


def test_the_time_out_of_a_run_ends_it_where_its_code_is_blocked(ledger: WorkflowLedger) -> None:
    ledger.add(BLOCKED)
    ledger.decide(3601)
    assert ledger.run.is_ended
    assert "ran longer than its time-out of 1:00:00; its code was blocked" in ledger.run.reason


def test_code_that_turns_out_to_be_blocked_before_it_has_heard_of_a_cancel_ends_its_run(
    ledger: WorkflowLedger,
) -> None:
    heard = ledger.run.seq
    ledger.add(RunCancelRequested(reason="enough"))
    ledger.advance(Block(kind=BlockKind.STUCK, message="it loops"), seq=heard)
    assert ledger.run.reason == "enough; its code was blocked (stuck) and has cleaned up nothing"


def test_code_that_is_blocked_while_it_cleans_up_can_be_mended_and_a_second_cancel_ends_it(
    ledger: WorkflowLedger,
) -> None:
    ledger.add(RunCancelRequested(reason="enough"))
    ledger.advance(Block(kind=BlockKind.STUCK, message="it loops"))
    assert not ledger.run.is_ended
    assert asks.cancelled(ledger.run, "parent", "gone") == []
    ledger.add(*asks.facts_of(ledger.run, CancelRun(**WHO)))  # type: ignore[misc]
    assert ledger.run.reason == "enough; it was cancelled again before its code had cleaned up"


def test_a_blocked_run_can_be_resumed_and_a_running_one_need_not_be(ledger: WorkflowLedger) -> None:
    assert asks.facts_of(ledger.run, ResumeRun(**WHO)) == []
    ledger.add(BLOCKED)
    assert asks.facts_of(ledger.run, ResumeRun(**WHO)) == [RunResumed(by="ada")]


def test_no_call_of_a_workflow_is_cleared(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    refusal = asks.facts_of(ledger.run, ClearTasks(tasks=(("ship", None),), **WHO))
    assert isinstance(refusal, str)
    assert "runs reset order 'r1' --to SEQ" in refusal


def test_only_calls_that_the_code_waits_for_can_be_marked(ledger: WorkflowLedger) -> None:
    ledger.call("ship", "ship")
    ledger.succeed("ship", 0)
    mark = MarkTask(task_id="ship", state=TaskState.SUCCESS, **WHO)
    assert asks.facts_of(ledger.run, mark) == [
        ActivityMarked(task_id="ship", map_index=1, state=TaskState.SUCCESS, by="ada")
    ]
    refusal = asks.facts_of(ledger.run, msgspec.structs.replace(mark, map_index=0))
    assert isinstance(refusal, str)
    assert "what came of ship[0] is recorded" in refusal


def test_a_run_moves_to_another_version_of_its_own_dag(ledger: WorkflowLedger) -> None:
    ask = MoveRun(version_id=1, **WHO)
    assert asks.facts_of(ledger.run, ask, ledger.plans[1]) == [RunMoved(version_id=1, fingerprint="v1")]
    assert asks.facts_of(ledger.run, MoveRun(version_id=0, **WHO), ledger.plans[0]) == []
    other = Ledger(tasks("a"), tasks("b")).plans[1]
    assert isinstance(asks.facts_of(ledger.run, ask, other), str)


def test_a_run_is_reset_to_one_of_its_facts(ledger: WorkflowLedger) -> None:
    ask = ResetRun(seq=2, reason="a bug", **WHO)
    assert asks.facts_of(ledger.run, ask) == [RunReset(seq=2, by="ada", reason="a bug")]
    moved = asks.facts_of(ledger.run, ask, ledger.plans[1])
    assert isinstance(moved, list)
    assert [type(fact).__name__ for fact in moved] == ["RunReset", "RunMoved"]
    beyond = asks.facts_of(ledger.run, ResetRun(seq=99, **WHO))
    assert beyond == "run 'r1' has facts 1 to 2, and none of them is 99"


def test_an_ended_run_can_be_reset_and_nothing_else(ledger: WorkflowLedger) -> None:
    ledger.advance(Return())
    assert isinstance(asks.facts_of(ledger.run, ResetRun(seq=2, **WHO)), list)
    for ask in (PauseRun(**WHO), SendSignal(name="go", **WHO), CancelRun(**WHO), MoveRun(version_id=1, **WHO)):
        refusal = asks.facts_of(ledger.run, ask)
        assert isinstance(refusal, str)
        assert "has ended (success); `orchestrator runs reset order 'r1' --to SEQ`" in refusal


def test_a_run_that_is_being_cancelled_is_not_reset(ledger: WorkflowLedger) -> None:
    ledger.add(RunCancelRequested())
    assert isinstance(asks.facts_of(ledger.run, ResetRun(seq=2, **WHO)), str)


def test_a_run_begins_only_once(ledger: WorkflowLedger) -> None:
    ledger.add(RunStarted())
    assert ledger.run.started_at == at(1)
