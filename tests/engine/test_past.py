"""Tasks that wait for themselves in the run before: ``depends_on_past`` and ``wait_for_downstream``."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.core.events import ActivityCompleted, ActivityMarked, ActivityScheduled, ActivitySkipped, RunEnded
from orchestrator.core.orders import Order
from orchestrator.core.requests import ClearTasks, MarkTask, TriggerRun
from orchestrator.core.spec import Cron, DagSpec, Fixed, Mapping, RetrySpec
from orchestrator.engine.settings import Settings
from orchestrator.names import RunState, RunType, TaskState, TriggerRule
from orchestrator.storage.database import create
from orchestrator.testing.clock import EPOCH, FakeClock
from orchestrator.testing.sim_executor import Script, drawn
from orchestrator.testing.simulation import SETTINGS, Simulation
from orchestrator.testing.sql_world import SqlWorld
from orchestrator.testing.world import World
from tests.engine.dags import dag, task

DAY = timedelta(days=1)
GOOD = (ActivityCompleted, ActivitySkipped, ActivityMarked)


@pytest.fixture(params=["memory", "sql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[FakeClock], World] | None]:
    made: list[SqlWorld] = []

    def make(clock: FakeClock) -> SqlWorld:
        made.append(SqlWorld(create(f"sqlite:///{tmp_path}/{len(made)}.db"), tmp_path / "versions", clock))
        return made[-1]

    yield None if request.param == "memory" else make
    for one in made:
        one.engine.dispose()


def trigger(sim: Simulation, day: int, run_type: RunType = RunType.SCHEDULED) -> None:
    """A run of that day, named after it."""
    date = EPOCH + day * DAY
    asked = TriggerRun(dag_id="d", run_id=f"r{day}", run_uid=f"uid-{day}", run_type=run_type, logical_date=date)
    sim.store.ask(asked)


def facts(sim: Simulation, day: int) -> list:
    run_key = sim.store.run_key("d", f"r{day}")
    assert run_key is not None
    return sim.history(run_key)


def started(sim: Simulation, day: int) -> set[str]:
    return {fact.event.task_id for fact in facts(sim, day) if isinstance(fact.event, ActivityScheduled)}


def scheduled(sim: Simulation, day: int, task_id: str) -> datetime | None:
    """When the task was first handed out."""
    moments = (f.at for f in facts(sim, day) if isinstance(f.event, ActivityScheduled) and f.event.task_id == task_id)
    return next(moments, None)


def end(sim: Simulation, day: int) -> RunState | None:
    ends = [fact.event.state for fact in facts(sim, day) if isinstance(fact.event, RunEnded)]
    return ends[-1] if ends else None


def failing(*bad: tuple[str, str]) -> Callable[[Order], Script]:
    """These (run_id, task_id) fail, as long as ``bad`` has them."""
    return lambda order: Script(outcome="fail_for_good" if (order.run_id, order.key.task_id) in bad else "success")


def clear(sim: Simulation, day: int, task_id: str) -> None:
    sim.store.ask(ClearTasks(dag_id="d", run_id=f"r{day}", tasks=((task_id, None),)))


def past(*upstream: str, task_id: str = "a", **fields: object) -> object:
    return task(task_id, *upstream, depends_on_past=True, **fields)


def simulation(world: Callable[[FakeClock], World] | None, spec: DagSpec, *bad: tuple[str, str]) -> Simulation:
    sim = Simulation(script=failing(*bad), world=world)
    sim.store.add_dag(spec)
    return sim


def test_runs_of_a_task_that_depends_on_the_past_follow_one_another(world):
    sim = simulation(world, dag(past(), task("b")))
    for day in range(4):
        trigger(sim, day)
    sim.run()
    begun = [scheduled(sim, day, "a") for day in range(4)]
    done = [next(f.at for f in facts(sim, day) if isinstance(f.event, RunEnded)) for day in range(4)]
    assert all(begun[day + 1] >= done[day] for day in range(3))
    assert [end(sim, day) for day in range(4)] == [RunState.SUCCESS] * 4


def test_a_run_waits_while_the_task_has_failed_in_the_run_before_and_others_go_on():
    sim = simulation(None, dag(past(), task("b"), task("c", "a")), ("r0", "a"))
    for day in range(3):
        trigger(sim, day)
    sim.run()
    assert end(sim, 0) is RunState.FAILED
    assert [started(sim, day) for day in (1, 2)] == [{"b"}, {"b"}]
    assert [end(sim, day) for day in (1, 2)] == [None, None]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_run_goes_on_at_once_when_the_task_of_the_run_before_is_marked_as_done(restarted):
    sim = Simulation(script=lambda order: Script(outcome="fail" if order.run_id == "r0" else "success"))
    sim.store.add_dag(dag(past(retry=RetrySpec(retries=1, delay=timedelta(hours=1)))))
    for day in range(3):
        trigger(sim, day)
    sim.run(until=EPOCH + timedelta(minutes=1))
    assert [started(sim, day) for day in range(3)] == [{"a"}, set(), set()]
    if restarted:
        sim.crash()
    sim.store.ask(MarkTask(dag_id="d", run_id="r0", task_id="a", state=TaskState.SUCCESS))
    sim.run()
    assert [end(sim, day) for day in (1, 2)] == [RunState.SUCCESS, RunState.SUCCESS]
    assert scheduled(sim, 1, "a") == EPOCH + timedelta(minutes=1)


def test_clearing_the_run_before_lets_those_that_wait_go_once_it_has_succeeded(world):
    bad = [("r0", "a")]
    sim = Simulation(script=lambda order: failing(*bad)(order), world=world)
    sim.store.add_dag(dag(past()))
    trigger(sim, 0)
    trigger(sim, 1)
    sim.run()
    bad.clear()
    clear(sim, 0, "a")
    sim.run()
    assert [end(sim, day) for day in (0, 1)] == [RunState.SUCCESS, RunState.SUCCESS]


def test_a_cleared_run_that_others_wait_for_begins_although_they_fill_max_active_runs():
    bad = [("r0", "a")]
    sim = Simulation(script=lambda order: failing(*bad)(order))
    sim.store.add_dag(dag(past(), max_active_runs=2))
    for day in range(4):
        trigger(sim, day)
    sim.run()
    bad.clear()
    clear(sim, 0, "a")
    sim.run()
    assert [end(sim, day) for day in range(4)] == [RunState.SUCCESS] * 4


def test_a_task_that_was_skipped_in_the_run_before_keeps_nobody():
    sim = Simulation(script=lambda order: Script(outcome="skip" if order.run_id == "r0" else "success"))
    sim.store.add_dag(dag(past()))
    trigger(sim, 0)
    trigger(sim, 1)
    sim.run()
    assert end(sim, 1) is RunState.SUCCESS


def test_wait_for_downstream_waits_for_what_follows_at_once_and_for_nothing_behind_that(world):
    spec = dag(past(wait_for_downstream=True), task("b", "a"), task("c", "b"))
    for bad, waits in ((("r0", "b"), True), (("r0", "c"), False)):
        sim = simulation(world, spec, bad)
        trigger(sim, 0)
        trigger(sim, 1)
        sim.run()
        assert (started(sim, 1) == set()) is waits


def test_an_upstream_that_failed_is_no_reason_to_wait_for_the_past():
    sim = simulation(None, dag(task("up"), past("up")), ("r0", "up"), ("r1", "up"))
    trigger(sim, 0)
    trigger(sim, 1)
    sim.run()
    assert [end(sim, day) for day in (0, 1)] == [RunState.FAILED, RunState.FAILED]


def test_manual_runs_count_only_where_the_dag_does_not_catch_up(world):
    for catchup in (False, True):
        spec = dag(past(), catchup=catchup, start_date=EPOCH, schedule=None)
        sim = simulation(world, spec, ("r1", "a"))
        trigger(sim, 0)
        trigger(sim, 1, RunType.MANUAL)
        trigger(sim, 2)
        sim.run()
        assert end(sim, 2) is (RunState.SUCCESS if catchup else None)


@pytest.mark.parametrize(("lenient", "ended"), [(True, RunState.SUCCESS), (False, None)])
def test_a_task_that_is_new_to_its_dag_waits_only_where_the_first_one_is_not_let_through(world, lenient, ended):
    sim = simulation(world, dag(task("b")))
    trigger(sim, 0)
    sim.run()
    sim.store.add_dag(dag(task("b"), past(ignore_first_depends_on_past=lenient)))
    trigger(sim, 1)
    sim.run()
    assert end(sim, 1) is ended


def test_a_run_that_comes_between_is_waited_for_from_then_on():
    bad = [("r0", "a")]
    sim = Simulation(script=lambda order: failing(*bad)(order))
    sim.store.add_dag(dag(past()))
    trigger(sim, 0)
    trigger(sim, 2)
    sim.run()
    trigger(sim, 1)
    sim.run()
    bad.clear()
    clear(sim, 0, "a")
    sim.run()
    done = [next(f.at for f in facts(sim, day) if isinstance(f.event, RunEnded)) for day in (1, 2)]
    assert done[0] < done[1]


def test_every_instance_of_a_mapped_task_has_to_have_come_to_a_good_end():
    mapped = past(mapping=Mapping((Fixed(3),)))
    bad = [("r0", 2)]
    ends = {True: Script(outcome="fail_for_good"), False: Script()}
    sim = Simulation(script=lambda order: ends[(order.run_id, order.key.map_index) in bad])
    sim.store.add_dag(dag(mapped))
    trigger(sim, 0)
    trigger(sim, 1)
    sim.run()
    assert started(sim, 1) == set()
    bad.clear()
    clear(sim, 0, "a")
    sim.run()
    assert end(sim, 1) is RunState.SUCCESS


def test_runs_that_a_schedule_makes_in_one_turn_follow_one_another():
    sim = Simulation()
    sim.store.add_dag(dag(past(), schedule=Cron(expression="0 0 * * *"), catchup=True, start_date=EPOCH - 5 * DAY))
    sim.run(until=EPOCH + timedelta(minutes=5))
    begun = [f.at for _, story in sim.histories() for f in story if isinstance(f.event, ActivityScheduled)]
    assert len(begun) >= 5
    assert len(set(begun)) == len(begun)


@pytest.mark.parametrize("outlives", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_crash_at_every_step_lets_no_task_start_before_the_run_before_allows_it(seed: int, outlives: bool):
    steps = _stormy(seed, None, outlives).crashes.steps
    for step in range(1, steps + 1):
        sim = _stormy(seed, step, outlives)
        assert [end(sim, day) is not None for day in range(4)] == [True] * 4, (seed, step)
        _check_order(sim, (seed, step))


def _stormy(seed: int, crash_at: int | None, outlives: bool) -> Simulation:
    sim = Simulation(
        script=drawn(seed, fail=0.0, lost=0.1), crash_when=lambda step: step == crash_at, outlives=outlives
    )
    rule = TriggerRule.ALL_DONE
    sim.store.add_dag(dag(past(wait_for_downstream=True), task("b", "a"), past("b", task_id="c", trigger_rule=rule)))
    for day in range(4):
        trigger(sim, day)
    sim.run()
    return sim


def _check_order(sim: Simulation, where: object) -> None:
    for day in range(1, 4):
        for name, looked_at in (("a", ("a", "b")), ("c", ("c",))):
            first = scheduled(sim, day, name)
            for other in looked_at if first else ():
                ends = [f.at for f in facts(sim, day - 1) if isinstance(f.event, GOOD) and f.event.task_id == other]
                assert ends, where
                assert min(ends) <= first, where


def test_a_dag_that_does_not_look_back_asks_nothing():
    sim = Simulation(settings=Settings(owner="x", queued_timeout=SETTINGS.queued_timeout))
    sim.store.run_before = None  # type: ignore[method-assign, assignment]
    sim.store.add_dag(dag(task("a")))
    trigger(sim, 0)
    trigger(sim, 1)
    sim.run()
    assert end(sim, 1) is RunState.SUCCESS
