"""Workflows under a simulated clock, executor and replayer: crashes at every step, outages, lost processes."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.events import ActivityCompleted, ActivityRequested, ActivityScheduled
from orchestrator.core.requests import AnyRequest, CancelRun, SendSignal
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.invariants import check_order
from orchestrator.testing.simulation import Simulation
from tests.simulation.blue_world import calls, completions, ends, raw, world

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
        requested = Counter(
            (fact.event.task_id, fact.event.map_index) for fact in facts if isinstance(fact.event, ActivityRequested)
        )
        assert all(times == 1 for times in requested.values()), f"a call was recorded twice: {requested}"
        for fact in facts:
            if isinstance(fact.event, ActivityScheduled):
                places = [(fact.event.task_id, fact.event.map_index + n) for n in range(fact.event.count)]
                assert done.isdisjoint(places), f"{places} is run again at seq {fact.seq}, although it is done"
            elif isinstance(fact.event, ActivityCompleted):
                done.add((fact.event.task_id, fact.event.map_index))


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
