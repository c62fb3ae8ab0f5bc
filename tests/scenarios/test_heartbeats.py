"""Long activities in a real home: how far they have come outlives every process, and silence is ended."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.testing.home import LiveHome

COUNTING = """
import os
import time

from orchestrator import DAG, activity, heartbeat, last_progress, schedule_activity, task, workflow


@activity(heartbeat_timeout=20)
def count_to(number: int, gate: str):
    first = last_progress(default=0)
    for row in range(first, number):
        while row == 20 and not os.path.exists(gate):
            heartbeat()
            time.sleep(0.01)
        heartbeat(row + 1)
    return {"began_at": first, "counted": number}


@workflow
def counting(gate: str):
    return schedule_activity(count_to, 40, gate)


with DAG("hanging"):

    @task(heartbeat_timeout=0.5, retries=1, retry_delay=0)
    def hang():
        if last_progress() == "half-way":
            return "went on"
        heartbeat("half-way")
        time.sleep(60)

    hang()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    """A running home with long activities, shared by this module's tests."""
    with LiveHome(tmp_path_factory.mktemp("heartbeats")) as home:
        home.write_dag("counting.py", COUNTING)
        home.start()
        home.wait_for("they are listed", lambda: home.lists("hanging"))
        yield home


def trigger(home: LiveHome, dag_id: str, run_id: str, **conf: Any) -> None:
    done = home.run("dags", "trigger", dag_id, "--run-id", run_id, "--conf", msgspec.json.encode(conf).decode())
    assert done.returncode == 0, done.stderr


def has_succeeded(home: LiveHome, dag_id: str, run_id: str) -> bool:
    with home.open() as opened:
        return str(opened.reads.run(dag_id, run_id).state) == "success"


def count_half_way(home: LiveHome, run_id: str) -> Path:
    """Begin to count, and wait until it stands at the gate, which is returned."""
    gate = home.folder / f"gate-{run_id}"
    trigger(home, "counting", run_id, gate=str(gate))
    home.wait_for("it has come to 20", lambda: state(home, run_id)["progress"] == 20)
    return gate


def state(home: LiveHome, run_id: str) -> Any:
    done = home.run("tasks", "state", "counting", "count_to", run_id, "--map-index", "0", "-o", "json")
    return msgspec.json.decode(done.stdout) if done.returncode == 0 else {"progress": None}


def test_an_activity_goes_on_from_its_last_progress_when_everything_was_killed(home: LiveHome) -> None:
    gate = count_half_way(home, "killed")
    home.kill()
    gate.touch()
    home.start()
    home.wait_for("the run succeeds", lambda: has_succeeded(home, "counting", "killed"))
    result = home.ask("tasks", "result", "counting", "count_to", "killed", "--map-index", "0")
    assert result == {"began_at": 20, "counted": 40}


def test_how_far_a_running_activity_has_come_is_shown_until_it_has_succeeded(home: LiveHome) -> None:
    gate = count_half_way(home, "shown")
    before = state(home, "shown")
    assert before["state"] == "running"
    assert before["last_heartbeat"] is not None
    (task,) = home.ask("runs", "show", "counting", "shown")["tasks"]
    assert task["progress"] == 20
    reasons = home.ask("runs", "why", "counting", "shown", "count_to")
    assert any("last heartbeat was" in reason["sentence"] for reason in reasons)
    assert any(reason["sentence"].endswith("with progress 20") for reason in reasons)
    gate.touch()
    home.wait_for("the run succeeds", lambda: has_succeeded(home, "counting", "shown"))
    assert state(home, "shown")["progress"] is None


def test_a_task_that_falls_silent_is_ended_in_time_and_tried_again(home: LiveHome) -> None:
    trigger(home, "hanging", "silent")
    home.wait_for("the run succeeds", lambda: has_succeeded(home, "hanging", "silent"), timeout=20)
    assert home.ask("tasks", "result", "hanging", "hang", "silent") == "went on"
    facts = home.ask("runs", "history", "hanging", "silent")
    (failed,) = [fact for fact in facts if fact["type"] == "ActivityFailed"]
    assert failed["kind"] == "timeout"
    assert 'its last progress was "half-way"' in failed["failure"]["message"]
