"""One process killed alone, and stops under heavy load: the rest goes on, and nothing recorded runs again."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from orchestrator.core.events import ActivityFailed
from orchestrator.testing.home import LiveHome
from tests.scenarios.test_kills import Storm

SLOW = """
import time
from orchestrator import DAG, task

@task
def nap(number):
    time.sleep({seconds})

with DAG("naps", schedule=None, max_active_tasks=200):
    for number in range({count}):
        nap.override(task_id=f"nap_{{number}}")(number)
"""


def new_storm(folder: Path) -> Storm:
    return Storm(folder)


def test_the_death_of_the_dag_processor_costs_a_second_and_no_run(tmp_path: Path) -> None:
    with LiveHome(tmp_path) as home:
        home.write_dag("naps.py", SLOW.format(seconds=0, count=1))
        home.start()
        home.wait_for("it is listed", lambda: listed(home, "naps"))
        named(home, "dag-processor").kill()
        home.write_dag("later.py", SLOW.format(seconds=0, count=1).replace("naps", "later"))
        home.wait_for("the file that was saved meanwhile is listed", lambda: listed(home, "later"))
        assert home.run("dags", "trigger", "later", "--wait").returncode == 0
        assert "is started again" in home.log.read_text()


@pytest.mark.slow
def test_the_death_of_the_seed_costs_the_processes_that_it_forked_and_no_run(tmp_path: Path) -> None:
    with LiveHome(tmp_path) as home:
        home.write_dag("naps.py", SLOW.format(seconds=0, count=3))
        home.start()
        home.wait_for("it is listed", lambda: listed(home, "naps"))
        seed = named(home, "orchestrator.seed")
        assert not any(".db" in file.path for file in seed.open_files()), "no database goes into a fork"
        for process in (seed, named(home, "orchestrator.worker.zygote")):
            process.kill()
        home.wait_for("the dag processor is replaced", lambda: "is started again" in home.log.read_text())
        home.write_dag("later.py", SLOW.format(seconds=0, count=1).replace("naps", "later"))
        home.wait_for("the file that was saved meanwhile is listed", lambda: listed(home, "later"))
        assert home.run("dags", "trigger", "naps", "--wait").returncode == 0
        home.stop()
        assert "Traceback" not in home.log.read_text()


def test_the_death_of_the_zygote_costs_no_run(tmp_path: Path) -> None:
    storm = new_storm(tmp_path)
    with storm.home:
        storm.make_ready()
        leader = psutil.Process(storm.home.start("scheduler").pid)
        for _ in range(4):
            storm.trigger()
            storm.let_bodies_run(10)
            storm.look()
            for child in leader.children():
                child.kill()
        storm.home.wait_for("every run ends", storm.has_ended, timeout=60)
        assert storm.faults() == []


@pytest.mark.slow
def test_a_stop_under_heavy_load_finishes_or_hands_back_and_the_next_start_goes_on(tmp_path: Path) -> None:
    storm = new_storm(tmp_path)
    with storm.home:
        storm.make_ready()
        for _ in range(4):
            storm.trigger()
            storm.home.start("scheduler")
            storm.let_bodies_run(15)
            storm.home.stop()
            storm.look()
        storm.finish()
        assert storm.faults() == []
        events = [fact.event for history in storm.seen.values() for fact in history]
        assert not [event for event in events if isinstance(event, ActivityFailed)]
        assert storm.losses_of_begun() == 0, "what had begun was given the time to end"


@pytest.mark.parametrize("times", [1, 2])
def test_a_second_signal_stops_at_once_what_the_first_would_have_waited_for(tmp_path: Path, times: int) -> None:
    with LiveHome(tmp_path, settings={"scheduler.shutdown_grace": 10}) as home:
        home.write_dag("naps.py", SLOW.format(seconds=60, count=40))
        leader = home.start()
        home.wait_for("it is listed", lambda: listed(home, "naps"))
        home.ask("dags", "trigger", "naps", "--run-id", "r")
        home.wait_for("bodies run", lambda: running(home) >= 2)
        since = time.monotonic()
        leader.send_signal(signal.SIGTERM)
        home.wait_for("it says so", lambda: "stopping" in home.log.read_text())
        if times == 2:
            leader.send_signal(signal.SIGTERM)
        leader.wait(30)
        took = time.monotonic() - since
        assert took < 10 if times == 2 else 10 < took < 30
        assert not home.processes()
        assert "Traceback" not in home.log.read_text()


def listed(home: LiveHome, dag_id: str) -> bool:
    return home.lists(dag_id)


def running(home: LiveHome) -> int:
    return sum(task["state"] == "running" for task in home.ask("runs", "show", "naps", "r")["tasks"])


def named(home: LiveHome, word: str) -> psutil.Process:
    """The process with that word on its command line."""
    return next(process for process in home.processes() if any(word in part for part in process.cmdline()))
