"""A run goes out of one living home and into another, beside a scheduler that works."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.testing import replay
from orchestrator.testing.home import LiveHome

SOURCE = """
from pathlib import Path

from orchestrator import DAG, task

GATE = Path({gate!r})

with DAG("errand"):

    @task
    def fetch() -> dict:
        return {{"parcel": 7}}

    @task(retries=10_000, retry_delay=0.2)
    def carry(what: dict) -> int:
        if not GATE.exists():
            raise RuntimeError("the gate is closed")
        return what["parcel"]

    carry(fetch())
"""


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveHome, LiveHome]]:
    """A home whose run of ``errand`` is open, and another with the same DAG; both are at work."""
    folder = tmp_path_factory.mktemp("homes")
    gate = folder / "gate"
    with LiveHome(folder / "here") as here, LiveHome(folder / "there") as there:
        for home in (here, there):
            home.write_dag("errand.py", SOURCE.format(gate=str(gate)))
            home.start()
        for home in (here, there):
            home.wait_for("the DAG is listed", lambda home=home: home.lists("errand"))
        here.ask("dags", "trigger", "errand", "--run-id", "one")
        here.wait_for("the parcel is fetched", lambda: state(here, "one")["fetch"] == "success")
        yield here, there


def state(home: LiveHome, run_id: str) -> dict[str, str]:
    return {task["task_id"]: task["state"] for task in home.ask("runs", "show", "errand", run_id)["tasks"]}


def test_an_open_run_is_a_record_in_the_other_home_and_its_fork_goes_on_there(
    homes: tuple[LiveHome, LiveHome], tmp_path: Path
) -> None:
    here, there = homes
    path = tmp_path / "errand.jsonl"
    done = here.run("runs", "export", "errand", "one", str(path))
    assert done.returncode == 0, done.stderr
    assert replay(path, here.dags).fits
    imported = there.ask("runs", "import", str(path))
    assert imported["state"] == "running"
    facts = len(there.ask("runs", "history", "errand", "one"))
    assert facts == imported["facts"]

    refused = there.run("runs", "cancel", "errand", "one")
    assert refused.returncode == 1
    assert "was imported and stays as it is; fork it" in refused.stderr
    (here.folder.parent / "gate").touch()
    fork = there.run("runs", "fork", "errand", "one", "--at", str(facts), "--run-id", "mine", "-y")
    assert fork.returncode == 0, fork.stderr
    there.wait_for("the fork has ended", lambda: there.ask("runs", "show", "errand", "mine")["state"] == "success")
    here.wait_for("the run itself has ended", lambda: here.ask("runs", "show", "errand", "one")["state"] == "success")

    assert there.ask("tasks", "result", "errand", "carry", "mine") == 7
    assert len(there.ask("runs", "history", "errand", "one")) == facts
    assert there.ask("runs", "show", "errand", "one")["state"] == "running"
    found = there.ask("runs", "diff", "errand", "one", "mine")
    assert [one["task_id"] for one in found["activities"]] == ["carry"]
