"""One workflow, told its history fact by fact: what it asks for, and what it gets to hear."""

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.authoring.blue import Blue
from orchestrator.core import activations as asks
from orchestrator.core import events, values
from orchestrator.exceptions import ActivityError
from orchestrator.names import RunState
from tests.replay.engine import Engine, call, gather, raw


def result(engine: Engine) -> Any:
    assert engine.ended is not None, engine.blocked or engine.open
    assert engine.ended.state is RunState.SUCCESS, engine.ended.reason
    return values.decode(engine.ended.result)


def test_a_call_is_asked_for_once_and_its_result_is_handed_back() -> None:
    engine = Engine(lambda blue: call(blue, "a", 1, x=2))
    assert [type(command) for command in engine.commands] == [asks.Call]
    engine.activate()
    assert len(engine.commands) == 1
    engine.complete("a#0")
    assert result(engine) == ["a", 1]
    assert len(engine.commands) == 2


def test_async_code_runs_by_the_same_means() -> None:
    async def inner(blue: Blue, number: int) -> Any:
        return await blue.call("a", [number], {})

    async def flow(blue: Blue) -> Any:
        beside = blue.spawn("beside", lambda: inner(blue, 2))
        return [await inner(blue, 1), await beside]

    engine = Engine(flow)
    engine.complete("a#1")
    engine.complete("a#0")
    assert result(engine) == [["a", 1], ["a", 2]]


def test_calls_side_by_side_may_end_in_any_order() -> None:
    engine = Engine(lambda blue: gather(blue.call("a", [1], {}), blue.call("b", [2], {}), blue.call("a", [3], {})))
    engine.complete("a#1")
    engine.complete("b#0", "a#0")
    assert result(engine) == [["a", 1], ["b", 2], ["a", 3]]


def test_a_failed_activity_is_an_error_that_the_code_can_catch() -> None:
    def flow(blue: Blue) -> Any:
        try:
            call(blue, "a")
        except ActivityError as error:
            return [error.activity_id, error.cause, error.retryable, error.was(KeyError), error.was("KeyError")]

    def answer(name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        raise KeyError("order")

    engine = Engine(flow, answer=answer)
    engine.complete("a#0")
    assert result(engine) == ["a", "'order'", True, False, True]


def test_an_uncaught_error_fails_the_run_with_the_authors_line() -> None:
    def flow(blue: Blue) -> None:
        raise RuntimeError("no stock")

    engine = Engine(flow)
    (said,) = engine.commands
    assert isinstance(said, asks.Raise)
    assert said.failure.message == "RuntimeError: no stock"
    assert said.failure.where is not None
    assert said.failure.where.startswith("test_machine.py:")
    assert said.failure.types[0] == "builtins.RuntimeError"
    assert said.failure.frames[-1].endswith('raise RuntimeError("no stock")')


def test_a_timer_rings_after_its_delay() -> None:
    def flow(blue: Blue) -> Any:
        before = blue.now()
        blue.timer(timedelta(days=3)).result()
        return [before, blue.now()]

    engine = Engine(flow)
    began = engine.history[1].at
    assert engine.timers == {"timer-1": began + timedelta(days=3)}
    engine.complete("timer-1")
    assert result(engine) == [began, engine.history[-2].at]


def test_a_run_that_lost_its_process_goes_on_where_it_was() -> None:
    def flow(blue: Blue) -> Any:
        first = call(blue, "a", 1)
        return [first, *gather(blue.call("b", [2], {}), blue.call("c", [3], {}))]

    engine = Engine(flow)
    while engine.ended is None:
        engine.reload()
        assert engine.machine.advance() == ()
        engine.complete(next(iter(engine.open)))
    assert result(engine) == [["a", 1], ["b", 2], ["c", 3]]


def test_wait_any_goes_on_with_the_first_that_comes() -> None:
    def flow(blue: Blue) -> Any:
        slow, timer = blue.call("a", [], {}), blue.timer(timedelta(hours=1))
        blue.wait_for(slow, timer)
        if not slow.done():
            slow.cancel()
            return "too late"
        return "in time"

    engine = Engine(flow)
    engine.complete("timer-1")
    assert result(engine) == "too late"
    assert asks.CancelCall(task_id="a", map_index=0) in engine.commands


def test_a_condition_is_looked_at_whenever_something_has_come() -> None:
    def flow(blue: Blue) -> Any:
        seen: list[Any] = []
        blue.on("signal", "add", seen.append, None)
        return [blue.wait_until(lambda: len(seen) > 1, timedelta(hours=1)), seen]

    engine = Engine(flow)
    engine.signal("add", 1)
    assert engine.ended is None
    engine.signal("add", 2)
    assert result(engine) == [True, [1, 2]]
    assert asks.CancelTimer(timer_id="timer-1") in engine.commands


def test_a_condition_gives_up_when_the_time_has_run_out() -> None:
    engine = Engine(lambda blue: blue.wait_until(lambda: False, timedelta(hours=1)))
    engine.complete("timer-1")
    assert result(engine) is False


def test_strands_stir_each_others_conditions() -> None:
    def flow(blue: Blue) -> Any:
        state = {"steps": 0}

        def step(number: int) -> None:
            blue.wait_until(lambda: state["steps"] == number, None)
            state["steps"] += 1

        futures = [blue.spawn(f"step {number}", lambda number=number: step(number)) for number in (2, 1, 0)]
        gather(*futures)
        return state["steps"]

    assert result(Engine(flow)) == 3


def test_a_large_input_and_a_large_result_go_to_the_payload_store() -> None:
    text = "x" * 70_000

    engine = Engine(lambda blue: call(blue, "a", text)[1])
    (asked,) = engine.commands
    assert isinstance(asked, asks.Call)
    assert asked.payload is not None
    engine.reload()
    engine.complete("a#0")
    assert engine.ended is not None
    assert engine.ended.payload is not None
    assert values.decode(engine.payloads.load(engine.ended.payload)) == text
    assert len(engine.payloads.kept) == 2


def test_a_signal_waits_until_it_is_taken() -> None:
    def flow(blue: Blue) -> Any:
        taken = []
        for _ in range(2):
            blue.wait_until(lambda: blue.has_signal("go"), None)
            taken.append(blue.take_signal("go"))
        return [*taken, blue.take_signal("go")]

    engine = Engine(flow)
    engine.happen(*(events.SignalReceived(name="go", payload=raw(number)) for number in (1, 2)))
    assert result(engine) == [(True, 1), (True, 2), (False, None)]


@pytest.mark.parametrize("order", [("early", "late"), ("late", "early")])
def test_what_comes_in_one_go_is_delivered_in_the_order_of_seq(order: tuple[str, str]) -> None:
    def flow(blue: Blue) -> Any:
        heard: list[str] = []
        blue.on("signal", "s", heard.append, None)
        call(blue, "a")
        return heard

    engine = Engine(flow)
    engine.happen(*(events.SignalReceived(name="s", payload=raw(name)) for name in order), engine.come("a#0"))
    assert result(engine) == list(order)
