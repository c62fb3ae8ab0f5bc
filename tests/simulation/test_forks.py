"""Forks in a simulated world that crashes: the new run is made once or not at all, and ends."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.events import RunCreated, RunEnded
from orchestrator.core.requests import ForkRun
from orchestrator.core.spec import DagSpec
from orchestrator.testing.invariants import check_histories
from orchestrator.testing.scenario import random_dag
from orchestrator.testing.sim_executor import drawn
from orchestrator.testing.simulation import Simulation
from tests.engine.dags import chain


def forked(seed: int, spec: DagSpec, crash_at: int = 0) -> Simulation:
    """A run to its end, then a fork of it at a random fact, to its end."""
    sim = Simulation(script=drawn(seed), crash_when=lambda step: step == crash_at)
    sim.store.add_dag(spec)
    sim.trigger(spec.dag_id, "first")
    settle(sim)
    _, facts = next(sim.histories())
    seq = random.Random(seed).randint(1, len(facts))
    sim.store.ask(ForkRun(dag_id=spec.dag_id, run_id="second", source="first", run_uid="other", seq=seq))
    settle(sim)
    return sim


def settle(sim: Simulation) -> None:
    sim.run()
    while sim.resolve_unknown_outcomes():
        sim.run()


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), tasks=st.integers(1, 10), crash_at=st.integers(0, 60))
def test_every_invariant_holds_of_a_fork_of_a_random_run(seed: int, tasks: int, crash_at: int) -> None:
    sim = forked(seed, random_dag(seed, tasks), crash_at)
    check_histories(sim)
    made = [facts for _, facts in sim.histories() if isinstance(first := facts[0].event, RunCreated) and first.forked]
    assert len(made) == 1
    assert isinstance(made[0][-1].event, RunEnded)


@pytest.mark.parametrize("step", range(1, 40, 3))
def test_a_fork_of_a_chain_runs_just_what_was_not_taken_over(step: int) -> None:
    begun = 0
    sim = Simulation(crash_when=lambda now: begun > 0 and now == begun + step)
    spec = chain(4)
    sim.store.add_dag(spec)
    sim.trigger("d", "first")
    sim.run()
    second = spec.tasks[1].task_id
    seq = max(fact.seq for fact in sim.history() if getattr(fact.event, "task_id", "") == second)
    done, begun = sim.executor.effects.total(), sim.crashes.steps
    sim.store.ask(ForkRun(dag_id="d", run_id="second", source="first", run_uid="other", seq=seq))
    sim.run()
    assert sim.executor.effects.total() - done in (2, 3), "at most the one that was under way at the crash runs twice"
    check_histories(sim)
