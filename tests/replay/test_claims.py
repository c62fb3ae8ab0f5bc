"""Which record belongs to what the code asks for, and what is said where none does."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

from orchestrator.authoring.blue import Blue
from orchestrator.core import activations as asks
from orchestrator.core import events
from orchestrator.core.particulars import Failure
from orchestrator.exceptions import WorkflowCancelled
from orchestrator.names import BlockKind, RunState
from tests.replay.engine import Engine, call, gather, raw
from tests.replay.test_machine import result

HOUR = timedelta(hours=1)


def replayed(engine: Engine, function: Callable[..., Any] | None = None) -> tuple[asks.WorkflowCommand, ...]:
    """What the code (of today) asks for, told the whole history in one go."""
    machine = engine.new_machine(function)
    machine.tell(engine.history)
    return machine.advance()


def misfit(engine: Engine, function: Callable[..., Any] | None = None) -> str:
    (block,) = replayed(engine, function)
    assert isinstance(block, asks.Block)
    assert block.kind is BlockKind.NON_DETERMINISM
    return block.message


def test_calls_that_are_alike_get_their_results_in_the_order_of_asking() -> None:
    numbers = count(1)

    def flow(blue: Blue) -> Any:
        return gather(*[blue.call("a", ["same"], {}) for _ in range(4)])

    engine = Engine(flow, answer=lambda *_: next(numbers))
    engine.complete("a#2")
    engine.complete("a#0", "a#3")
    engine.reload()
    engine.complete("a#1")
    assert result(engine) == [2, 4, 1, 3]
    assert replayed(engine) == ()


def test_what_is_asked_for_is_said_once_though_nothing_of_it_is_recorded_yet() -> None:
    engine = Engine(lambda blue: call(blue, "a"))
    machine = engine.new_machine()
    machine.tell(engine.history[:2])
    assert [type(command) for command in machine.advance()] == [asks.Call]
    assert machine.advance() == ()


def test_a_timer_that_has_rung_meanwhile_is_not_cancelled() -> None:
    def flow(blue: Blue) -> Any:
        timer = blue.timer(HOUR)
        call(blue, "a")
        timer.cancel()
        call(blue, "b")

    engine = Engine(flow)
    engine.record(engine.come("a#0"), engine.come("timer-1"))
    engine.activate()
    assert [type(command) for command in engine.commands] == [asks.SetTimer, asks.Call, asks.Call]


def test_a_recorded_value_that_is_another_than_the_code_has_gone_on_with_does_not_fit() -> None:
    def flow(blue: Blue) -> Any:
        return call(blue, "a", blue.value("n", lambda: 1))

    engine = Engine(flow)
    machine = engine.new_machine()
    machine.tell(engine.history[:2])
    (name,) = [command.name for command in machine.advance() if isinstance(command, asks.RecordValue)]
    machine.tell([events.Recorded(3, engine.now, events.ValueRecorded(name=name, value=raw(2)))])
    (block,) = machine.advance()
    assert isinstance(block, asks.Block)
    assert block.kind is BlockKind.NON_DETERMINISM


def test_a_refusal_of_an_update_that_the_end_of_the_run_gave_needs_no_code() -> None:
    def pay(blue: Blue) -> Any:
        try:
            return call(blue, "b")
        except WorkflowCancelled:
            return call(blue, "c")

    def flow(blue: Blue) -> Any:
        blue.on("update", "pay", lambda _: pay(blue), None)
        return pay(blue)

    engine = Engine(flow)
    engine.happen(events.UpdateReceived(update_id="u", name="pay", payload=raw({})))
    engine.cancel("enough")
    engine.record(
        events.RunCancelRequested(reason="enough, really"),
        events.UpdateAnswered(update_id="u", failure=Failure(message="the run was cancelled")),
        events.RunEnded(state=RunState.FAILED, reason="enough"),
    )
    assert replayed(engine) == ()


def test_a_failure_on_record_does_not_fit_code_that_returns() -> None:
    def fails(blue: Blue) -> Any:
        raise ValueError(call(blue, "a"))

    engine = Engine(fails)
    engine.complete("a#0")
    said = misfit(engine, lambda blue: call(blue, "a"))
    assert "the history has the failure of the run" in said
    assert "has returned" in said


def test_a_run_that_was_ended_from_outside_fits_code_that_has_returned_by_then() -> None:
    engine = Engine(lambda blue: call(blue, "a"))
    engine.record(engine.come("a#0"), events.RunEnded(state=RunState.FAILED, reason="it was cancelled again"))
    assert replayed(engine) == ()


def test_what_the_code_asks_for_instead_is_of_the_kind_of_what_is_recorded() -> None:
    engine = Engine(lambda blue: call(blue, "b", "then"))

    def today(blue: Blue) -> Any:
        return gather(blue.timer(HOUR), blue.call("a", ["beside"], {}), blue.call("b", ["now"], {}))

    assert 'asks for activity b with ("now") instead' in misfit(engine, today)
