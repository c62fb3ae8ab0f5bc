"""Random workflows in turmoil: crashes, outages, lost processes, and people who do what they should not."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from orchestrator.core.events import RunCreated
from orchestrator.core.orders import Order
from orchestrator.core.requests import (
    AnyRequest,
    CancelRun,
    ClearTasks,
    ForkRun,
    MarkTask,
    MoveRun,
    PauseRun,
    ResetRun,
    ResumeRun,
    SendSignal,
    SendUpdate,
)
from orchestrator.names import Delivery, TaskState
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.rough_world import RoughExecutor, RoughStore, Weather
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.sim_replayer import SimReplayer
from orchestrator.testing.simulation import SETTINGS, Simulation
from tests.simulation.blue_world import CODE, act, code_of, dice, raw
from tests.simulation.stories import SINK, graph, random_story, spec_of

ROUGH = timedelta(seconds=120)
GRAPH = "graph"
MOST_CRASHES = 100


class BlueTurmoil(msgspec.Struct, frozen=True, kw_only=True):
    """Everything is drawn from ``seed``; the rates are shares of steps, commits, activations and reports."""

    seed: int
    stories: int = 3
    size: int = 8
    crash_rate: float = 0.0
    outage_rate: float = 0.0
    loss_rate: float = 0.0
    noise: float = 0.0
    meddling: float = 0.5
    outlives: bool = False

    def command(self) -> str:
        """The line that runs this again, from the root of the repository."""
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if name != "outlives"}
        words = [f"--{name.replace('_', '-')} {value}" for name, value in given.items()]
        return " ".join(["python -m tests.simulation.reproduce", *words, *(["--outlives"] if self.outlives else [])])


class Unrest:
    """One turmoil on its way. ``again`` counts, by run, how often somebody took it back."""

    def __init__(self, given: BlueTurmoil) -> None:
        self.given = given
        self.dice = random.Random(f"blue/{given.seed}")
        self.weather = Weather(self.dice, outage_rate=given.outage_rate, noise=given.noise)
        self.names = [f"story_{number}" for number in range(given.stories)]
        self.code: dict[int, Any] = {}
        self.versions: dict[str, list[int]] = {}
        self.asked = 0
        self.check: Callable[[], None] = lambda: None
        self.sim = self._world()
        for number, name in enumerate(self.names):
            story = random_story(random.Random(f"story/{given.seed}/{name}"), name, self.names[:number], given.size)
            self._publish(name, story)
        self._publish(SINK, random_story(self.dice, SINK, [], 0))
        self.sim.store.add_dag(graph(GRAPH))

    def _publish(self, name: str, story: Any) -> None:
        version = self.sim.store.add_dag(spec_of(name))
        CODE[name, version] = self.code[version] = story
        self.versions.setdefault(name, []).append(version)

    def _world(self) -> Simulation:
        given = self.given
        return Simulation(
            script=self._script,
            crash_when=self._crashes,
            settings=msgspec.structs.replace(
                SETTINGS, parallelism=self.dice.choice((1, 3, 32)), queued_timeout=timedelta(seconds=600)
            ),
            make_executor=lambda clock, script: RoughExecutor(clock, script, self.weather, outlives=given.outlives),
            make_store=lambda store: RoughStore(store, self.weather, lambda _: None),
            make_replayer=lambda clock: SimReplayer(
                clock,
                code_of,
                pace=self._pace(),
                evicts=dice(f"evict/{given.seed}", 0.2),
                loses=lambda _: self.weather.is_rough and self.dice.random() < given.loss_rate,
            ),
        )

    def _crashes(self, _: int) -> bool:
        """Not without end: each leaves facts of all that was open, and the next has to read them."""
        may_crash = self.weather.is_rough and self.sim.restarts < MOST_CRASHES
        return may_crash and self.dice.random() < self.given.crash_rate

    def _pace(self) -> Callable[[int], float]:
        chance = random.Random(f"pace/{self.given.seed}")
        return lambda _: chance.choice((0.0, 0.0, 0.0, 0.3, 2.0))

    def _script(self, order: Order) -> Script:
        luck = random.Random(f"{self.given.seed}/{order.key}/{order.idempotency_key}")
        if order.dag_id == GRAPH:
            wish = {"run": {"dag_id": luck.choice([*self.names, "nowhere"])}}
            outcome = "defer" if order.key.task_id == "waits" else "success"
            return Script(outcome=outcome, work=luck.uniform(0, 3), result=msgspec.json.encode(wish))
        script = act(order)
        if self.given.noise and luck.random() < 0.1:
            script = msgspec.structs.replace(script, outcome="lost")
        return msgspec.structs.replace(script, wait=luck.choice((0, 0, 1)), work=luck.choice((0, 0.5, 3, 20)))

    # ── living ───────────────────────────────────────────────────────────────────────────────────────────

    def live(self) -> "Unrest":
        for name in (*self.names, SINK, GRAPH):
            self.sim.trigger(name, "first")
        while self.sim.clock.now() < EPOCH + ROUGH:
            self.sim.run(until=self.sim.clock.now() + timedelta(seconds=self.dice.uniform(0, 4)), most_turns=100_000)
            self.check()
            if self.dice.random() < self.given.meddling:
                self._meddle()
        self.weather.is_rough = False
        self._calm_down()
        return self

    def _calm_down(self) -> None:
        """Nothing is paused, everybody has an answer, and the sinks what they wait for."""
        for _ in range(30):
            for dag_id, run_id in self.sim.run_names():
                self._ask(ResumeRun(dag_id=dag_id, run_id=run_id))
                if dag_id == SINK:
                    for _ in range(3):
                        self._signal(dag_id, run_id)
            self.sim.run(most_turns=100_000)
            while self.sim.resolve_unknown_outcomes():
                self.sim.run(most_turns=100_000)
            if not self.sim.store.open_runs():
                return

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────

    def _meddle(self) -> None:
        deeds: list[tuple[Callable[[str, str], None], int]] = [
            (self._signal, 8),
            (self._update, 4),
            (self._cancel, 2),
            (self._cancel_twice, 1),
            (self._pause, 1),
            (self._resume, 2),
            (self._reset, 3),
            (self._move, 2),
            (self._clear, 1),
            (self._mark, 1),
            (self._fork, 2),
            (self._trigger, 4),
        ]
        names = self.sim.run_names()
        (deed,) = self.dice.choices([deed for deed, _ in deeds], [weight for _, weight in deeds])
        if names:
            deed(*self.dice.choice(names))

    def _ask(self, request: AnyRequest) -> None:
        self.sim.store.ask(request)

    def _number(self) -> int:
        self.asked += 1
        return self.asked

    def _trigger(self, dag_id: str, _run_id: str) -> None:
        self.sim.trigger(dag_id, f"manual__{self._number()}")

    def _signal(self, dag_id: str, run_id: str) -> None:
        name = self.dice.choice(("word", "word", "nudge"))
        self._ask(SendSignal(dag_id=dag_id, run_id=run_id, name=name, payload=raw(str(self._number()))))

    def _update(self, dag_id: str, run_id: str) -> None:
        name = f"update-{self.dice.randint(1, 40)}"
        payload = raw({"what": self.dice.choice(("good", "bad", "worse"))})
        self._ask(SendUpdate(dag_id=dag_id, run_id=run_id, update_id=name, name="change", payload=payload))

    def _cancel(self, dag_id: str, run_id: str) -> None:
        self._ask(CancelRun(dag_id=dag_id, run_id=run_id))

    def _cancel_twice(self, dag_id: str, run_id: str) -> None:
        self._ask(CancelRun(dag_id=dag_id, run_id=run_id))
        self._ask(CancelRun(dag_id=dag_id, run_id=run_id, reason="really"))

    def _pause(self, dag_id: str, run_id: str) -> None:
        self._ask(PauseRun(dag_id=dag_id, run_id=run_id))

    def _resume(self, dag_id: str, run_id: str) -> None:
        self._ask(ResumeRun(dag_id=dag_id, run_id=run_id))

    def _reset(self, dag_id: str, run_id: str) -> None:
        version = self.dice.choice((None, self.versions.get(dag_id, [None])[-1]))
        seq = self.dice.randint(1, self._length(dag_id, run_id))
        self._ask(ResetRun(dag_id=dag_id, run_id=run_id, seq=seq, version_id=version))

    def _move(self, dag_id: str, run_id: str) -> None:
        """The next version of the story takes a step more, and patches it in."""
        if dag_id not in self.versions:
            return
        if len(self.versions[dag_id]) < 4 and self.dice.random() < 0.5:
            self._publish(dag_id, self.code[self.versions[dag_id][-1]].patched(self._number(), self.dice))
        self._ask(MoveRun(dag_id=dag_id, run_id=run_id, version_id=self.versions[dag_id][-1]))

    def _clear(self, dag_id: str, run_id: str) -> None:
        task = "waits" if dag_id == GRAPH else "step"
        self._ask(ClearTasks(dag_id=dag_id, run_id=run_id, tasks=((task, None),)))

    def _mark(self, dag_id: str, run_id: str) -> None:
        task = "waits" if dag_id == GRAPH else self.dice.choice(("step", "unsteady"))
        state = self.dice.choice((TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED))
        self._ask(MarkTask(dag_id=dag_id, run_id=run_id, task_id=task, state=state))

    def _fork(self, dag_id: str, run_id: str) -> None:
        name, seq = f"fork__{self._number()}", self.dice.randint(1, self._length(dag_id, run_id))
        self._ask(ForkRun(dag_id=dag_id, run_id=name, source=run_id, run_uid=f"uid-{name}", seq=seq))

    def _length(self, dag_id: str, run_id: str) -> int:
        return next(
            len(facts)
            for _, facts in self.sim.histories()
            if isinstance(first := facts[0].event, RunCreated) and (first.dag_id, first.run_id) == (dag_id, run_id)
        )


__all__ = ["GRAPH", "SINK", "BlueTurmoil", "Delivery", "Unrest"]
