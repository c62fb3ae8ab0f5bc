"""``orchestrator tasks test`` and ``orchestrator tasks render``: one task, looked at closely."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.testing.home import LiveHome

KITCHEN = """
import logging
import os
from datetime import timedelta
from orchestrator import DAG, AirflowSkipException, task
from orchestrator.operators import BashOperator, EmptyOperator

with DAG("kitchen", params={"guests": 2}, user_defined_macros={"pid": os.getpid}):
    @task
    def shop(params=None):
        return {"eggs": params["guests"] * 3, "list": ["x" * 100_000]}

    @task(retries=3)
    def cook(bought, ds=None, ti=None):
        print("cooking", bought["eggs"], "eggs on", ds)
        logging.getLogger("pan").info("it sizzles")
        return {"try": ti.try_number, "eggs": bought["eggs"]}

    @task
    def burn():
        raise ValueError("too hot")

    @task
    def rest():
        raise AirflowSkipException("nobody is hungry")

    @task(delivery="at_most_once")
    def once():
        return "done"

    @task(execution_timeout=timedelta(seconds=0.2))
    def wait():
        import time
        time.sleep(30)

    @task.branch
    def choose():
        return "eat"

    bought = shop()
    cook(bought)
    burn(), rest(), once(), wait()
    choose() >> [EmptyOperator(task_id="eat"), EmptyOperator(task_id="drink")]
    lay = "echo {{ ds }} {{ params.guests }} {{ pid() }}"
    BashOperator(task_id="lay", bash_command=lay, env={"RUN": "{{ run_id }}"})
    BashOperator(task_id="serve", bash_command="echo {{ ti.xcom_pull(task_ids='shop')['eggs'] }}")
    BashOperator(task_id="spill", bash_command="echo {{ 1 / 0 }}")
"""


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[LiveHome]:
    """A home in which nothing has run."""
    with LiveHome(tmp_path) as home:
        home.write_dag("kitchen.py", KITCHEN)
        yield home


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    """A home with one run, for five guests."""
    with LiveHome(tmp_path_factory.mktemp("used")) as home:
        home.write_dag("kitchen.py", KITCHEN)
        home.start()
        home.wait_for("the DAG is listed", lambda: home.lists("kitchen"))
        home.run("dags", "trigger", "kitchen", "--run-id", "party", "-l", "2026-01-31", "-c", '{"guests": 5}', "--wait")
        yield home


def tried(home: LiveHome, *words: str) -> dict:
    return json.loads(home.run("tasks", "test", "kitchen", *words, "-o", "json").stdout)


# ── tasks test ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_runs_once_and_leaves_nothing(alone: LiveHome) -> None:
    before = sorted(alone.folder.rglob("*"))
    found = tried(alone, "shop", "--conf", '{"guests": 4}')
    assert (found["state"], found["result"]["eggs"]) == ("success", 12)
    assert sorted(alone.folder.rglob("*")) == before


def test_what_it_prints_and_logs_is_shown_with_its_result(used: LiveHome) -> None:
    done = used.run("tasks", "test", "kitchen", "cook", "--logical-date", "2026-02-01")
    assert done.returncode == 0, done.stderr
    assert " eggs on 2026-02-01\n" in done.stdout
    assert "INFO pan: it sizzles" in done.stderr
    assert '{"try":1,"eggs":' in done.stdout


def test_upstream_results_are_those_of_the_latest_run_that_has_them(used: LiveHome) -> None:
    used.run("dags", "trigger", "kitchen", "--run-id", "brunch", "-c", '{"guests": 7}', "--wait")
    assert tried(used, "cook")["result"]["eggs"] == 21
    assert [run["run_id"] for run in used.ask("dags", "list-runs", "kitchen")] == ["brunch", "party"]


def test_without_a_recorded_result_it_says_which_is_lacking(alone: LiveHome) -> None:
    done = alone.run("tasks", "test", "kitchen", "cook")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: task 'cook' takes the result of shop, and no run has recorded that")
    assert done.stderr.count("\n") == 1


def test_a_failure_shows_the_authors_lines_and_is_the_exit_status(alone: LiveHome) -> None:
    done = alone.run("tasks", "test", "kitchen", "burn")
    assert done.returncode == 1
    assert 'raise ValueError("too hot")' in done.stdout
    assert "ValueError: too hot" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("task_id", "state", "words"),
    [
        ("rest", "skipped", "nobody is hungry"),
        ("once", "success", "done"),
        ("wait", "failed", "execution_timeout"),
        ("choose", "success", "drink"),
    ],
)
def test_every_kind_of_end_is_told(alone: LiveHome, task_id: str, state: str, words: str) -> None:
    found = tried(alone, task_id)
    assert found["state"] == state
    assert words in json.dumps(found)


def test_an_unknown_task_or_dag_names_the_nearest(alone: LiveHome) -> None:
    assert "did you mean 'shop'?" in alone.run("tasks", "test", "kitchen", "shp").stderr
    assert "did you mean 'kitchen'?" in alone.run("tasks", "test", "kitchn", "shop").stderr


# ── tasks render ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_fields_are_those_of_the_recorded_run(used: LiveHome) -> None:
    fields = used.ask("tasks", "render", "kitchen", "lay", "party")
    assert fields["bash_command"].startswith("echo 2026-01-31 5 ")
    assert fields["env"] == {"RUN": "party"}
    assert used.ask("tasks", "render", "kitchen", "serve", "party")["bash_command"] == "echo 15"


def test_templates_are_rendered_in_a_process_of_their_own(used: LiveHome) -> None:
    words = [sys.executable, "-m", "orchestrator", "tasks", "render", "kitchen", "lay", "party", "-o", "json"]
    with subprocess.Popen(words, env=used.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = json.load(process.stdout)["bash_command"].rpartition(" ")[2]
    assert int(pid) != process.pid


def test_without_a_run_the_fields_are_those_of_a_run_now(alone: LiveHome) -> None:
    alone.start()
    alone.wait_for("the DAG is listed", lambda: alone.lists("kitchen"))
    fields = alone.ask("tasks", "render", "kitchen", "lay")
    assert " 2 " in fields["bash_command"]
    assert fields["env"]["RUN"].startswith("manual__")
    lacking = alone.run("tasks", "render", "kitchen", "serve")
    assert lacking.returncode == 1
    assert "takes the result of 'shop', and no run of DAG 'kitchen' has recorded one" in lacking.stderr
    assert alone.ask("dags", "list-runs", "kitchen") == []


def test_a_template_that_fails_is_one_sentence_with_its_place(used: LiveHome) -> None:
    done = used.run("tasks", "render", "kitchen", "spill", "party")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: kitchen.py:")
    assert "field 'bash_command'" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_ends_the_process_is_told_of(used: LiveHome) -> None:
    source = KITCHEN.replace('"pid": os.getpid', '"pid": lambda: os._exit(3)').replace('"kitchen"', '"galley"')
    used.write_dag("galley.py", source)
    used.wait_for("the DAG is listed", lambda: used.lists("galley"))
    done = used.run("tasks", "render", "galley", "lay")
    assert done.stderr == "Error: galley.py ended the process that renders its templates, with exit status 3\n"


def test_a_task_without_fields_says_so(used: LiveHome) -> None:
    assert used.run("tasks", "render", "kitchen", "eat", "party").stderr == "eat has no template fields.\n"


# ── mapped tasks ─────────────────────────────────────────────────────────────────────────────────────────

MAPPED = """
from orchestrator import DAG, task
from orchestrator.operators import BashOperator

with DAG("bakery"):
    @task
    def doughs():
        return ["rye", "spelt"]

    @task
    def bake(dough, minutes):
        return f"{dough} {minutes}"

    bake.override(task_id="known").expand(dough=["rye", "spelt"], minutes=[30, 40])
    BashOperator.partial(task_id="sell").expand(bash_command=["echo {{ ti.map_index }}"], env=[{"A": "b"}, {"A": "c"}])
    bake.partial(minutes=1).expand(dough=doughs())
"""


def test_one_instance_of_a_mapped_task_is_tried_and_rendered(alone: LiveHome) -> None:
    alone.write_dag("bakery.py", MAPPED)
    done = json.loads(alone.run("tasks", "test", "bakery", "known", "--map-index", "2", "-o", "json").stdout)
    assert (done["state"], done["result"]) == ("success", "spelt 30")
    assert "'known' is mapped: say which instance is meant by --map-index; it has 4" in (
        alone.run("tasks", "test", "bakery", "known").stderr
    )
    said = alone.run("tasks", "test", "bakery", "bake", "--map-index", "0").stderr
    assert "'bake' is mapped over the result of 'doughs', which a new run does not have yet" in said
    alone.start()
    alone.wait_for("the DAG is listed", lambda: alone.lists("bakery"))
    assert alone.ask("tasks", "render", "bakery", "sell", "--map-index", "1")["env"] == {"A": "c"}
    assert alone.run("dags", "trigger", "bakery", "--run-id", "day", "--wait").returncode == 0
    fields = alone.ask("tasks", "render", "bakery", "bake", "day", "--map-index", "1")
    assert fields["op_kwargs"] == {"dough": "spelt", "minutes": 1}
