"""Attempts that are deferred to a trigger, under a simulated clock and with crashes in between."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count, pairwise

import msgspec
import pytest

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityResumed,
    ActivityScheduled,
    Recorded,
    RunEnded,
)
from orchestrator.core.orders import Fired, Order
from orchestrator.core.requests import CancelRun, ClearTasks, MarkTask, PauseRun, ResetRun, ResumeRun
from orchestrator.core.spec import DagSpec, RetrySpec, TaskSpec
from orchestrator.core.waits import Dropped, Wait
from orchestrator.exceptions import StorageUnavailableError
from orchestrator.names import RunState, TaskState
from orchestrator.ports import Group, HistoryStore
from orchestrator.testing.clock import EPOCH, FakeClock
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.sim_triggerer import SimTriggerer, Vigil
from orchestrator.testing.simulation import Simulation

TRIGGER = b'{"trigger":{"classpath":"shop.Bell","kwargs":{"door":1},"local":true},"method":"go_on","kwargs":{}}'
LONG = Vigil(work=3600)


class Defers:
    """The script of an operator that defers itself ``times`` times, and what its orders said."""

    def __init__(self, times: int = 1, *, timeout: float | None = None, last: str = "success") -> None:
        self.times = times
        self.timeout = timeout
        self.last = last
        self.orders: list[Order] = []

    def __call__(self, order: Order) -> Script:
        self.orders.append(order)
        had = 0 if order.resume is None else int(msgspec.json.decode(order.resume.trigger)["kwargs"].get("had", 0)) + 1
        if had >= self.times:
            return Script(outcome=self.last)
        trigger = TRIGGER.replace(b'"kwargs":{}}', b'"kwargs":{"had":%d}}' % had)
        return Script(outcome="defer", result=trigger, again=self.timeout)


def started(
    script: Callable[[Order], Script],
    vigil: Callable[[Wait], Vigil] = lambda _: Vigil(),
    *,
    repeats: Callable[[int], bool] = lambda _: False,
    task: dict[str, object] | None = None,
    **options,
) -> Simulation:
    sim = Simulation(script=script, make_triggerer=lambda clock: SimTriggerer(clock, vigil, repeats=repeats), **options)
    sim.store.add_dag(DagSpec(dag_id="d", file="d.py", tasks=(TaskSpec(task_id="wait", **(task or {})),)))
    sim.trigger("d")
    return sim


def facts(sim: Simulation) -> list[Recorded]:
    ((_, found),) = sim.histories()
    return list(found)


def events(sim: Simulation, kind: type) -> list:
    return [fact.event for fact in facts(sim) if isinstance(fact.event, kind)]


def end(sim: Simulation) -> RunState:
    return events(sim, RunEnded)[-1].state


def test_an_attempt_goes_on_with_the_event_of_its_trigger_as_the_same_attempt():
    defers = Defers()
    sim = started(defers, lambda _: Vigil(event=b'{"door":"open"}'))
    sim.run()
    assert end(sim) is RunState.SUCCESS
    (resumed,) = events(sim, ActivityResumed)
    assert bytes(resumed.payload) == b'{"event":{"door":"open"}}'
    assert [event.attempt for event in events(sim, ActivityScheduled)] == [1, 1]
    assert bytes(defers.orders[1].resume.event) == b'{"event":{"door":"open"}}'
    assert sim.triggerer.held == set()


def test_the_triggerer_is_told_the_class_the_code_and_the_log_of_the_attempt():
    waits: list[Wait] = []
    sim = started(Defers(), lambda wait: waits.append(wait) or Vigil())
    sim.run()
    (wait,) = waits
    assert (wait.trigger.classpath, bytes(wait.trigger.kwargs), wait.trigger.local) == (
        "shop.Bell",
        b'{"door":1}',
        True,
    )
    assert (wait.dag_id, wait.run_id, wait.file) == ("d", "manual__1", "d.py")
    assert wait.log == "1/2.log"
    assert wait.code


def test_an_event_that_is_told_twice_counts_once():
    defers = Defers(3)
    sim = started(defers, repeats=lambda _: True)
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert len(events(sim, ActivityResumed)) == 3
    assert sum(sim.triggerer.begun.values()) == 3


def test_a_trigger_that_is_lost_is_begun_again():
    lost = iter([Vigil(outcome="lost"), Vigil(outcome="lost"), Vigil()])
    sim = started(Defers(), lambda _: next(lost))
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert list(sim.triggerer.begun.values()) == [3]


def test_a_trigger_that_fails_resumes_the_body_with_its_failure():
    defers = Defers(last="fail")
    sim = started(defers, lambda _: Vigil(outcome="fail"))
    sim.run()
    assert b"has failed, in the simulation" in bytes(defers.orders[1].resume.event)
    assert end(sim) is RunState.FAILED


@pytest.mark.parametrize(
    ("outcome", "kind", "state"),
    [
        ("success", ActivityCompleted, RunState.SUCCESS),
        ("failed", ActivityFailed, RunState.FAILED),
        ("skipped", None, RunState.SUCCESS),
    ],
)
def test_an_event_that_ends_the_task_needs_no_worker(outcome, kind, state):
    sim = started(Defers(), lambda _: Vigil(outcome=outcome), task={"retry": RetrySpec(retries=2)})
    sim.run()
    assert end(sim) is state
    assert len(events(sim, ActivityScheduled)) == 1
    assert kind is None or len(events(sim, kind)) == 1


def test_a_time_out_resumes_the_body_without_an_event_and_ends_the_trigger():
    defers = Defers(timeout=60)
    sim = started(defers, lambda _: LONG)
    sim.run(until=EPOCH + timedelta(seconds=30))
    assert len(sim.triggerer.held) == 1
    sim.run()
    assert bytes(defers.orders[1].resume.event) == b"null"
    assert sim.clock.now() < EPOCH + timedelta(minutes=10)
    assert sim.triggerer.held == set()


class Echo(SimTriggerer):
    """Says everything that it has ever said again at each look."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock, lambda wait: Vigil(work=wait.seq))
        self.old: list[Fired | Dropped] = []

    def reports(self) -> list[Fired | Dropped]:
        fresh = super().reports()
        said = [*self.old, *fresh]
        self.old += fresh
        return said


def test_the_event_of_an_earlier_deferral_does_not_end_a_later_one():
    sim = Simulation(script=Defers(4), make_triggerer=Echo)
    sim.store.add_dag(DagSpec(dag_id="d", file="d.py", tasks=(TaskSpec(task_id="wait"),)))
    sim.trigger("d")
    sim.run()
    assert end(sim) is RunState.SUCCESS
    moments = [(type(fact.event), fact.at) for fact in facts(sim)]
    waited = [
        after[1] - before[1]
        for before, after in pairwise(moments)
        if (before[0], after[0]) == (ActivityDeferred, ActivityResumed)
    ]
    assert len(waited) == 4
    assert waited == sorted(waited)
    assert all(one > timedelta(0) for one in waited)


@pytest.mark.parametrize("outlives", [False, True])
def test_a_crash_at_any_step_neither_loses_an_event_nor_takes_it_twice(outlives):
    for step in count(1):
        sim = started(Defers(2), crash_when=lambda now, at=step: now == at, outlives=outlives)
        sim.run()
        assert end(sim) is RunState.SUCCESS
        assert len(events(sim, ActivityResumed)) >= 2
        assert sim.triggerer.held == set()
        if not sim.restarts:
            break
    assert step > 8


class Unanswered:
    """A store whose commit of the first resumption is written, and nobody hears of that."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        self._has_failed = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def commit(self, group: Group) -> frozenset[int]:
        refused = self._store.commit(group)
        events = [record.event for part in group.parts for record in part.records]
        if not self._has_failed and any(isinstance(event, ActivityResumed) for event in events):
            self._has_failed = True
            raise StorageUnavailableError("the database is away")
        return refused


def test_an_event_whose_commit_was_not_answered_leaves_no_attempt_that_nobody_was_given():
    sim = started(Defers(), make_store=Unanswered)
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert len(events(sim, ActivityResumed)) == 1


def waiting(script: Callable[[Order], Script] | None = None, **options) -> Simulation:
    sim = started(script or Defers(), lambda _: LONG, **options)
    sim.run(until=EPOCH + timedelta(minutes=1))
    assert len(sim.triggerer.held) == 1
    return sim


def test_a_run_that_is_cancelled_waits_no_longer():
    sim = waiting()
    sim.store.ask(CancelRun(dag_id="d", run_id="manual__1"))
    sim.run()
    assert end(sim) is RunState.FAILED
    assert sim.triggerer.held == set()
    assert sim.clock.now() < EPOCH + timedelta(minutes=30)


def test_a_task_that_is_cleared_while_it_waits_is_deferred_anew():
    defers = Defers()
    sim = waiting(defers)
    (before,) = sim.triggerer.held
    sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("wait", None),)))
    sim.run(until=EPOCH + timedelta(minutes=2))
    (after,) = sim.triggerer.held
    assert after != before
    sim.run()
    assert [(order.key.attempt, order.resume is None) for order in defers.orders] == [(1, True), (2, True), (2, False)]


def test_a_task_that_is_marked_while_it_waits_ends_its_trigger():
    sim = waiting()
    sim.store.ask(MarkTask(dag_id="d", run_id="manual__1", task_id="wait", state=TaskState.SUCCESS))
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert sim.triggerer.held == set()
    assert sim.clock.now() < EPOCH + timedelta(minutes=30)


def test_an_event_that_comes_in_a_paused_run_counts_when_the_run_goes_on():
    sim = waiting()
    sim.store.ask(PauseRun(dag_id="d", run_id="manual__1"))
    sim.run(until=EPOCH + timedelta(hours=3))
    assert len(events(sim, ActivityResumed)) == 1
    assert events(sim, RunEnded) == []
    sim.store.ask(ResumeRun(dag_id="d", run_id="manual__1"))
    sim.run()
    assert end(sim) is RunState.SUCCESS


def test_a_reset_to_the_deferral_waits_for_the_trigger_again():
    sim = started(Defers())
    sim.run()
    deferred = next(fact.seq for fact in facts(sim) if isinstance(fact.event, ActivityDeferred))
    sim.store.ask(ResetRun(dag_id="d", run_id="manual__1", seq=deferred))
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert sum(sim.triggerer.begun.values()) == 2


def test_what_was_waited_for_is_waited_for_again_after_a_restart():
    sim = waiting()
    (ticket,) = sim.triggerer.held
    sim.crash()
    sim.run(until=EPOCH + timedelta(minutes=2))
    assert sim.triggerer.held == {ticket}


def test_a_home_without_deferrals_never_speaks_to_the_triggerer():
    sim = started(lambda _: Script())
    sim.run()
    assert sim.triggerer.begun.total() == 0
