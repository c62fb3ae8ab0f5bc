"""What a reset does to the run of a workflow: what goes on, what is done anew, and what counts no more."""

import msgspec
import pytest

from orchestrator.core import asks
from orchestrator.core.commands import CancelAttempt, CancelChild
from orchestrator.core.events import (
    ActivityCancelRequested,
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    AnyEvent,
    ChildEnded,
    ChildStarted,
    RunBlocked,
    RunCancelRequested,
    RunContinued,
    RunCreated,
    RunEnded,
    RunMoved,
    RunReset,
    RunStarted,
    SignalReceived,
    UpdateAnswered,
    UpdateReceived,
    ValueRecorded,
)
from orchestrator.core.forking import fork
from orchestrator.core.particulars import Failure
from orchestrator.core.requests import ForkRun, SendUpdate
from orchestrator.core.runs import replay
from orchestrator.names import BlockKind, FailureKind, RunState, TaskState
from tests.core.ledger import at
from tests.core.workflow_ledger import FIRST, WorkflowLedger

FAILURE = Failure(message="no")
CANCELLED = ActivityFailed(task_id="ship", map_index=0, kind=FailureKind.CANCELLED, failure=FAILURE)


@pytest.fixture
def ledger() -> WorkflowLedger:
    """A run that has begun, has heard everything and called ``ship`` at seq 3."""
    ledger = WorkflowLedger(FIRST, FIRST)
    ledger.begin()
    ledger.call("ship")
    return ledger


def reset(ledger: WorkflowLedger, seq: int) -> None:
    ledger.add(RunReset(seq=seq))
    assert ledger.replayed().state == ledger.run.state


def child(name: str, run_key: int) -> ChildStarted:
    return ChildStarted(child_id=name, dag_id="sub", run_id=name, child_run_key=run_key)


def ended_things(ledger: WorkflowLedger) -> list[object]:
    """The attempts and the children that the run wants ended."""
    found: list[object] = []
    for command in ledger.decide():
        if isinstance(command, CancelAttempt):
            found.append((command.key.task_id, command.key.map_index, command.key.attempt))
        elif isinstance(command, CancelChild):
            found.append(command.child_id)
    return found


# ── attempts ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_attempt_that_was_open_then_and_still_is_goes_on(ledger: WorkflowLedger) -> None:
    key = ledger.run.idempotency_key("ship", 0)
    ledger.schedule("ship", 0)
    ledger.add(SignalReceived(name="go"))
    reset(ledger, 4)
    assert ended_things(ledger) == []
    assert (ledger.run.open, ledger.run.idempotency_key("ship", 0)) == ({("ship", 0): 1}, key)
    ledger.add(ActivityCompleted(task_id="ship", map_index=0, attempt=1))
    assert ledger.state("ship", 0) is TaskState.SUCCESS


def test_an_attempt_that_waited_for_a_run_then_and_still_does_goes_on(ledger: WorkflowLedger) -> None:
    key = ledger.run.idempotency_key("ship", 0)
    ledger.schedule("ship", 0)
    ledger.add(ActivityDeferred(task_id="ship", map_index=0, attempt=1), child("ship/0/1", 9))
    ledger.add(SignalReceived(name="go"))
    reset(ledger, 6)
    assert ended_things(ledger) == []
    assert (ledger.state("ship", 0), ledger.run.idempotency_key("ship", 0)) == (TaskState.DEFERRED, key)


def test_an_attempt_that_waited_for_a_run_then_and_has_ended_since_is_made_anew(ledger: WorkflowLedger) -> None:
    ledger.schedule("ship", 0)
    ledger.add(ActivityDeferred(task_id="ship", map_index=0, attempt=1), child("ship/0/1", 9))
    ledger.add(ChildEnded(child_id="ship/0/1", state=RunState.SUCCESS))
    ledger.add(ActivityCompleted(task_id="ship", map_index=0, attempt=1))
    reset(ledger, 6)
    assert ledger.scheduled() == [("ship", 0, 1)]
    assert ledger.run.next_attempt("ship", 0) == 2


def test_a_call_that_was_handed_out_since_is_ended_and_done_anew_under_another_key(ledger: WorkflowLedger) -> None:
    key = ledger.run.idempotency_key("ship", 0)
    ledger.schedule("ship", 0)
    ledger.add(ActivityFailed(task_id="ship", map_index=0, failure=FAILURE, retry_at=at(5)))
    ledger.schedule("ship", 0)
    reset(ledger, 3)
    assert ended_things(ledger) == [("ship", 0, 2)]
    assert ledger.scheduled() == []
    ledger.add(msgspec.structs.replace(CANCELLED, attempt=2))
    assert ledger.scheduled() == [("ship", 0, 1)]
    assert ledger.run.next_attempt("ship", 0) == 3
    assert ledger.run.idempotency_key("ship", 0) != key
    assert ledger.activity("ship", 0).failures == 0, "its retries begin anew"


def test_a_late_end_of_an_attempt_that_was_taken_back_says_nothing_even_to_who_goes_back_to_it_again(
    ledger: WorkflowLedger,
) -> None:
    ledger.schedule("ship", 0)
    reset(ledger, 2)
    reset(ledger, 4)
    ledger.add(CANCELLED)
    late = ledger.facts[-1]
    assert not ledger.run.counts(late)
    assert ledger.state("ship", 0) is TaskState.NONE
    ledger.succeed("ship", 0)
    assert ledger.run.counts(ledger.facts[-1])


def test_calls_of_different_attempts_are_handed_out_apart_though_they_are_neighbours(ledger: WorkflowLedger) -> None:
    ledger.call("ship")
    ledger.schedule("ship", 0)
    reset(ledger, 4)
    ledger.add(ActivityLost(task_id="ship", map_index=0, attempt=1, reason="gone", free=True))
    ledger.add(RunMoved(version_id=1, fingerprint="v1"))
    assert ledger.scheduled() == [("ship", 0, 1), ("ship", 1, 1)]


def test_a_call_of_an_earlier_round_keeps_its_numbers_though_it_was_forgotten(ledger: WorkflowLedger) -> None:
    ledger.schedule("ship", 0)
    ledger.add(ActivityLost(task_id="ship", map_index=0, attempt=1, reason="gone", free=True))
    ledger.succeed("ship", 0)
    ledger.run.touched.clear()
    ledger.add(RunContinued())
    assert not ledger.run.nodes["ship"].many
    reset(ledger, 3)
    assert ledger.run.next_attempt("ship", 0) == 3
    assert ledger.scheduled() == [("ship", 0, 1)]


def test_a_call_that_failed_in_an_earlier_round_is_no_failure_of_the_next(ledger: WorkflowLedger) -> None:
    ledger.schedule("ship", 0)
    ledger.add(ActivityFailed(task_id="ship", map_index=0, attempt=1, failure=FAILURE))
    assert ledger.run.nodes["ship"].bad == 1
    ledger.run.touched.clear()
    ledger.add(RunContinued())
    assert ledger.run.nodes["ship"].bad == 0


def test_a_run_that_has_ended_gives_back_the_room_of_a_body_that_goes_on(ledger: WorkflowLedger) -> None:
    ledger.schedule("ship", 0)
    ledger.add(RunEnded(state=RunState.SUCCESS))
    assert (ledger.run.open, ledger.run.closed) == ({}, [("ship", 0)])
    assert ended_things(ledger) == [("ship", 0, 1)]


# ── what counts, and what is waited for ──────────────────────────────────────────────────────────────────────


def test_what_a_reset_took_back_counts_no_more_after_the_next_one() -> None:
    ledger = WorkflowLedger()
    ledger.begin()
    ledger.add(ValueRecorded(name="a"), RunReset(seq=2), ValueRecorded(name="b"), ValueRecorded(name="c"))
    reset(ledger, 5)
    assert [fact.seq for fact in ledger.facts if ledger.run.counts(fact)] == [1, 2, 4, 5, 7]
    reset(ledger, 3)
    assert [fact.seq for fact in ledger.facts if ledger.run.counts(fact)] == [1, 2, 3, 8]


def test_after_a_reset_the_code_has_asked_for_what_it_had_then(ledger: WorkflowLedger) -> None:
    ledger.call("charge", "charge")
    assert ledger.run.asked_until == 5
    reset(ledger, 3)
    assert ledger.run.asked_until == 3
    assert ledger.run.has_news


def test_updates_outlive_a_reset_and_those_answered_since_are_answered_again(ledger: WorkflowLedger) -> None:
    ledger.add(UpdateReceived(update_id="old", name="pay"), UpdateAnswered(update_id="old"))
    ledger.add(UpdateReceived(update_id="new", name="pay"))
    reset(ledger, 4)
    assert ledger.run.updates == {"old": 4, "new": 6}


def test_an_update_of_an_earlier_round_that_waits_for_its_answer_is_still_taken_in_once(
    ledger: WorkflowLedger,
) -> None:
    ledger.add(UpdateReceived(update_id="u", name="pay"), RunContinued())
    again = SendUpdate(dag_id="order", run_id="r1", update_id="u", name="pay")
    assert asks.facts_of(ledger.run, again) == []


def test_a_blocked_run_that_is_reset_is_blocked_no_more(ledger: WorkflowLedger) -> None:
    ledger.add(RunBlocked(kind=BlockKind.STUCK, message="it does not come to rest"))
    reset(ledger, 3)
    assert (ledger.run.is_replayed, ledger.run.has_news) == (True, True)


def test_a_child_begun_since_is_cancelled_and_one_that_was_open_then_is_waited_for_again() -> None:
    ledger = WorkflowLedger()
    ledger.begin()
    ledger.add(child("goes on", 8), child("has ended", 9), child("is new", 10))
    ledger.add(ChildEnded(child_id="has ended", state=RunState.SUCCESS))
    reset(ledger, 4)
    assert ended_things(ledger) == ["is new"]
    assert [ledger.run.awaits(name, key) for name, key in (("goes on", 8), ("has ended", 9), ("is new", 10))] == [
        *(True, True, False)
    ]


def test_the_run_that_a_call_waits_for_is_cancelled_with_the_call(ledger: WorkflowLedger) -> None:
    ledger.schedule("ship", 0)
    ledger.add(ActivityDeferred(task_id="ship", map_index=0, attempt=1), child("ship/0/1", 9))
    ledger.add(ActivityCancelRequested(task_id="ship", map_index=0))
    assert ended_things(ledger) == ["ship/0/1"]


# ── forks ────────────────────────────────────────────────────────────────────────────────────────────────────


def forked(ledger: WorkflowLedger, *more: AnyEvent) -> WorkflowLedger:
    """The fork at the last fact, a hundred seconds later, after these."""
    ask = ForkRun(dag_id="order", run_id="r2", source="r1", run_uid="other", seq=len(ledger.facts))
    other = WorkflowLedger(FIRST, FIRST)
    other.facts = fork(7, ledger.facts, ask, ledger.plans.__getitem__, at(100))
    run = replay(8, other.facts, ledger.plans.__getitem__)
    assert isinstance(run, type(other.run))
    other.run = run
    other.add(*more)
    return other


def test_the_code_of_a_fork_is_told_even_where_the_last_fact_is_what_it_asked_for(ledger: WorkflowLedger) -> None:
    ledger.add(child("left behind", 8))
    ledger.call("charge")
    assert not ledger.run.has_news
    other = forked(ledger, RunStarted())
    assert other.run.has_news, "it asks again for the child that stayed behind"


def test_a_fork_of_a_cancelled_workflow_hears_of_its_cancellation(ledger: WorkflowLedger) -> None:
    ledger.add(RunCancelRequested(reason="not wanted"))
    assert forked(ledger).run.cancelling is not None


def test_a_fork_leaves_behind_that_a_child_was_given_up_together_with_that_child(ledger: WorkflowLedger) -> None:
    ledger.add(child("c", 8), ValueRecorded(name="cancel-c"), ValueRecorded(name="kept"))
    names = [getattr(fact.event, "name", None) for fact in forked(ledger).facts]
    assert "kept" in names
    assert "cancel-c" not in names


def test_the_code_of_a_run_that_was_taken_back_to_its_first_fact_began_there() -> None:
    ledger = WorkflowLedger()
    ledger.begin()
    ledger.add(RunReset(seq=1))
    ledger.call("ship")
    created = forked(ledger).facts[0].event
    assert isinstance(created, RunCreated)
    assert created.origin is not None
    assert created.origin.at == ledger.facts[0].at
