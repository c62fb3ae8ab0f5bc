"""The fold of a workflow's run, fact by fact."""

from datetime import timedelta

import msgspec
import pytest

from orchestrator.core.activations import Call
from orchestrator.core.events import (
    ActivityCancelRequested,
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivitySkipped,
    ActivityStarted,
    AnyEvent,
    ChildEnded,
    ChildStarted,
    OutcomeResolved,
    RunBlocked,
    RunCancelRequested,
    RunContinued,
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
from orchestrator.core.particulars import Failure
from orchestrator.core.timing import longest_way
from orchestrator.names import BlockKind, FailureKind, ParentClose, RunState, TaskState
from tests.core.ledger import at
from tests.core.workflow_ledger import WorkflowLedger

FAILURE = Failure(message="no")
BLOCKED = RunBlocked(kind=BlockKind.NON_DETERMINISM, message="the code asks for something else")


@pytest.fixture
def ledger() -> WorkflowLedger:
    """A run that has begun, and whose code has heard everything."""
    ledger = WorkflowLedger()
    ledger.begin()
    return ledger


def child(
    child_id: str, run_key: int, close: ParentClose = ParentClose.CANCEL, *, shielded: bool = False
) -> ChildStarted:
    return ChildStarted(
        child_id=child_id, dag_id="sub", run_id=child_id, child_run_key=run_key, close=close, shielded=shielded
    )


# ── beginning ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_run_has_news_for_its_code_and_no_calls() -> None:
    run = WorkflowLedger().run
    assert run.has_news
    assert (run.state, run.unended, run.unfinished) == (RunState.QUEUED, {}, 0)


def test_a_workflow_runs_from_the_moment_at_which_it_is_started() -> None:
    ledger = WorkflowLedger()
    ledger.add(RunStarted())
    assert (ledger.run.state, ledger.run.started_at) == (RunState.RUNNING, at(1))


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────


def test_calls_of_one_activity_lie_at_their_occurrences(ledger: WorkflowLedger) -> None:
    ledger.call("ship", "charge", "ship")
    assert list(ledger.run.unended) == [("ship", 0), ("charge", 0), ("ship", 1)]
    assert (ledger.run.nodes["ship"].size, ledger.run.unfinished) == (2, 3)
    assert [ledger.run.input_of(*place) for place in ledger.run.unended] == [3, 4, 5]


def test_an_activity_that_is_called_once_has_an_occurrence_too(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    assert list(ledger.run.nodes["ship"].indexes()) == [0]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (ActivityCompleted(task_id="ship", map_index=0, attempt=1), TaskState.SUCCESS),
        (ActivityFailed(task_id="ship", map_index=0, attempt=1, failure=FAILURE), TaskState.FAILED),
        (ActivitySkipped(task_id="ship", map_index=0, attempt=1), TaskState.SKIPPED),
        (ActivityMarked(task_id="ship", map_index=0, state=TaskState.SUCCESS), TaskState.SUCCESS),
    ],
    ids=["completed", "failed", "skipped", "marked"],
)
def test_the_end_of_a_call_is_news(ledger: WorkflowLedger, outcome: AnyEvent, state: TaskState) -> None:
    ledger.call("ship")
    ledger.schedule("ship", 0)
    assert not ledger.run.has_news
    ledger.add(outcome)
    assert ledger.run.has_news
    assert (ledger.state("ship", 0), ledger.run.unended, ledger.run.unfinished) == (state, {}, 0)


def test_what_is_tried_again_is_no_news(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.schedule("ship", 0)
    ledger.add(
        ActivityStarted(task_id="ship", map_index=0),
        ActivityFailed(task_id="ship", map_index=0, failure=FAILURE, retry_at=at(60)),
    )
    ledger.schedule("ship", 0)
    ledger.add(ActivityLost(task_id="ship", map_index=0, attempt=2, reason="gone", free=True))
    assert not ledger.run.has_news
    assert ("ship", 0) in ledger.run.unended


def test_what_a_lost_attempt_says_too_late_is_no_news(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.schedule("ship", 0)
    ledger.add(ActivityLost(task_id="ship", map_index=0, attempt=1, reason="gone", free=True))
    ledger.schedule("ship", 0)
    ledger.add(ActivityCompleted(task_id="ship", map_index=0, attempt=1))
    assert not ledger.run.has_news
    ledger.add(ActivityCompleted(task_id="ship", map_index=0, attempt=2))
    assert ledger.run.has_news


def test_an_unknown_outcome_is_news_once_somebody_has_said_what_it_was(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.schedule("ship", 0)
    ledger.add(ActivityLost(task_id="ship", map_index=0, attempt=1, reason="gone", unknown=True))
    assert (ledger.state("ship", 0), ledger.run.has_news) == (TaskState.AWAITING_INPUT, False)
    ledger.add(OutcomeResolved(task_id="ship", map_index=0, attempt=1, state=TaskState.SUCCESS))
    assert ledger.run.has_news


def test_a_call_that_is_given_up_ends_at_once_and_what_its_attempt_reports_changes_nothing(
    ledger: WorkflowLedger,
) -> None:
    ledger.call("ship", "ship")
    ledger.schedule("ship", 0)
    ledger.add(*(ActivityCancelRequested(task_id="ship", map_index=index) for index in (0, 1)))
    assert [ledger.state("ship", index) for index in (0, 1)] == [TaskState.FAILED, TaskState.SKIPPED]
    assert ledger.run.open == {("ship", 0): 1}
    ledger.add(ActivityCompleted(task_id="ship", map_index=0, attempt=1))
    assert (ledger.state("ship", 0), ledger.run.open) == (TaskState.FAILED, {})
    assert not ledger.run.has_news


# ── news ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "event",
    [
        SignalReceived(name="go"),
        UpdateReceived(update_id="u1", name="pay"),
        RunCancelRequested(),
        ValueRecorded(name="signal-1", sent=True),
        RunReset(seq=1),
    ],
    ids=lambda event: type(event).__name__,
)
def test_these_are_news_whatever_the_code_waits_for(ledger: WorkflowLedger, event: AnyEvent) -> None:
    ledger.add(event)
    assert ledger.run.has_news


@pytest.mark.parametrize(
    "event",
    [
        TimerSet(timer_id="t", fire_at=at(60)),
        ValueRecorded(name="dice"),
        VersionMarker(name="p", version=1),
        RunPaused(),
        RunResumed(),
        RunMoved(version_id=1, fingerprint="v1"),
        TimerFired(timer_id="unknown"),
        ChildEnded(child_id="unknown", state=RunState.SUCCESS),
        UpdateAnswered(update_id="unknown"),
        child("c", 9),
    ],
    ids=lambda event: type(event).__name__,
)
def test_these_are_none(ledger: WorkflowLedger, event: AnyEvent) -> None:
    ledger.add(event)
    assert not ledger.run.has_news


def test_what_comes_while_the_code_is_being_told_waits_for_the_next_time(ledger: WorkflowLedger) -> None:
    ledger.add(SignalReceived(name="one"))
    ledger.run.told(ledger.run.seq)
    ledger.add(SignalReceived(name="two"))
    assert not ledger.run.has_news
    ledger.run.answered(3)
    assert ledger.run.has_news


def test_what_nobody_answers_is_news_again(ledger: WorkflowLedger) -> None:
    ledger.add(SignalReceived(name="one"))
    ledger.run.told(ledger.run.seq)
    ledger.run.unanswered()
    assert ledger.run.has_news


def test_after_a_restart_a_run_that_has_asked_for_something_since_has_no_news(
    ledger: WorkflowLedger,
) -> None:
    ledger.call("ship")
    assert not ledger.replayed().has_news


def test_after_a_restart_a_run_has_the_news_that_came_while_its_code_was_being_told(ledger: WorkflowLedger) -> None:
    told = ledger.run.seq
    ledger.add(SignalReceived(name="go"))
    ledger.advance(Call(task_id="ship", digest="d"), seq=told)
    assert ledger.replayed().has_news


# ── timers, children, updates ────────────────────────────────────────────────────────────────────────────


def test_a_timer_is_open_until_it_fires_or_is_cancelled(ledger: WorkflowLedger) -> None:
    ledger.add(*(TimerSet(timer_id=name, fire_at=at(60)) for name in "abc"))
    ledger.add(TimerFired(timer_id="a"), TimerCancelled(timer_id="b"))
    assert ledger.run.timers == {"c": at(60)}
    assert ledger.run.news_at == 6


def test_the_next_thing_due_is_the_earliest_timer_retry_or_time_out() -> None:
    ledger = WorkflowLedger(dagrun_timeout=timedelta(seconds=100))
    ledger.begin()
    assert ledger.run.next_due() == at(101)
    ledger.add(TimerSet(timer_id="a", fire_at=at(90)), TimerSet(timer_id="b", fire_at=at(70)))
    ledger.call("ship")
    ledger.schedule("ship", 0)
    ledger.add(ActivityFailed(task_id="ship", map_index=0, failure=FAILURE, retry_at=at(80)))
    assert ledger.run.next_due() == at(70)
    ledger.add(TimerCancelled(timer_id="b"))
    assert ledger.run.next_due() == at(80)
    ledger.add(RunPaused())
    assert ledger.run.next_due() == at(101)


def test_a_child_is_open_until_its_end_is_recorded(ledger: WorkflowLedger) -> None:
    ledger.add(child("c", 9))
    assert ledger.run.awaits("c", 9)
    assert not ledger.run.awaits("c", 8)
    ledger.add(ChildEnded(child_id="c", state=RunState.SUCCESS))
    assert not ledger.run.awaits("c", 9)
    assert ledger.run.has_news


def test_an_update_is_open_until_it_is_answered(ledger: WorkflowLedger) -> None:
    ledger.add(UpdateReceived(update_id="u", name="pay"))
    assert ledger.run.updates == {"u": 3}
    ledger.add(UpdateAnswered(update_id="u"))
    assert (ledger.run.updates, "u" in ledger.run.update_ids) == ({}, True)


# ── cancelling ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_cancel_ends_what_is_open_but_for_what_is_shielded(ledger: WorkflowLedger) -> None:
    ledger.request("ship", 0)
    ledger.request("charge", 0, shielded=True)
    ledger.add(TimerSet(timer_id="a", fire_at=at(60)), TimerSet(timer_id="b", fire_at=at(60), shielded=True))
    ledger.add(child("c", 8), child("d", 9, shielded=True), child("e", 10, ParentClose.ABANDON))
    ledger.add(RunCancelRequested(reason="enough"))
    assert list(ledger.run.unended) == [("charge", 0)]
    assert list(ledger.run.timers) == ["b"]
    assert [one.child_id for one in ledger.run.take_unwanted()] == ["c"]
    assert (ledger.run.cancelling, ledger.run.state, ledger.run.has_news) == ("enough", RunState.RUNNING, True)


def test_what_is_asked_for_after_a_cancel_is_handed_out_and_tried_again(ledger: WorkflowLedger) -> None:
    ledger.add(RunCancelRequested())
    ledger.call("ship")
    assert ledger.run.may_start("ship", 0)
    assert ledger.run.tries_again(("ship", 0))


# ── the end, a new beginning ─────────────────────────────────────────────────────────────────────────────


def test_the_end_of_a_run_is_the_end_of_everything_that_it_waits_for(ledger: WorkflowLedger) -> None:
    ledger.call("ship", "charge")
    ledger.schedule("ship", 0)
    ledger.add(TimerSet(timer_id="a", fire_at=at(60)), child("c", 8), UpdateReceived(update_id="u", name="x"), BLOCKED)
    ledger.add(RunEnded(state=RunState.SUCCESS, result=msgspec.Raw(b"1")))
    run = ledger.run
    assert (run.unended, run.timers, run.updates, run.blocked, run.unfinished) == ({}, {}, {}, None, 0)
    assert (ledger.state("ship", 0), ledger.state("charge", 0)) == (TaskState.FAILED, TaskState.SKIPPED)
    assert [key.task_id for key in run.take_doomed()] == ["ship"]
    assert [one.child_id for one in run.take_unwanted()] == ["c"]
    assert run.next_due() is None


def test_a_run_that_continues_waits_for_nothing_and_counts_on(ledger: WorkflowLedger) -> None:
    ledger.call("ship", "ship")
    ledger.succeed("ship", 0)
    ledger.add(TimerSet(timer_id="a", fire_at=at(60)), child("c", 8), UpdateReceived(update_id="u", name="x"))
    ledger.add(RunContinued(input=msgspec.Raw(b"{}")))
    run = ledger.run
    assert (run.unended, run.timers, run.children) == ({}, {}, {})
    assert (run.began_at, run.updates, run.has_news) == (run.seq, {"u": 9}, True)
    ledger.call("ship")
    assert list(run.unended) == [("ship", 2)]


def test_a_run_that_continues_forgets_what_is_written_down(ledger: WorkflowLedger) -> None:
    ledger.call("ship", "ship", "ship")
    ledger.succeed("ship", 0)
    ledger.run.touched.clear()
    ledger.succeed("ship", 1)
    ledger.add(RunContinued())
    assert set(ledger.run.nodes["ship"].many or ()) == {1, 2}


def test_the_end_of_a_child_of_before_is_no_news_to_a_run_that_continued(ledger: WorkflowLedger) -> None:
    ledger.add(child("c", 8), RunContinued())
    assert not ledger.run.awaits("c", 8)


# ── blocked, moved ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("event", [RunResumed(), RunMoved(version_id=1, fingerprint="v1")], ids=["resumed", "moved"])
def test_a_blocked_run_tries_again_once_it_is_moved_or_resumed(ledger: WorkflowLedger, event: AnyEvent) -> None:
    ledger.add(BLOCKED)
    assert (ledger.run.is_replayed, ledger.run.has_news) == (False, False)
    ledger.add(event)
    assert (ledger.run.is_replayed, ledger.run.has_news) == (True, True)
    assert ledger.run.renewed_at == ledger.run.seq


def test_a_blocked_run_records_what_becomes_of_its_calls(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.schedule("ship", 0)
    ledger.add(BLOCKED, ActivityCompleted(task_id="ship", map_index=0, attempt=1))
    assert ledger.state("ship", 0) is TaskState.SUCCESS
    assert not ledger.run.is_replayed


def test_an_activity_that_a_version_has_no_more_is_retired_and_keeps_its_numbers(ledger: WorkflowLedger) -> None:
    ledger.call("ship", "ship", "charge")
    ledger.succeed("ship", 0)
    ledger.schedule("ship", 1)
    ledger.add(RunMoved(version_id=1, fingerprint="v1"))
    assert (list(ledger.run.unended), ledger.run.open) == ([("charge", 0)], {})
    ledger.add(RunMoved(version_id=0, fingerprint="v0"))
    assert list(ledger.run.unended) == [("ship", 1), ("charge", 0)]
    assert (ledger.state("ship", 0), ledger.run.next_attempt("ship", 1)) == (TaskState.SUCCESS, 2)
    assert ledger.scheduled() == [("ship", 1, 1), ("charge", 0, 1)]


def test_a_call_that_waits_for_a_run_is_completed_by_its_end(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.schedule("ship", 0)
    ledger.add(ActivityDeferred(task_id="ship", map_index=0, attempt=1, trigger=msgspec.Raw(b'{"run":{}}')))
    ledger.add(ActivityCompleted(task_id="ship", map_index=0, attempt=1))
    assert ledger.state("ship", 0) is TaskState.SUCCESS


def test_the_failure_of_an_attempt_of_a_call_that_was_given_up_is_final(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.schedule("ship", 0)
    ledger.add(ActivityCancelRequested(task_id="ship", map_index=0))
    assert not ledger.run.tries_again(("ship", 0))
    cancelled = ActivityFailed(task_id="ship", map_index=0, attempt=1, kind=FailureKind.CANCELLED, failure=FAILURE)
    ledger.add(cancelled)
    assert (ledger.activity("ship", 0).failures, ledger.run.open) == (0, {})


def test_an_activity_that_was_never_called_has_nothing_to_show() -> None:
    ledger = WorkflowLedger()
    assert [list(node.activities()) for node in ledger.run.nodes.values()] == [[] for _ in ledger.run.nodes]


def test_a_call_that_a_reset_has_taken_back_is_no_part_of_the_longest_way(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.succeed("ship", 0)
    seq = ledger.run.seq
    ledger.call("charge")
    ledger.succeed("charge", 0)
    assert [leg.task_id for leg in longest_way(ledger.run)] == ["ship", "charge"]
    ledger.add(RunReset(seq=seq))
    assert [leg.task_id for leg in longest_way(ledger.run)] == ["ship"]
    assert ledger.state("charge", 0) is TaskState.REMOVED
