"""Forks, resets and moves of real runs, by the command line, beside a live scheduler."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.names import TaskState
from orchestrator.testing.home import LiveHome
from tests.cli.homes import run_command

DAGS = Path(__file__).parents[2] / "dags"
BOOKS = {"charge_card": "ledger.jsonl", "reserve_inventory": "stock.jsonl"}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("forks")) as home:
        shutil.copy(DAGS / "order_1001.py", home.dags)
        home.start()
        home.wait_for("the DAG is listed", lambda: home.lists("order_1001"))
        home.ask("dags", "trigger", "order_1001", "--run-id", "first", "--wait")
        yield home


@pytest.fixture
def live(started: LiveHome, monkeypatch: pytest.MonkeyPatch) -> LiveHome:
    """The home, which commands in this process work on too: starting one for each would take most of the time."""
    for name, value in started.environment.items():
        if name.startswith("ORCHESTRATOR_"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(started.folder)
    return started


def ask(*words: str) -> Any:
    return run_command(*words, "-o", "json").json


def lines(live: LiveHome, task: str) -> int:
    return len((live.folder / "shop" / BOOKS[task]).read_text(encoding="utf-8").splitlines())


def ended(live: LiveHome, dag_id: str, run_id: str) -> Any:
    with live.open() as home:
        return live.wait_for(
            f"{run_id} ends", lambda: (run := home.reads.run(dag_id, run_id)).is_ended and (run.state, run.run_uid)
        )


def test_at_every_seq_of_the_order_just_what_the_list_said_happens_again(live: LiveHome) -> None:
    last = len(ask("runs", "history", "order_1001", "first"))
    listed = []
    for seq in range(1, last + 1):
        before = {task: lines(live, task) for task in BOOKS}
        said = ask("runs", "fork", "order_1001", "first", "--at", str(seq), "--run-id", f"at{seq}", "-y")
        assert said["verdict"] == "carried_out"
        names = [effect["name"] for effect in said["effects"]]
        listed.append(len(names))
        assert ended(live, "order_1001", f"at{seq}")[0] == "success"
        for task in BOOKS:
            assert lines(live, task) - before[task] == (task in names), f"{task} after a fork at {seq}"
    assert (listed[0], listed[-1]) == (4, 0)
    assert listed == sorted(listed, reverse=True)
    assert len(ask("runs", "history", "order_1001", "first")) == last, "the old run stays as it is"


def test_a_fork_has_keys_of_its_own_unless_it_is_to_keep_them(live: LiveHome) -> None:
    for name, options in (("other", ()), ("same", ("--same-key",))):
        ask("runs", "fork", "order_1001", "first", "--at", "1", "--run-id", name, "-y", *options)
        ended(live, "order_1001", name)
    book = (live.folder / "shop/ledger.jsonl").read_text(encoding="utf-8").splitlines()
    keys = [json.loads(line)["idempotency_key"] for line in book]
    assert keys[-1] == keys[0]
    assert keys[-2] != keys[0]


def test_an_edited_result_is_what_the_next_task_is_given(live: LiveHome) -> None:
    charged = lines(live, "charge_card")
    edit = 'charge_card={"order": 7, "amount": 1, "currency": "EUR"}'
    words = ("--before", "reserve_inventory", "--set", edit, "--run-id", "edited", "-y")
    ask("runs", "fork", "order_1001", "first", *words)
    assert ended(live, "order_1001", "edited")[0] == "success"
    assert ask("tasks", "result", "order_1001", "ship_package", "edited")["tracking"] == "TRACK-7"
    assert lines(live, "charge_card") == charged
    types = [event["type"] for event in ask("runs", "history", "order_1001", "edited", "--task", "charge_card")]
    assert types[-1] == "OutcomeResolved", "it is told from a result that a body earned"


def test_a_result_that_was_built_upon_by_then_is_pointed_out(live: LiveHome) -> None:
    last = len(ask("runs", "history", "order_1001", "first"))
    words = ("--at", str(last), "--set", 'charge_card={"order": 7}', "--run-id", "late")
    said = run_command("runs", "fork", "order_1001", "first", *words)
    assert said.status == 0
    assert "reserve_inventory had ended with a result that is edited" in said.err
    assert ended(live, "order_1001", "late")[0] == "success"


def test_a_fork_runs_on_the_code_of_another_file_which_does_not_become_the_dags_own(live: LiveHome) -> None:
    source = (DAGS / "order_1001.py").read_text(encoding="utf-8").replace("TRACK-", "PARCEL-")
    (live.folder / "other.py").write_text(source, encoding="utf-8")
    words = ("--before", "ship_package", "--code", "other.py", "--run-id", "coded", "-y")
    ask("runs", "fork", "order_1001", "first", *words)
    assert ended(live, "order_1001", "coded")[0] == "success"
    assert ask("tasks", "result", "order_1001", "ship_package", "coded")["tracking"] == "PARCEL-1001"
    assert ask("dags", "details", "order_1001")["version"] == 1
    versions = ask("dags", "versions", "order_1001")
    assert [(one["version"], one["is_current"]) for one in versions] == [(2, False), (1, True)]


def test_an_imported_run_goes_on_as_a_fork(live: LiveHome) -> None:
    assert run_command("runs", "export", "order_1001", "first", "first.jsonl").status == 0
    assert run_command("runs", "import", "first.jsonl", "--run-id", "guest").status == 0
    charged = lines(live, "charge_card")
    ask("runs", "fork", "order_1001", "guest", "--before", "ship_package", "--run-id", "hosted", "-y")
    assert ended(live, "order_1001", "hosted")[0] == "success"
    assert lines(live, "charge_card") == charged


def test_without_a_yes_and_nobody_to_ask_the_list_is_shown_and_nothing_is_done(live: LiveHome) -> None:
    said = run_command("runs", "fork", "order_1001", "first", "--at", "1", "--run-id", "unasked")
    assert said.status == 2
    assert "charge_card" in said.err
    assert "at_most_once" in said.err
    assert "--yes" in said.err
    assert run_command("runs", "show", "order_1001", "unasked").status == 1


def test_a_reset_runs_what_came_later_again_and_keeps_the_rest(live: LiveHome) -> None:
    ask("dags", "trigger", "order_1001", "--run-id", "back", "--wait")
    before = {task: lines(live, task) for task in BOOKS}
    said = ask("runs", "reset", "order_1001", "back", "--before", "reserve_inventory", "-y")
    assert [effect["name"] for effect in said["effects"]] == [
        "reserve_inventory",
        "ship_package",
        "send_confirmation_email",
    ]
    with live.open() as home:
        live.wait_for("it ends again", lambda: (run := home.reads.run("order_1001", "back")).is_ended and run)
    assert lines(live, "charge_card") == before["charge_card"]
    assert lines(live, "reserve_inventory") == before["reserve_inventory"] + 1
    assert ask("tasks", "state", "order_1001", "charge_card", "back")["state"] == TaskState.SUCCESS
