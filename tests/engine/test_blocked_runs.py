"""Runs whose code cannot go on, and what their kin, their cancellation and their reset mean to them."""

from datetime import timedelta
from typing import Any

import pytest

from orchestrator import workflow
from orchestrator.core import values
from orchestrator.core.events import ActivityRequested, ChildEnded, RunBlocked, RunCancelRequested, RunEnded
from orchestrator.core.requests import CancelRun, ClearTasks, ResetRun
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.simulation import Simulation
from orchestrator.workflow import run_child, saga, side_effect, sleep, start_child, timer, wait_any
from tests.engine.dags import chain
from tests.simulation.blue_world import ends, load, world
from tests.simulation.flows import step

RUN: dict[str, Any] = {"run_id": "manual__1"}


def events(sim: Simulation, kind: type, run_key: int = 1) -> list:
    return [fact.event for fact in sim.history(run_key) if isinstance(fact.event, kind)]


def key_of(sim: Simulation, dag_id: str) -> int:
    return next(key for key, facts in sim.histories() if facts[0].event.dag_id == dag_id)


def of(function: Any, dag_id: str = "flow", version: int = 1, **settings: Any) -> Any:
    return load(workflow(dag_id=dag_id, **settings)(function).dag, version)


def sim_of(parent: Any, child: Any) -> Simulation:
    """A world in which ``flow`` has a run, and may start ``child``."""
    sim = world(specs=[])
    sim.store.add_dag(of(parent))
    sim.store.add_dag(of(child, "child", 2))
    sim.trigger("flow")
    return sim


def cannot_go_on() -> None:
    step("begin")
    side_effect("what cannot be recorded", object)


def waits_for_its_child() -> Any:
    return run_child("child")


def does_not_wait() -> str:
    wait_any(start_child("child"), timer(3600))
    return "enough"


# ── cancelled ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_blocked_child_ends_with_the_parent_that_is_cancelled():
    sim = sim_of(waits_for_its_child, cannot_go_on)
    sim.run()
    assert events(sim, RunBlocked, key_of(sim, "child"))
    sim.store.ask(CancelRun(dag_id="flow", **RUN))
    sim.run()
    state, reason = ends(sim)["child", "child-1__manual__1"]
    assert state == "failed"
    assert reason.endswith("does not want it any more; its code was blocked (encoding) and has cleaned up nothing")
    assert ends(sim)["flow", "manual__1"][0] == "failed"


def test_a_blocked_child_ends_with_the_parent_that_has_returned():
    sim = sim_of(does_not_wait, cannot_go_on)
    sim.run()
    assert ends(sim, "flow")["flow", "manual__1"] == ("success", "enough")
    state, reason = ends(sim)["child", "child-1__manual__1"]
    assert state == "failed"
    assert "its parent, run 'manual__1' of DAG 'flow', has ended; its code was blocked" in reason


def test_a_blocked_run_that_is_cancelled_by_hand_ends_at_once_and_its_parent_hears_of_it():
    sim = sim_of(waits_for_its_child, cannot_go_on)
    sim.run()
    sim.store.ask(CancelRun(dag_id="child", run_id="child-1__manual__1", reason="wrong order"))
    sim.run()
    (ended,) = events(sim, ChildEnded)
    assert ended.reason == "wrong order; its code was blocked (encoding) and has cleaned up nothing"
    assert ends(sim)["flow", "manual__1"][0] == "failed"


def charges() -> str:
    with saga() as undo:
        step("charge")
        undo.add(step, "refund")
        side_effect("what cannot be recorded", object)
    return "charged"


def charges_and_waits() -> str:
    with saga() as undo:
        step("charge")
        undo.add(step, "refund")
        sleep(60)
    return "charged"


def test_a_run_that_was_cancelled_while_it_was_blocked_cleans_up_once_it_is_reset_with_mended_code():
    sim = sim_of(charges, slow)
    sim.run()
    sim.store.ask(CancelRun(dag_id="flow", **RUN))
    sim.run()
    assert ends(sim)["flow", "manual__1"][0] == "failed"
    (cancelled,) = [fact.seq for fact in sim.history() if isinstance(fact.event, RunCancelRequested)]
    version = sim.store.add_dag(of(charges_and_waits, version=3))
    sim.store.ask(ResetRun(dag_id="flow", seq=cancelled, version_id=version, **RUN))
    sim.run()
    assert [values.decode(event.input)["args"] for event in events(sim, ActivityRequested)] == [["charge"], ["refund"]]
    assert events(sim, RunEnded)[-1].reason == "cancelled"


# ── reset after the end of the parent ────────────────────────────────────────────────────────────────────────


def slow() -> str:
    step("begin")
    sleep(600)
    return step("end")


@pytest.mark.parametrize("crashes", [1, 2])
def test_a_child_that_is_reset_after_the_end_of_its_parent_goes_on_however_often_all_is_killed(crashes: int):
    sim = sim_of(waits_for_its_child, slow)
    sim.run()
    child = key_of(sim, "child")
    sim.store.ask(ResetRun(dag_id="child", run_id="child-1__manual__1", seq=4))
    for _ in range(crashes):
        sim.run(until=sim.clock.now() + timedelta(seconds=30))
        sim.crash()
    sim.run()
    assert not events(sim, RunCancelRequested, child)
    assert [event.state for event in events(sim, RunEnded, child)] == ["success", "success"]


def starts_a_static_dag() -> Any:
    return run_child("static")


def test_a_child_with_cleared_tasks_goes_on_after_a_restart_although_its_parent_has_ended():
    sim = world(specs=[], script=lambda _: Script())
    sim.store.add_dag(of(starts_a_static_dag))
    sim.store.add_dag(chain(2, dag_id="static"))
    sim.trigger("flow")
    sim.run()
    child = key_of(sim, "static")
    sim.store.ask(ClearTasks(dag_id="static", run_id="static-1__manual__1", tasks=(("t0", None), ("t1", None))))
    sim.run(until=sim.clock.now() + timedelta(seconds=0.5))
    sim.crash()
    sim.run()
    assert not events(sim, RunCancelRequested, child)
    assert [event.state for event in events(sim, RunEnded, child)] == ["success", "success"]
