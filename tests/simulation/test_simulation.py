"""The same engine under a simulated clock, executor and store: random DAGs, outcomes and crashes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.testing.reproduce import main
from orchestrator.testing.scenario import Scenario
from orchestrator.testing.simulation import Simulation
from tests.engine.dags import chain

SCENARIOS = st.builds(
    Scenario,
    seed=st.integers(0, 2**32),
    tasks=st.integers(0, 14),
    crash_rate=st.sampled_from((0.0, 0.02, 0.2)),
    outlives=st.booleans(),
    clears=st.booleans(),
)


@settings(max_examples=150)
@given(SCENARIOS)
def test_every_invariant_holds_in_a_random_world(scenario: Scenario):
    scenario.run()


@pytest.mark.parametrize("outlives", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_crash_at_every_single_step_in_turn_breaks_no_invariant(seed: int, outlives: bool):
    steps = Scenario(seed=seed, outlives=outlives).run().crashes.steps
    assert steps > 10
    for step in range(1, steps + 1):
        sim = Scenario(seed=seed, crash_at=step, outlives=outlives).run()
        assert sim.restarts == 1


@settings(max_examples=25)
@given(SCENARIOS)
def test_the_same_seed_gives_the_same_history(scenario: Scenario):
    first, second = scenario.run(), scenario.run()
    assert dict(first.histories()) == dict(second.histories())


@pytest.mark.parametrize("step", range(1, 40))
def test_a_chain_that_crashes_at_any_step_runs_no_recorded_task_again(step: int):
    sim = Simulation(crash_when=lambda now: now == step)
    sim.store.add_dag(chain(6))
    sim.trigger("d")
    sim.run()
    assert sim.executor.effects.total() in (6, 7), "at most the one that was under way at the crash runs twice"
    assert len(sim.executor.effects) == 6


def test_a_broken_invariant_prints_the_one_line_that_reproduces_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    scenario = Scenario(seed=3, tasks=4, crash_at=5)
    assert scenario.command() == "python -m orchestrator.testing.reproduce --seed 3 --tasks 4 --crash-at 5"
    assert main(["--seed", "3", "--tasks", "4", "--crash-at", "5"]) == 0
    assert "every invariant holds; 1 crashes" in capsys.readouterr().out
    monkeypatch.setattr("orchestrator.testing.scenario.check_histories", _always_broken)
    assert main(["--seed", "3", "--tasks", "4", "--crash-at", "5"]) == 1
    assert scenario.command() in capsys.readouterr().err


def _always_broken(sim: Simulation) -> None:
    raise AssertionError("the run never ended")
