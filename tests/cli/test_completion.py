"""Completion: commands from the table, ids from the database."""

import subprocess

import pytest

from tests.cli.conftest import RUN
from tests.cli.homes import FilledHome, spawn_words
from tests.cli.test_program import ROOT, spawn


def completed(*words: str) -> list[str]:
    """What the shell is offered for the last of the words."""
    line = " ".join(["orchestrator", *words])
    environ = {"_ORCHESTRATOR_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    found = spawn(**environ)
    assert found.stderr == ""
    return [item.partition(",")[2] for item in found.stdout.splitlines() if item]


def test_commands_and_verbs_are_completed() -> None:
    assert completed("da") == ["dags", "dag-processor"]
    assert completed("dags", "list-") == ["list-runs", "list-import-errors"]


def test_ids_are_completed_from_the_database(shop: FilledHome) -> None:
    assert completed("dags", "trigger", "ord") == ["order_1001"]
    assert completed("tasks", "state", "order_1001", "s") == ["ship_package", "send_email"]
    assert completed("runs", "show", "order_1001", "man") == [RUN]
    assert completed("pools", "get", "def") == ["default_pool"]


def test_runs_and_tasks_are_completed_wherever_a_command_takes_them(shop: FilledHome) -> None:
    assert completed("runs", "replay", "ord") == ["order_1001"]
    assert completed("runs", "replay", "order_1001", "man") == [RUN]
    assert completed("runs", "why", "order_1001", RUN, "s") == ["ship_package", "send_email"]
    assert completed("runs", "why", "order_1001", "ship") == ["ship_package"]
    assert completed("runs", "fork", "order_1001", RUN, "--before", "ship") == ["ship_package"]
    assert completed("runs", "reset", "order_1001", RUN, "--before", "ship") == ["ship_package"]


def test_settings_are_completed() -> None:
    assert completed("config", "explain", "core.par") == ["core.parallelism"]


def test_where_there_is_no_database_nothing_is_offered_and_nothing_said(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_HOME", f"{tmp_path}/none")
    assert completed("dags", "trigger", "ord") == []


@pytest.mark.parametrize(("shell", "mark"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete --no")])
def test_there_is_a_script_for_each_shell(shell: str, mark: str) -> None:
    found = subprocess.run(spawn_words("completion", shell), cwd=ROOT, capture_output=True, text=True, check=True)
    assert mark in found.stdout
    assert "_ORCHESTRATOR_COMPLETE" in found.stdout
