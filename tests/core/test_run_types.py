"""Which runs a DAG has, as far as its author restricts them."""

import pytest

from orchestrator import DAG, task
from orchestrator.core.events import ChildEnded, RunCreated
from orchestrator.core.orders import Order
from orchestrator.core.run_types import on_trial, refusal
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import DagError
from orchestrator.names import RunType
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.simulation import Simulation
from tests.authoring.graphs import compiled
from tests.engine.dags import dag
from tests.engine.dags import task as task_spec

SCHEDULED = DagSpec(dag_id="d", file="d.py", line=3, allowed_run_types=(RunType.SCHEDULED, RunType.BACKFILL))


def made(**settings) -> DAG:
    with DAG("d", **settings) as found:

        @task
        def a() -> None: ...

        a()
    return found


def test_a_dag_has_runs_of_every_type_unless_its_author_names_some():
    assert [refusal(compiled(made()), kind) for kind in RunType] == [None] * len(RunType)
    assert compiled(made(allowed_run_types=["manual", RunType.SCHEDULED])).allowed_run_types == ("scheduled", "manual")


def test_a_run_of_another_type_is_refused_with_the_types_that_there_are():
    assert refusal(SCHEDULED, RunType.BACKFILL) is None
    assert refusal(SCHEDULED, RunType.MANUAL) == (
        "DAG 'd' has no manual runs: its allowed_run_types are scheduled, backfill (d.py:3)"
    )


def test_a_dag_is_tried_with_a_run_that_it_may_have():
    assert on_trial(SCHEDULED.allowed_run_types) is RunType.SCHEDULED
    assert on_trial(()) is RunType.MANUAL


@pytest.mark.parametrize("types", ["manual", ["by_hand"], [], [3]])
def test_what_is_no_list_of_run_types_is_refused(types):
    with pytest.raises(DagError, match="allowed_run_types must be a list of at least one of scheduled, manual"):
        made(allowed_run_types=types)


def test_a_schedule_without_scheduled_runs_is_refused():
    with pytest.raises(DagError, match="add 'scheduled', or leave the schedule out"):
        compiled(made(schedule="@daily", allowed_run_types=["manual"]))


def test_a_request_for_a_run_that_the_dag_does_not_have_is_refused_when_it_is_taken_up():
    sim = Simulation()
    sim.store.add_dag(dag(task_spec("a"), allowed_run_types=(RunType.SCHEDULED,)))
    sim.trigger("d")
    sim.run()
    assert list(sim.histories()) == []
    assert "has no manual runs" in next(iter(sim.store.refusals.values()))


def test_a_task_cannot_start_a_run_that_the_dag_does_not_have():
    def script(order: Order) -> Script:
        return Script(outcome="defer", result=b'{"run":{"dag_id":"inner"}}')

    sim = Simulation(script=script)
    sim.store.add_dag(dag(task_spec("start"), dag_id="outer"))
    sim.store.add_dag(dag(task_spec("a"), dag_id="inner", allowed_run_types=(RunType.MANUAL,)))
    sim.trigger("outer")
    sim.run()
    ((_, facts),) = sim.histories()
    assert isinstance(facts[0].event, RunCreated)
    (ended,) = [fact.event for fact in facts if isinstance(fact.event, ChildEnded)]
    assert "has no operator_triggered runs" in ended.reason
