"""Workflows at the terminal: what is shown of runs that wait, are blocked, have children, or have ended."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.testing.home import LiveHome
from tests.cli.homes import Said, run_command
from tests.cli.test_completion import completed

FLOWS = """
import asyncio

from orchestrator import activity, gather, start_activity, workflow
from orchestrator.workflow import Signal, query, run_child, sleep, start_child, wait_condition

approval = Signal("approval", bool)

@activity
def square(number):
    return number * number

@workflow
def waits():
    stage = "early"

    @query
    def where() -> str:
        return stage

    square(2)
    answer = approval.wait(timeout=3600)
    stage = "late"
    return {"answer": answer, "text": "x" * 300}

@workflow
def listens():
    wait_condition(lambda: False)

@workflow
def outer():
    return gather(start_child(waits), start_child(waits))

@workflow
def breaks(word: str = "it"):
    raise RuntimeError(f"no way for [red]{word}[/] :100:")

@workflow
def above():
    return run_child(below)

@workflow
def below():
    return run_child(foreign)

@workflow
def patient():
    start_child(foreign)
    sleep(4)

@workflow
async def foreign():
    square(1)
    await asyncio.sleep(1)
"""


def at(code: str) -> str:
    """The place of a line of the file that begins so."""
    lines = [line.strip() for line in FLOWS.splitlines()]
    return f"flows.py:{next(place for place, line in enumerate(lines, 1) if line.startswith(code))}"


RAISES, AWAITS = at("raise RuntimeError"), at("await asyncio")
WAITS, LISTENS = at("answer = approval.wait"), at("wait_condition")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("flows")) as home:
        home.write_dag("flows.py", FLOWS)
        home.start()
        home.wait_for("the workflows are listed", lambda: home.lists("waits"))
        yield home


@pytest.fixture
def live(started: LiveHome, monkeypatch: pytest.MonkeyPatch) -> LiveHome:
    for name, value in started.environment.items():
        if name.startswith("ORCHESTRATOR_"):
            monkeypatch.setenv(name, value)
    return started


def show(dag_id: str, run_id: str) -> Any:
    return run_command("runs", "show", dag_id, run_id, "-o", "json").json


def trigger(dag_id: str, run_id: str, *words: str) -> Said:
    return run_command("dags", "trigger", dag_id, "--run-id", run_id, *words)


def why(dag_id: str, run_id: str) -> Any:
    return run_command("runs", "why", dag_id, run_id, "-o", "json").json


def test_a_run_that_waits_shows_its_timer_and_says_at_which_line_for_which_signal(live: LiveHome) -> None:
    trigger("waits", "slow")
    live.wait_for("it waits", lambda: show("waits", "slow")["timers"])
    (reason,) = why("waits", "slow")
    assert reason["cause"] == "signal"
    assert reason["where"] == WAITS
    assert reason["sentence"].startswith(f"{WAITS} waits for signal 'approval', at most until ")
    assert "`orchestrator runs signal waits 'slow' approval 'true'`" in reason["sentence"]
    assert "timer-1" in run_command("runs", "show", "waits", "slow").out
    refused = run_command("runs", "result", "waits", "slow")
    assert (refused.status, "has no result yet" in refused.err) == (1, True)


def test_what_a_workflow_returned_is_shown_in_short_and_printed_as_json(live: LiveHome) -> None:
    trigger("waits", "quick")
    assert run_command("runs", "signal", "waits", "quick", "approval", "true").status == 0
    watched = run_command("runs", "watch", "waits", "quick")
    assert watched.status == 0
    assert '→ {"answer":true,' in watched.out
    result = {"answer": True, "text": "x" * 300}
    assert run_command("runs", "result", "waits", "quick").json == result
    assert show("waits", "quick")["result"] == result
    assert "all of it: orchestrator runs result waits 'quick'" in run_command("runs", "show", "waits", "quick").out
    assert run_command("runs", "query", "waits", "quick", "where", "-o", "yaml").out == "late\n"
    assert run_command("runs", "query", "waits", "quick", "where", "-o", "json").json == "late"


def test_what_a_workflow_raised_is_shown_as_it_was_said(live: LiveHome) -> None:
    said = trigger("breaks", "bad", "--wait")
    assert said.status == 1
    assert f"{RAISES}: RuntimeError: no way for [red]it[/] :100:" in said.err
    failure = show("breaks", "bad")["failure"]
    assert (failure["message"], failure["where"]) == ("RuntimeError: no way for [red]it[/] :100:", RAISES)
    refused = run_command("runs", "result", "breaks", "bad")
    assert (refused.status, f"has no result, it failed: {RAISES}" in refused.err) == (1, True)


def test_waiting_for_a_run_ends_where_its_code_is_blocked(live: LiveHome) -> None:
    said = trigger("foreign", "odd", "--wait", "-o", "json")
    assert said.status == 1
    row = json.loads(said.out)
    assert (row["state"], row["blocked"], row["result"]) == ("running", "foreign", None)
    assert f"blocked (foreign): {AWAITS}" in said.err
    shown = run_command("runs", "show", "foreign", "odd").out
    assert "mend the code" in shown
    assert "orchestrator runs resume foreign 'odd'" in shown
    assert show("foreign", "odd")["blocked"]["where"] == AWAITS
    (line,) = [line for line in run_command("dags", "list-runs", "foreign").out.splitlines() if " odd " in line]
    assert line.split()[-1] == "foreign"


def test_waiting_for_a_run_ends_where_all_that_it_waits_for_is_blocked_however_deep_below(live: LiveHome) -> None:
    said = trigger("above", "odd", "--wait")
    assert said.status == 1
    assert "child below-1  running  (below below-1__odd)" in said.out
    assert f"It waits for run foreign-1__below-1__odd of foreign, which is blocked (foreign): {AWAITS}" in said.err
    assert "orchestrator runs why foreign 'foreign-1__below-1__odd'" in said.err
    assert run_command("runs", "cancel", "above", "odd").status == 0
    live.wait_for("all have ended", lambda: show("foreign", "foreign-1__below-1__odd")["state"] == "failed")


def test_waiting_goes_on_where_something_else_than_a_blocked_child_may_let_the_run_go_on(live: LiveHome) -> None:
    said = trigger("patient", "odd", "--wait")
    assert said.status == 0
    assert f"child foreign-1  running, blocked (foreign)  (foreign foreign-1__odd): {AWAITS}" in said.out


def test_a_parent_shows_its_children_and_a_child_its_parent(live: LiveHome) -> None:
    trigger("outer", "both")
    live.wait_for("both children run", lambda: len(show("outer", "both")["children"]) == 2)
    first, second = show("outer", "both")["children"]
    assert (first["child_id"], first["dag_id"], second["child_id"]) == ("waits-1", "waits", "waits-2")
    parent = show("waits", first["run_id"])["parent"]
    assert parent == {"dag_id": "outer", "run_id": "both", "child_id": "waits-1"}
    for child in (first, second):
        run_command("runs", "signal", "waits", child["run_id"], "approval", "false")
    watched = run_command("runs", "watch", "outer", "both")
    assert watched.status == 0
    assert "child waits-1  success" in watched.out
    assert [child["state"] for child in show("outer", "both")["children"]] == ["success", "success"]


def test_a_condition_is_told_with_its_line_and_a_signal_that_nobody_takes_besides(live: LiveHome) -> None:
    trigger("listens", "ear")
    run_command("runs", "signal", "listens", "ear", "approval", "true")
    live.wait_for("it has the signal", lambda: show("listens", "ear")["signals"])
    waits, untaken = why("listens", "ear")
    assert waits["sentence"].startswith(f"{LISTENS} waits for a condition; it takes signal approval")
    assert untaken["sentence"] == "signal 'approval' has come once, and the code has not taken it"


def test_the_names_of_what_a_workflow_may_be_told_and_asked_are_completed(live: LiveHome) -> None:
    assert completed("runs", "signal", "waits", "slow", "app") == ["approval"]
    assert completed("runs", "query", "waits", "slow", "wh") == ["where"]
