"""``orchestrator dags test``."""

import json
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
