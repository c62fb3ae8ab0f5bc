"""Everything is killed after each recorded fact of a DAG with callbacks: each is called, and has ended once."""

import time
import uuid
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from orchestrator.assembly.home import Home
from orchestrator.core.callback_events import CallbackEnded
from orchestrator.core.events import Recorded
from orchestrator.core.requests import TriggerRun
from orchestrator.exceptions import NotFoundError
from orchestrator.testing.doom import DoomedHome
from orchestrator.testing.home import LiveHome

PATIENCE = 60.0
FEWEST = 14
EXPECTED = {
    ("on_failure", "breaks"): 1,
    ("on_failure", ""): 1,
    ("on_retry", "breaks"): 1,
    ("on_success", "fine"): 1,
}
BELL = """
import os
from pathlib import Path

from orchestrator import DAG, task


def ring(context):
    with open(Path(os.environ["ORCHESTRATOR_HOME"], "rung"), "a") as file:
        file.write(context["idempotency_key"] + "\\n")


with DAG("bell", on_failure_callback=ring, on_success_callback=ring):

    @task(on_success_callback=ring)
    def fine():
        pass

    @task(on_failure_callback=ring, on_retry_callback=ring, retries=1, retry_delay=0.05)
    def breaks():
        raise ValueError("no")

    fine() >> breaks()
"""


def history(door: Home, run_id: str) -> list[Recorded]:
    try:
        run = door.reads.run("bell", run_id)
    except NotFoundError:
        return []
    return [] if run.is_pending else door.reads.history(run.run_key)


def is_settled(door: Home, run_id: str) -> bool:
    try:
        run = door.reads.run("bell", run_id)
    except NotFoundError:
        return False
    return run.is_ended and not run.open_callbacks


def run_into_doom(home: DoomedHome, door: Home, run_id: str, seq: int) -> list[Recorded]:
    """What is on record when the scheduler has died, or all has ended before it had so many facts."""
    home.doom = (run_id, seq)
    leader = home.start("scheduler")
    deadline = time.monotonic() + PATIENCE
    while leader.poll() is None and not is_settled(door, run_id):
        assert time.monotonic() < deadline, f"{run_id} neither ended nor met its fact {seq}"
        time.sleep(0.01)
    found = history(door, run_id)
    if len(found) >= seq:
        leader.wait(timeout=PATIENCE)
    home.doom = None
    home.kill()
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_wherever_everything_is_killed_each_callback_is_called_and_recorded_once(tmp_path: Path) -> None:
    with DoomedHome(tmp_path) as home:
        home.write_dag("bell.py", BELL)
        assert home.run("db", "migrate").returncode == 0
        home.start("dag-processor")
        home.wait_for("it is listed", lambda: home.lists("bell"))
        home.kill()
        with home.open() as door:
            killed = kills(home, door)
    assert killed >= FEWEST


def kills(home: DoomedHome, door: Home) -> int:
    """Kill at each fact, from the first to the last; how many there were."""
    for seq in count(1):
        run_id = f"bell_{seq}"
        request = TriggerRun(dag_id="bell", run_id=run_id, run_uid=uuid.uuid4().hex)
        door.requests.submit(request, request.run_uid)
        before = run_into_doom(home, door, run_id, seq)
        if len(before) < seq:
            return seq - 1
        settle(home, door, run_id)
        check(home, door, run_id, request.run_uid, before)
    raise AssertionError


def settle(home: LiveHome, door: Home, run_id: str) -> None:
    home.start("scheduler")
    home.wait_for(f"{run_id} and its callbacks end", lambda: is_settled(door, run_id), timeout=PATIENCE)
    home.kill()


def check(home: LiveHome, door: Home, run_id: str, run_uid: str, before: list[Recorded]) -> None:
    after = history(door, run_id)
    assert after[: len(before)] == before, "recorded facts were lost or changed"
    ended = [fact.event for fact in after if isinstance(fact.event, CallbackEnded)]
    assert Counter((event.kind, event.task_id) for event in ended) == EXPECTED, f"after a kill at {len(before)}"
    assert [event.failure for event in ended] == [None] * len(ended)
    rung = set((home.folder / "rung").read_text(encoding="utf-8").split())
    keys = {f"{run_uid}/{one.task_id}/{one.map_index}/{one.kind}-{one.attempt}" for one in ended}
    assert keys <= rung, "a callback was recorded and never called"
