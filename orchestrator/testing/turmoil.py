"""Turmoil: several DAGs with schedules, pools and limits, while people, executor, database and machine do their worst.

Everything is drawn from one seed. It lasts ``ROUGH`` of simulated time; then all becomes calm, every run has to end by
itself, and what must hold of the histories is checked.
"""

import random
from collections.abc import Callable
from datetime import timedelta

import msgspec

from orchestrator.testing.checks import LimitWatch, check_world
from orchestrator.testing.clock import EPOCH, FakeClock
from orchestrator.testing.people import People
from orchestrator.testing.random_dags import DAYS_END, POOLS, random_dags
from orchestrator.testing.rough_world import RoughExecutor, RoughStore, Weather
from orchestrator.testing.sim_executor import deferring, drawn
from orchestrator.testing.sim_triggerer import SimTriggerer, vigils
from orchestrator.testing.simulation import SETTINGS, Simulation
from orchestrator.testing.world import World

ROUGH = timedelta(seconds=90)


class Turmoil(msgspec.Struct, frozen=True, kw_only=True):
    """``crash_rate``, ``outage_rate`` and ``noise``: the share of steps, commits and reports that go wrong;
    ``deferring``: that of the bodies that defer themselves.
    """

    seed: int
    dags: int = 2
    tasks: int = 5
    crash_rate: float = 0.0
    outage_rate: float = 0.0
    noise: float = 0.0
    meddling: float = 0.3
    deferring: float = 0.0
    outlives: bool = False

    def command(self) -> str:
        """The line that runs this again."""
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if name != "outlives"}
        words = [f"--{name.replace('_', '-')} {value}" for name, value in given.items()]
        return " ".join(["python -m orchestrator.testing.reproduce", "--turmoil", *words, *self._flags()])

    def _flags(self) -> list[str]:
        return ["--outlives"] if self.outlives else []

    def run(self, world: Callable[[FakeClock], World] | None = None) -> Simulation:
        """Run it to its end; AssertionError, with the line that reproduces it, where something does not hold."""
        try:
            return self._run(world)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}\nrun it again with: {self.command()}") from error

    def _run(self, world: Callable[[FakeClock], World] | None) -> Simulation:
        dice = random.Random(f"turmoil/{self.seed}")
        weather = Weather(dice, outage_rate=self.outage_rate, noise=self.noise)
        parallelism = dice.choice((1, 3, 32))
        watch = LimitWatch(parallelism)
        sim = Simulation(
            script=deferring(drawn(self.seed), self.seed, self.deferring),
            crash_when=lambda _: weather.is_rough and dice.random() < self.crash_rate,
            settings=msgspec.structs.replace(
                SETTINGS, parallelism=parallelism, queued_timeout=timedelta(seconds=dice.choice((3, 600)))
            ),
            world=world,
            make_executor=lambda clock, script: RoughExecutor(clock, script, weather, outlives=self.outlives),
            make_triggerer=lambda clock: SimTriggerer(
                clock, vigils(self.seed), repeats=lambda number: weather.is_rough and number % 5 == 0 and self.noise > 0
            ),
            make_store=lambda store: RoughStore(store, weather, watch.look),
        )
        specs = random_dags(self.seed, self.dags, self.tasks)
        for name, slots in POOLS.items():
            sim.store.set_pool(name, slots)
        for spec in specs:
            sim.store.add_dag(spec)
        people = People(sim, specs, dice)
        self._be_rough(sim, people, dice)
        weather.is_rough = False
        self._calm_down(sim, people)
        check_world(sim, specs, people)
        return sim

    def _be_rough(self, sim: Simulation, people: People, dice: random.Random) -> None:
        while sim.clock.now() < EPOCH + ROUGH:
            sim.run(until=sim.clock.now() + timedelta(seconds=dice.uniform(0, 4)))
            if dice.random() < self.meddling:
                people.meddle()

    def _calm_down(self, sim: Simulation, people: People) -> None:
        """People put right what only they can: what is paused goes on, what is unknown is answered."""
        people.let_everything_go_on()
        sim.run()
        sim.clock.move_to(DAYS_END)
        sim.run()
        while sim.resolve_unknown_outcomes():
            sim.run()
