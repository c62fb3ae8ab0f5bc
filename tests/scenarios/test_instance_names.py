"""Instances of mapped tasks that are called by what their template says, with real processes."""

from pathlib import Path

from orchestrator.storage.rebuild import rebuild
from orchestrator.testing.home import LiveHome

SOURCE = """
from orchestrator import AirflowSkipException, dag, get_current_context, task
from orchestrator.operators import BashOperator


@task(map_index_template="{{ region }}")
def load(order):
    get_current_context()["region"] = f"region {order}"
    if order == "b":
        raise ValueError("no")
    if order == "c":
        raise AirflowSkipException("not today")
    if order == "d":
        del get_current_context()["region"]


@dag
def named():
    load.expand(order=["a", "b", "c", "d"])
    BashOperator.partial(task_id="echo", map_index_template="{{ task.bash_command }}!").expand(bash_command=["true"])
    load.override(task_id="alone")("a")

named()
"""


def test_instances_are_called_by_what_their_bodies_left_whatever_they_came_to(tmp_path: Path) -> None:
    with LiveHome(tmp_path) as home:
        home.write_dag("named.py", SOURCE)
        home.start()
        home.wait_for("the DAG is listed", lambda: home.lists("named"))
        home.run("dags", "trigger", "named", "--run-id", "r1", "--wait")
        tasks = home.ask("runs", "show", "named", "r1")["tasks"]
        log = home.run("tasks", "logs", "named", "load", "--map-index", "3").stdout
        table = home.run("runs", "show", "named", "r1").stdout
        home.kill()
        with home.open() as door:
            run = door.reads.run("named")
            before = door.reads.tasks(run)
            rebuild(door.engine, "test", lambda done, total: None)
            assert door.reads.tasks(run) == before
    names = {(one["task_id"], one["map_index"]): (one["state"], one["rendered_map_index"]) for one in tasks}
    assert names == {
        ("load", 0): ("success", "region a"),
        ("load", 1): ("failed", "region b"),
        ("load", 2): ("skipped", "region c"),
        ("load", 3): ("success", None),
        ("echo", 0): ("success", "true!"),
        ("alone", -1): ("success", None),
    }
    assert "The instance has no name:" in log
    assert "field 'map_index_template'" in log
    assert "'region' is undefined" in log
    assert "region a" in table
