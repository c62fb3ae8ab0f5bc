"""How code ends other than by returning: cancelled, given up, blocked, interrupted, evicted."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.authoring.blue import Blue
from orchestrator.core import activations as asks
from orchestrator.core import events
from orchestrator.core.particulars import Failure
from orchestrator.exceptions import (
    ActivityError,
    ConflictError,
    QuarantineError,
    UsageError,
    ValueEncodingError,
    WorkflowCancelled,
    WorkflowError,
)
from orchestrator.names import BlockKind, ParentClose, TaskState
from orchestrator.replay import Machine
from tests.replay.engine import FIRST, Engine, call, gather, raw
from tests.replay.test_machine import result

HOUR = timedelta(hours=1)


def blocked(function: Callable[..., Any], kind: BlockKind) -> asks.Block:
    engine = Engine(function)
    (block,) = engine.commands
    assert isinstance(block, asks.Block)
    assert block.kind is kind
    return block


def raised(engine: Engine) -> asks.Raise:
    said = engine.commands[-1]
    assert isinstance(said, asks.Raise)
    return said


# ── cancellation ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_cancelled_run_hears_it_at_its_wait_and_ends_cancelled() -> None:
    engine = Engine(lambda blue: call(blue, "a"))
    engine.cancel("by hand")
    assert raised(engine).cancelled
    assert "by hand" in raised(engine).failure.message


def test_every_strand_hears_of_the_cancellation_once() -> None:
    heard: list[str] = []

    def strand(blue: Blue, name: str) -> None:
        try:
            call(blue, "a", name)
        except WorkflowCancelled:
            heard.append(name)
            call(blue, "b", name)
            raise

    def flow(blue: Blue) -> None:
        try:
            gather(*(blue.spawn(name, lambda name=name: strand(blue, name)) for name in "xy"))
        except WorkflowCancelled:
            heard.append("main")
            call(blue, "c")
            raise

    engine = Engine(flow)
    engine.cancel()
    assert heard == ["main", "x", "y"]
    assert sorted(engine.open) == ["b#0", "b#1", "c#0"]
    engine.reload()
    assert engine.machine.advance() == ()
    engine.complete("b#1", "c#0")
    assert raised(engine).cancelled


def test_code_may_return_although_it_was_cancelled() -> None:
    def flow(blue: Blue) -> str:
        try:
            call(blue, "a")
        except WorkflowCancelled:
            return call(blue, "b")[0]
        return "never"

    engine = Engine(flow)
    engine.cancel()
    engine.complete("b#0")
    assert result(engine) == "b"


def test_a_shielded_stretch_of_code_hears_of_the_cancellation_when_it_is_over() -> None:
    def flow(blue: Blue) -> str:
        before = blue.shielded(True)
        done = call(blue, "a")
        blue.shielded(before)
        call(blue, "b")
        return str(done)

    engine = Engine(flow)
    assert isinstance(engine.commands[0], asks.Call)
    assert engine.commands[0].shielded
    engine.cancel()
    assert engine.ended is None
    engine.complete("a#0")
    assert raised(engine).cancelled
    assert engine.counts == {"a": 1}


def test_what_was_open_and_not_shielded_is_over_for_shielded_code_too() -> None:
    def flow(blue: Blue) -> Any:
        started, timer = blue.call("a", [], {}), blue.timer(HOUR)
        blue.shielded(True)
        return [str(started.exception()), str(timer.exception())]

    engine = Engine(flow)
    engine.cancel("enough")
    assert result(engine) == ["activity a was cancelled", "the run was cancelled: enough"]


def test_a_strand_that_was_given_up_ends_alone() -> None:
    def flow(blue: Blue) -> Any:
        beside = blue.spawn("beside", lambda: call(blue, "a"))
        blue.timer(HOUR).result()
        beside.cancel()
        return [type(beside.exception()).__name__, str(beside.exception())]

    engine = Engine(flow)
    engine.complete("timer-1")
    assert result(engine) == ["WorkflowError", "beside was cancelled"]


def test_a_call_that_is_given_up_before_it_is_on_record_is_ended_once_it_is() -> None:
    def flow(blue: Blue) -> Any:
        given_up = blue.call("a", [], {})
        given_up.cancel()
        with pytest.raises(ActivityError, match="cancelled") as found:
            given_up.result()
        call(blue, "b")
        return found.value.kind

    engine = Engine(flow)
    engine.complete("b#0")
    assert asks.CancelCall(task_id="a", map_index=0) in engine.commands
    assert result(engine) == "cancelled"


def test_a_child_is_cancelled_once_although_its_code_is_replayed() -> None:
    def flow(blue: Blue) -> Any:
        child = blue.child("other", {}, run_id=None, close=ParentClose.CANCEL)
        call(blue, "a")
        child.cancel()
        return child.result()

    engine = Engine(flow)
    engine.complete("a#0")
    assert engine.commands.count(asks.CancelChild(child_id="other-1")) == 1
    engine.reload()
    assert engine.machine.advance() == ()
    engine.complete("other-1")
    assert result(engine) == "other done"


def test_a_strand_that_is_unfinished_when_the_workflow_returns_is_dropped() -> None:
    def flow(blue: Blue) -> str:
        blue.spawn("beside", lambda: call(blue, "a"))
        call(blue, "b")
        return "done"

    engine = Engine(flow)
    engine.complete("b#0")
    assert result(engine) == "done"


# ── what cannot be recorded ──────────────────────────────────────────────────────────────────────────────


def test_an_argument_that_cannot_be_recorded_is_an_error_at_the_authors_line() -> None:
    def flow(blue: Blue) -> Any:
        try:
            call(blue, "a", 1, order=object())
        except ValueEncodingError as error:
            return str(error)

    assert result(Engine(flow)).startswith("argument 'order' of a is an object, which cannot be recorded")


def test_an_argument_that_cannot_be_recorded_blocks_the_run_if_nobody_minds_it() -> None:
    block = blocked(lambda blue: blue.call("a", [{1, object()}], {}), BlockKind.ENCODING)
    assert block.message.startswith("argument 1 of a{…} is an object")
    assert (block.where or "").startswith("test_ends.py:")


def test_a_result_that_cannot_be_recorded_blocks_the_run() -> None:
    block = blocked(lambda blue: {"rows": [object()]}, BlockKind.ENCODING)
    assert "result['rows'][0] is an object" in block.message


def test_a_refused_side_effect_blocks_the_run() -> None:
    def flow(blue: Blue) -> None:
        raise QuarantineError("it opens a socket", file="flow.py", line=3)

    assert blocked(flow, BlockKind.QUARANTINE).message == "flow.py:3: it opens a socket"


def test_an_activity_that_the_workflow_does_not_have_is_an_error_that_names_the_nearest() -> None:
    engine = Engine(lambda blue: call(blue, "chrge"), activities=("charge", "ship"))
    assert "did you mean 'charge'?" in raised(engine).failure.message


# ── foreign and stuck code ───────────────────────────────────────────────────────────────────────────────


async def _sleeps(blue: Blue) -> None:
    await asyncio.sleep(1)


async def _yields(blue: Blue) -> None:
    await asyncio.sleep(0)


async def _deep(blue: Blue) -> None:
    await _yields(blue)


async def _swallows(blue: Blue) -> Any:
    try:
        await asyncio.sleep(1)
    except BaseException:
        return await blue.call("a", [], {})


@pytest.mark.parametrize("flow", [_sleeps, _yields, _deep, _swallows])
def test_awaiting_something_foreign_blocks_with_its_name_and_line(flow: Callable[[Blue], Any]) -> None:
    block = blocked(flow, BlockKind.FOREIGN)
    assert "the code awaits asyncio.sleep, which cannot be replayed" in block.message
    assert (block.where or "").startswith("test_ends.py:")


async def _groups(blue: Blue) -> None:
    async with asyncio.TaskGroup():
        await blue.call("a", [], {})


def _runs_a_loop(blue: Blue) -> None:
    asyncio.run(_yields(blue))


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.parametrize(("flow", "name"), [(_groups, "TaskGroup"), (_runs_a_loop, "run")])
def test_what_of_asyncio_finds_no_loop_or_task_blocks_as_foreign(flow: Callable[[Blue], Any], name: str) -> None:
    block = blocked(flow, BlockKind.FOREIGN)
    assert f"the code awaits asyncio.{name}, which cannot be replayed" in block.message
    assert (block.where or "").startswith("test_ends.py:")


def test_awaiting_foreign_things_of_other_kinds_names_their_class() -> None:
    class Foreign:
        def __await__(self) -> Iterator[int]:
            yield 1

    async def flow(blue: Blue) -> None:
        await Foreign()  # type: ignore[misc]

    assert "awaits" in blocked(flow, BlockKind.FOREIGN).message


@contextmanager
def watched(machine: Machine, after: float = 0.1) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, lambda _, frame: machine.interrupt(0.1, frame))
    callbacks = gc.callbacks[:]  # of a test library: what is raised inside of them is swallowed with a warning
    gc.callbacks.clear()
    signal.setitimer(signal.ITIMER_REAL, after, 0.02)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.callbacks[:] = callbacks


def spins(blue: Blue) -> None:
    while True:
        sum(range(100))


def spins_and_catches(blue: Blue) -> None:
    while True:
        try:
            spins(blue)
        except BaseException:
            blue.now()
            call(blue, "a")


def starts_for_ever(blue: Blue) -> None:
    while True:
        blue.spawn("more", lambda: None).result()


def never_settles(blue: Blue) -> None:
    def again() -> None:
        blue.spawn("again", again)

    again()
    call(blue, "a")


def about_to(flow: Callable[[Blue], Any]) -> Engine:
    """An engine whose next activation runs the flow."""

    def late(blue: Blue) -> Any:
        call(blue, "b")
        return flow(blue)

    engine = Engine(late)
    engine.record(engine.come("b#0"))
    return engine


@pytest.mark.parametrize("flow", [spins, spins_and_catches, starts_for_ever, never_settles])
def test_code_that_never_comes_to_rest_is_interrupted_with_its_stack(flow: Callable[[Blue], Any]) -> None:
    engine = about_to(flow)
    with watched(engine.machine):
        engine.activate()
    block = engine.blocked
    assert block is not None
    assert block.kind is BlockKind.STUCK
    assert "has computed without waiting for anything" in block.message
    if flow is spins:
        assert any("in spins" in frame for frame in block.frames)


def test_code_may_be_interrupted_at_any_moment_and_leaves_nothing_behind() -> None:
    """What could not be cleaned up would be a warning, and so an error here.

    The collector waits meanwhile: what it calls belongs to others, and cannot be left by an error at all.
    """
    gc.collect()
    gc.disable()
    try:
        for number in range(300):
            engine = about_to(never_settles)
            with watched(engine.machine, after=0.001 + number * 0.00001):
                engine.activate()
            block = engine.blocked
            assert block is not None
            assert block.kind is BlockKind.STUCK
    finally:
        gc.enable()


def test_a_watchdog_sees_code_that_gets_on_and_code_that_does_not() -> None:
    seen: list[int] = []

    def flow(blue: Blue) -> Any:
        call(blue, "b")
        seen.append(engine.machine.steps)
        call(blue, "a")
        seen.append(engine.machine.steps)
        blue.spawn("beside", lambda: None).result()
        seen.append(engine.machine.steps)
        blue.call("a", [], {})
        seen.append(engine.machine.steps)
        call(blue, "a")

    engine = Engine(flow)
    engine.complete("b#0")
    engine.complete("a#0")
    first, second, third, fourth = seen
    assert first < second == third < fourth


def test_a_query_that_never_ends_is_interrupted_and_blocks_nobody() -> None:
    def flow(blue: Blue) -> Any:
        blue.on("query", "slow", lambda _: spins(blue), None)
        return call(blue, "a")

    engine = Engine(flow)
    with watched(engine.machine), pytest.raises(UsageError, match="in query 'slow'"):
        engine.machine.query("slow", {})
    engine.complete("a#0")
    assert result(engine) == ["a"]


def test_who_ends_the_process_does_not_end_the_run() -> None:
    def flow(blue: Blue) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Engine(flow)


def test_an_interrupt_while_none_of_the_code_runs_does_nothing() -> None:
    engine = Engine(lambda blue: call(blue, "a"))
    engine.machine.interrupt(1, sys._getframe())
    engine.complete("a#0")
    assert result(engine) == ["a"]


# ── eviction ─────────────────────────────────────────────────────────────────────────────────────────────


def test_code_is_ended_where_it_stands_and_cannot_go_on() -> None:
    seen: list[str] = []

    def flow(blue: Blue) -> None:
        try:
            call(blue, "a")
        except Exception:
            seen.append("an error")
        finally:
            seen.append("left")
            call(blue, "b")
            seen.append("went on")

    engine = Engine(flow)
    engine.machine.close()
    assert seen == ["left"]
    assert engine.machine.advance() == ()


def test_code_that_catches_everything_is_left_where_it_stands() -> None:
    def flow(blue: Blue) -> None:
        while True:
            try:
                call(blue, "a")
            except BaseException:
                continue

    engine = Engine(flow)
    engine.machine.close()
    assert engine.machine.advance() == ()


def test_a_blocked_run_answers_no_query() -> None:
    engine = Engine(lambda blue: object())
    with pytest.raises(ConflictError, match="blocked"):
        engine.machine.query("state", {})


def test_a_machine_is_told_each_fact_once() -> None:
    engine = Engine(lambda blue: call(blue, "a"))
    with pytest.raises(ConflictError, match="tell it once"):
        engine.machine.tell(engine.history[:1])


def test_a_machine_that_knows_no_beginning_says_so() -> None:
    with pytest.raises(UsageError, match="from RunCreated on"):
        Engine(lambda blue: None, first=()).machine.advance()


# ── attempts ─────────────────────────────────────────────────────────────────────────────────────────────


def completed(attempt: int, value: Any) -> events.ActivityCompleted:
    return events.ActivityCompleted(task_id="a", map_index=0, attempt=attempt, result=raw(value))


def failed(attempt: int, *, again: bool) -> events.ActivityFailed:
    return events.ActivityFailed(
        task_id="a",
        map_index=0,
        attempt=attempt,
        failure=Failure(message="no"),
        retry_at=Engine(lambda blue: None).now if again else None,
    )


def test_only_the_outcome_that_counts_is_heard() -> None:
    engine = Engine(lambda blue: call(blue, "a"))
    engine.happen(
        events.ActivityScheduled(task_id="a", map_index=0, attempt=1),
        events.ActivityLost(task_id="a", map_index=0, attempt=1, reason="its worker died"),
        completed(1, "late"),
        events.ActivityScheduled(task_id="a", map_index=0, attempt=2),
        failed(2, again=True),
        events.ActivityScheduled(task_id="a", map_index=0, attempt=3),
        failed(2, again=False),
        completed(3, "in time"),
        completed(3, "twice"),
    )
    assert result(engine) == "in time"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (events.ActivitySkipped(task_id="a", map_index=0, attempt=1), None),
        (events.ActivityMarked(task_id="a", map_index=0, state=TaskState.SUCCESS), None),
        (
            events.ActivityMarked(task_id="a", map_index=0, state=TaskState.FAILED, by="me"),
            "was marked as failed by me",
        ),
        (events.OutcomeResolved(task_id="a", map_index=0, state=TaskState.SUCCESS, result=raw(5)), 5),
        (events.OutcomeResolved(task_id="a", map_index=0, state=TaskState.FAILED), "was resolved as failed"),
        (failed(1, again=False), "failed at attempt 1: no"),
    ],
)
def test_what_a_person_says_is_an_outcome(event: events.AnyEvent, expected: Any) -> None:
    def flow(blue: Blue) -> Any:
        try:
            return call(blue, "a")
        except WorkflowError as error:
            return str(error).removeprefix("activity a ")

    engine = Engine(flow)
    engine.happen(event)
    assert result(engine) == expected


def test_a_run_begins_at_its_start_and_hears_then_what_came_before() -> None:
    def flow(blue: Blue) -> Any:
        now = blue.now()
        return [now, blue.wait_until(lambda: blue.has_signal("go"), None), blue.now()]

    engine = Engine(flow, first=[FIRST[0], events.SignalReceived(name="go"), FIRST[1]])
    began = engine.history[2].at
    assert result(engine) == [began, True, began]


def test_a_history_of_a_successful_run_whose_code_waits_now_does_not_fit() -> None:
    engine = Engine(lambda blue: None)
    machine = engine.new_machine(lambda blue: blue.timer(HOUR).result(), version=2)
    machine.tell(engine.history)
    (block,) = machine.advance()
    assert isinstance(block, asks.Block)
    assert "the end of the run, which was successful" in block.message
    assert "the code of version 2 waits for something else" in block.message


def test_both_sides_of_what_does_not_fit_are_shown_with_line_and_versions() -> None:
    engine = Engine(lambda blue: call(blue, "a", 1001, customer="x"), activities=("a", "audit"))
    engine.history.append(
        events.Recorded(len(engine.history) + 1, engine.now, events.RunMoved(version_id=5, fingerprint="g"))
    )
    machine = engine.new_machine(lambda blue: blue.call("audit", ["x" * 300], {}).result(), version=5)
    machine.tell(engine.history)
    (block,) = machine.advance()
    assert isinstance(block, asks.Block)
    assert block.kind is BlockKind.NON_DETERMINISM
    assert block.message.startswith(
        'the history has activity a #0 with (1001, customer="x"), at seq 3, recorded by version 1; '
        'the code of version 5 asks for activity audit with ("xxx'
    )
    assert f"instead ({block.where}); " in block.message
    assert (block.where or "").startswith("test_ends.py:")
    assert machine.advance() == ()
