"""Scenario: a random DAG with random outcomes and crashes, all drawn from one seed; run it and check what must hold."""

import random
from collections.abc import Callable
from datetime import timedelta

import msgspec

from orchestrator.core.requests import ClearTasks
from orchestrator.core.spec import DagSpec, RetrySpec, TaskSpec
from orchestrator.names import Delivery, TriggerRule
from orchestrator.testing.clock import FakeClock
from orchestrator.testing.invariants import check_histories
from orchestrator.testing.sim_executor import drawn
from orchestrator.testing.simulation import SETTINGS, Simulation
from orchestrator.testing.world import World


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """``crash_at`` names one step to crash at (0: none); ``crash_rate`` crashes at a share of all steps besides."""

    seed: int
    tasks: int = 6
    crash_at: int = 0
    crash_rate: float = 0.0
    outlives: bool = False
    clears: bool = False

    def command(self) -> str:
        """The line that runs this scenario again."""
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if value or name == "seed"}
        options = (
            f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}") for name, value in given.items()
        )
        return "python -m orchestrator.testing.reproduce " + " ".join(options)

    def run(self, world: Callable[[FakeClock], World] | None = None) -> Simulation:
        """Run it to its end; AssertionError, with the line that reproduces it, where an invariant is broken."""
        sim = Simulation(
            script=drawn(self.seed),
            crash_when=self._crash_when(),
            outlives=self.outlives,
            settings=msgspec.structs.replace(SETTINGS, parallelism=1 + self.seed % 4),
            world=world,
        )
        try:
            sim.store.add_dag(random_dag(self.seed, self.tasks))
            sim.trigger("random", "manual__1")
            sim.trigger("random", "manual__2")
            sim.run()
            self._answer_what_waits(sim)
            if self.clears and self.tasks:
                self._clear(sim)
            check_histories(sim)
        except AssertionError as error:
            raise AssertionError(f"{error}\nrun it again with: {self.command()}") from error
        return sim

    def _crash_when(self) -> Callable[[int], bool]:
        dice = random.Random(f"crash/{self.seed}")
        return lambda step: step == self.crash_at or dice.random() < self.crash_rate

    def _answer_what_waits(self, sim: Simulation) -> None:
        """A person resolves every unknown outcome; some wait behind others, so more than once."""
        while sim.resolve_unknown_outcomes():
            sim.run()

    def _clear(self, sim: Simulation) -> None:
        spec = sim.store.spec(1)
        dice = random.Random(f"clear/{self.seed}")
        chosen = dice.sample([task.task_id for task in spec.tasks], k=1 + len(spec.tasks) // 3)
        sim.store.ask(
            ClearTasks(dag_id="random", run_id="manual__1", tasks=tuple((task_id, None) for task_id in chosen))
        )
        sim.run()
        self._answer_what_waits(sim)


def random_dag(seed: int, tasks: int) -> DagSpec:
    """A DAG of that many tasks, with random edges, rules, retries, weights and delivery modes."""
    dice = random.Random(f"dag/{seed}")
    names = [f"t{number}" for number in range(tasks)]
    return DagSpec(
        dag_id="random",
        file="random.py",
        max_active_runs=dice.choice((1, 2)),
        max_active_tasks=dice.choice((1, 3, 16)),
        fail_fast=dice.random() < 0.1,
        dagrun_timeout=timedelta(seconds=40) if dice.random() < 0.1 else None,
        tasks=tuple(_random_task(dice, name, names[:number]) for number, name in enumerate(names)),
    )


def _random_task(dice: random.Random, name: str, before: list[str]) -> TaskSpec:
    upstream = tuple(sorted(dice.sample(before, k=min(len(before), dice.choice((0, 1, 1, 2, 3))))))
    rule = dice.choice(list(TriggerRule)) if dice.random() < 0.5 else TriggerRule.ALL_SUCCESS
    delivery = dice.choice((Delivery.AT_LEAST_ONCE, Delivery.AT_LEAST_ONCE, Delivery.AT_MOST_ONCE))
    retries = 0 if delivery is Delivery.AT_MOST_ONCE else dice.choice((0, 0, 1, 3))
    return TaskSpec(
        task_id=name,
        upstream=upstream,
        inputs=upstream[:1],
        trigger_rule=rule,
        retry=RetrySpec(retries=retries, delay=timedelta(seconds=5), exponential=2.0, jitter=0.5),
        weight=dice.randrange(1, 9),
        delivery=delivery,
        does_nothing=dice.random() < 0.1,
    )
