"""Workflows under a simulated clock, executor and replayer: crashes at every step, outages, lost processes."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivityRequested,
    ActivityScheduled,
)
from orchestrator.core.requests import AnyRequest, CancelRun, SendSignal
from orchestrator.ports import HistoryStore
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.invariants import check_order
from orchestrator.testing.rough_world import RoughExecutor, RoughStore, Weather
from orchestrator.testing.simulation import Simulation
from tests.simulation.blue_world import calls, completions, dice, ends, raw, world

SHAPES = ("sequential", "fan_out", "stubborn", "patient", "asks_leave", "family", "rounds", "order")


def asked_of(dag_id: str) -> dict[timedelta, AnyRequest]:
    """What people ask of the runs of a workflow, and when."""
    run: dict[str, Any] = {"dag_id": dag_id, "run_id": "manual__1"}
    return {
        "asks_leave": {timedelta(hours=5): SendSignal(name="approval", payload=raw("yes"), **run)},
        "order": {timedelta(seconds=10): CancelRun(reason="not wanted any more", **run)},
    }.get(dag_id, {})


def live(sim: Simulation, *dag_ids: str) -> Simulation:
    """Trigger these, let people ask what they ask, and run it to its end."""
    asked = []
    for dag_id in dag_ids:
        sim.trigger(dag_id)
        asked += asked_of(dag_id).items()
    for after, request in sorted(asked, key=lambda one: one[0]):
        sim.run(until=EPOCH + after)
        sim.store.ask(request)
    sim.run()
    return sim


def check(sim: Simulation) -> None:
    """What must hold of the history of every run of a workflow."""
    for _, facts in sim.histories():
        check_order(facts)
        done: set[tuple[str, int]] = set()
        tried: dict[tuple[str, int], int] = {}
        requested = Counter(
            (fact.event.task_id, fact.event.map_index) for fact in facts if isinstance(fact.event, ActivityRequested)
        )
        assert all(times == 1 for times in requested.values()), f"a call was recorded twice: {requested}"
        for fact in facts:
            event = fact.event
            if isinstance(event, ActivityScheduled):
                places = [(event.task_id, event.map_index + number) for number in range(event.count)]
                assert done.isdisjoint(places), f"{places} is run again at seq {fact.seq}, although it is done"
                tried.update(dict.fromkeys(places, event.attempt))
            elif isinstance(event, ActivityLost | ActivityFailed):
                tried.pop((event.task_id, event.map_index), None)
            elif isinstance(event, ActivityCompleted):
                place = (event.task_id, event.map_index)
                if tried.get(place) == event.attempt:  # any other comes too late and is only evidence
                    done.add(place)


def same_story(sim: Simulation, calm: Simulation) -> None:
    """All runs have come to the same ends, by the same calls."""
    assert ends(sim) == ends(calm)
    mine = {name: calls(facts) for name, (_, facts) in zip(sim.run_names(), sim.histories(), strict=True)}
    theirs = {name: calls(facts) for name, (_, facts) in zip(calm.run_names(), calm.histories(), strict=True)}
    assert mine == theirs


def idempotency_keys_are_of_one_call_each(sim: Simulation) -> None:
    done = sum(len(list(completions(facts))) for _, facts in sim.histories())
    assert len(sim.executor.effects) == done


@pytest.mark.parametrize("shape", SHAPES)
def test_a_workflow_that_crashes_at_any_step_ends_as_if_it_had_not(shape: str):
    calm = live(world(), shape)
    assert calm.crashes.steps > 10
    for step in range(1, calm.crashes.steps + 1):
        sim = live(world(crash_when=lambda now, step=step: now == step), shape)
        assert sim.restarts == 1
        check(sim)
        same_story(sim, calm)
        idempotency_keys_are_of_one_call_each(sim)


class Rough:
    """A world in which much goes wrong, until it calms down."""

    def __init__(self, seed: int, *, crash_rate: float, outage_rate: float, loss_rate: float) -> None:
        self.weather = Weather(random.Random(f"weather/{seed}"), outage_rate=outage_rate, noise=0.1)
        crashes = self._while_rough(f"crash/{seed}", crash_rate)
        self.sim = world(
            crash_when=crashes,
            make_store=self._store,
            make_executor=lambda clock, script: RoughExecutor(clock, script, self.weather),
            replaying={
                "pace": self._pace(seed),
                "evicts": dice(f"evict/{seed}", 0.2),
                "loses": self._while_rough(f"lose/{seed}", loss_rate),
            },
        )

    def _store(self, store: HistoryStore) -> HistoryStore:
        return RoughStore(store, self.weather, lambda _: None)

    def _while_rough(self, name: str, rate: float) -> Callable[[int], bool]:
        strikes = dice(name, rate)
        return lambda number: self.weather.is_rough and strikes(number)

    def _pace(self, seed: int) -> Callable[[int], float]:
        chance = random.Random(f"pace/{seed}")
        return lambda _: chance.choice((0.0, 0.0, 0.3, 2.0))


@pytest.mark.parametrize("seed", range(25))
def test_all_workflows_at_once_come_to_their_ends_whatever_goes_wrong(seed: int):
    rough = Rough(seed, crash_rate=0.03, outage_rate=0.05, loss_rate=0.1)
    sim = rough.sim
    for shape in SHAPES:
        sim.trigger(shape)
    sim.trigger("talkative")
    sim.trigger("listener", "listens")
    sim.run(until=EPOCH + timedelta(minutes=5))
    rough.weather.is_rough = False
    sim.run(until=EPOCH + timedelta(hours=1))
    sim.store.ask(SendSignal(dag_id="asks_leave", run_id="manual__1", name="approval", payload=raw("yes")))
    sim.run()
    check(sim)
    found = ends(sim)
    assert found["sequential", "manual__1"] == ("success", 6)
    assert found["fan_out", "manual__1"] == ("success", 31)
    assert found["stubborn", "manual__1"] == ("success", ["first", "instead of refused"])
    assert found["patient", "manual__1"] == ("success", ["after three days", "slow", "42", "True"])
    assert found["asks_leave", "manual__1"] == ("success", ["yes", "end"])
    assert found["family", "manual__1"] == ("success", [3, 6, "nowhere"])
    assert found["rounds", "manual__1"] == ("success", 4)
    assert found["order", "manual__1"] == ("success", "shipped")
    assert found["talkative", "manual__1"] == ("success", "said")
    assert found["listener", "listens"] == ("success", "hello")
