"""Workflows in a real home: their code is interrupted by deaths, talked to, and mended, and goes on."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import msgspec
import psutil
import pytest

from orchestrator.testing.home import LiveHome

ORDER = """
from orchestrator import activity, schedule_activity, workflow
from orchestrator.workflow import Signal

approval = Signal("approval", dict)


@activity
def charge_card(order: int):
    with open(CHARGES, "a") as file:
        file.write(f"{order}\\n")
    return {"receipt": f"ch_{order}"}


@activity
def ship(order: int, by: str):
    return f"shipped {order} by {by}"


@workflow
def order(number: int):
    state = {"status": "new", "address": ""}

    @workflow.query
    def status():
        return state

    @workflow.update
    def set_address(street: str):
        state["address"] = street
        return len(street)

    print("order", number, "begins")
    receipt = schedule_activity(charge_card, number)
    state["status"] = "charged"
    given = approval.wait()
    print("approved by", given["by"])
    return [receipt, schedule_activity(ship, number, given["by"])]
"""

STUCK = """
from orchestrator import workflow


@workflow(dagrun_timeout=None)
def sums():
    total = 0
    while True:
        total += 1
    return total
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    """A running home with a workflow, shared by this module's tests."""
    folder = tmp_path_factory.mktemp("workflows")
    with LiveHome(folder, settings={"workflows.deadlock_timeout": 1}) as home:
        home.write_dag("order.py", ORDER.replace("CHARGES", repr(str(folder / "charges"))))
        home.start()
        home.wait_for("the workflow is listed", lambda: home.lists("order"))
        yield home


def trigger(home: LiveHome, run_id: str, number: int) -> None:
    conf = msgspec.json.encode({"number": number}).decode()
    done = home.run("dags", "trigger", "order", "--run-id", run_id, "--conf", conf)
    assert done.returncode == 0, done.stderr


def state_of(home: LiveHome, run_id: str, dag_id: str = "order") -> str:
    with home.open() as opened:
        return str(opened.reads.run(dag_id, run_id).state)


def is_charged(home: LiveHome, number: int) -> bool:
    with home.open() as opened:
        activities = opened.reads.activities(opened.reads.run("order", str(number)).run_key, task_id="charge_card")
    return any(activity.state == "success" for activity in activities)


def charges(home: LiveHome, number: int) -> int:
    return (home.folder / "charges").read_text().split().count(str(number))


def blue_processes(home: LiveHome) -> list[psutil.Process]:
    zygotes = [one for one in home.processes() if "worker.blue.zygote" in " ".join(one.cmdline())]
    return [one for one in zygotes if one.ppid() in {zygote.pid for zygote in zygotes}]


def begin(home: LiveHome, number: int) -> str:
    """Trigger an order, and wait until it is charged."""
    run_id = str(number)
    trigger(home, run_id, number)
    home.wait_for("the card is charged", lambda: is_charged(home, number))
    return run_id


def approve(home: LiveHome, run_id: str) -> None:
    done = home.run("runs", "signal", "order", run_id, "approval", '{"by": "ada"}')
    assert done.returncode == 0, done.stderr
    home.wait_for("the order ends well", lambda: state_of(home, run_id) == "success")


def test_a_workflow_outlives_the_process_that_replays_it(home: LiveHome) -> None:
    run_id = begin(home, 1001)
    for process in blue_processes(home):
        os.kill(process.pid, signal.SIGKILL)
    approve(home, run_id)
    assert charges(home, 1001) == 1
    said = home.run("runs", "logs", "order", run_id).stdout
    assert said.count("order 1001 begins") == 1
    assert said.count("approved by ada") == 1


def test_a_workflow_outlives_every_process(home: LiveHome) -> None:
    run_id = begin(home, 1002)
    home.kill()
    home.start()
    approve(home, run_id)
    assert charges(home, 1002) == 1
    assert home.run("runs", "logs", "order", run_id).stdout.count("order 1002 begins") == 1


def test_queries_look_at_what_is_recorded_also_at_an_earlier_fact_and_without_a_scheduler(home: LiveHome) -> None:
    run_id = begin(home, 1003)
    assert asked(home, run_id, "status") == {"status": "charged", "address": ""}
    assert asked(home, run_id, "status", "--at", "2") == {"status": "new", "address": ""}
    done = home.run("runs", "update", "order", run_id, "set_address", '{"street": "Elm 1"}', "--wait")
    assert (done.returncode, done.stdout.strip()) == (0, "5"), done.stderr
    assert asked(home, run_id, "status")["address"] == "Elm 1"
    done = home.run("runs", "query", "order", run_id, "stutus")
    assert done.returncode == 2
    assert "did you mean 'status'?" in done.stderr
    approve(home, run_id)
    assert asked(home, run_id, "status")["status"] == "charged"


def asked(home: LiveHome, run_id: str, *words: str) -> Any:
    done = home.run("runs", "query", "order", run_id, *words)
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout)


def test_what_a_workflow_does_not_take_is_refused_before_it_is_asked_for(home: LiveHome) -> None:
    run_id = begin(home, 1004)
    for words, said in (
        (("signal", "aproval"), "did you mean 'approval'?"),
        (("signal", "approval", "[1]"), "is not of type 'object'"),
        (("update", "set_adress"), "did you mean 'set_address'?"),
        (("update", "set_address", '"Elm"'), "set_address"),
    ):
        verb, name, *rest = words
        done = home.run("runs", verb, "order", run_id, name, *rest)
        assert done.returncode in {1, 2}
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    with home.open() as opened:
        run = opened.reads.run("order", run_id)
        recorded = {type(fact.event).__name__ for fact in opened.reads.history(run.run_key)}
    assert not recorded & {"SignalReceived", "UpdateReceived"}
    approve(home, run_id)


def test_a_stuck_workflow_is_blocked_with_its_line_and_goes_on_once_its_file_is_mended(home: LiveHome) -> None:
    home.write_dag("sums.py", STUCK)
    home.wait_for("the workflow is listed", lambda: home.lists("sums"))
    assert home.run("dags", "trigger", "sums", "--run-id", "1").returncode == 0
    home.wait_for("it is blocked", lambda: "sums.py:" in home.run("runs", "why", "sums", "1").stdout)
    assert state_of(home, "1", "sums") == "running"
    home.write_dag("sums.py", STUCK.replace("while True:", "for _ in range(10):"))
    home.wait_for("it goes on by itself", lambda: state_of(home, "1", "sums") == "success")


def test_a_workflow_can_be_rehearsed_in_one_process(home: LiveHome) -> None:
    home.write_dag("sum_up.py", STUCK.replace("while True:", "for _ in range(10):").replace("sums", "sum_up"))
    done = home.run("dags", "test", "sum_up", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert msgspec.json.decode(done.stdout)["state"] == "success"
