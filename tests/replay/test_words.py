"""What a run is told and asked while it runs, what it records at once, its children, and how it begins anew."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest

from orchestrator.authoring.blue import Blue
from orchestrator.core import activations as asks
from orchestrator.core import events, values
from orchestrator.core.events import AnyEvent, Recorded
from orchestrator.core.particulars import Origin
from orchestrator.exceptions import ChildError, DeliveryError, NotFoundError, UsageError
from orchestrator.names import BlockKind, ParentClose, RunState
from tests.replay.engine import FIRST, START, Engine, call, raw
from tests.replay.test_machine import result


def answers(engine: Engine) -> list[asks.AnswerUpdate]:
    return [command for command in engine.commands if isinstance(command, asks.AnswerUpdate)]


def update(name: str, payload: Any, update_id: str = "u1") -> events.UpdateReceived:
    return events.UpdateReceived(update_id=update_id, name=name, payload=raw(payload))


# ── signals ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_function_is_handed_the_signals_that_came_before_it_was_there() -> None:
    heard: list[Any] = []

    def flow(blue: Blue) -> Any:
        call(blue, "a")
        blue.on("signal", "s", heard.append, None)
        return call(blue, "b")

    engine = Engine(flow)
    engine.signal("s", 1)
    engine.complete("a#0")
    engine.signal("s", 2)
    assert heard == [1, 2]


def test_a_function_of_a_signal_may_wait_and_be_async() -> None:
    def flow(blue: Blue) -> Any:
        done: list[Any] = []

        async def on_signal(payload: Any) -> None:
            done.append(await blue.call("a", [payload], {}))

        blue.on("signal", "s", on_signal, None)
        blue.wait_until(lambda: len(done) == 2, None)
        return done

    engine = Engine(flow)
    engine.signal("s", 1)
    engine.signal("s", 2)
    engine.complete("a#1")
    engine.complete("a#0")
    assert result(engine) == [["a", 2], ["a", 1]]


def test_a_signal_that_does_not_fit_blocks_until_the_code_is_mended() -> None:
    def flow(blue: Blue) -> Any:
        def on_signal(payload: Any) -> None:
            raise UsageError("signal 's': expected int, got str")

        blue.on("signal", "s", on_signal, None)
        return call(blue, "a")

    engine = Engine(flow)
    engine.signal("s", "x")
    assert engine.blocked is not None
    assert engine.blocked.kind is BlockKind.ENCODING
    assert "signal 's' does not fit what takes it: signal 's': expected int" in engine.blocked.message


def test_a_payload_that_cannot_be_read_blocks_the_run_and_refuses_the_update() -> None:
    unreadable = msgspec.Raw(b'{"__type__":"of tomorrow","value":1}')
    engine = Engine(with_updates)
    engine.happen(events.UpdateReceived(update_id="u1", name="limit", payload=unreadable))
    (answer,) = answers(engine)
    assert answer.failure is not None
    assert "'of tomorrow'" in answer.failure.message
    engine.happen(events.SignalReceived(name="s", payload=unreadable))
    assert engine.blocked is not None
    assert engine.blocked.message.startswith("signal 's' carries what cannot be read")


def test_an_error_in_the_function_of_a_signal_fails_the_run() -> None:
    def flow(blue: Blue) -> Any:
        blue.on("signal", "s", lambda payload: payload["missing"], None)
        return call(blue, "a")

    engine = Engine(flow)
    engine.signal("s", {})
    assert engine.ended is not None
    assert engine.ended.reason == "KeyError: 'missing'"


@pytest.mark.parametrize(("run_id", "expected"), [("r2", "sent"), ("nobody", "there is no such run")])
def test_a_signal_to_another_run_tells_whether_it_was_delivered(run_id: str, expected: str) -> None:
    def flow(blue: Blue) -> Any:
        try:
            blue.signal("other", run_id, "go", {"x": 1}).result()
        except DeliveryError as error:
            return str(error)
        return "sent"

    assert result(Engine(flow)) == expected


# ── updates and queries ──────────────────────────────────────────────────────────────────────────────────


def with_updates(blue: Blue) -> Any:
    limit = {"now": 1}

    def change(payload: Any) -> Any:
        before, limit["now"] = limit["now"], payload["to"]
        call(blue, "a", before)
        return {"before": before}

    def check(payload: Any) -> None:
        if payload["to"] < 0:
            raise ValueError("a limit is not below 0")

    blue.on("update", "limit", change, check)
    blue.on("query", "limit", lambda _: limit["now"], None)
    call(blue, "b")
    return limit["now"]


def test_an_update_is_checked_carried_out_and_answered() -> None:
    engine = Engine(with_updates)
    engine.happen(update("limit", {"to": 5}))
    assert answers(engine) == []
    engine.complete("a#0")
    (answer,) = answers(engine)
    assert values.decode(answer.result) == {"before": 1}
    engine.reload()
    assert engine.machine.advance() == ()
    assert engine.machine.query("limit", {}) == 5


def test_an_update_that_its_validator_refuses_changes_nothing() -> None:
    engine = Engine(with_updates)
    engine.happen(update("limit", {"to": -1}))
    (answer,) = answers(engine)
    assert answer.failure is not None
    assert answer.failure.message == "ValueError: a limit is not below 0"
    assert engine.machine.query("limit", {}) == 1


def test_an_update_that_nobody_takes_is_refused_and_told_what_there_is() -> None:
    engine = Engine(with_updates)
    engine.happen(update("limits", {}))
    (answer,) = answers(engine)
    assert answer.failure is not None
    assert "no update 'limits'; did you mean 'limit'?; it has limit" in answer.failure.message


def test_an_update_that_is_open_when_the_workflow_ends_is_answered() -> None:
    engine = Engine(with_updates)
    engine.happen(update("limit", {"to": 5}))
    engine.complete("b#0")
    (answer,) = answers(engine)
    assert answer.failure is not None
    assert "ended before it had answered" in answer.failure.message
    assert isinstance(engine.commands[-1], asks.Return)


def test_a_validator_only_reads() -> None:
    def flow(blue: Blue) -> Any:
        blue.on("update", "u", lambda _: None, lambda _: call(blue, "b"))
        return call(blue, "a")

    engine = Engine(flow)
    engine.happen(update("u", {}))
    (answer,) = answers(engine)
    assert answer.failure is not None
    assert answer.failure.message.startswith("the validator of an update only reads")
    assert engine.counts == {"a": 1}


def test_a_query_that_asks_for_anything_is_refused_and_harms_nothing() -> None:
    def flow(blue: Blue) -> Any:
        blue.on("query", "bad", lambda _: call(blue, "b"), None)
        blue.on("query", "random", lambda _: blue.random().random(), None)
        call(blue, "a")
        return blue.random().random()

    engine = Engine(flow)
    with pytest.raises(UsageError, match="query 'bad' only reads: it may not start"):
        engine.machine.query("bad", {})
    assert engine.machine.query("random", {}) == engine.machine.query("random", {})
    engine.complete("a#0")
    assert result(engine) == Random("uid-1/0").random()


def test_a_query_may_be_async_and_is_answered_after_the_end_too() -> None:
    async def answer(payload: Any) -> Any:
        return payload["x"] + 1

    def flow(blue: Blue) -> None:
        blue.on("query", "q", answer, None)

    engine = Engine(flow)
    assert engine.machine.query("q", {"x": 1}) == 2
    with pytest.raises(NotFoundError, match=r"no query 'p'.*it has q"):
        engine.machine.query("p", {})


# ── what is recorded at once ─────────────────────────────────────────────────────────────────────────────


def test_a_value_is_made_once_and_handed_back_from_the_history() -> None:
    made: list[int] = []

    def flow(blue: Blue) -> Any:
        def make() -> int:
            made.append(len(made))
            return made[-1]

        first = blue.value("n", make)
        call(blue, "a", first)
        return [first, blue.value("n", make)]

    engine = Engine(flow)
    engine.reload()
    engine.complete("a#0")
    assert result(engine) == [0, 1]
    for size in range(1, len(engine.history)):
        replayed = engine.new_machine()
        for start in range(0, len(engine.history), size):
            replayed.tell(engine.history[start : start + size])
        assert replayed.advance() == ()
    assert made == [0, 1]


def test_what_makes_a_value_may_run_an_event_loop_of_its_own() -> None:
    async def made_elsewhere() -> str:
        await asyncio.sleep(0)
        return "made"

    async def flow(blue: Blue) -> Any:
        return blue.value("n", lambda: asyncio.run(made_elsewhere()))

    assert result(Engine(flow)) == "made"


def test_what_makes_a_value_asks_for_nothing() -> None:
    engine = Engine(lambda blue: blue.value("n", lambda: call(blue, "a")))
    assert engine.ended is not None
    assert engine.ended.reason.startswith("what gives the value 'n' only reads")


def patched_flow(blue: Blue) -> Any:
    if blue.patched("audit"):
        call(blue, "audit")
    call(blue, "a")
    return blue.patched("audit")


def plain_flow(blue: Blue) -> Any:
    call(blue, "a")
    return False


@pytest.mark.parametrize("stop", [2, 3, 4])
def test_patched_code_takes_the_old_way_in_a_run_that_is_past_it(stop: int) -> None:
    engine = Engine(plain_flow, activities=("a", "audit"))
    engine.record(engine.come("a#0"))
    machine = engine.new_machine(patched_flow, version=2)
    machine.tell(engine.history[:stop])
    commands = machine.advance()
    names = [command.task_id for command in commands if isinstance(command, asks.Call)]
    assert names == (["audit"] if stop == 2 else [])
    assert any(isinstance(command, asks.MarkVersion) for command in commands) is (stop == 2)


def test_patched_code_takes_the_new_way_where_the_run_has_not_got_there_and_keeps_to_it() -> None:
    engine = Engine(patched_flow, activities=("a", "audit"))
    assert [type(command) for command in engine.commands] == [asks.MarkVersion, asks.Call]
    engine.reload()
    engine.complete("audit#0")
    engine.reload()
    engine.complete("a#0")
    assert result(engine) is True


# ── children ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_child_that_fails_is_an_error_with_its_reason() -> None:
    def flow(blue: Blue) -> Any:
        try:
            return blue.child("other", {"x": 1}, run_id="mine", close=ParentClose.ABANDON).result()
        except ChildError as error:
            return [str(error), error.dag_id, error.run_id, error.reason]

    engine = Engine(flow)
    (asked,) = engine.commands
    assert isinstance(asked, asks.StartChild)
    assert (asked.child_id, asked.run_id, asked.close, bytes(asked.conf)) == ("other-1", "mine", "abandon", b'{"x":1}')
    engine.happen(events.ChildEnded(child_id="other-1", state=RunState.FAILED, reason="no stock"))
    assert result(engine) == ["child run other other-1 has failed: no stock", "other", "other-1", "no stock"]


# ── beginning anew ───────────────────────────────────────────────────────────────────────────────────────


def rounds(blue: Blue, turn: int = 0, drawn: Sequence[float] = ()) -> Any:
    drawn = [*drawn, blue.random().random()]
    blue.timer(timedelta(seconds=1)).result()
    if turn < 2:
        blue.continue_as_new([turn + 1], {"drawn": drawn})
    return [drawn, blue.take_signal("s"), blue.take_signal("s")]


def test_code_begins_anew_with_other_input_and_the_signals_that_nobody_took() -> None:
    engine = Engine(rounds)
    engine.signal("s", "kept")
    engine.run_all()
    drawn, first, second = result(engine)
    assert len(set(drawn)) == 3
    assert (first, second) == ((True, "kept"), (False, None))
    assert list(engine.timers) == ["timer-1", "timer-1.1", "timer-2.1"]


def hasty(blue: Blue, turn: int = 0) -> Any:
    """In its first rounds it takes nothing, or waits for nothing that takes something."""
    heard: list[Any] = []
    if turn == 0:
        blue.timer(timedelta(seconds=1)).result()
    else:
        blue.on("signal", "s", heard.append, None)
    if turn < 3:
        blue.continue_as_new([turn + 1], {})
    blue.timer(timedelta(seconds=1)).result()
    return heard


def test_a_signal_whose_function_has_not_begun_is_carried_on_however_often_the_code_begins_anew() -> None:
    engine = Engine(hasty)
    engine.signal("s", 1)
    engine.signal("s", 2)
    engine.run_all()
    assert result(engine) == [1, 2]


def test_a_signal_that_its_function_has_taken_is_not_carried_on() -> None:
    def flow(blue: Blue, heard: Sequence[Any] = (), *, is_last: bool = False) -> Any:
        taken = list(heard)
        blue.on("signal", "s", taken.append, None)
        blue.timer(timedelta(seconds=1)).result()
        return taken if is_last else blue.continue_as_new([taken], {"is_last": True})

    engine = Engine(flow)
    engine.signal("s", 1)
    engine.run_all()
    assert result(engine) == [1]


def test_a_run_that_began_anew_is_replayed_from_there_or_from_the_start() -> None:
    engine = Engine(rounds)
    engine.signal("s", "kept")
    engine.run_all()
    starts = [0, *(n for n, fact in enumerate(engine.history) if isinstance(fact.event, events.RunContinued))]
    assert len(starts) == 3
    for start in starts:
        machine = engine.new_machine()
        machine.tell(engine.history[start:-1])
        (ending,) = machine.advance()
        assert isinstance(ending, asks.Return)
        assert engine.ended is not None
        assert bytes(ending.result) == bytes(engine.ended.result)


def test_code_that_does_not_begin_anew_where_the_history_did_is_blocked() -> None:
    engine = Engine(rounds)
    engine.run_all()
    machine = engine.new_machine(lambda blue: blue.timer(timedelta(1)).result(), version=2)
    machine.tell(engine.history)
    (block,) = machine.advance()
    assert isinstance(block, asks.Block)
    assert "the history has the workflow began anew, at seq" in block.message


def test_a_loop_is_long_after_five_thousand_facts_and_not_before() -> None:
    def flow(blue: Blue, turns: int = 0) -> Any:
        while not blue.is_long():
            blue.timer(timedelta(seconds=1)).result()
            turns += 1
        blue.continue_as_new([turns], {})

    engine = Engine(flow)
    while not any(isinstance(command, asks.Continue) for command in engine.commands):
        engine.complete(next(iter(engine.open)))
    began = next(fact.seq for fact in engine.history if isinstance(fact.event, events.RunContinued))
    assert 5_000 < began < 5_010


def test_a_forked_run_draws_the_numbers_of_the_run_that_it_comes_from() -> None:
    origin = Origin(run_uid="uid-0", at=START - timedelta(days=1))
    created = events.RunCreated(
        **{name: getattr(FIRST[0], name) for name in ("dag_id", "run_id", "run_uid", "run_type")},
        version_id=1,
        fingerprint="f",
        origin=origin,
    )
    engine = Engine(lambda blue: [blue.now(), blue.random().random()], first=[created])
    assert result(engine) == [origin.at, Random("uid-0/0").random()]


def test_the_code_knows_which_run_it_is_and_whether_it_replays() -> None:
    engine = Engine(lambda blue: [blue.run.dag_id, blue.run.is_replaying])
    assert result(engine) == ["flow", False]


def numbered(*happened: AnyEvent) -> list[Recorded]:
    return [Recorded(seq, START, event) for seq, event in enumerate(happened, 1)]


def test_the_largest_history_is_read_in_portions_and_kept_in_none() -> None:
    def flow(blue: Blue) -> int:
        total = 0
        for number in range(3_000):
            total += call(blue, "a", number)
        return total

    engine = Engine(flow, answer=lambda name, args, kwargs: args[0])
    engine.run_all()
    assert result(engine) == sum(range(3_000))
    machine = engine.new_machine()
    for start in range(0, len(engine.history), 1_000):
        machine.tell(engine.history[start : start + 1_000])
        assert held(machine) < 10
    assert machine.advance() == ()


def held(machine: Any) -> int:
    """How many things a machine keeps in mind."""
    ledger = machine._episode.ledger
    return sum(map(len, (ledger.open, ledger.waiting, ledger._pending, ledger._unclaimed, ledger._unsent)))
