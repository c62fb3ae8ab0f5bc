"""Runs that runs start: as children of a workflow, and as tasks of a DAG."""

from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest

from orchestrator.core import values
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ChildEnded,
    ChildStarted,
    RunCancelRequested,
    RunCreated,
    RunEnded,
)
from orchestrator.core.orders import Order
from orchestrator.core.particulars import NULL
from orchestrator.core.requests import CancelRun, ClearTasks
from orchestrator.core.spec import RetrySpec
from orchestrator.names import ParentClose, RunState
from orchestrator.ports import Part
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.simulation import Simulation
from tests.engine.dags import chain, dag, task
from tests.simulation.blue_world import act, ends, world


def events(sim: Simulation, kind: type, run_key: int = 1) -> list:
    return [fact.event for fact in sim.history(run_key) if isinstance(fact.event, kind)]


def key_of(sim: Simulation, dag_id: str) -> int:
    return next(key for key, facts in sim.histories() if facts[0].event.dag_id == dag_id)


def defers_to(trigger: object) -> object:
    def script(order: Order) -> Script:
        if order.key.task_id == "node":
            return Script(outcome="defer", result=msgspec.json.encode(trigger))
        return Script() if order.call == NULL else act(order)

    return script


def with_a_node(trigger: object, **settings: object) -> Simulation:
    """A DAG whose first task waits for a run, and whose second takes the result of that."""
    sim = world(script=defers_to(trigger))
    sim.store.add_dag(dag(task("node", **settings), task("after", "node", inputs=("node",)), dag_id="outer"))
    sim.trigger("outer")
    return sim


def test_a_task_that_runs_a_workflow_holds_no_worker_and_has_its_result():
    sim = with_a_node({"run": {"dag_id": "patient", "conf": {}}})
    sim.run(until=EPOCH + timedelta(hours=1))
    assert sim.executor.next_due() is None
    assert [event.task_id for event in events(sim, ActivityDeferred)] == ["node"]
    sim.run()
    (done, _) = events(sim, ActivityCompleted)
    assert values.decode(done.result) == ["after three days", "slow", "42", "True"]
    assert done.length == 4
    assert ends(sim)["outer", "manual__1"][0] == "success"
    (created,) = events(sim, RunCreated, key_of(sim, "patient"))
    assert (created.parent.run_key, created.child_id, created.run_id) == (1, "node/-1/1", "node.-1.1__manual__1")


def test_the_conf_of_a_task_that_runs_a_workflow_is_that_of_the_run():
    sim = with_a_node({"run": {"dag_id": "sequential", "conf": {"length": 3}}})
    sim.run()
    assert ends(sim)["sequential", "node.-1.1__manual__1"] == ("success", 3)


def test_a_static_dag_can_be_run_as_a_task_too():
    sim = with_a_node({"run": {"dag_id": "inner"}})
    sim.store.add_dag(chain(2, dag_id="inner"))
    sim.run()
    assert ends(sim) == {
        ("outer", "manual__1"): ("success", None),
        ("inner", "node.-1.1__manual__1"): ("success", None),
    }


def test_a_task_whose_run_fails_is_tried_again_with_a_new_run():
    sim = with_a_node({"run": {"dag_id": "inner"}}, retry=RetrySpec(retries=1, delay=timedelta(seconds=5)))
    sim.store.add_dag(dag(task("node2"), dag_id="inner"))
    sim.executor._script = _fails("node2", sim.executor._script)
    sim.run()
    first, last = events(sim, ActivityFailed)
    assert first.retry_at is not None
    assert last.retry_at is None
    assert "failed at its end: node2" in last.failure.message
    names = [run_id for dag_id, run_id in sim.run_names() if dag_id == "inner"]
    assert names == ["node.-1.1__manual__1", "node.-1.2__manual__1"]


def _fails(task_id: str, other: object) -> object:
    return lambda order: Script(outcome="fail") if order.key.task_id == task_id else other(order)


def test_a_task_that_names_an_unknown_dag_fails_with_a_sentence():
    sim = with_a_node({"run": {"dag_id": "nowhere"}})
    sim.run()
    (failed,) = events(sim, ActivityFailed)
    assert "there is no DAG 'nowhere'" in failed.failure.message
    (started,) = events(sim, ChildStarted)
    assert started.child_run_key == 0


def test_a_task_that_is_deferred_to_something_unknown_fails_with_a_sentence():
    sim = with_a_node({"weather": "sunny"})
    sim.run()
    (failed,) = events(sim, ActivityFailed)
    assert 'deferred to {"weather":"sunny"}, which is not known here' in failed.failure.message


def test_a_run_id_that_is_taken_fails_the_task_that_asks_for_it():
    sim = with_a_node({"run": {"dag_id": "sequential", "run_id": "mine"}})
    sim.trigger("sequential", "mine")
    sim.run()
    (failed,) = events(sim, ActivityFailed)
    assert "DAG 'sequential' has a run 'mine' already" in failed.failure.message


def test_clearing_a_task_that_waits_for_a_run_cancels_that_run():
    sim = with_a_node({"run": {"dag_id": "patient"}})
    sim.run(until=EPOCH + timedelta(hours=1))
    sim.store.ask(ClearTasks(dag_id="outer", run_id="manual__1", tasks=(("node", None),)))
    sim.run()
    found = ends(sim)
    assert found["patient", "node.-1.1__manual__1"][0] == "failed"
    assert found["patient", "node.-1.2__manual__1"][0] == "success"
    assert found["outer", "manual__1"][0] == "success"


def test_cancelling_a_run_cancels_the_runs_that_it_waits_for():
    sim = with_a_node({"run": {"dag_id": "patient"}})
    sim.run(until=EPOCH + timedelta(hours=1))
    sim.store.ask(CancelRun(dag_id="outer", run_id="manual__1"))
    sim.run()
    assert {state for state, _ in ends(sim).values()} == {"failed"}
    assert events(sim, RunCancelRequested, key_of(sim, "patient"))[0].by == "parent"


def test_a_run_that_is_abandoned_outlives_its_parent():
    sim = with_a_node({"run": {"dag_id": "patient", "close": "abandon"}})
    sim.run(until=EPOCH + timedelta(hours=1))
    sim.store.ask(CancelRun(dag_id="outer", run_id="manual__1"))
    sim.run()
    assert ends(sim)["patient", "node.-1.1__manual__1"][0] == "success"


def test_max_active_runs_holds_for_children_too():
    sim = world(script=defers_to({"run": {"dag_id": "inner"}}))
    sim.store.add_dag(dag(task("a"), dag_id="inner", max_active_runs=1))
    sim.store.add_dag(dag(task("node"), dag_id="outer"))
    for number in range(3):
        sim.trigger("outer", f"manual__{number}")
    sim.run()
    spans = sorted((facts[1].at, facts[-1].at) for _, facts in sim.histories() if facts[0].event.dag_id == "inner")
    assert len(spans) == 3
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_a_child_and_what_its_parent_records_of_it_are_of_one_commit():
    sim = world()
    sim.trigger("family")
    sim.run()
    (inside,) = [event for event in events(sim, ChildStarted) if event.dag_id == "sequential"]
    child = sim.history(inside.child_run_key)
    asked = next(fact for fact in sim.history() if fact.event is inside)
    assert child[0].at == asked.at
    assert child[0].event.parent.seq == asked.seq
    (end,) = [event for event in events(sim, ChildEnded) if event.child_id == inside.child_id]
    assert (end.state, values.decode(end.result)) == (RunState.SUCCESS, 3)


def test_a_parent_is_told_after_a_restart_that_its_child_has_ended_meanwhile():
    """As where the part of the parent was left out of the commit in which its child ended."""
    sim = with_a_node({"run": {"dag_id": "sequential"}})
    sim.run(until=EPOCH + timedelta(seconds=2.5))
    sim.crash()
    child = key_of(sim, "sequential")
    facts = sim.store.histories[child]
    ended = RunEnded(state=RunState.SUCCESS, result=msgspec.Raw(b"7"))
    facts.append(msgspec.structs.replace(facts[-1], seq=len(facts) + 1, event=ended))
    sim.run()
    assert values.decode(events(sim, ActivityCompleted)[0].result) == 7
    assert ends(sim)["outer", "manual__1"] == ("success", None)


def test_a_parent_whose_child_was_never_made_is_told_so_after_a_restart():
    sim = with_a_node({"run": {"dag_id": "sequential"}})
    sim.run(until=EPOCH + timedelta(seconds=2.5))
    sim.crash()
    del sim.store.histories[key_of(sim, "sequential")]
    sim.run()
    (failed,) = events(sim, ActivityFailed)
    assert "it could not be started" in failed.failure.message


def test_a_child_whose_part_of_the_commit_is_refused_has_failed(monkeypatch: pytest.MonkeyPatch):
    """As where somebody else has taken its name since it was looked for."""
    sim = with_a_node({"run": {"dag_id": "sequential", "run_id": "mine"}})
    sim.trigger("sequential", "mine")
    look_up = sim.store.run_key
    monkeypatch.setattr(sim.store, "run_key", lambda *name: None if name[1] == "mine" else look_up(*name))
    sim.run()
    (failed,) = events(sim, ActivityFailed)
    assert "it could not be started" in failed.failure.message
    assert ends(sim)["sequential", "mine"] == ("success", 6)


def test_a_child_whose_parent_could_not_record_it_is_cancelled(monkeypatch: pytest.MonkeyPatch):
    sim = with_a_node({"run": {"dag_id": "patient"}})
    write = sim.store._write

    def refuse(part: Part) -> bool:
        is_deferral = any(isinstance(fact.event, ChildStarted) for fact in part.records)
        return write(part) if not is_deferral or len(sim.run_names()) > 1 else False

    monkeypatch.setattr(sim.store, "_write", refuse)
    sim.run(until=EPOCH + timedelta(seconds=1))
    sim.run()
    found = ends(sim)
    orphan, child = sorted(run_id for dag_id, run_id in found if dag_id == "patient")
    assert found["patient", orphan] == (
        "failed",
        "its parent, run 'manual__1' of DAG 'outer', has nothing recorded of it",
    )
    assert found["patient", child][0] == "success"
    assert found["outer", "manual__1"][0] == "success"


def test_a_child_whose_parent_is_gone_is_cancelled_after_a_restart():
    sim = world()
    sim.trigger("family")
    sim.run(until=EPOCH + timedelta(seconds=1.5))
    sim.crash()
    facts = sim.store.histories[1]
    facts.append(msgspec.structs.replace(facts[-1], seq=len(facts) + 1, event=RunEnded(state=RunState.FAILED)))
    sim.run()
    child = key_of(sim, "sequential")
    (created,) = events(sim, RunCreated, child)
    assert created.close is ParentClose.CANCEL
    assert events(sim, RunCancelRequested, child)[0].by == "parent"
