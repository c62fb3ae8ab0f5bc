"""``orchestrator dags test``."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.testing.home import LiveHome

GARDEN = """
from orchestrator import dag, task

@dag(schedule="* * * * *", params={"depth": 1})
def garden():
    @task
    def dig(params=None):
        print("digging")
        return {"depth": params["depth"]}

    @task
    def plant(hole):
        if hole["depth"] > 2:
            raise ValueError("too deep")
        return "rose"

    plant(dig())

garden()
"""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveHome]:
    with LiveHome(tmp_path) as home:
        home.write_dag("garden.py", GARDEN)
        yield home


def test_a_dag_file_is_run_as_it_is_and_leaves_nothing(live: LiveHome) -> None:
    before = sorted(path.name for path in live.folder.iterdir())
    done = live.run("dags", "test", "garden")
    assert done.returncode == 0, done.stderr
    assert "digging\n" in done.stdout
    assert "plant  success (try 1" in done.stdout
    assert sorted(path.name for path in live.folder.iterdir()) == before


def test_its_result_is_pure_json_whatever_the_tasks_print(live: LiveHome) -> None:
    done = live.run("dags", "test", "garden", "2026-01-31", "--conf", '{"depth": 2}', "-o", "json")
    run = json.loads(done.stdout)
    assert run["run_id"] == "manual__2026-01-31T00:00:00+00:00"
    assert [task["state"] for task in run["tasks"]] == ["success", "success"]
    assert "digging\n" in done.stderr


def test_a_failure_is_told_and_is_the_exit_status(live: LiveHome) -> None:
    done = live.run("dags", "test", "garden", "--conf", '{"depth": 3}')
    assert done.returncode == 1
    assert "plant failed on attempt 1: ValueError: too deep." in done.stderr


def test_what_a_workflow_returns_is_shown(live: LiveHome) -> None:
    live.write_dag(
        "bed.py", "from orchestrator import workflow\n\n@workflow\ndef bed(size: int = 2):\n    return [size]\n"
    )
    assert live.run("dags", "test", "bed").stdout.splitlines()[-1] == "→ [2]"
    assert json.loads(live.run("dags", "test", "bed", "-o", "json").stdout)["result"] == [2]


def test_a_broken_dag_file_is_named(live: LiveHome) -> None:
    live.write_dag("garden.py", GARDEN + "\nnothing_of_that_name\n")
    done = live.run("dags", "test", "garden")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: garden.py:")
    assert "nothing_of_that_name" in done.stderr


def test_of_several_broken_files_the_one_that_makes_the_dag_is_named(live: LiveHome) -> None:
    live.write_dag("another.py", "from orchestrator import DAG\nnothing_of_that_name\n")
    live.write_dag("garden.py", GARDEN + "\nnothing_like_that\n")
    said = live.run("dags", "test", "garden").stderr
    assert said.startswith("Error: garden.py:")
    assert "1 more of the DAG files cannot be read" in said


def test_an_unknown_dag_names_the_nearest(live: LiveHome) -> None:
    done = live.run("dags", "test", "gardne")
    assert done.returncode == 1
    assert "'garden'" in done.stderr


LONG = """
from orchestrator import DAG, heartbeat, last_progress, task

with DAG("long"):

    @task(retries=1, retry_delay=0)
    def copy():
        first = last_progress(default=0)
        for row in range(first, 10):
            heartbeat(row)
            if row == 7 and first == 0:
                raise ConnectionError("gone")
        return first

    copy()
"""


def test_a_next_try_reads_the_progress_of_the_one_before(live: LiveHome) -> None:
    live.write_dag("long.py", LONG)
    before = sorted(path.name for path in live.folder.iterdir())
    done = live.run("dags", "test", "long", "-o", "json")
    (task,) = json.loads(done.stdout)["tasks"]
    assert (task["state"], task["try_number"]) == ("success", 2)
    assert sorted(path.name for path in live.folder.iterdir()) == before


ASKING = """
from datetime import timedelta
from orchestrator import DAG
from orchestrator.operators.hitl import ApprovalOperator, HITLOperator

with DAG("asking"):
    ApprovalOperator(task_id="ask", subject="Go on?")

with DAG("late"):
    HITLOperator(task_id="a", subject="?", options=["a", "b"], defaults="b", response_timeout=timedelta(seconds=1))
"""


def test_a_question_without_anybody_to_answer_ends_the_trial_with_a_sentence(live: LiveHome) -> None:
    live.write_dag("asking.py", ASKING)
    done = live.run("dags", "test", "asking")
    assert done.returncode == 1
    assert "task ask asks 'Go on?', and nobody is at the terminal to answer" in done.stderr
    assert "asks 'Go on?' (Approve or Reject)" in live.run("tasks", "test", "asking", "ask").stdout


def test_a_question_whose_time_runs_out_goes_on_by_itself(live: LiveHome) -> None:
    live.write_dag("asking.py", ASKING)
    done = live.run("dags", "test", "late", "-o", "json")
    assert [task["state"] for task in json.loads(done.stdout)["tasks"]] == ["success"]


def test_a_question_is_asked_at_the_terminal(live: LiveHome) -> None:
    live.write_dag("asking.py", ASKING)
    master, slave = pty.openpty()
    trial = subprocess.Popen(
        live.command("dags", "test", "asking", "-o", "json"),
        cwd=live.folder,
        env=live.environment,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(slave)
    os.write(master, b"1\n")
    out, err = trial.communicate(timeout=60)
    os.close(master)
    assert trial.returncode == 0, err
    assert [task["state"] for task in json.loads(out)["tasks"]] == ["success"]
