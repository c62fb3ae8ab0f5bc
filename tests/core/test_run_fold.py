from datetime import timedelta

import msgspec
import pytest

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
    Recorded,
    RunCancelRequested,
    RunCreated,
    RunEnded,
    RunMoved,
    RunPaused,
    RunResumed,
    SignalReceived,
    TaskExpanded,
    TimerFired,
    TimerSet,
    VersionMarker,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.runs import replay
from orchestrator.core.spec import DagSpec, mapping_over
from orchestrator.exceptions import HistoryConflictError
from orchestrator.names import AttemptKey, Delivery, RunState, RunType, TaskState
from tests.core.ledger import EPOCH, Ledger, at, check, tasks

CHAIN = tasks("charge", "reserve: charge", "ship: reserve")
SCHEDULED = ActivityScheduled(task_id="charge")
STARTED = ActivityStarted(task_id="charge", worker="host:1")
COMPLETED = ActivityCompleted(task_id="charge", result=msgspec.Raw(b"42"))
FAILED = ActivityFailed(task_id="charge", failure=Failure(message="declined"))
RETRIED = ActivityFailed(task_id="charge", failure=Failure(message="declined"), retry_at=at(60))
LOST = ActivityLost(task_id="charge", reason="its worker died")
FREE = ActivityLost(task_id="charge", reason="the host went", free=True)
UNKNOWN = ActivityLost(task_id="charge", reason="its worker died", unknown=True)
SKIPPED = ActivitySkipped(task_id="charge", attempt=1)
DEFERRED = ActivityDeferred(task_id="charge")
RESCHEDULED = ActivityDeferred(task_id="charge", until=at(90))
RESUMED = ActivityResumed(task_id="charge")
CLEARED = ActivityCleared(task_id="charge")
WORKED = OutcomeResolved(task_id="charge", state=TaskState.SUCCESS, result=msgspec.Raw(b"1"))
GAVE_UP = OutcomeResolved(task_id="charge", state=TaskState.FAILED)
TRY_AGAIN = OutcomeResolved(task_id="charge", state=TaskState.NONE)


def marked(state: TaskState) -> ActivityMarked:
    return ActivityMarked(task_id="charge", state=state)


def told(*events: AnyEvent, delivery: Delivery = Delivery.AT_LEAST_ONCE) -> Ledger:
    """A run of the chain after these events, whose invariants hold and which can be replayed."""
    ledger = Ledger(tasks("charge", "reserve: charge", "ship: reserve", charge={"delivery": delivery}))
    ledger.add(*events)
    check(ledger.run)
    again = ledger.replayed()
    assert {n: node.one.state for n, node in again.nodes.items()} == {
        n: node.one.state for n, node in ledger.run.nodes.items()
    }
    return ledger


# ── each event ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("events", "state", "is_open"),
    [
        ([], TaskState.NONE, False),
        ([SCHEDULED], TaskState.QUEUED, True),
        ([SCHEDULED, STARTED], TaskState.RUNNING, True),
        ([SCHEDULED, STARTED, COMPLETED], TaskState.SUCCESS, False),
        ([SCHEDULED, COMPLETED], TaskState.SUCCESS, False),
        ([SCHEDULED, STARTED, FAILED], TaskState.FAILED, False),
        ([SCHEDULED, STARTED, RETRIED], TaskState.UP_FOR_RETRY, False),
        ([SCHEDULED, STARTED, LOST], TaskState.SCHEDULED, False),
        ([SCHEDULED, FREE], TaskState.SCHEDULED, False),
        ([SCHEDULED, STARTED, UNKNOWN], TaskState.AWAITING_INPUT, False),
        ([SCHEDULED, STARTED, SKIPPED], TaskState.SKIPPED, False),
        ([SCHEDULED, STARTED, DEFERRED], TaskState.DEFERRED, False),
        ([SCHEDULED, STARTED, DEFERRED, RESUMED], TaskState.UP_FOR_RESCHEDULE, False),
        ([SCHEDULED, STARTED, RESCHEDULED], TaskState.UP_FOR_RESCHEDULE, False),
        ([ActivitySkipped(task_id="charge")], TaskState.SKIPPED, False),
        ([ActivityUpstreamFailed(task_id="charge")], TaskState.UPSTREAM_FAILED, False),
        ([marked(TaskState.SUCCESS)], TaskState.SUCCESS, False),
        ([SCHEDULED, STARTED, marked(TaskState.FAILED)], TaskState.FAILED, True),
        ([SCHEDULED, COMPLETED, CLEARED], TaskState.NONE, False),
        ([SCHEDULED, STARTED, CLEARED], TaskState.RESTARTING, True),
        ([SCHEDULED, STARTED, UNKNOWN, WORKED], TaskState.SUCCESS, False),
        ([SCHEDULED, STARTED, UNKNOWN, GAVE_UP], TaskState.FAILED, False),
        ([SCHEDULED, STARTED, UNKNOWN, TRY_AGAIN], TaskState.SCHEDULED, False),
        ([SCHEDULED, STARTED, UNKNOWN, FAILED], TaskState.FAILED, False),
        ([RunPaused(), RunResumed(), SignalReceived(name="s")], TaskState.NONE, False),
        ([TimerSet(timer_id="t", fire_at=EPOCH), TimerFired(timer_id="t")], TaskState.NONE, False),
        ([VersionMarker(name="p", version=1)], TaskState.NONE, False),
    ],
)  # fmt: skip
def test_an_activity_moves_as_its_events_say(events: list[AnyEvent], state: TaskState, is_open: bool) -> None:
    ledger = told(*events)
    assert ledger.state("charge") is state
    assert (("charge", -1) in ledger.run.open) is is_open


def test_a_run_starts_with_its_first_activity_and_ends_when_the_history_says_so() -> None:
    ledger = told()
    assert (ledger.run.state, ledger.run.started_at) == (RunState.QUEUED, None)
    ledger.add(SCHEDULED)
    assert (ledger.run.state, ledger.run.started_at) == (RunState.RUNNING, at(1))
    ledger.add(RunEnded(state=RunState.FAILED, reason="no stock"))
    assert (ledger.run.state, ledger.run.reason, ledger.run.ended_at) == (RunState.FAILED, "no stock", at(2))


def test_moments_of_an_attempt_are_kept() -> None:
    one = told(SCHEDULED, STARTED, COMPLETED).activity("charge")
    assert (one.scheduled_at, one.started_at, one.ended_at, one.worker) == (at(1), at(2), at(3), "host:1")
    assert (one.scheduled_seq, one.result_seq) == (2, 4)


def test_a_retry_forgets_the_moments_of_the_attempt_before() -> None:
    one = told(SCHEDULED, STARTED, RETRIED, ActivityScheduled(task_id="charge", attempt=2)).activity("charge")
    assert (one.attempt, one.scheduled_at, one.started_at, one.ended_at, one.worker) == (2, at(4), None, None, "")


def test_the_budgets_of_failures_and_losses_are_counted_apart_and_a_free_loss_costs_nothing() -> None:
    second = {"task_id": "charge", "attempt": 2}
    ledger = told(SCHEDULED, STARTED, RETRIED, ActivityScheduled(**second), ActivityLost(**second, reason="died"))
    assert (ledger.activity("charge").failures, ledger.activity("charge").losses) == (1, 1)
    third = {"task_id": "charge", "attempt": 3}
    ledger.add(ActivityScheduled(**third), ActivityLost(**third, reason="host went", free=True))
    assert (ledger.activity("charge").failures, ledger.activity("charge").losses) == (1, 1)


def test_the_length_of_a_result_is_kept_until_it_is_cleared() -> None:
    ledger = told(SCHEDULED, ActivityCompleted(task_id="charge", length=3))
    assert ledger.activity("charge").length == 3
    ledger.add(CLEARED)
    assert (ledger.activity("charge").length, ledger.activity("charge").result_seq) == (None, 0)


# ── reports that come too late ───────────────────────────────────────────────────────────────────────────

AGAIN = ActivityScheduled(task_id="charge", attempt=2)


@pytest.mark.parametrize("late", [STARTED, COMPLETED, FAILED, RETRIED, LOST, UNKNOWN, SKIPPED, DEFERRED, RESUMED])
@pytest.mark.parametrize(
    "events",
    [
        [SCHEDULED, STARTED, COMPLETED],
        [SCHEDULED, STARTED, FAILED],
        [SCHEDULED, STARTED, FREE],
        [SCHEDULED, STARTED, FREE, AGAIN],
        [SCHEDULED, STARTED, COMPLETED, CLEARED],
        [SCHEDULED, STARTED, COMPLETED, CLEARED, AGAIN],
        [SCHEDULED, STARTED, marked(TaskState.SKIPPED), FREE],
    ],
)
def test_a_report_on_an_attempt_that_is_not_open_is_evidence_and_changes_nothing(
    events: list[AnyEvent], late: AnyEvent
) -> None:
    ledger = told(*events)
    before = (ledger.states(), dict(ledger.run.open), ledger.activity("charge").failures, ledger.run.unfinished)
    ledger.add(late)
    check(ledger.run)
    assert (ledger.states(), ledger.run.open, ledger.activity("charge").failures, ledger.run.unfinished) == before


def test_a_committed_transaction_counts_whatever_attempt_it_was() -> None:
    ledger = told(SCHEDULED, STARTED, FREE, AGAIN, delivery=Delivery.TRANSACTIONAL)
    ledger.add(COMPLETED)
    assert ledger.state("charge") is TaskState.SUCCESS
    assert ledger.run.doomed == [AttemptKey(7, "charge", -1, 2)]
    ledger.add(ActivityLost(task_id="charge", attempt=2, reason="ended"))
    check(ledger.run)
    assert (ledger.state("charge"), ledger.run.open) == (TaskState.SUCCESS, {})


@pytest.mark.parametrize("events", [[SCHEDULED, STARTED, CLEARED], [SCHEDULED, STARTED, FREE, CLEARED, AGAIN]])
def test_a_transaction_of_before_a_clear_does_not_count_for_what_is_run_anew(events: list[AnyEvent]) -> None:
    ledger = told(*events, delivery=Delivery.TRANSACTIONAL)
    ledger.add(COMPLETED)
    check(ledger.run)
    assert ledger.state("charge") in (TaskState.NONE, TaskState.QUEUED)


def test_a_transaction_counts_where_the_clear_kept_its_key() -> None:
    cleared = ActivityCleared(task_id="charge", same_key=True)
    ledger = told(SCHEDULED, STARTED, cleared, COMPLETED, delivery=Delivery.TRANSACTIONAL)
    assert ledger.state("charge") is TaskState.SUCCESS


def test_an_answer_about_another_attempt_or_to_no_question_changes_nothing() -> None:
    assert told(SCHEDULED, STARTED, WORKED).state("charge") is TaskState.RUNNING
    ledger = told(SCHEDULED, STARTED, UNKNOWN)
    ledger.add(OutcomeResolved(task_id="charge", attempt=9, state=TaskState.FAILED))
    assert ledger.state("charge") is TaskState.AWAITING_INPUT


def test_trying_again_by_hand_keeps_the_idempotency_key() -> None:
    ledger = told(SCHEDULED, STARTED, UNKNOWN)
    key = ledger.run.idempotency_key("charge", -1)
    ledger.add(TRY_AGAIN)
    assert ledger.run.idempotency_key("charge", -1) == key == "uid/charge/-1/1"
    assert ledger.run.next_attempt("charge", -1) == 2


# ── clearing ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clear_starts_a_new_generation_and_new_budgets_but_never_reuses_an_attempt() -> None:
    ledger = told(SCHEDULED, STARTED, RETRIED, CLEARED)
    one = ledger.activity("charge")
    assert (one.failures, one.losses, one.attempt) == (0, 0, 1)
    assert ledger.run.idempotency_key("charge", -1) == "uid/charge/-1/2"
    assert ledger.run.next_attempt("charge", -1) == 2


def test_a_clear_may_keep_the_key() -> None:
    ledger = told(SCHEDULED, COMPLETED, ActivityCleared(task_id="charge", same_key=True))
    assert ledger.run.idempotency_key("charge", -1) == "uid/charge/-1/1"


@pytest.mark.parametrize("report", [COMPLETED, FAILED, RETRIED, LOST, FREE, UNKNOWN, SKIPPED])
def test_what_is_cleared_while_open_starts_afresh_when_its_attempt_has_ended(report: AnyEvent) -> None:
    ledger = told(SCHEDULED, STARTED, CLEARED)
    assert ledger.run.doomed == [AttemptKey(7, "charge", -1, 1)]
    ledger.add(report)
    check(ledger.run)
    assert (ledger.state("charge"), ledger.run.open) == (TaskState.NONE, {})
    assert "charge" in ledger.run.agenda


def test_a_late_report_does_not_restart_what_is_still_being_ended() -> None:
    ledger = told(SCHEDULED, STARTED, FREE, AGAIN, CLEARED)
    ledger.add(FAILED)
    check(ledger.run)
    assert ledger.state("charge") is TaskState.RESTARTING
    ledger.add(ActivityLost(task_id="charge", attempt=2, reason="ended"))
    assert ledger.state("charge") is TaskState.NONE


def test_a_cleared_run_that_had_ended_is_queued_and_its_time_out_counts_from_when_it_begins_again() -> None:
    ledger = Ledger(CHAIN, dagrun_timeout=timedelta(hours=1))
    ledger.add(SCHEDULED, RunCancelRequested(reason="changed my mind"), FAILED)
    ledger.add(ActivitySkipped(task_id="reserve"), ActivitySkipped(task_id="ship"))
    ledger.add(RunEnded(state=RunState.FAILED, reason="changed my mind"), CLEARED)
    run = ledger.run
    assert (run.state, run.is_ended, run.cancelling, run.first_failure) == (RunState.QUEUED, False, None, None)
    assert (run.started_at, run.deadline) == (None, None)
    assert ledger.states() == {"charge": "none", "reserve": "skipped", "ship": "skipped"}
    ledger.add(ActivityScheduled(task_id="charge", attempt=2))
    assert (run.state, run.deadline) == (RunState.RUNNING, at(8) + timedelta(hours=1))


def test_a_clear_of_an_open_run_leaves_its_beginning_alone() -> None:
    ledger = told(SCHEDULED, COMPLETED, CLEARED)
    assert ledger.run.started_at == at(1)


# ── marks, skips and branches ────────────────────────────────────────────────────────────────────────────


def test_a_mark_on_an_open_attempt_ends_it_and_its_report_is_evidence() -> None:
    ledger = told(SCHEDULED, STARTED, marked(TaskState.SUCCESS))
    assert ledger.run.doomed == [AttemptKey(7, "charge", -1, 1)]
    ledger.add(FAILED)
    check(ledger.run)
    assert (ledger.state("charge"), ledger.run.open, ledger.run.closed) == (TaskState.SUCCESS, {}, [("charge", -1)])


def test_a_mark_changes_what_the_successors_count() -> None:
    ledger = told(SCHEDULED, FAILED, marked(TaskState.SUCCESS))
    up = ledger.run.nodes["reserve"].upstreams
    assert (up.success, up.failed, ledger.run.nodes["charge"].bad) == (1, 0, 0)


def test_a_branch_chooses_anew_when_it_runs_again() -> None:
    ledger = Ledger(tasks("choose", "left: choose", "right: choose"))
    run = ledger.run
    ledger.add(ActivityScheduled(task_id="choose"), ActivityCompleted(task_id="choose", skip=("left", "nowhere")))
    assert (run.nodes["left"].skipped_by, run.nodes["right"].skipped_by) == ({"choose"}, None)
    ledger.add(ActivityCleared(task_id="choose"), ActivityScheduled(task_id="choose", attempt=2))
    ledger.add(ActivityCompleted(task_id="choose", attempt=2, skip=("right",)))
    assert (run.nodes["left"].skipped_by, run.nodes["right"].skipped_by) == (set(), {"choose"})


# ── mapped tasks and ranges ──────────────────────────────────────────────────────────────────────────────

MAPPED = tasks("cut", "sew: cut", "pack: sew", sew={"mapping": mapping_over(2, 2)})


def test_a_range_moves_all_its_activities_and_successors_count_each() -> None:
    ledger = Ledger(MAPPED)
    ledger.add(TaskExpanded(task_id="sew", shape=(2, 2)), ActivityScheduled(task_id="sew", map_index=1, count=3))
    check(ledger.run)
    assert ledger.states()["sew"] == "none queued queued queued"
    assert ledger.run.nodes["pack"].upstreams.total == 4
    ledger.add(ActivityCompleted(task_id="sew", map_index=2), ActivitySkipped(task_id="sew", map_index=0))
    check(ledger.run)
    assert ledger.states()["sew"] == "skipped queued success queued"
    assert ledger.run.unfinished == 4


def test_a_task_that_is_mapped_over_nothing_stands_for_one_activity() -> None:
    ledger = Ledger(MAPPED)
    ledger.add(TaskExpanded(task_id="sew", shape=(0,)), ActivitySkipped(task_id="sew"))
    check(ledger.run)
    assert ledger.run.nodes["pack"].upstreams.skipped == 1


def test_a_cleared_index_is_none_again_and_waits_for_its_rule() -> None:
    ledger = Ledger(MAPPED)
    ledger.add(TaskExpanded(task_id="sew", shape=(2, 2)), ActivityScheduled(task_id="sew", map_index=0, count=4))
    ledger.add(ActivityCompleted(task_id="sew", map_index=2), ActivityCleared(task_id="sew", map_index=2))
    check(ledger.run)
    assert ledger.states()["sew"] == "queued queued none queued"
    assert ledger.run.nodes["sew"].untouched() == [range(2, 3)]
    assert not ledger.run.due


def test_untouched_indexes_are_told_apart_by_the_attempts_that_they_had() -> None:
    ledger = Ledger(MAPPED)
    ledger.add(TaskExpanded(task_id="sew", shape=(2, 2)))
    assert ledger.run.nodes["sew"].untouched() == [range(4)]
    ledger.add(ActivityScheduled(task_id="sew", map_index=1), ActivityCompleted(task_id="sew", map_index=1))
    assert ledger.run.nodes["sew"].untouched() == [range(1), range(2, 4)]
    ledger.add(ActivityCleared(task_id="sew", map_index=1))
    assert ledger.run.nodes["sew"].untouched() == [range(1), range(1, 2), range(2, 4)]


# ── pausing and cancelling ───────────────────────────────────────────────────────────────────────────────


def test_a_paused_run_starts_nothing_and_a_resumed_one_looks_at_everything_again() -> None:
    ledger = told(SCHEDULED, STARTED, RETRIED, RunPaused())
    assert not ledger.run.may_start("charge", -1)
    assert ledger.run.next_due() is None
    ledger.add(RunResumed())
    assert ledger.run.may_start("charge", -1)
    assert ledger.run.next_due() == at(60)
    assert set(ledger.run.agenda) == {"charge", "reserve", "ship"}


def test_a_cancelled_run_ends_all_that_is_open() -> None:
    ledger = told(SCHEDULED, RunCancelRequested(reason="why not"))
    assert (ledger.run.cancelling, ledger.run.doomed) == ("why not", [AttemptKey(7, "charge", -1, 1)])
    assert not ledger.run.may_start("reserve", -1)


def test_a_time_out_is_due_from_the_start_of_the_run() -> None:
    ledger = Ledger(CHAIN, dagrun_timeout=at(30) - EPOCH)
    assert ledger.run.next_due() is None
    ledger.add(SCHEDULED)
    assert ledger.run.next_due() == ledger.run.deadline == at(31)


# ── moving to another version ────────────────────────────────────────────────────────────────────────────

MOVED = RunMoved(version_id=1, fingerprint="v1")


def test_what_both_versions_have_keeps_its_state() -> None:
    ledger = Ledger(CHAIN, tasks("charge", "weigh: charge", "ship: weigh charge"))
    ledger.succeed("charge", "reserve")
    ledger.move(MOVED, 1)
    check(ledger.run)
    assert ledger.states() == {"charge": "success", "weigh": "none", "ship": "none"}
    assert (ledger.run.version_id, ledger.run.fingerprint) == (1, "v1")
    assert {"weigh", "ship"} <= set(ledger.run.agenda)
    assert {name: node.one.state for name, node in ledger.replayed().nodes.items()} == {
        name: node.one.state for name, node in ledger.run.nodes.items()
    }


def test_an_open_attempt_of_a_task_that_is_gone_gives_its_slots_back() -> None:
    ledger = Ledger(CHAIN, tasks("reserve"))
    ledger.add(SCHEDULED)
    ledger.move(MOVED, 1)
    check(ledger.run)
    assert (ledger.run.open, ledger.run.closed) == ({}, [("charge", -1)])


def test_an_expanded_task_keeps_its_shape_and_states() -> None:
    ledger = Ledger(MAPPED, (*MAPPED, *tasks("label: sew")))
    ledger.add(TaskExpanded(task_id="sew", shape=(3,)), ActivityScheduled(task_id="sew", map_index=0, count=2))
    ledger.add(ActivityCompleted(task_id="sew", map_index=1))
    ledger.move(MOVED, 1)
    check(ledger.run)
    assert ledger.states()["sew"] == "queued success none"
    assert ledger.run.nodes["label"].upstreams.total == 3


# ── histories that make no sense ─────────────────────────────────────────────────────────────────────────


def test_a_gap_or_a_repeated_seq_is_refused() -> None:
    run = Ledger(CHAIN).run
    for seq in (1, 3):
        with pytest.raises(HistoryConflictError, match=f"run 7 is at seq 1 and was given seq {seq}"):
            run.apply(Recorded(seq, EPOCH, SCHEDULED))


def test_a_history_begins_with_its_creation_and_has_one() -> None:
    with pytest.raises(HistoryConflictError, match="does not begin with RunCreated"):
        Run(7, Plan(DagSpec(dag_id="shop")), Recorded(1, EPOCH, SCHEDULED))
    with pytest.raises(HistoryConflictError, match="no history that begins with RunCreated"):
        replay(7, [], lambda _version: Plan(DagSpec(dag_id="shop")))
    created = RunCreated(dag_id="d", run_id="r", run_uid="u", run_type=RunType.MANUAL, version_id=0, fingerprint="")
    with pytest.raises(HistoryConflictError, match="created twice"):
        Ledger(CHAIN).add(created)
