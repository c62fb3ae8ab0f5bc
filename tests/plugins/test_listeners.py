"""Listeners in a real home: every fact is heard, whatever dies."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.testing.home import LiveHome

AUDIT = """
import json
from pathlib import Path

from orchestrator import hookimpl

LOG = Path(__file__).parent.parent / "heard.jsonl"


def write(*what):
    with LOG.open("a") as log:
        log.write(json.dumps(what) + "\\n")


@hookimpl
def on_fact(run, fact):
    write("fact", run.run_key, fact.seq, type(fact.event).__name__)


@hookimpl
def on_dag_run_success(dag_run, msg):
    write("success", dag_run.dag_id, dag_run.run_id, str(dag_run.state))


@hookimpl
def on_task_instance_failed(task_instance, error):
    write("failed", task_instance.task_id, task_instance.try_number, error)
    raise RuntimeError("the audit is full")


@hookimpl
def on_task_instance_success(task_instance):
    write("done", task_instance.task_id)
"""
AIRFLOWS = """
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin
from pathlib import Path


class Hears:
    @hookimpl
    def on_dag_run_running(self, dag_run, msg):
        with (Path(__file__).parent.parent / "airflows.log").open("a") as log:
            log.write(dag_run.run_id + "\\n")


class Old(AirflowPlugin):
    name = "old"
    listeners = [Hears()]
"""
DAG = """
from orchestrator import DAG, task

with DAG("d"):

    @task
    def one():
        return 1

    @task(retries=1, retry_delay=0)
    def two(ti=None):
        if ti.try_number == 1:
            raise ValueError("not yet")

    one() >> two()
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[LiveHome]:
    with LiveHome(tmp_path) as home:
        (tmp_path / "plugins").mkdir()
        (tmp_path / "plugins" / "audit.py").write_text(AUDIT)
        (tmp_path / "plugins" / "old.py").write_text(AIRFLOWS)
        home.write_dag("d.py", DAG)
        home.start()
        home.wait_for("it is listed", lambda: home.lists("d"))
        home.wait_for("both listen", lambda: len(listening(home)) == 2)
        yield home


def listening(home: LiveHome) -> list[Any]:
    with home.open() as opened, opened.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT name FROM counters WHERE name LIKE 'listener:%'").fetchall()


def heard(home: LiveHome) -> list[list[Any]]:
    log = home.folder / "heard.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def recorded(home: LiveHome) -> set[tuple[int, int]]:
    with home.open() as opened, opened.engine.connect() as connection:
        return {tuple(row) for row in connection.exec_driver_sql("SELECT run_key, seq FROM history")}


def facts_heard(home: LiveHome) -> list[tuple[int, int]]:
    return [(one[1], one[2]) for one in heard(home) if one[0] == "fact"]


def test_every_fact_is_heard_in_order_also_when_everything_was_killed_in_between(home: LiveHome) -> None:
    assert home.run("dags", "trigger", "d", "--run-id", "one", "--wait").returncode == 0
    home.wait_for("the end is heard", lambda: ["success", "d", "one", "success"] in heard(home))
    told = heard(home)
    assert ["done", "one"] in told
    assert ["failed", "two", 1, "ValueError: not yet"] in told
    assert facts_heard(home) == sorted(recorded(home))
    airflows = home.folder / "airflows.log"
    home.wait_for("Airflow's listener hears", lambda: airflows.exists() and airflows.read_text() == "one\n")
    assert "the audit is full" in home.log.read_text()

    home.run("dags", "trigger", "d", "--run-id", "two")
    home.kill()
    home.start()
    home.wait_for("the second run's end is heard", lambda: ["success", "d", "two", "success"] in heard(home))
    assert set(facts_heard(home)) == recorded(home)
    home.stop()


def test_a_plugin_that_does_not_listen_has_no_process(home: LiveHome) -> None:
    done = home.run("listener", "audti")
    assert (done.returncode, "did you mean 'audit'?" in done.stderr) == (1, True)
