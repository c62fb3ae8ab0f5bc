"""Forks of workflows: what was recorded is handed to the code again, and it has to ask for the same."""

import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from orchestrator.core.requests import SendSignal
from orchestrator.testing.home import LiveHome
from tests.cli.homes import run_command

BUY = """
import json
import os

from orchestrator import activity, gather, start_activity, workflow
from orchestrator.workflow import Signal, now, random, side_effect, sleep, uuid4

approval = Signal("approval", bool)

def write(line):
    with open(os.environ["ORCHESTRATOR_HOME"] + "/book", "a") as book:
        book.write(line + "\\n")

@activity
def charge(at, salt, token):
    write("charge")
    return {"paid": 42}

@activity
def pack(number):
    write(f"pack {number}")
    return number

@activity(delivery="at_most_once")
def mail(text):
    write("mail")
    return text

@workflow
def buy():
    receipt = charge(now().isoformat(), random().random(), str(uuid4()))
    side_effect("lot", lambda: 7)
    approved = approval.wait(timeout=3600)
    sleep(0.05)
    packed = gather(start_activity(pack, 1), start_activity(pack, 2))
    mail(f"{receipt['paid']} {approved} {packed}")
    return {"receipt": receipt, "packed": packed}
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("forks")) as home:
        home.write_dag("buy.py", BUY)
        home.start()
        home.wait_for("the workflow is listed", lambda: home.lists("buy"))
        home.ask("dags", "trigger", "buy", "--run-id", "first")
        send(home, "first")
        assert ended(home, "first") == "success", home.run("runs", "why", "buy", "first").stdout
        yield home


@pytest.fixture
def live(started: LiveHome, monkeypatch: pytest.MonkeyPatch) -> LiveHome:
    for name, value in started.environment.items():
        if name.startswith("ORCHESTRATOR_"):
            monkeypatch.setenv(name, value)
    return started


def send(live: LiveHome, run_id: str) -> None:
    with live.open() as home:
        home.requests.submit(
            SendSignal(dag_id="buy", run_id=run_id, name="approval", payload=msgspec.Raw(b"true")), uuid.uuid4().hex
        )
        home.ring()


def ended(live: LiveHome, run_id: str) -> str:
    with live.open() as home:
        run = live.wait_for(f"{run_id} ends", lambda: (one := home.reads.run("buy", run_id)).is_ended and one)
        return run.state


def lines(live: LiveHome) -> list[str]:
    return (live.folder / "book").read_text(encoding="utf-8").splitlines()


def history(run_id: str) -> list[dict[str, Any]]:
    return list(run_command("runs", "history", "buy", run_id, "-o", "json").json)


def fork(*words: str) -> Any:
    return run_command("runs", "fork", "buy", "first", *words, "-y", "-o", "json").json


def named(effect: dict[str, Any]) -> str:
    """The line that it writes."""
    return f"pack {effect['map_index'] + 1}" if effect["name"] == "pack" else str(effect["name"])


@pytest.mark.slow
def test_at_every_seq_what_was_recorded_is_handed_back_and_just_the_listed_happens_again(live: LiveHome) -> None:
    facts = history("first")
    heard = next(fact["seq"] for fact in facts if fact["type"] == "SignalReceived")
    for seq in range(1, len(facts) + 1):
        before = lines(live)
        said = fork("--at", str(seq), "--run-id", f"at{seq}")
        if seq < heard:
            send(live, f"at{seq}")
        assert ended(live, f"at{seq}") == "success"
        names = [named(effect) for effect in said["effects"]]
        assert sorted(lines(live)[len(before) :]) == sorted(names), f"after a fork at {seq}"
    assert history("first") == facts


def test_an_occurrence_is_given_another_result(live: LiveHome) -> None:
    before = len(lines(live))
    fork("--before", "mail", "--set", "pack[1]=9", "--set", 'charge={"paid": 1}', "--run-id", "edited")
    assert ended(live, "edited") == "success"
    assert (
        run_command("tasks", "result", "buy", "mail", "edited", "--map-index", "0", "-o", "json").json
        == "1 True [1, 9]"
    )
    assert lines(live)[before:] == ["mail"]
    said = run_command("runs", "fork", "buy", "first", "--before", "mail", "--set", "pack=9", "-y")
    assert said.status == 2
    assert "pack[0]=JSON" in said.err


def test_code_that_asks_for_something_else_is_told_before_and_blocks_the_new_run(live: LiveHome) -> None:
    (live.folder / "other.py").write_text(
        BUY.replace("start_activity(pack, 2)", "start_activity(pack, 3)"), encoding="utf-8"
    )
    other = str(live.folder / "other.py")
    said = run_command("runs", "fork", "buy", "first", "--before", "mail", "--code", other, "--run-id", "blocked", "-y")
    assert said.status == 0
    assert "would be blocked" in said.err
    with live.open() as home:
        live.wait_for("it is blocked", lambda: any(fact["type"] == "RunBlocked" for fact in history("blocked")))
        assert not home.reads.run("buy", "blocked").is_ended
    fork("--at", "1", "--code", other, "--run-id", "afresh")
    send(live, "afresh")
    assert ended(live, "afresh") == "success"


def test_a_reset_runs_again_what_came_later(live: LiveHome) -> None:
    fork("--at", "1", "--run-id", "back")
    send(live, "back")
    assert ended(live, "back") == "success"
    before = len(lines(live))
    said = run_command("runs", "reset", "buy", "back", "--before", "mail", "-y", "-o", "json").json
    assert [effect["name"] for effect in said["effects"]] == ["mail"]
    assert ended(live, "back") == "success"
    assert lines(live)[before:] == ["mail"]


def test_a_changed_file_is_held_against_each_open_run_by_replaying_it(live: LiveHome) -> None:
    fork("--at", "1", "--run-id", "open")
    live.wait_for("it has charged", lambda: any(fact["type"] == "ValueRecorded" for fact in history("open")))
    copy = live.folder / "copy.py"
    copy.write_text(BUY.replace('"lot"', '"batch"'), encoding="utf-8")
    said = run_command("dags", "redeploy-check", str(copy))
    assert said.status == 1
    assert "breaks" in said.out
    assert "copy.py" not in said.out, "it stands for the file in the folder"
    assert "buy.py:" in said.out
    later = BUY.replace('mail(f"', 'mail(f"now: ')
    copy.write_text(later, encoding="utf-8")
    assert run_command("dags", "redeploy-check", str(copy)).status == 0
    was = run_command("dags", "details", "buy", "-o", "json").json["version"]
    live.write_dag("buy.py", later)
    live.wait_for("it is recorded", lambda: run_command("dags", "details", "buy", "-o", "json").json["version"] != was)
    assert run_command("runs", "move", "buy", "open", "-o", "json").json["verdict"] == "carried_out"
    send(live, "open")
    assert ended(live, "open") == "success"
    said = run_command("tasks", "result", "buy", "mail", "open", "--map-index", "0", "-o", "json")
    assert said.json == "now: 42 True [1, 2]"
