"""A DAG file as it is written for Airflow, run from its parse to its last task."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.testing.home import LiveHome

# Its imports are half of Airflow 3 and half of what it still takes of Airflow 2; two stand inside of bodies.
REPORT = """
import pendulum

from airflow.configuration import conf
from airflow.decorators import task
from airflow.exceptions import AirflowException, AirflowSkipException
from airflow.models.baseoperator import BaseOperator, chain
from airflow.models.xcom import XCom
from airflow.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, BaseOperatorLink, get_parsing_context, literal
from airflow.utils.log.logging_mixin import LoggingMixin
from airflow.utils.state import State
from airflow.utils.trigger_rule import TriggerRule


class Folder(BaseOperatorLink):
    name = "Folder"

    def get_link(self, operator, *, ti_key):
        return f"file://{XCom.get_value(ti_key=ti_key, key='where')}"


class Counter(BaseOperator):
    template_fields = ("text",)
    operator_extra_links = (Folder(),)

    def __init__(self, *, text, **kwargs):
        super().__init__(**kwargs)
        self.text = text

    def execute(self, context):
        self.log.info("counting")
        Helper().help()
        context["ti"].xcom_push("where", DAGS)
        return len(self.text)


class Helper(LoggingMixin):
    def help(self):
        self.log.info("helping")


DAGS = conf.get("core", "dags_folder")

with DAG(
    dag_id="report",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Brussels"),
    catchup=False,
    default_args={"retries": 0, "depends_on_past": False, "email": ["me@x.y"], "email_on_failure": False},
):
    @task
    def extract(ds=None, logical_date=None):
        from airflow.utils import timezone

        return {"day": ds, "year": timezone.parse(ds).year, "next": logical_date.add(days=1)}

    @task
    def skipped():
        from airflow.utils.types import DagRunType

        raise AirflowSkipException(DagRunType.MANUAL)

    @task.branch
    def choose(found):
        return "count" if State.SUCCESS == "success" and found["year"] == 2026 else "never"

    @task
    def fails():
        try:
            raise AirflowSkipException
        except AirflowException:
            return "caught"

    @task
    def reads(text):
        return [text, conf.get("core", "dags_folder"), conf.getint("acme", "size", fallback=3), *get_parsing_context()]

    reads(literal("{{ ds }}"))
    count = Counter(task_id="count", text="{{ ds }}")
    end = EmptyOperator(task_id="end", trigger_rule=TriggerRule.NONE_FAILED)
    say = BashOperator(task_id="say", bash_command="echo {{ logical_date.in_timezone('Asia/Seoul') | ts }}")
    choose(extract()) >> [count, EmptyOperator(task_id="never")] >> end
    chain(say, [skipped(), fails()], end)
"""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveHome]:
    with LiveHome(tmp_path) as home:
        home.write_dag("report.py", REPORT)
        yield home


def test_it_runs_as_it_is_in_this_process_and_in_workers(live: LiveHome) -> None:
    done = live.run("dags", "test", "report", "2026-01-31", "-o", "json")
    assert done.returncode == 0, done.stderr
    states = {task["task_id"]: task["state"] for task in json.loads(done.stdout)["tasks"]}
    assert {task for task, state in states.items() if state == "skipped"} == {"skipped", "never"}
    assert {task for task, state in states.items() if state == "success"} == {
        "extract", "choose", "count", "fails", "end", "say", "reads"
    }  # fmt: skip
    live.start()
    live.wait_for("it is listed", lambda: live.lists("report"))
    done = live.run("dags", "trigger", "report", "--run-id", "one", "--logical-date", "2026-01-31", "--wait")
    assert done.returncode == 0, done.stderr
    logged = live.run("tasks", "logs", "report", "count", "one").stdout
    assert "counting" in logged
    assert "helping" in logged
    assert live.ask("tasks", "result", "report", "count", "one") == len("2026-01-31")
    assert live.ask("tasks", "result", "report", "fails", "one") == "caught"
    dags = str(live.folder / "dags")
    assert live.ask("tasks", "result", "report", "reads", "one") == ["{{ ds }}", dags, 3, None, None]
    left = {row["key"]: row["value"] for row in live.ask("tasks", "xcom", "report", "count", "one")}
    assert left["_link_Folder"] == f"file://{dags}"
    assert live.ask("tasks", "result", "report", "say", "one") == "2026-01-31T09:00:00+09:00"
    assert live.ask("tasks", "result", "report", "extract", "one")["next"]["value"].startswith("2026-02-01")


def test_a_name_that_is_not_served_is_an_import_error_with_its_line(live: LiveHome) -> None:
    live.write_dag("bad.py", "from airflow.sdk import DAG\nfrom airflow.providers.ssh.hooks.ssh import SSHHook\n")
    done = live.run("dags", "test", "bad")
    assert done.returncode == 1
    assert "bad.py:2: ImportError: airflow.providers.ssh is not served here" in done.stderr


def test_a_flavour_of_task_that_is_not_there_says_what_there_is(live: LiveHome) -> None:
    live.write_dag("bad.py", "from airflow.sdk import dag, task\n@task.docker(image='a')\ndef body(): ...\n")
    done = live.run("dags", "test", "bad")
    assert done.returncode == 1
    assert "bad.py:2: AttributeError: there is no @task.docker here; @task runs any Python function" in done.stderr
