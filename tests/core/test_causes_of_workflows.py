"""Why a run of a workflow stands still, or ended as it did."""

from typing import Any

import msgspec

from orchestrator.core.activations import Standing, Wait
from orchestrator.core.events import (
    ActivityFailed,
    ChildStarted,
    RunBlocked,
    RunCancelRequested,
    RunCreated,
    RunEnded,
    RunPaused,
    RunStarted,
    SignalReceived,
    TimerSet,
    UpdateReceived,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.reasons import Cause, Reason, Usage
from orchestrator.core.runs import new_run
from orchestrator.core.spec import Entrance
from orchestrator.core.story import why
from orchestrator.core.words import Words
from orchestrator.names import BlockKind, RunState
from tests.core.ledger import at
from tests.core.workflow_ledger import WorkflowLedger, workflow

ROOM = Usage(pools={"default_pool": (0, 128)})


def tell(ledger: WorkflowLedger, task_id: str | None = None, usage: Usage = ROOM) -> list[Reason]:
    words = Words()
    for fact in ledger.facts:
        words.hear(fact)
    return why(ledger.run, task_id, now=at(100), usage=usage, failure_of=words.of)


def sentences(ledger: WorkflowLedger, **more: Any) -> list[str]:
    return [reason.sentence for reason in tell(ledger, **more)]


def begun(**fields: Any) -> WorkflowLedger:
    ledger = WorkflowLedger(**fields)
    ledger.begin()
    return ledger


def test_a_workflow_that_has_not_begun_says_what_comes_next() -> None:
    assert sentences(WorkflowLedger()) == ["the workflow begins at the scheduler's next turn"]
    full = Usage(active_runs=16, pools={"default_pool": (0, 9)})
    assert [reason.cause for reason in tell(WorkflowLedger(), usage=full)] == [Cause.RUN_QUEUED]


def test_a_blocked_workflow_says_what_stands_against_what_where_and_how_to_go_on() -> None:
    ledger = begun()
    ledger.add(
        RunBlocked(kind=BlockKind.NON_DETERMINISM, message="charge is recorded; the code returned.", where="a.py:7")
    )
    (reason,) = tell(ledger)
    assert (reason.cause, reason.where) == (Cause.BLOCKED, "a.py:7")
    assert "(non_determinism): charge is recorded; the code returned; nothing recorded is lost" in reason.sentence
    assert "`orchestrator runs resume order 'r1'`" in reason.sentence


def test_a_workflow_that_got_stuck_says_the_lines_that_led_there() -> None:
    ledger = begun()
    frames = ('File "a.py", line 3, in order', 'File "a.py", line 7, in spin')
    ledger.add(RunBlocked(kind=BlockKind.STUCK, message="for 2 s …", where="a.py:7", frames=frames))
    (reason,) = tell(ledger)
    assert reason.frames == frames


def test_calls_that_are_open_are_told_and_those_that_have_ended_are_not() -> None:
    ledger = begun()
    ledger.call("charge", "charge", "ship")
    ledger.succeed("charge", 0)
    ledger.schedule("charge", 1)
    told = {reason.task_id: reason for reason in tell(ledger)}
    assert told["charge"].map_index == 1
    assert told["charge"].cause is Cause.NO_WORKER
    assert told["ship"].cause is Cause.READY


def test_a_call_that_is_tried_again_says_when() -> None:
    ledger = begun()
    ledger.call("charge")
    ledger.schedule("charge", 0)
    ledger.add(ActivityFailed(task_id="charge", map_index=0, failure=Failure(message="busy"), retry_at=at(160)))
    assert sentences(ledger) == ["charge[0] is tried again in 1 min; attempt 1 failed: busy"]


def test_a_timer_says_when_it_fires() -> None:
    ledger = begun()
    ledger.add(TimerSet(timer_id="sleep-1", fire_at=at(220)))
    assert sentences(ledger) == ["the workflow waits for timer sleep-1, which fires in 2 min, at 2026-01-01 00:03:40Z"]


def test_a_child_is_named_with_the_question_to_ask_it() -> None:
    ledger = begun()
    ledger.add(ChildStarted(child_id="bill-1", dag_id="billing", run_id="b1", child_run_key=9))
    (reason,) = tell(ledger)
    assert reason.cause is Cause.CHILD
    assert "run b1 of billing (`orchestrator runs why billing 'b1'`)" in reason.sentence


def test_an_update_without_an_answer_is_told() -> None:
    ledger = begun()
    ledger.add(UpdateReceived(update_id="u1", name="set_address"))
    reasons = tell(ledger)
    assert (reasons[0].cause, reasons[0].seq) == (Cause.UPDATE, ledger.run.seq)


def test_a_workflow_with_nothing_open_waits_to_be_spoken_to_and_says_what_it_takes() -> None:
    ledger = begun(signals=(Entrance(name="approval"),), updates=(Entrance(name="amend"),))
    (reason,) = tell(ledger)
    assert reason.cause is Cause.SIGNAL
    assert reason.sentence.endswith("waits to be spoken to; it takes signal approval, update amend")


def test_a_workflow_that_has_just_heard_something_is_being_told() -> None:
    ledger = begun()
    ledger.add(SignalReceived(name="approval"))
    (reason,) = why(ledger.run, now=ledger.run.heard_at, usage=ROOM)
    assert (reason.cause, reason.seq) == (Cause.READY, ledger.run.seq)
    assert tell(ledger)[0].cause is Cause.SIGNAL


def test_a_paused_or_cancelled_workflow_says_so_first() -> None:
    ledger = begun()
    ledger.add(RunPaused())
    assert tell(ledger)[0].cause is Cause.RUN_PAUSED
    ledger = begun()
    ledger.add(RunCancelRequested(reason="changed my mind"))
    assert tell(ledger)[0].cause is Cause.RUN_CANCELLED


def test_a_failed_workflow_names_the_line_that_raised_and_the_calls_that_failed() -> None:
    ledger = begun()
    ledger.call("charge")
    ledger.schedule("charge", 0)
    ledger.add(ActivityFailed(task_id="charge", map_index=0, failure=Failure(message="declined", where="a.py:3")))
    failure = Failure(message="ActivityError: declined", where="a.py:12")
    ledger.add(RunEnded(state=RunState.FAILED, reason="ActivityError: declined", failure=failure))
    ending, charge = tell(ledger)
    assert (ending.cause, ending.where, ending.seq) == (Cause.FAILED, "a.py:12", ledger.run.seq)
    assert (charge.task_id, charge.where) == ("charge", "a.py:3")


def test_a_successful_workflow_says_where_the_time_went() -> None:
    ledger = begun()
    ledger.call("charge", "ship")
    ledger.succeed("charge", 0)
    ledger.succeed("ship", 0)
    ledger.add(RunEnded(state=RunState.SUCCESS))
    ending, slowest = tell(ledger)
    assert ending.sentence.endswith("its workflow returned")
    assert slowest.chain == ("charge[0]", "ship[0]")


def test_an_imported_workflow_that_was_open_says_that_it_does_not_go_on_here() -> None:
    ledger = begun()
    created = ledger.facts[0].event
    assert isinstance(created, RunCreated)
    first = msgspec.structs.replace(ledger.facts[0], event=msgspec.structs.replace(created, imported=True))
    ledger.run = workflow(new_run(7, ledger.plans[0], first))
    ledger.facts = [first]
    ledger.add(RunStarted(), TimerSet(timer_id="sleep-1", fire_at=at(220)))
    reasons = tell(ledger)
    assert [reason.cause for reason in reasons] == [Cause.IMPORTED, Cause.TIMER]
    assert ledger.run.next_due() is None
    assert ledger.decide() == []


def standing(*waits: Wait, **untaken: int) -> Standing:
    return Standing(waits=waits, untaken=untaken)


def told_by_code(ledger: WorkflowLedger, where: Standing) -> list[str]:
    return [reason.sentence for reason in why(ledger.run, now=at(100), usage=ROOM, standing=where)]


def test_code_that_waits_for_a_signal_says_where_until_when_and_what_would_answer_it() -> None:
    schema = {"$ref": "#/$defs/Yes", "$defs": {"Yes": {"type": "object", "required": ["by"], "properties": _BY}}}
    ledger = begun(signals=(Entrance(name="approval", schema=schema),))
    ledger.add(TimerSet(timer_id="timer-1", fire_at=at(220)))
    wait = Wait(strand="order", what=("timer-1",), condition="signal 'approval'", signal="approval", where="a.py:5")
    (sentence,) = told_by_code(ledger, standing(wait))
    assert sentence == (
        "a.py:5 waits for signal 'approval', at most until 2026-01-01 00:03:40Z, in 2 min; send it with "
        "`orchestrator runs signal order 'r1' approval '{\"by\": \"…\"}'`"
    )


def test_code_that_waits_for_calls_and_timers_names_them_once() -> None:
    ledger = begun()
    ledger.call("charge")
    ledger.add(TimerSet(timer_id="timer-1", fire_at=at(220)))
    first, second = told_by_code(ledger, standing(Wait(strand="order", what=("charge", "timer-1"), where="a.py:5")))
    assert first == "a.py:5 waits for charge, timer timer-1, which fires in 2 min, at 2026-01-01 00:03:40Z"
    assert second.startswith("charge[0] ")


def test_strands_that_wait_at_one_line_are_told_as_one() -> None:
    waits = [Wait(strand=f"part {number}", condition="a condition", where="a.py:5") for number in range(3)]
    assert told_by_code(begun(), standing(*waits))[0].startswith("a.py:5, 3 times, waits for a condition")


def test_signals_that_the_code_has_not_taken_are_told() -> None:
    wait = Wait(strand="order", condition="a condition", where="a.py:5")
    sentences_ = told_by_code(begun(), standing(wait, late=2))
    assert sentences_[-1] == "signal 'late' has come 2 times, and the code has not taken it"


_BY = {"by": {"type": "string"}, "note": {"type": "string"}}


def test_a_blocked_workflow_that_is_cancelled_says_what_ends_it() -> None:
    ledger = begun()
    ledger.add(RunBlocked(kind=BlockKind.STUCK, message="no end", where="a.py:7"))
    ledger.add(RunCancelRequested(by="ann"))
    assert tell(ledger)[-1].sentence.endswith("`orchestrator runs cancel order 'r1'` once more ends it at once")
