"""Workflows on the real storage: they end as in memory, and what is projected live is what a rebuild gives."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from orchestrator.core.requests import SendSignal
from orchestrator.storage.database import create, reading
from orchestrator.storage.rebuild import rebuild
from orchestrator.storage.tables import activities, runs, timers
from orchestrator.testing.clock import EPOCH, FakeClock
from orchestrator.testing.simulation import Simulation
from orchestrator.testing.sql_world import SqlWorld
from tests.simulation.blue_world import dice, ends, raw, world
from tests.simulation.test_workflow_simulation import SHAPES, check, same_story


def projected(engine: Engine) -> dict[str, list[Any]]:
    with reading(engine) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in (runs, activities, timers)
        }


def lived(new_world: Callable[[FakeClock], SqlWorld] | None = None, crash: str | None = None) -> Simulation:
    """All shapes side by side, an approval among them, up to the end of all."""
    sim = world(world=new_world, crash_when=dice(crash, 0.02) if crash else lambda _: False)
    for shape in SHAPES:
        sim.trigger(shape)
    sim.run(until=EPOCH + timedelta(hours=1))
    sim.store.ask(SendSignal(dag_id="asks_leave", run_id="manual__1", name="approval", payload=raw("yes")))
    sim.run()
    return sim


@pytest.mark.parametrize("crash", [None, "a", "b", "c"])
def test_workflows_on_the_real_storage_end_as_in_memory_and_project_what_a_rebuild_gives(
    tmp_path: Path, crash: str | None
):
    engine = create(f"sqlite:///{tmp_path}/world.db")
    try:
        sim = lived(lambda clock: SqlWorld(engine, tmp_path / "versions", clock), crash)
        check(sim)
        calm = lived()
        assert ends(sim)["family", "manual__1"] == ("success", [3, 6, "nowhere"])
        same_story(sim, calm)
        live = projected(engine)
        sim.store.release()
        rebuild(engine, "test:1", lambda _done, _total: None)
        assert projected(engine) == live
        assert not live["timers"]
    finally:
        engine.dispose()
