"""TriggerDagRunOperator: what it asks the engine for, and what the engine makes of that."""

from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec
import pytest
from msgspec import structs

from orchestrator import DAG
from orchestrator.authoring.neighbours import keep_neighbours
from orchestrator.core.events import ActivityCompleted, ActivityFailed, ActivitySkipped, RunCreated, RunEnded
from orchestrator.core.orders import Order
from orchestrator.exceptions import DagError, UsageError
from orchestrator.names import RunState
from orchestrator.operators.trigger_dagrun import XCOM_RUN_ID, TriggerDagRunOperator
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.simulation import Simulation
from tests.engine.dags import dag, task


def asked(run, **settings) -> dict:
    with DAG("outer") as outer:
        TriggerDagRunOperator(task_id="start", **({"trigger_dag_id": "inner"} | settings))
    return dict(run(outer, "start").trigger)


def facts(sim: Simulation, dag_id: str, kind: type) -> list:
    return [
        fact.event
        for _, history in sim.histories()
        if history[0].event.dag_id == dag_id
        for fact in history
        if isinstance(fact.event, kind)
    ]


def started(wish: dict, *, inner: str = "success", pause: bool = False, **options) -> Simulation:
    def script(order: Order) -> Script:
        if order.dag_id == "outer":
            return Script(outcome="defer", result=msgspec.json.encode(wish))
        return Script(outcome=inner, work=60)

    sim = Simulation(script=script, **options)
    sim.store.add_dag(dag(task("start"), dag_id="outer"))
    sim.store.add_dag(dag(task("work"), dag_id="inner"))
    sim.trigger("outer")
    return sim


def test_a_run_is_started_and_not_waited_for(run):
    sim = started(asked(run, conf={"day": "{{ ds }}"}))
    sim.run(until=EPOCH + timedelta(seconds=20))
    (done,) = facts(sim, "outer", ActivityCompleted)
    (created,) = facts(sim, "inner", RunCreated)
    assert msgspec.json.decode(done.xcoms[XCOM_RUN_ID].value) == created.run_id
    assert msgspec.json.decode(created.conf) == {"day": "2026-01-31"}
    assert facts(sim, "outer", RunEnded)[0].state is RunState.SUCCESS
    assert facts(sim, "inner", RunEnded) == []
    sim.run()
    assert facts(sim, "inner", RunEnded)[0].state is RunState.SUCCESS


@pytest.mark.parametrize("outlives", [False, True])
@pytest.mark.parametrize("waits", [False, True])
def test_whatever_crashes_there_is_exactly_one_run(run, waits, outlives):
    wish = asked(run, wait_for_completion=waits)
    for step in count(1):
        sim = started(wish, crash_when=lambda now, at=step: now == at, outlives=outlives)
        sim.run()
        assert len(facts(sim, "inner", RunCreated)) == 1
        assert len(facts(sim, "outer", ActivityCompleted)) == 1
        if not sim.restarts:
            break
    assert step > 5


def test_it_ends_when_the_run_does_if_it_waits(run):
    sim = started(asked(run, wait_for_completion=True, poke_interval=3600))
    sim.run()
    assert sim.clock.now() < EPOCH + timedelta(minutes=2)
    assert facts(sim, "outer", RunEnded)[0].state is RunState.SUCCESS


def test_a_run_that_fails_fails_the_task_that_waits_for_it(run):
    sim = started(asked(run, wait_for_completion=True), inner="fail")
    sim.run()
    (failed,) = facts(sim, "outer", ActivityFailed)
    assert "the run that it waited for has failed" in failed.failure.message


def test_an_end_that_is_allowed_is_a_success(run):
    wish = asked(run, wait_for_completion=True, allowed_states=["success", "failed"], failed_states=[])
    sim = started(wish, inner="fail")
    sim.run()
    assert facts(sim, "outer", RunEnded)[0].state is RunState.SUCCESS


def test_a_success_can_be_what_is_not_wanted(run):
    wish = asked(run, wait_for_completion=True, allowed_states=["failed"], failed_states=["success"])
    sim = started(wish)
    sim.run()
    (failed,) = facts(sim, "outer", ActivityFailed)
    assert "not among its allowed_states" in failed.failure.message


def test_a_run_that_is_there_already_fails_the_task_or_skips_it(run):
    for skips, kind in ((False, ActivityFailed), (True, ActivitySkipped)):
        sim = started(asked(run, trigger_run_id="mine", skip_when_already_exists=skips, allowed_states=["failed"]))
        sim.trigger("inner", "mine")
        sim.run()
        assert len(facts(sim, "outer", kind)) == 1
        assert len(facts(sim, "inner", RunCreated)) == 1


def test_a_run_that_is_there_already_is_done_anew_if_so_asked(run):
    sim = started(asked(run, trigger_run_id="mine", reset_dag_run=True))
    sim.run()
    assert len(facts(sim, "inner", ActivityCompleted)) == 1
    sim.trigger("outer", "again")
    sim.run()
    assert len(facts(sim, "inner", RunCreated)) == 1
    assert len(facts(sim, "inner", ActivityCompleted)) == 2
    assert {fact.state for fact in facts(sim, "outer", RunEnded)} == {RunState.SUCCESS}


@pytest.mark.parametrize("step", range(1, 24))
def test_a_run_is_done_anew_exactly_once_whatever_crashes(run, step):
    sim = started(asked(run, trigger_run_id="mine", reset_dag_run=True), crash_when=lambda now: now == step)
    sim.run()
    sim.trigger("outer", "again")
    sim.run()
    assert len(facts(sim, "inner", RunCreated)) == 1
    assert len(facts(sim, "inner", ActivityCompleted)) == 2


def test_the_run_has_the_date_that_it_is_given_and_an_id_made_of_it(run):
    sim = started(asked(run, logical_date="{{ ds }}T05:00:00+00:00"))
    sim.run()
    (created,) = facts(sim, "inner", RunCreated)
    assert created.logical_date == datetime(2026, 1, 31, 5, tzinfo=UTC)
    assert created.run_id == "manual__2026-01-31T05:00:00+00:00"


def test_a_conf_that_is_no_json_is_said_so(run):
    with pytest.raises(UsageError, match="conf must be plain JSON"):
        asked(run, conf={"when": datetime(2026, 1, 1, tzinfo=UTC)})


def test_what_is_not_supported_is_refused_where_the_file_says_it(run):
    for other in ("wait_for_completion", "skip_when_already_exists"):
        with pytest.raises(DagError, match=f"reset_dag_run=True and {other}=True do not go together"):
            asked(run, reset_dag_run=True, **{other: True})
    with pytest.raises(DagError, match="each of allowed_states must be one of"):
        asked(run, allowed_states=["done"])


class Inner:
    """Neighbours among whom there is one DAG, that takes an integer ``rows``."""

    def spec(self, dag_id):
        found = dag(task("work"), dag_id="inner")
        schemas = {"rows": {"type": "integer"}, "day": {"type": "string"}}
        return structs.replace(found, params={"day": "monday"}, param_schemas=schemas) if dag_id == "inner" else None


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ({"rows": "many"}, "param 'rows' of DAG 'inner'.*does not take this: 'many' is not of type 'integer'"),
        ({}, "param 'rows' of DAG 'inner'.*is missing: give it in the conf; it takes integer"),
        ({"rows": 1, "day": 2}, "param 'day' of DAG 'inner'.*does not take this"),
    ],
)
def test_a_conf_that_the_other_dag_does_not_take_fails_the_task_and_starts_nothing(run, conf, words):
    before = keep_neighbours(Inner)
    try:
        with pytest.raises(UsageError, match=f"task 'start' starts no run of 'inner': {words}"):
            asked(run, conf=conf)
        assert asked(run, conf={"rows": 3})["run"]["conf"] == {"rows": 3}
        assert asked(run, trigger_dag_id="unheard_of")["run"]["dag_id"] == "unheard_of", "the engine says so"
    finally:
        keep_neighbours(before)
