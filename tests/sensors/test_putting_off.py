"""Attempts that are put off until a moment, under a simulated clock and with crashes in between."""

from datetime import timedelta
from itertools import count

import msgspec
import pytest

from orchestrator.core.events import (
    ActivityDeferred,
    ActivityFailed,
    ActivityResumed,
    ActivityScheduled,
    Recorded,
    RunEnded,
)
from orchestrator.core.orders import Order
from orchestrator.core.plan import Plan
from orchestrator.core.requests import CancelRun, ClearTasks, PauseRun, ResetRun, ResumeRun
from orchestrator.core.runs import replay
from orchestrator.core.spec import DagSpec, RetrySpec, TaskSpec
from orchestrator.names import RunState, TaskState
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.simulation import Simulation

LATER = b'{"at":"2026-01-01T00:00:00+00:00","method":"go_on","kwargs":{},"timed_out":false}'


def a_sensor(**settings) -> DagSpec:
    return DagSpec(dag_id="d", file="d.py", tasks=(TaskSpec(task_id="wait", **settings),))


class Pokes:
    """The script of a sensor that is put off ``times`` times, and what its orders said."""

    def __init__(self, times: int, *, again: float = 60.0, trigger: bytes = b"null", last: str = "success") -> None:
        self.times = times
        self.again = again
        self.trigger = trigger
        self.last = last
        self.orders: list[Order] = []

    def __call__(self, order: Order) -> Script:
        self.orders.append(order)
        done = order.pokes >= self.times if self.trigger == b"null" else order.resume is not None
        if done:
            return Script(outcome=self.last)
        return Script(outcome="defer", result=self.trigger, again=self.again)


def started(pokes: Pokes, **options) -> Simulation:
    sim = Simulation(script=pokes, **options)
    sim.store.add_dag(a_sensor())
    sim.trigger("d")
    return sim


def facts(sim: Simulation) -> list[Recorded]:
    ((_, found),) = sim.histories()
    return list(found)


def events(sim: Simulation, kind: type) -> list:
    return [fact.event for fact in facts(sim) if isinstance(fact.event, kind)]


def state(sim: Simulation) -> TaskState:
    plan = lambda version: Plan(sim.store.spec(version), version)  # noqa: E731 - a line of the test's own
    return replay(1, facts(sim), plan).nodes["wait"].one.state


def end(sim: Simulation) -> RunState:
    return events(sim, RunEnded)[-1].state


def test_a_rescheduled_attempt_begins_again_at_its_moment_as_the_same_attempt():
    pokes = Pokes(3)
    sim = started(pokes)
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert [event.attempt for event in events(sim, ActivityScheduled)] == [1, 1, 1, 1]
    assert [order.pokes for order in pokes.orders] == [0, 1, 2, 3]
    assert pokes.orders[0].began_at is None
    assert {order.began_at for order in pokes.orders[1:]} == {pokes.orders[1].began_at}
    assert sim.clock.now() - EPOCH >= timedelta(seconds=180)


def test_between_two_pokes_it_is_up_for_reschedule_and_holds_no_worker():
    sim = started(Pokes(1, again=3600))
    sim.run(until=EPOCH + timedelta(minutes=10))
    assert state(sim) is TaskState.UP_FOR_RESCHEDULE
    assert sim.executor.next_due() is None


@pytest.mark.parametrize("outlives", [False, True])
def test_a_crash_at_any_step_neither_forgets_a_moment_nor_begins_twice_at_it(outlives):
    steps = count(1)
    for step in steps:
        pokes = Pokes(2)
        sim = started(pokes, crash_when=lambda now, at=step: now == at, outlives=outlives)
        sim.run()
        assert end(sim) is RunState.SUCCESS
        assert events(sim, ActivityFailed) == []
        assert 1 <= sum(sim.executor.effects.values()) <= 2 - outlives  # what a dead host did not report is done again
        if not sim.restarts:
            break
    assert step > 5


def test_a_retry_begins_its_own_count_of_pokes():
    orders: list[Order] = []

    def script(order: Order) -> Script:
        orders.append(order)
        if order.pokes < 1:
            return Script(outcome="defer", again=60)
        return Script(outcome="fail" if order.key.attempt == 1 else "success")

    sim = Simulation(script=script)
    sim.store.add_dag(a_sensor(retry=RetrySpec(retries=1, delay=timedelta(seconds=5))))
    sim.trigger("d")
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert [(order.key.attempt, order.pokes) for order in orders] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert orders[2].began_at is None


def test_what_is_lost_with_a_worker_does_not_begin_the_try_anew():
    orders: list[Order] = []

    def script(order: Order) -> Script:
        orders.append(order)
        if order.pokes < 1:
            return Script(outcome="defer", again=60)
        return Script(outcome="lost" if order.key.attempt == 1 else "success")

    sim = Simulation(script=script)
    sim.store.add_dag(a_sensor())
    sim.trigger("d")
    sim.run()
    assert [(order.key.attempt, order.pokes) for order in orders] == [(1, 0), (1, 1), (2, 1)]
    assert orders[2].began_at == orders[1].began_at is not None


def test_a_deferral_to_a_moment_is_resumed_by_the_engine_and_goes_on_with_what_it_left():
    pokes = Pokes(0, trigger=LATER)
    sim = started(pokes)
    sim.run(until=EPOCH + timedelta(seconds=30))
    assert state(sim) is TaskState.DEFERRED
    sim.run()
    assert end(sim) is RunState.SUCCESS
    (resumed,) = events(sim, ActivityResumed)
    assert resumed.attempt == 1
    assert [order.resume is not None for order in pokes.orders] == [False, True]
    assert bytes(pokes.orders[1].resume.trigger) == LATER


@pytest.mark.parametrize("outlives", [False, True])
def test_a_deferral_survives_a_crash_at_any_step(outlives):
    for step in count(1):
        pokes = Pokes(0, trigger=LATER)
        sim = started(pokes, crash_when=lambda now, at=step: now == at, outlives=outlives)
        sim.run()
        assert end(sim) is RunState.SUCCESS
        assert 1 <= sum(sim.executor.effects.values()) <= 2 - outlives  # what a dead host did not report is done again
        if not sim.restarts:
            break
    assert step > 5


@pytest.mark.parametrize("trigger", [b"null", LATER])
def test_a_run_that_is_cancelled_waits_no_longer(trigger):
    sim = started(Pokes(9, trigger=trigger, again=3600))
    sim.run(until=EPOCH + timedelta(minutes=1))
    sim.store.ask(CancelRun(dag_id="d", run_id="manual__1"))
    sim.run()
    assert end(sim) is RunState.FAILED
    assert sim.clock.now() < EPOCH + timedelta(minutes=30)


@pytest.mark.parametrize("trigger", [b"null", LATER])
def test_a_moment_that_comes_in_a_paused_run_counts_when_the_run_goes_on(trigger):
    sim = started(Pokes(1, trigger=trigger))
    sim.run(until=EPOCH + timedelta(seconds=30))
    sim.store.ask(PauseRun(dag_id="d", run_id="manual__1"))
    sim.run(until=EPOCH + timedelta(hours=1))
    assert state(sim) in (TaskState.DEFERRED, TaskState.UP_FOR_RESCHEDULE)
    sim.store.ask(ResumeRun(dag_id="d", run_id="manual__1"))
    sim.run()
    assert end(sim) is RunState.SUCCESS


def test_a_task_that_is_cleared_while_it_waits_begins_from_the_beginning():
    pokes = Pokes(0, trigger=LATER, again=3600)
    sim = started(pokes)
    sim.run(until=EPOCH + timedelta(minutes=1))
    sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("wait", None),)))
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert [(order.key.attempt, order.resume is None) for order in pokes.orders] == [(1, True), (2, True), (2, False)]


def test_a_reset_to_before_a_poke_waits_for_that_moment_again():
    sim = started(Pokes(1))
    sim.run()
    deferred = next(fact.seq for fact in facts(sim) if isinstance(fact.event, ActivityDeferred))
    sim.store.ask(ResetRun(dag_id="d", run_id="manual__1", seq=deferred))
    sim.run()
    assert end(sim) is RunState.SUCCESS


def test_a_trigger_of_an_unknown_kind_fails_the_attempt_with_a_sentence():
    sim = started(Pokes(0, trigger=msgspec.json.encode({"moon": "full"}), again=None))
    sim.run()
    (failed,) = events(sim, ActivityFailed)
    assert "which is not known here" in failed.failure.message
