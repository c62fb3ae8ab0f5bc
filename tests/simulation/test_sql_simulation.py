"""The same simulated worlds on the real storage: what is projected live is what a rebuild gives."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, select

from orchestrator.storage.database import create, reading
from orchestrator.storage.rebuild import rebuild
from orchestrator.storage.tables import activities, runs
from orchestrator.testing.clock import FakeClock
from orchestrator.testing.scenario import Scenario
from orchestrator.testing.simulation import Simulation
from orchestrator.testing.sql_world import SqlWorld
from orchestrator.testing.turmoil import Turmoil
from tests.simulation.test_simulation import SCENARIOS
from tests.simulation.test_turmoil import TURMOILS


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[Callable[[FakeClock], SqlWorld]]:
    """Makes worlds, each in a database of its own."""
    worlds: list[SqlWorld] = []

    def make(clock: FakeClock) -> SqlWorld:
        engine = create(f"sqlite:///{tmp_path}/{len(worlds)}.db")
        worlds.append(SqlWorld(engine, tmp_path / "versions", clock))
        return worlds[-1]

    yield make
    for world in worlds:
        world.engine.dispose()


def projected(engine: Engine) -> dict[str, list[Any]]:
    with reading(engine) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in (runs, activities)
        }


@settings(max_examples=8, suppress_health_check=[*HealthCheck])
@given(scenario=SCENARIOS)
def test_live_projections_equal_rebuilt_ones_in_a_random_world(
    new_world: Callable[[FakeClock], SqlWorld], scenario: Scenario
) -> None:
    world = scenario.run(new_world).store
    assert isinstance(world, SqlWorld)
    world.release()
    live = projected(world.engine)
    rebuild(world.engine, "test:1", lambda _done, _total: None)
    assert projected(world.engine) == live, f"run it again with: {scenario.command()}"


@settings(max_examples=4, suppress_health_check=[*HealthCheck])
@given(turmoil=TURMOILS)
def test_live_projections_equal_rebuilt_ones_after_turmoil(
    new_world: Callable[[FakeClock], SqlWorld], turmoil: Turmoil
) -> None:
    world = turmoil.run(new_world).store
    assert isinstance(world, SqlWorld)
    world.release()
    live = projected(world.engine)
    rebuild(world.engine, "test:1", lambda _done, _total: None)
    assert projected(world.engine) == live, f"run it again with: {turmoil.command()}"


@pytest.mark.parametrize("seed", [1, 2])
def test_the_real_storage_records_what_the_one_in_memory_records(
    new_world: Callable[[FakeClock], SqlWorld], seed: int
) -> None:
    scenario = Scenario(seed=seed, tasks=8, crash_rate=0.05, clears=True)
    in_memory, in_sql = scenario.run(), scenario.run(new_world)
    assert spelled_out(in_sql) == spelled_out(in_memory)


def spelled_out(sim: Simulation) -> list[bytes]:
    return [msgspec.json.encode(facts) for _, facts in sim.histories()]
