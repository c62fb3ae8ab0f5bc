"""Tasks that have dates of their own: in runs of other dates they are skipped."""

from datetime import UTC, datetime

import pytest

from orchestrator import DAG, task
from orchestrator.core.events import ActivitySkipped
from orchestrator.core.plan import Plan
from orchestrator.core.requests import TriggerRun
from orchestrator.core.runs import replay
from orchestrator.core.spec import TaskSpec, mapping_over
from orchestrator.exceptions import DagError
from orchestrator.names import RunType, TriggerRule
from orchestrator.operators import EmptyOperator
from orchestrator.testing.simulation import Simulation
from tests.authoring.graphs import compiled
from tests.engine.dags import dag
from tests.engine.dags import task as task_spec

FEBRUARY, MARCH = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)


def states(date: datetime, *tasks: TaskSpec, run_type: RunType = RunType.MANUAL) -> dict[str, str]:
    sim = Simulation()
    sim.store.add_dag(dag(*tasks))
    sim.store.ask(TriggerRun(dag_id="d", run_id="r", run_uid="u", logical_date=date, run_type=run_type))
    sim.run()
    ((_, facts),) = sim.histories()
    run = replay(1, list(facts), lambda version: Plan(sim.store.spec(version), version))
    assert run.is_ended
    reasons = [fact.event.reason for fact in facts if isinstance(fact.event, ActivitySkipped)]
    assert all("_date 2026-02-01 00:00 (UTC)" in reason or "trigger rule" in reason for reason in reasons)
    return {name: str(node.one.state) for name, node in run.nodes.items()}


@pytest.mark.parametrize(
    ("date", "dates", "state"),
    [
        (datetime(2026, 1, 31, tzinfo=UTC), {"start_date": FEBRUARY}, "skipped"),
        (FEBRUARY, {"start_date": FEBRUARY}, "success"),
        (FEBRUARY, {"end_date": FEBRUARY}, "success"),
        (MARCH, {"end_date": FEBRUARY}, "skipped"),
        (MARCH, {"start_date": FEBRUARY}, "success"),
    ],
)
def test_a_task_is_done_in_the_runs_of_its_dates_only(date, dates, state):
    after = task_spec("after", "a")
    last = task_spec("last", "a", trigger_rule=TriggerRule.NONE_FAILED)
    assert states(date, task_spec("a", **dates), after, last) == {"a": state, "after": state, "last": "success"}


def test_a_mapped_task_is_skipped_as_one():
    assert states(MARCH, task_spec("a", end_date=FEBRUARY, mapping=mapping_over(3))) == {"a": "skipped"}


def test_a_backfill_does_what_it_is_asked_for():
    assert states(MARCH, task_spec("a", end_date=FEBRUARY), run_type=RunType.BACKFILL) == {"a": "success"}


def made(**dates) -> TaskSpec:
    with DAG("d", start_date=FEBRUARY, default_args=dates.pop("default_args", None)) as found:
        EmptyOperator(task_id="a", **dates)

        @task
        def b() -> None: ...

        b()
    return compiled(found).task("a")


def test_dates_are_kept_where_they_leave_out_runs_that_the_dag_has():
    assert made(start_date=MARCH, end_date=datetime.fromisoformat("2026-04-01")).start_date == MARCH
    assert made(end_date=datetime.fromisoformat("2026-04-01")).end_date == datetime(2026, 4, 1, tzinfo=UTC)
    assert made(start_date=FEBRUARY).start_date is None
    assert made(default_args={"start_date": datetime.fromisoformat("2026-01-01")}).start_date is None
    assert made(default_args={"start_date": MARCH}).start_date == MARCH


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        ({"start_date": "2026-01-01"}, "start_date must be a datetime"),
        ({"start_date": MARCH, "end_date": FEBRUARY}, "its end_date .* is before its start_date"),
    ],
)
def test_dates_that_make_no_sense_are_refused_with_the_line(dates, said):
    with pytest.raises(DagError, match=said):
        made(**dates)
