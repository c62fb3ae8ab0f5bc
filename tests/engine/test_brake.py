"""A DAG whose last runs have all failed is paused, where it says after how many."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.core.orders import Order
from orchestrator.core.spec import DagSpec, Every
from orchestrator.storage.database import create
from orchestrator.storage.reads import Reads
from orchestrator.testing.clock import EPOCH, FakeClock
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.simulation import Simulation
from orchestrator.testing.sql_world import SqlWorld
from orchestrator.testing.world import World
from tests.engine.dags import dag, task

DAY = timedelta(days=1)


@pytest.fixture(params=["memory", "sql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[FakeClock], World] | None]:
    made: list[SqlWorld] = []

    def make(clock: FakeClock) -> SqlWorld:
        made.append(SqlWorld(create(f"sqlite:///{tmp_path}/{len(made)}.db"), tmp_path / "versions", clock))
        return made[-1]

    yield None if request.param == "memory" else make
    for one in made:
        one.engine.dispose()


def daily(count: int) -> DagSpec:
    """A run each day; all that were missed are made up for, one at a time."""
    every = Every(period=DAY)
    return dag(
        task("a"),
        schedule=every,
        start_date=EPOCH,
        catchup=True,
        max_active_runs=1,
        max_consecutive_failed_dag_runs=count,
    )


def failing(*good: int) -> Callable[[Order], Script]:
    """Every run fails, but for those, counted from 1 as they are made."""
    seen: list[str] = []

    def script(order: Order) -> Script:
        if order.run_id not in seen:
            seen.append(order.run_id)
        return Script(outcome="success" if seen.index(order.run_id) + 1 in good else "fail_for_good")

    return script


def days(sim: Simulation, count: int) -> int:
    """Let so many days pass; how many runs there are by then."""
    sim.run(until=sim.clock.now() + count * DAY)
    return len(list(sim.histories()))


def is_paused(sim: Simulation) -> bool:
    return next(entry.is_paused for entry in sim.store.changes(0)[1] if entry.dag_id == "d")


def test_a_dag_is_paused_once_so_many_runs_have_failed_in_a_row(world):
    sim = Simulation(script=failing(), world=world)
    sim.store.add_dag(daily(3))
    assert days(sim, 10) == 3
    assert is_paused(sim)


def test_a_run_that_succeeds_begins_the_count_anew(world):
    sim = Simulation(script=failing(3), world=world)
    sim.store.add_dag(daily(3))
    assert days(sim, 10) == 6
    assert is_paused(sim)


def test_a_dag_that_says_nothing_of_it_goes_on():
    sim = Simulation(script=failing())
    sim.store.add_dag(daily(0))
    assert days(sim, 10) > 8
    assert not is_paused(sim)


def test_a_dag_that_a_person_unpauses_has_another_try(world):
    sim = Simulation(script=failing(), world=world)
    sim.store.add_dag(daily(3))
    days(sim, 10)
    sim.store.set_paused("d", False, sim.clock.now())
    assert days(sim, 10) == 4
    assert is_paused(sim)


def test_a_restart_after_a_person_has_unpaused_it_does_not_pause_it_again(world):
    sim = Simulation(script=failing(4), world=world)
    sim.store.add_dag(daily(3))
    days(sim, 5)
    sim.store.set_paused("d", False, sim.clock.now())
    sim.crash()
    assert days(sim, 1) > 3
    assert not is_paused(sim)


@pytest.mark.parametrize("step", range(1, 24))
def test_no_crash_lets_another_run_be_made_after_the_last_failure(step):
    sim = Simulation(script=failing(), crash_when=lambda at: at == step)
    sim.store.add_dag(daily(3))
    assert days(sim, 10) == 3
    assert is_paused(sim)
    assert sim.restarts == 1


def test_the_audit_says_why(tmp_path):
    made: list[SqlWorld] = []

    def make(clock: FakeClock) -> SqlWorld:
        made.append(SqlWorld(create(f"sqlite:///{tmp_path}/db"), tmp_path / "versions", clock))
        return made[-1]

    sim = Simulation(script=failing(), world=make)
    sim.store.add_dag(daily(2))
    days(sim, 5)
    (line,) = [line for line in Reads(made[0].engine).audit() if line.action == "pause_dag"]
    assert (line.by, line.dag_id, b"its last 2 runs failed" in bytes(line.body)) == ("scheduler", "d", True)
    made[0].engine.dispose()
