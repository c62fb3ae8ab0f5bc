"""What a fork begins with, and what would happen again, case by case."""

from typing import Any

import msgspec
import pytest

from orchestrator.core.effects import Effect, What, repeated
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ActivitySkipped,
    ActivityStarted,
    ChildEnded,
    ChildStarted,
    Recorded,
    RunCancelRequested,
    RunCreated,
    RunEnded,
    RunPaused,
    RunReset,
    RunStarted,
    SignalReceived,
    TaskExpanded,
    TimerFired,
    TimerSet,
    ValueRecorded,
)
from orchestrator.core.forking import fork
from orchestrator.core.particulars import Failure
from orchestrator.core.plan import Plan
from orchestrator.core.requests import Edit, ForkRun
from orchestrator.core.runs import replay
from orchestrator.core.spec import mapping_over
from orchestrator.core.taking_over import Past, first_of
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.names import Delivery, FailureKind, RunState, TaskState
from tests.core.ledger import Ledger, at, tasks
from tests.core.workflow_ledger import WorkflowLedger

NOW = at(10_000)
FAILED = Failure(message="sold out")
Some = Ledger | WorkflowLedger


def request(seq: int, **changes: Any) -> ForkRun:
    fields = {"dag_id": "shop", "run_id": "r2", "source": "r1", "run_uid": "other", "seq": seq, "by": "ada"}
    return ForkRun(**(fields | changes))


def forked(ledger: Some, seq: int | None = None, **changes: Any) -> list[Recorded]:
    asked = request(len(ledger.facts) if seq is None else seq, **changes)
    return fork(7, ledger.facts, asked, ledger.plans.__getitem__, NOW)


def names(facts: list[Recorded]) -> list[str]:
    return [type(fact.event).__name__ for fact in facts[1:]]


def created(facts: list[Recorded]) -> RunCreated:
    event = facts[0].event
    assert isinstance(event, RunCreated)
    return event


def effects(ledger: Some, seq: int, target: Plan | None = None) -> list[Effect]:
    past = Past(ledger.facts, seq, ledger.plans.__getitem__)
    return repeated(ledger.facts, past, target or past.run.plan)


# ── of a DAG ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fork_says_what_it_is_of_and_has_no_slot_of_the_schedule() -> None:
    ledger = Ledger(tasks("charge", "pack: charge"))
    ledger.succeed("charge")
    facts = forked(ledger, note="why not")
    first = created(facts)
    assert first.forked is not None
    assert (first.forked.run_key, first.forked.run_id, first.forked.seq) == (7, "r1", 3)
    assert (first.run_id, first.run_uid, first.slot) == ("r2", "other", None)
    assert (first.note, first.triggered_by) == ("why not", "ada")
    assert (facts[0].at, facts[1].at) == (NOW, ledger.facts[1].at)
    assert first.taken == 2


def test_what_was_open_is_not_taken_over() -> None:
    ledger = Ledger(tasks("charge", "pack: charge"))
    ledger.succeed("charge")
    ledger.add(ActivityScheduled(task_id="pack"), ActivityStarted(task_id="pack"))
    assert names(forked(ledger)) == ["ActivityScheduled", "ActivityCompleted"]


def test_a_failure_that_is_tried_again_is_not_taken_over_and_one_for_good_is() -> None:
    ledger = Ledger(tasks("charge", "pack"))
    ledger.add(ActivityScheduled(task_id="charge"), ActivityScheduled(task_id="pack"))
    ledger.add(ActivityFailed(task_id="charge", failure=FAILED, retry_at=at(90)))
    ledger.add(ActivityFailed(task_id="pack", failure=FAILED))
    run = replay(8, forked(ledger), ledger.plans.__getitem__)
    assert run.nodes["charge"].one.state is TaskState.NONE
    assert run.nodes["charge"].one.failures == 0
    assert run.nodes["pack"].one.state is TaskState.FAILED


def test_a_pause_a_cancel_and_an_end_stay_behind() -> None:
    ledger = Ledger(tasks("charge", "pack: charge"))
    ledger.add(RunPaused())
    ledger.succeed("charge")
    ledger.add(RunCancelRequested(), ActivitySkipped(task_id="pack"), RunEnded(state=RunState.FAILED))
    run = replay(8, forked(ledger), ledger.plans.__getitem__)
    assert (run.paused, run.cancelling, run.is_ended) == (False, None, False)
    assert run.nodes["pack"].one.state is TaskState.SKIPPED


def test_of_a_range_just_what_had_ended_is_taken_over() -> None:
    ledger = Ledger(tasks("sew", sew={"mapping": mapping_over(4)}))
    ledger.add(TaskExpanded(task_id="sew", shape=(4,)), ActivityScheduled(task_id="sew", map_index=0, count=4))
    for index in (0, 1, 3):
        ledger.add(ActivityCompleted(task_id="sew", map_index=index))
    facts = forked(ledger)
    handed = [fact.event for fact in facts if isinstance(fact.event, ActivityScheduled)]
    assert [(event.map_index, event.count) for event in handed] == [(0, 2), (3, 1)]
    assert "TaskExpanded" in names(facts)


def test_a_task_that_is_expanded_and_of_which_nothing_has_ended_is_expanded_anew() -> None:
    ledger = Ledger(tasks("cut", "sew: cut", sew={"mapping": mapping_over("cut")}))
    ledger.succeed("cut")
    ledger.add(TaskExpanded(task_id="sew", shape=(2,)), ActivityScheduled(task_id="sew", map_index=0, count=2))
    assert names(forked(ledger)) == ["ActivityScheduled", "ActivityCompleted"]


def test_another_version_is_gone_over_to_after_what_is_taken_over() -> None:
    ledger = Ledger(tasks("charge", "pack: charge"), tasks("charge", "weigh: charge"))
    ledger.succeed("charge")
    facts = forked(ledger, version_id=1)
    assert names(facts)[-1] == "RunMoved"
    run = replay(8, facts, ledger.plans.__getitem__)
    assert (run.version_id, set(run.nodes)) == (1, {"charge", "weigh"})
    assert run.nodes["charge"].one.state is TaskState.SUCCESS


def test_a_task_of_the_other_version_can_be_given_a_result() -> None:
    ledger = Ledger(tasks("charge"), tasks("charge", "weigh: charge"))
    edit = Edit(task_id="weigh", result=msgspec.Raw(b"3"))
    run = replay(8, forked(ledger, version_id=1, edits=(edit,)), ledger.plans.__getitem__)
    assert run.nodes["weigh"].one.state is TaskState.SUCCESS
    with pytest.raises(NotFoundError, match="no task 'weigh'"):
        forked(ledger, edits=(edit,))


def test_what_a_branch_chose_cannot_be_edited() -> None:
    ledger = Ledger(tasks("choose", "a: choose", "b: choose"))
    ledger.add(ActivityScheduled(task_id="choose"), ActivityCompleted(task_id="choose", skip=("a",)))
    with pytest.raises(ConflictError, match="is a branch"):
        forked(ledger, edits=(Edit(task_id="choose", result=msgspec.Raw(b'"a"')),))


@pytest.mark.parametrize("seq", [0, -1, 4])
def test_a_seq_that_the_run_does_not_have_is_refused(seq: int) -> None:
    ledger = Ledger(tasks("charge"))
    ledger.succeed("charge")
    with pytest.raises(UsageError, match="the facts 1 to 3"):
        forked(ledger, seq)


def test_a_fork_of_a_run_that_was_reset_takes_over_what_counts() -> None:
    ledger = Ledger(tasks("charge", "pack: charge"))
    ledger.succeed("charge", "pack")
    ledger.facts.append(Recorded(6, at(6), RunReset(seq=3)))
    facts = fork(7, ledger.facts, request(6), ledger.plans.__getitem__, NOW)
    assert names(facts) == ["ActivityScheduled", "ActivityCompleted"]
    earlier = fork(7, ledger.facts, request(5), ledger.plans.__getitem__, NOW)
    assert names(earlier) == ["ActivityScheduled", "ActivityCompleted"] * 2


def test_a_fork_leaves_behind_how_an_attempt_ended_that_one_reset_took_back_and_the_next_was_aimed_at() -> None:
    ledger = Ledger(tasks("charge", "pack: charge"))
    cancelled = ActivityFailed(task_id="charge", attempt=1, kind=FailureKind.CANCELLED, failure=FAILED)
    again = ActivityScheduled(task_id="charge", attempt=2), ActivityCompleted(task_id="charge", attempt=2)
    events = [ActivityScheduled(task_id="charge", attempt=1), RunReset(seq=1), RunReset(seq=2), cancelled, *again]
    ledger.facts += [Recorded(seq, at(seq), event) for seq, event in enumerate(events, 2)]
    assert names(forked(ledger, 5)) == []
    assert [fact.event for fact in forked(ledger)[1:]] == [events[0], *again]


# ── of a workflow ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def order() -> WorkflowLedger:
    """A workflow that has charged, and waits for a timer, a child and two more calls."""
    ledger = WorkflowLedger()
    ledger.begin()
    ledger.request("charge", 0)
    ledger.succeed("charge", 0)
    ledger.add(SignalReceived(name="approval"), ValueRecorded(name="lot", heard=5))
    ledger.add(TimerSet(timer_id="sleep-1", fire_at=at(7)), TimerFired(timer_id="sleep-1"))
    ledger.add(TimerSet(timer_id="sleep-2", fire_at=at(100)))
    ledger.add(ChildStarted(child_id="child-1", dag_id="other", run_id="c1", child_run_key=9))
    ledger.add(ChildEnded(child_id="child-1", state=RunState.SUCCESS))
    ledger.add(ChildStarted(child_id="child-2", dag_id="other", run_id="c2", child_run_key=10))
    ledger.request("ship", 0)
    ledger.schedule("ship", 0)
    return ledger


def test_the_code_of_a_fork_goes_on_seeing_where_the_old_one_began(order: WorkflowLedger) -> None:
    origin = created(forked(order)).origin
    assert origin is not None
    assert (origin.run_uid, origin.at) == ("uid", at(1))
    assert created(forked(order, 1)).origin is None, "its code had not begun"


def test_a_fork_of_a_fork_sees_what_the_first_one_saw(order: WorkflowLedger) -> None:
    first = forked(order)
    again = fork(8, first, request(len(first), run_id="r3", run_uid="third"), order.plans.__getitem__, NOW)
    assert created(again).origin == created(first).origin
    assert names(again) == names(first)


def test_calls_are_taken_over_and_their_open_attempts_are_not(order: WorkflowLedger) -> None:
    run = replay(8, forked(order), order.plans.__getitem__)
    assert run.open == {}
    assert run.nodes["charge"].activity(0).state is TaskState.SUCCESS
    assert run.nodes["ship"].activity(0).state not in (TaskState.QUEUED, TaskState.SUCCESS)


def test_a_timer_that_has_not_fired_has_as_long_to_go_as_it_had(order: WorkflowLedger) -> None:
    fires = {fact.event.timer_id: fact.event.fire_at for fact in forked(order) if isinstance(fact.event, TimerSet)}
    assert fires["sleep-1"] == at(7)
    assert fires["sleep-2"] == NOW + (at(100) - order.facts[-1].at)


def test_a_timer_whose_moment_had_passed_fires_at_once_in_the_fork(order: WorkflowLedger) -> None:
    order.facts.append(Recorded(len(order.facts) + 1, at(500), SignalReceived(name="approval")))
    fires = {fact.event.timer_id: fact.event.fire_at for fact in forked(order) if isinstance(fact.event, TimerSet)}
    assert fires["sleep-2"] == NOW


def test_a_child_that_has_not_ended_is_asked_for_again(order: WorkflowLedger) -> None:
    started = [fact.event.child_id for fact in forked(order) if isinstance(fact.event, ChildStarted)]
    assert started == ["child-1"]


def test_how_far_the_code_had_heard_is_said_by_the_seqs_of_the_fork(order: WorkflowLedger) -> None:
    facts = forked(order)
    (value,) = [fact for fact in facts if isinstance(fact.event, ValueRecorded)]
    heard = order.facts[4]
    assert isinstance(heard.event, ActivityCompleted)
    assert isinstance(value.event, ValueRecorded)
    assert facts[value.event.heard - 1].event == heard.event


def test_a_given_result_stands_where_the_recorded_one_did(order: WorkflowLedger) -> None:
    given = Edit(task_id="charge", map_index=0, result=msgspec.Raw(b"1"))
    found = names(forked(order, edits=(given,)))
    assert "ActivityCompleted" not in found
    assert found.index("OutcomeResolved") < found.index("SignalReceived")
    with pytest.raises(UsageError, match="calls 0 to 0"):
        forked(order, edits=(Edit(task_id="charge", map_index=1, result=msgspec.Raw(b"1")),))


def test_a_fork_of_a_workflow_leaves_behind_how_a_call_ended_that_two_resets_took_back() -> None:
    ledger = WorkflowLedger()
    ledger.begin()
    ledger.request("charge", 0)
    ledger.schedule("charge", 0)
    aimed_at = len(ledger.facts)
    late = ActivityFailed(task_id="charge", map_index=0, attempt=1, kind=FailureKind.CANCELLED, failure=FAILED)
    for event in (RunReset(seq=2), RunReset(seq=aimed_at), late):
        ledger.facts.append(Recorded(len(ledger.facts) + 1, at(len(ledger.facts)), event))
    assert names(forked(ledger)) == ["ActivityRequested"]


def test_a_workflow_that_is_forked_before_it_began_takes_over_nothing() -> None:
    ledger = WorkflowLedger()
    ledger.add(RunStarted())
    assert names(forked(ledger, 1)) == []
    assert names(forked(ledger, 2)) == []


# ── what would happen again ──────────────────────────────────────────────────────────────────────────────────


def test_what_ran_after_the_seq_would_happen_again_with_its_attempts_and_what_came_of_it() -> None:
    ledger = Ledger(tasks("charge", "pack: charge", "mail: pack", mail={"delivery": Delivery.AT_MOST_ONCE}))
    ledger.succeed("charge")
    ledger.add(ActivityScheduled(task_id="pack"), ActivityStarted(task_id="pack"))
    ledger.add(ActivityFailed(task_id="pack", failure=FAILED, retry_at=at(1)))
    ledger.succeed("pack")
    ledger.add(ActivityScheduled(task_id="mail"), ActivityStarted(task_id="mail"))
    ledger.add(ActivityFailed(task_id="mail", failure=FAILED))
    found = effects(ledger, 3)
    assert [(effect.name, effect.attempts, effect.outcome) for effect in found] == [
        ("pack", 2, "success"),
        ("mail", 1, "failed: sold out"),
    ]
    assert found[1].delivery is Delivery.AT_MOST_ONCE
    assert effects(ledger, len(ledger.facts)) == []


def test_what_never_ran_or_will_not_run_is_no_effect() -> None:
    nothing = {"does_nothing": True}
    ledger = Ledger(tasks("charge", "pack", "gone", pack=nothing), tasks("charge", "pack", pack=nothing))
    ledger.add(ActivityScheduled(task_id="charge"))
    ledger.add(ActivityFailed(task_id="charge", failure=FAILED, kind=FailureKind.QUEUED_TIMEOUT))
    ledger.succeed("pack", "gone")
    assert [effect.name for effect in effects(ledger, 1)] == ["gone"]
    assert effects(ledger, 1, ledger.plans[1]) == []


def test_children_that_were_open_and_signals_that_were_sent_later_are_effects_too(order: WorkflowLedger) -> None:
    seq = len(order.facts)
    order.add(ValueRecorded(name="signal-1", sent=True), ActivityStarted(task_id="ship", map_index=0))
    found = [(effect.what, effect.name) for effect in effects(order, seq)]
    assert found == [(What.ACTIVITY, "ship"), (What.CHILD, "child-2"), (What.SIGNAL, "signal-1")]


def test_the_first_fact_about_a_task_is_found_by_its_name_or_one_of_its_activities(order: WorkflowLedger) -> None:
    assert first_of(order.facts, "charge") == 3
    assert first_of(order.facts, "ship", 0) == 14
    assert first_of(order.facts, "ship", 1) is None
    assert first_of(order.facts, "refund") is None
