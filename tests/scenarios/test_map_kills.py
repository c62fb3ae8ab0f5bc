"""kill -9 in the middle of a map, of everything and of workers: each item is done once on record, and none is lost."""

import os
import signal
from collections import Counter
from pathlib import Path

from psutil import Process

from orchestrator.core.events import ActivityCompleted, ActivityLost
from orchestrator.names import RunState
from orchestrator.testing.home import LiveHome

WIDTH = 2_000
KILLS = 4
SOURCE = f"""
import os

from orchestrator import DAG, get_current_context, task


@task
def items():
    return list(range({WIDTH}))


@task
def square(item):
    file = os.open(get_current_context()["params"]["evidence"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, f"{{item}}\\n".encode())
    os.close(file)
    return item * item


@task
def total(squares):
    return sum(squares)


with DAG("squares", schedule=None, params={{"evidence": ""}}):
    total(square.expand(item=items()))
"""


def test_a_map_that_is_killed_again_and_again_does_each_item_once_on_record(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.txt"
    evidence.touch()
    settings = {"core.max_lost_attempts": 10_000, "core.max_active_tasks_per_dag": 32}
    with LiveHome(tmp_path / "home", settings=settings) as home:
        home.write_dag("squares.py", SOURCE)
        home.start()
        home.wait_for("the DAG is listed", lambda: home.lists("squares"))
        home.ask("dags", "trigger", "squares", "--run-id", "all", "--conf", f'{{"evidence": "{evidence}"}}')
        for number in range(1, KILLS + 1):
            _until_as_many_have_run(home, evidence, number * WIDTH // (KILLS + 2))
            if number % 2:
                _kill_a_worker(home)
            else:
                home.kill()
                home.start()
        door = home.open()
        home.wait_for("the run ends", lambda: door.reads.run("squares", "all").is_ended, timeout=90)
        run = door.reads.run("squares", "all")
        facts = [fact.event for fact in door.reads.history(run.run_key)]
        result = home.ask("tasks", "result", "squares", "total", "all")
        door.close()
    assert run.state is RunState.SUCCESS
    done = Counter(one.map_index for one in facts if isinstance(one, ActivityCompleted) and one.task_id == "square")
    assert done == dict.fromkeys(range(WIDTH), 1)
    assert result == sum(item * item for item in range(WIDTH))
    ran = Counter(map(int, evidence.read_text().split()))
    assert ran.keys() == set(range(WIDTH))
    lost = sum(isinstance(one, ActivityLost) for one in facts)
    assert lost, "the kills fell into pauses, so nothing was shown"
    assert sum(ran.values()) - WIDTH <= lost, "an item whose result was recorded ran again"


def _until_as_many_have_run(home: LiveHome, evidence: Path, count: int) -> None:
    home.wait_for(f"{count} items have run", lambda: evidence.read_bytes().count(b"\n") >= count, timeout=60)


def _kill_a_worker(home: LiveHome) -> None:
    """One that the zygote has forked: a child of a child of the seed, which is the scheduler's."""
    workers = home.wait_for("a worker is there", lambda: [one for one in home.processes() if _depth(home, one) > 2])
    os.kill(workers[0].pid, signal.SIGKILL)


def _depth(home: LiveHome, process: Process) -> int:
    """How many of the home's processes it descends from."""
    ours = {one.pid for one in home.processes()}
    return sum(parent.pid in ours for parent in process.parents())
