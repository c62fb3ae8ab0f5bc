"""The command line beside a real scheduler and its workers."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from orchestrator.testing.home import LiveHome

SHOP = """
import pathlib
import time

from orchestrator import dag, task

@dag(schedule=None, params={"amount": 1, "gate": ""})
def shop():
    @task
    def charge(params=None):
        print("charging", params["amount"])
        return {"charged": params["amount"]}

    @task
    def ship(receipt, params=None):
        while params["gate"] and not pathlib.Path(params["gate"]).exists():
            time.sleep(0.02)
        if receipt["charged"] > 100:
            raise ValueError("too dear to ship")
        return "shipped"

    @task(delivery="at_most_once")
    def mail(said):
        return said

    mail(ship(charge()))

shop()
"""

LEDGER = """
import pathlib

from orchestrator import DAG, task

with DAG("ledger", schedule=None, params={"books": ""}):
    @task(depends_on_past=True)
    def close_books(params=None):
        if params["books"] and not pathlib.Path(params["books"]).exists():
            raise ValueError("the books are not there")

    close_books()
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("live")) as home:
        home.write_dag("shop.py", SHOP)
        home.write_dag("ledger.py", LEDGER)
        home.start()
        home.wait_for("one DAG is listed", lambda: home.lists("shop"))
        home.wait_for("so is the other", lambda: home.lists("ledger"))
        yield home


def gate(live: LiveHome, name: str) -> str:
    return '{"gate": "' + str(live.folder / name) + '"}'


def test_waiting_shows_each_change_and_exits_0_on_success(live: LiveHome) -> None:
    done = live.run("dags", "trigger", "shop", "--run-id", "good", "--wait")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for words in ("charge  success (try 1", "ship  success (try 1", "mail  success (try 1", "good  success"):
        assert words in done.stdout
    assert live.ask("tasks", "result", "shop", "mail", "good") == "shipped"
    assert "charging 1" in live.run("tasks", "logs", "shop", "charge", "good").stdout


def test_waiting_exits_1_on_failure_and_says_where_to_look(live: LiveHome) -> None:
    done = live.run("dags", "trigger", "shop", "--run-id", "dear", "--conf", '{"amount": 101}', "--wait")
    assert done.returncode == 1
    assert "orchestrator runs why shop 'dear'" in done.stderr
    assert "too dear to ship" in live.run("runs", "why", "shop", "dear").stdout


def test_waiting_with_json_prints_the_run_as_it_ended(live: LiveHome) -> None:
    run = live.ask("dags", "trigger", "shop", "--run-id", "json", "--wait")
    assert (run["run_id"], run["state"]) == ("json", "success")


def test_interrupting_the_wait_leaves_the_run_alone(live: LiveHome) -> None:
    words = [sys.executable, "-m", "orchestrator", "dags", "trigger", "shop", "--run-id", "held", "--wait"]
    waiting = subprocess.Popen(
        [*words, "--conf", gate(live, "held")],
        env=live.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stdout is not None
    assert any("ship  running" in line for line in waiting.stdout)
    waiting.send_signal(signal.SIGINT)
    _, said = waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert "The run goes on" in said
    assert "interrupted" in said
    assert live.ask("runs", "show", "shop", "held")["state"] == "running"
    (live.folder / "held").touch()
    assert live.run("runs", "watch", "shop", "held").returncode == 0


def test_a_run_is_paused_resumed_and_cancelled(live: LiveHome) -> None:
    live.ask("dags", "trigger", "shop", "--run-id", "steered", "--conf", gate(live, "steered"))
    live.wait_for("ship runs", lambda: live.ask("tasks", "state", "shop", "ship", "steered")["state"] == "running")
    assert live.ask("runs", "pause", "shop", "steered")["verdict"] == "carried_out"
    assert live.ask("runs", "show", "shop", "steered")["is_paused"] is True
    assert "is paused" in live.run("runs", "why", "shop", "steered").stdout
    assert live.run("runs", "resume", "shop", "steered").stdout == "Resumed steered of shop.\n"
    assert live.ask("runs", "cancel", "shop", "steered", "--reason", "wrong amount")["verdict"] == "carried_out"
    assert live.run("runs", "watch", "shop", "steered").returncode == 1
    assert live.ask("runs", "show", "shop", "steered")["state"] == "failed"


def test_what_the_scheduler_refuses_is_an_error_with_its_reason(live: LiveHome) -> None:
    live.ask("dags", "trigger", "shop", "--run-id", "over", "--wait")
    done = live.run("runs", "cancel", "shop", "over")
    assert done.returncode == 1
    assert "has ended" in done.stderr


def test_a_cleared_task_runs_again_and_what_was_recorded_before_it_does_not(live: LiveHome) -> None:
    live.ask("dags", "trigger", "shop", "--run-id", "again", "--wait")
    assert live.ask("tasks", "clear", "shop", "ship", "again", "--downstream", "-y")["verdict"] == "carried_out"
    assert live.run("runs", "watch", "shop", "again").returncode == 0
    tries = {task["task_id"]: task["try_number"] for task in live.ask("runs", "show", "shop", "again")["tasks"]}
    assert tries == {"charge": 1, "ship": 2, "mail": 2}


def test_following_a_log_ends_with_the_task(live: LiveHome) -> None:
    live.ask("dags", "trigger", "shop", "--run-id", "logged", "--conf", '{"amount": 7}')
    live.wait_for("charge began", lambda: live.ask("tasks", "state", "shop", "charge", "logged")["try_number"] == 1)
    assert "charging 7" in live.run("tasks", "logs", "shop", "charge", "logged", "--follow").stdout


def test_a_second_scheduler_is_refused_with_a_sentence(live: LiveHome) -> None:
    for service in ("scheduler", "standalone"):
        done = live.run(service)
        assert done.returncode == 1
        assert "a scheduler runs on this database already" in done.stderr
        assert "Traceback" not in done.stderr


def test_standalone_says_where_things_are(live: LiveHome) -> None:
    said = live.log.read_text(encoding="utf-8")
    assert str(live.dags) in said
    assert "orchestrator.db" in said
    assert "ready" in said


def test_a_run_waits_for_the_one_before_until_that_is_cleared_and_says_so(live: LiveHome) -> None:
    books = live.folder / "books"
    conf = '{"books": "' + str(books) + '"}'
    assert live.run("dags", "trigger", "ledger", "--run-id", "monday", "--conf", conf, "--wait").returncode == 1
    live.run("dags", "trigger", "ledger", "--run-id", "tuesday")

    def why() -> str:
        return live.run("runs", "why", "ledger", "tuesday").stdout

    live.wait_for("the run waits for the one before", lambda: "task close_books of run monday, which failed" in why())
    books.touch()
    assert live.run("tasks", "clear", "ledger", "close_books", "monday", "--yes").returncode == 0
    live.wait_for("both have ended", lambda: live.ask("runs", "show", "ledger", "tuesday")["state"] == "success")
    assert live.ask("runs", "show", "ledger", "monday")["state"] == "success"
