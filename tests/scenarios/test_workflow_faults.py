"""Faults that come from outside, while workflows are under way: no room, another clock, a rival scheduler."""

import signal
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, text

from orchestrator.storage.database import create, writing
from orchestrator.testing.clock import EPOCH, FakeClock
from orchestrator.testing.simulation import Simulation
from orchestrator.testing.sql_world import SqlWorld
from tests.postgres_server import PostgresServer
from tests.scenarios.test_blue_kills import Gale
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


# ── a rival scheduler ────────────────────────────────────────────────────────────────────────────────────────


def let_bodies_run(gale: Gale, count: int) -> None:
    target = gale.lines() + count
    gale.home.wait_for("bodies run", lambda: gale.lines() >= target or gale.has_ended())


def succeed(gale: Gale, before: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Start schedulers until one is not refused, as whoever watches over them would."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        gale.home._leaders.remove(before)
        before = gale.home.start("scheduler")
        while before.poll() is None:
            if gale.door.reads.scheduler().owner.endswith(f":{before.pid}"):
                return before
            time.sleep(0.05)
    raise AssertionError(f"no scheduler takes over{gale.home._last_words()}")


@pytest.mark.slow
def test_a_scheduler_that_takes_over_in_the_middle_of_advances_forks_no_history(tmp_path: Path) -> None:
    gale = Gale(tmp_path)
    with gale.home:
        gale.make_ready()
        gale.trigger()
        first = gale.home.start("scheduler")
        for _ in range(5):
            let_bodies_run(gale, gale.random.randint(1, 9))
            refused = gale.home.run("scheduler")
            assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
            first.kill()
            first.wait()
            first = succeed(gale, first)
        gale.home.wait_for("every run ends", gale.has_ended, timeout=90)
        gale.door.close()
        assert gale.faults() == [], f"seed {gale.seed}"


def stop_in_a_transaction(process: subprocess.Popen[bytes], url: str) -> None:
    """Stop it, as a machine that is suspended, or cut off, does, while it holds the locks of a transaction."""
    query = "SELECT count(*) FROM pg_locks WHERE relation = 'leases'::regclass AND mode = 'RowShareLock'"
    deadline = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            process.send_signal(signal.SIGSTOP)
            row = connection.execute(query).fetchone()
            if row is not None and row[0]:
                return
            process.send_signal(signal.SIGCONT)
    raise AssertionError("it is never in a transaction")


@pytest.mark.slow
@pytest.mark.postgres
def test_a_scheduler_that_hangs_until_another_has_taken_over_writes_nothing_more(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    url = postgres.database()
    gale = Gale(tmp_path, **{"database.sql_alchemy_conn": url})
    with gale.home:
        gale.make_ready()
        gale.trigger()
        hung = gale.home.start("scheduler")
        let_bodies_run(gale, gale.random.randint(3, 20))
        stop_in_a_transaction(hung, url)
        succeed(gale, hung)
        let_bodies_run(gale, 5)
        hung.send_signal(signal.SIGCONT)
        assert hung.wait(timeout=20) == 1
        gale.home.wait_for("every run ends", gale.has_ended, timeout=90)
        gale.door.close()
        assert gale.faults() == [], f"seed {gale.seed}"
        said = gale.home.log.read_text()
        assert "has passed to" in said
        assert "Traceback" not in said
