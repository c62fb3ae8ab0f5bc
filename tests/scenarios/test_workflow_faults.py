"""Faults that come from outside, while workflows are under way: no room, another clock, a rival scheduler."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, Engine, event, text

from orchestrator.storage.database import create, writing
from orchestrator.testing.clock import EPOCH, FakeClock
from orchestrator.testing.simulation import Simulation
from orchestrator.testing.sql_world import SqlWorld
from tests.simulation.blue_world import act, ends, world
from tests.simulation.test_workflow_simulation import SHAPES, check, same_story

HOUR = timedelta(hours=1)

# ── a full disk ──────────────────────────────────────────────────────────────────────────────────────────────


class Disk:
    """The one that holds a database: SQLite says that it is full where there are no more than ``spare`` pages."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._most = 2**30
        event.listen(engine, "checkout", self._tell)

    def fill(self, spare: int) -> None:
        with writing(self._engine) as connection:
            free, size = (self._number(connection, name) for name in ("freelist_count", "page_size"))
            connection.execute(text(f"INSERT INTO blobs VALUES ('filler', zeroblob({(free - spare) * (size - 4)}))"))
        with self._engine.connect() as connection:
            self._most = self._number(connection, "page_count")

    def empty(self) -> None:
        self._most = 2**30

    def _number(self, connection: Connection, name: str) -> int:
        return int(connection.execute(text(f"PRAGMA {name}")).scalar_one())

    def _tell(self, connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {self._most}").close()


def lived(new_world: Callable[[FakeClock], SqlWorld] | None = None) -> Simulation:
    """Two runs of each shape, under way."""
    sim = world(world=new_world, replaying={"pace": lambda _: 0.05})
    for number in range(2):
        for shape in SHAPES:
            sim.trigger(shape, f"manual__{number}")
    return sim


@pytest.mark.parametrize("spare", [0, 6])
def test_a_full_disk_in_the_middle_of_advances_loses_nothing_and_they_go_on_when_there_is_room(
    tmp_path: Path, spare: int
) -> None:
    engine = create(f"sqlite:///{tmp_path}/world.db")
    disk = Disk(engine)
    try:
        sim = lived(lambda clock: SqlWorld(engine, tmp_path / "versions", clock))
        sim.run(until=EPOCH + timedelta(seconds=0.1))
        disk.fill(spare)
        sim.run(until=EPOCH + timedelta(seconds=30))
        assert any("is full; nothing was written" in notice for notice in sim.notices)
        known = {key: list(facts) for key, facts in sim.store.histories.items()}
        disk.empty()
        sim.run()
        check(sim)
        assert all(facts[: len(known[key])] == known[key] for key, facts in sim.histories() if key in known)
        calm = lived()
        calm.run()
        same_story(sim, calm)
        assert sim.executor.effects == calm.executor.effects
        assert sim.restarts == 0
    finally:
        engine.dispose()


# ── another clock ────────────────────────────────────────────────────────────────────────────────────────────


def leap(sim: Simulation, by: timedelta) -> None:
    """Set the clock; how long bodies and answers take goes by another that nobody sets, as in real processes."""
    sim.clock._now += by
    for timed in (sim.executor._heap, sim.replayer._said):
        timed[:] = [(when + by, *rest) for when, *rest in timed]


@pytest.mark.parametrize("by", [-HOUR, HOUR / 2, -25 * HOUR], ids=str)
@pytest.mark.parametrize("after", [0.0, 0.3, 2.0, 11.0, 3 * 86_400 + 2.0])
def test_workflows_under_way_end_as_they_would_have_when_the_clock_is_set(by: timedelta, after: float) -> None:
    sim, calm = slowly(), slowly()
    sim.run(until=EPOCH + timedelta(seconds=after))
    leap(sim, by)
    sim.run()
    calm.run()
    check(sim)
    same_story(sim, calm)
    assert sim.executor.effects == calm.executor.effects


def slowly() -> Simulation:
    sim = world(replaying={"pace": lambda _: 0.2})
    for shape in SHAPES:
        sim.trigger(shape)
    return sim


def test_code_that_was_lost_is_told_again_at_once_when_the_clock_is_set_back() -> None:
    lost = iter([True] * 6)
    sim = world(replaying={"loses": lambda _: next(lost, False)})
    sim.trigger("sequential")
    sim.run(until=EPOCH + timedelta(seconds=6))
    leap(sim, -HOUR)
    begun = sim.clock.now()
    sim.run()
    assert sim.clock.now() - begun < timedelta(minutes=2)


def test_calls_that_wait_for_a_worker_do_not_time_out_because_the_clock_leaps_ahead() -> None:
    sim = world(script=lambda order: msgspec.structs.replace(act(order), wait=30.0))
    sim.trigger("fan_out")
    sim.run(until=EPOCH + timedelta(seconds=20))
    leap(sim, 2 * HOUR)
    sim.run()
    assert ends(sim)["fan_out", "manual__1"] == ("success", 31)
