"""ExternalTaskSensor, in a home with runs of other DAGs."""

from collections.abc import Iterator

import pytest

from orchestrator import DAG
from orchestrator.exceptions import DagError
from orchestrator.sensors.external_task import ExternalTaskSensor
from orchestrator.testing.home import LiveHome

SOURCE = """
from datetime import timedelta
from orchestrator import DAG, TaskGroup, task
from orchestrator.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor

with DAG("source"):
    with TaskGroup("load"):
        @task
        def rows():
            return 3
        rows()

    @task
    def breaks():
        raise RuntimeError("not today")
    breaks()
    ExternalTaskMarker(task_id="told", external_dag_id="waits", external_task_id="for_rows")

common = {"external_dag_id": "source", "mode": "reschedule", "poke_interval": 0.2, "timeout": 60}
with DAG("waits"):
    ExternalTaskSensor(task_id="for_rows", external_task_id="load.rows", **common)
    ExternalTaskSensor(task_id="for_both", external_task_ids=["load.rows", "told"], **common)
    ExternalTaskSensor(task_id="for_group", external_task_group_id="load", check_existence=True, **common)
    ExternalTaskSensor(task_id="for_end", allowed_states=["failed"], **common)
    ExternalTaskSensor(task_id="skipped", external_task_id="breaks", skipped_states=["failed"], **common)
    ExternalTaskSensor(
        task_id="earlier", external_task_id="load.rows", execution_date_fn=lambda date: date - timedelta(0), **common
    )

with DAG("fails"):
    ExternalTaskSensor(task_id="told", external_task_id="breaks", failed_states=["failed"], **common)
    ExternalTaskSensor(task_id="no_task", external_task_id="load.row", check_existence=True, **common)
"""
DATE = "2026-02-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("neighbours")) as home:
        home.write_dag("neighbours.py", SOURCE)
        home.start()
        home.wait_for("the DAGs are listed", lambda: home.lists("waits"))
        yield home


def test_it_waits_for_runs_tasks_and_groups_of_its_date(home: LiveHome) -> None:
    for dag_id in ("waits", "fails"):
        assert home.run("dags", "trigger", dag_id, "--run-id", "one", "--logical-date", DATE).returncode == 0
    home.run("dags", "trigger", "source", "--run-id", "other", "--wait", timeout=60)

    def states(dag_id: str) -> dict[str, str]:
        return {task["task_id"]: task["state"] for task in home.ask("runs", "show", dag_id, "one")["tasks"]}

    home.wait_for("all have poked once", lambda: "none" not in states("waits").values())
    assert "success" not in states("waits").values()
    home.run("dags", "trigger", "source", "--run-id", "one", "--logical-date", DATE, "--wait", timeout=60)
    home.wait_for("the run ends", lambda: home.ask("runs", "show", "waits", "one")["state"] in ("success", "failed"))
    assert states("waits").pop("skipped") == "skipped"
    assert set(states("waits").values()) == {"success", "skipped"}
    home.wait_for("the other ends", lambda: home.ask("runs", "show", "fails", "one")["state"] == "failed")
    assert set(states("fails").values()) == {"failed"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"external_task_id": "a", "external_task_ids": ["b"]}, "exclude each other"),
        ({"allowed_states": ["sucess"]}, "there is no state 'sucess'; did you mean 'success'"),
        ({"allowed_states": ["success"], "failed_states": ["success"]}, "only one of these"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, words: str) -> None:
    with pytest.raises(DagError, match=words), DAG("d"):
        ExternalTaskSensor(task_id="wait", external_dag_id="other", **settings)
