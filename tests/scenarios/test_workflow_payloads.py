"""Values too large for a history: whatever is done with a run of a workflow, they go along, and none is lost."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.core.particulars import PayloadRef
from orchestrator.core.requests import SendSignal
from orchestrator.testing.home import LiveHome
from tests.cli.homes import run_command

HEAVY = """
from orchestrator import DAG, activity, task, workflow
from orchestrator.workflow import Signal, continue_as_new, run_child

go_on = Signal("go_on")


@activity
def make(letter: str) -> str:
    return letter * 70_000


@activity
def measure(text: str) -> int:
    return len(text)


@workflow(max_active_runs=100)
def part(text: str) -> str:
    return text + make("c")


@workflow(max_active_runs=100)
def heavy(carried: str = "") -> str:
    if not carried:
        continue_as_new(make("a"))
    total = measure(carried)
    child = run_child(part, carried + "b" * 70_000)
    go_on.wait()
    assert (total, measure(child)) == (70_000, 210_000)
    return child


with DAG("whole", schedule=None):
    @task
    def weigh(text):
        return len(text)

    weigh(part("d" * 70_000))
"""
RESULT = "a" * 70_000 + "b" * 70_000 + "c" * 70_000


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("heavy")) as home:
        home.write_dag("heavy.py", HEAVY)
        home.start()
        home.wait_for("the workflow is listed", lambda: home.lists("whole"))
        yield home


@pytest.fixture
def live(started: LiveHome, monkeypatch: pytest.MonkeyPatch) -> LiveHome:
    for name, value in started.environment.items():
        if name.startswith("ORCHESTRATOR_"):
            monkeypatch.setenv(name, value)
    return started


def begin(live: LiveHome, run_id: str) -> str:
    """Trigger a run, and wait until it waits for its signal."""
    said = run_command("dags", "trigger", "heavy", "--run-id", run_id)
    assert said.status == 0, said.err
    return has_come(live, run_id, "ChildEnded")


def has_come(live: LiveHome, run_id: str, kind: str, dag_id: str = "heavy") -> str:
    live.wait_for(f"{kind} of {run_id}", lambda: kind in {fact["type"] for fact in history(run_id, dag_id)})
    return run_id


def history(run_id: str, dag_id: str = "heavy") -> list[dict[str, Any]]:
    said = run_command("runs", "history", dag_id, run_id, "-o", "json")
    return list(said.json) if said.status == 0 else []


def seq_of(run_id: str, kind: str) -> int:
    return next(fact["seq"] for fact in history(run_id) if fact["type"] == kind)


def go_on(live: LiveHome, run_id: str) -> str:
    with live.open() as home:
        home.requests.submit(SendSignal(dag_id="heavy", run_id=run_id, name="go_on"), f"{run_id}/{time.monotonic()}")
        home.ring()
    return result(live, run_id)


def result(live: LiveHome, run_id: str) -> str:
    live.wait_for(f"the end of {run_id}", lambda: history(run_id)[-1]["type"] == "RunEnded")
    said = run_command("runs", "result", "heavy", run_id)
    assert said.status == 0, said.err
    return str(msgspec.json.decode(said.out))


def test_forks_resets_and_replays_are_handed_the_large_values_that_were_recorded(live: LiveHome) -> None:
    begin(live, "first")
    assert go_on(live, "first") == RESULT
    assert run_command("runs", "replay", "heavy", "first").status == 0
    for kind in ("RunContinued", "ActivityCompleted", "ChildEnded", "SignalReceived"):
        name = f"from_{kind}"
        said = run_command("runs", "fork", "heavy", "first", "--at", str(seq_of("first", kind)), "-r", name, "-y")
        assert said.status == 0, said.err
        assert (result(live, name) if kind == "SignalReceived" else go_on(live, name)) == RESULT
    run_command("runs", "reset", "heavy", "first", "--to", str(seq_of("first", "RunContinued")), "-y")
    has_come(live, "first", "RunReset")
    assert result(live, "first") == RESULT


def test_a_large_result_of_a_child_is_the_input_of_the_next_task(live: LiveHome) -> None:
    run_command("dags", "trigger", "whole", "--run-id", "1")
    has_come(live, "1", "RunEnded", "whole")
    assert run_command("tasks", "result", "whole", "weigh", "1", "-o", "json").json == 140_000


def test_a_transcript_brings_the_large_values_along_to_another_home(live: LiveHome, tmp_path: Path) -> None:
    begin(live, "told")
    go_on(live, "told")
    file = str(tmp_path / "told.jsonl")
    assert run_command("runs", "export", "heavy", "told", file).status == 0
    with LiveHome(tmp_path / "other") as other:
        for words in (("db", "migrate"), ("runs", "import", file), ("runs", "replay", "heavy", "told")):
            done = other.run(*words)
            assert done.returncode == 0, done.stderr
        assert msgspec.json.decode(other.run("runs", "result", "heavy", "told").stdout) == RESULT


def test_cleaning_keeps_what_a_fork_refers_to_and_removes_it_with_the_fork(live: LiveHome) -> None:
    begin(live, "source")
    said = run_command(
        "runs", "fork", "heavy", "source", "--at", str(seq_of("source", "ChildEnded")), "-r", "kept", "-y"
    )
    assert said.status == 0, said.err
    has_come(live, "kept", "ChildEnded")
    go_on(live, "source")
    clean(live)
    assert run_command("runs", "show", "heavy", "source").status != 0
    assert go_on(live, "kept") == RESULT
    clean(live)
    assert list((live.folder / "payloads").glob("??/*")) == []


def clean(live: LiveHome) -> None:
    """Remove all that has ended, and every large value of the day before yesterday that nothing refers to."""
    old = time.time() - 2 * 86_400
    for path in (live.folder / "payloads").glob("??/*"):
        os.utime(path, (old, old))
    said = run_command("db", "clean", "--before", "2999-01-01", "-y")
    assert said.status == 0, said.err


def test_a_large_value_that_is_gone_is_named_by_each_command_and_the_run_goes_on_once_it_is_back(
    live: LiveHome, tmp_path: Path
) -> None:
    begin(live, "lost")
    gone = ref_of(live, "lost")
    path = live.folder / "payloads" / gone[:2] / gone
    shutil.move(path, tmp_path / "away")
    before = history("lost")
    said = [
        run_command("runs", "export", "heavy", "lost", str(tmp_path / "lost.jsonl")),
        run_command("runs", "replay", "heavy", "lost"),
    ]
    for one in said:
        assert one.status == 1
        assert f"the payload {gone} is not in" in one.out + one.err
        assert "Traceback" not in one.err
    run_command("runs", "reset", "heavy", "lost", "--to", str(seq_of("lost", "ChildEnded")), "-y")
    has_come(live, "lost", "RunBlocked")
    assert f"the payload {gone} is not in" in run_command("runs", "why", "heavy", "lost").out.replace("\n", " ")
    shutil.move(tmp_path / "away", path)
    assert history("lost")[: len(before)] == before
    assert run_command("runs", "resume", "heavy", "lost").status == 0
    assert go_on(live, "lost") == RESULT


def ref_of(live: LiveHome, run_id: str) -> str:
    """The SHA-256 of the child's result."""
    with live.open() as home:
        run = home.reads.run("heavy", run_id)
        refs = [getattr(fact.event, "payload", None) for fact in home.reads.history(run.run_key)]
    return next(ref.sha256 for ref in reversed(refs) if isinstance(ref, PayloadRef))
