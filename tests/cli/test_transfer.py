"""``orchestrator runs export`` and ``import``."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from orchestrator.assembly.payloads import open_payloads
from orchestrator.clock import SystemClock
from orchestrator.config import load_config
from orchestrator.core.asks import facts_of
from orchestrator.core.decide import decide
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityScheduled,
    ActivityStarted,
    Recorded,
)
from orchestrator.core.particulars import PayloadRef
from orchestrator.core.plan import Plan
from orchestrator.core.requests import CancelRun, ClearTasks, PauseRun
from orchestrator.core.runs import replay
from orchestrator.core.transcript import Version
from orchestrator.storage.guests import Guests
from orchestrator.storage.projections import SqlProjections
from orchestrator.storage.tables import history
from orchestrator.storage.transcripts import Transcript
from tests.cli.conftest import RUN
from tests.cli.homes import FilledHome, order, run_command

Lines = list[dict[str, Any]]


def read(path: Path) -> Lines:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def facts(lines: Lines) -> Lines:
    """What happened, without what says where it is recorded."""
    found = [line for line in lines if line["line"] == "fact"]
    found[0]["body"].pop("imported", None)
    return found


@pytest.fixture
def elsewhere(tmp_path: Path, shop: FilledHome, monkeypatch: pytest.MonkeyPatch) -> FilledHome:
    """A second, empty home, which the commands work on from now on."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    other = FilledHome(folder)
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(folder))
    return other


@pytest.fixture
def exported(tmp_path: Path, shop: FilledHome) -> Path:
    """The failed run of ORDER #1001, as a file."""
    path = tmp_path / "order.jsonl"
    assert run_command("runs", "export", "order_1001", RUN, str(path)).status == 0
    return path


def test_an_export_names_its_format_the_run_the_dag_and_every_fact(exported: Path) -> None:
    lines = read(exported)
    assert lines[0] == {
        "line": "head",
        "format": "orchestrator-run",
        "version": 1,
        "dag_id": "order_1001",
        "run_id": RUN,
        "run_uid": "uid-1",
        "kind": "dag",
    }
    assert [task["task_id"] for task in lines[1]["spec"]["tasks"]][:2] == ["charge_card", "reserve_inventory"]
    assert [line["seq"] for line in facts(lines)] == list(range(1, 11))
    completed = facts(lines)[3]
    assert (completed["type"], completed["version"]) == ("ActivityCompleted", 1)
    assert completed["at"] == "2026-01-31T06:00:03Z"
    assert completed["body"] == {"task_id": "charge_card", "result": {"receipt": "ch_1"}}
    assert lines[-1]["facts"] == 10


def test_the_same_run_is_exported_as_the_same_bytes(exported: Path, tmp_path: Path) -> None:
    again = run_command("runs", "export", "order_1001", RUN)
    assert again.out.encode() == exported.read_bytes()
    assert "look for secrets" in again.err


def test_an_open_run_is_exported_as_it_stands(shop: FilledHome, tmp_path: Path) -> None:
    shop.begin("order_1001", "open", ActivityScheduled(task_id="charge_card"))
    before = run_command("runs", "export", "order_1001", "open").out
    shop.go_on("open", ActivityStarted(task_id="charge_card"))
    after = run_command("runs", "export", "order_1001", "open").out
    assert len(before.splitlines()) + 1 == len(after.splitlines())


def test_an_imported_run_can_be_looked_at_like_any_other(exported: Path, elsewhere: FilledHome) -> None:
    said = run_command("runs", "import", str(exported), "-o", "json")
    assert said.json == {"dag_id": "order_1001", "run_id": RUN, "state": "failed", "facts": 10}
    run = run_command("runs", "show", "order_1001", "-o", "json").json
    assert (run["state"], run["duration"], run["conf"]) == ("failed", 8.0, {"amount": 42})
    assert [task["state"] for task in run["tasks"]] == ["success", "failed", "upstream_failed", "upstream_failed"]
    assert run_command("tasks", "result", "order_1001", "charge_card").json == {"receipt": "ch_1"}
    assert "sold out" in run_command("runs", "why", "order_1001").out
    assert run_command("runs", "history", "order_1001", "-o", "json").json[0]["imported"] is True
    assert run_command("dags", "details", "order_1001", "-o", "json").json["is_stale"] is True


def test_an_imported_run_is_exported_with_the_same_facts(exported: Path, elsewhere: FilledHome, tmp_path: Path) -> None:
    run_command("runs", "import", str(exported))
    again = tmp_path / "again.jsonl"
    run_command("runs", "export", "order_1001", RUN, str(again))
    assert facts(read(again)) == facts(read(exported))
    assert read(again)[1]["spec"] == read(exported)[1]["spec"]


def test_a_run_that_is_there_already_is_imported_under_another_name(exported: Path, shop: FilledHome) -> None:
    said = run_command("runs", "import", str(exported))
    assert said.status == 1
    assert "--run-id" in said.err
    assert run_command("runs", "import", str(exported), "--run-id", "copy").status == 0
    assert run_command("runs", "show", "order_1001", "copy", "-o", "json").json["version"] == 1
    assert len(run_command("dags", "list-runs", "order_1001", "-o", "json").json) == 2


def test_a_run_that_was_open_is_kept_as_it_was_and_never_goes_on(
    shop: FilledHome, tmp_path: Path, elsewhere: FilledHome
) -> None:
    shop.begin("order_1001", "open", ActivityScheduled(task_id="charge_card"))
    path = tmp_path / "open.jsonl"
    export_from(shop, "open", path)
    said = run_command("runs", "import", str(path))
    assert said.status == 0, said.err
    assert "fork it" in said.err
    run = run_command("runs", "show", "order_1001", "open", "-o", "json").json
    assert (run["state"], run["tasks"][0]["state"]) == ("running", "queued")
    assert "imported while it was open" in run["reason"]
    assert run_command("pools", "list", "-o", "json").json[0]["queued"] == 0
    assert "no scheduler" not in run_command("runs", "why", "order_1001", "open").out


def export_from(home: FilledHome, run_id: str, path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORCHESTRATOR_HOME", str(home.folder))
        said = run_command("runs", "export", "order_1001", run_id, str(path))
        assert said.status == 0, said.err


def test_code_can_be_left_out(shop: FilledHome, exported: Path) -> None:
    bare = run_command("runs", "export", "order_1001", RUN, "--no-code")
    assert '"files"' not in bare.out
    assert "code as they" not in bare.err


def test_a_large_result_goes_along_unless_it_is_left_out(
    shop: FilledHome, tmp_path: Path, elsewhere: FilledHome
) -> None:
    data = msgspec.json.encode("x" * 100_000)
    ref = open_payloads(load_config({"ORCHESTRATOR_HOME": str(shop.folder)}, shop.folder)).put(data)
    charged = ActivityCompleted(task_id="charge_card", payload=ref)
    shop.begin("order_1001", "large", ActivityScheduled(task_id="charge_card"), charged)
    export_from(shop, "large", tmp_path / "large.jsonl")
    assert run_command("runs", "import", str(tmp_path / "large.jsonl")).status == 0
    assert run_command("tasks", "result", "order_1001", "charge_card", "large").json == "x" * 100_000
    assert isinstance(ref, PayloadRef)
    slim = run_command("runs", "export", "order_1001", "large", "--no-payloads").out
    assert '"line":"payload"' not in slim
    assert ref.sha256 in slim


def text(change: Callable[[list[str]], list[str]]) -> Callable[[bytes], bytes]:
    return lambda data: ("\n".join(change(data.decode().splitlines())) + "\n").encode()


DAMAGED = {
    "an empty file": (lambda data: b"", "is no exported run"),
    "a DAG file": (lambda data: b"from orchestrator import DAG\n", "is no exported run"),
    "other JSON": (lambda data: b'{"format": "parquet", "version": 1}\n', "is no exported run"),
    "bytes": (lambda data: bytes(range(256)), "is no exported run"),
    "a newer format": (lambda data: data.replace(b'"version":1', b'"version":2', 1), "upgrade the program"),
    "a head without a run": (text(lambda lines: ['{"line":"head","format":"orchestrator-run","version":1}']), "line 1"),
    "cut at a line": (text(lambda lines: lines[:-3]), "cut short"),
    "cut within a line": (lambda data: data[:-700], "cut short"),
    "a line less": (text(lambda lines: [*lines[:5], *lines[6:]]), "fact 5 stands in the place of fact 4"),
    "a line twice": (text(lambda lines: [*lines[:6], *lines[5:]]), "in the place of"),
    "a letter changed": (lambda data: data.replace(b"sold out", b"gone out"), "is not the file that was exported"),
    "a line of noise": (text(lambda lines: [*lines[:5], "noise", *lines[6:]]), "line 6"),
    "something after the end": (lambda data: data + b"{}\n", "something follows its end"),
    "a second head": (text(lambda lines: [lines[0], *lines]), "second head"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_in_one_sentence_and_nothing_is_written(
    name: str, exported: Path, elsewhere: FilledHome
) -> None:
    damage, words = DAMAGED[name]
    exported.write_bytes(damage(exported.read_bytes()))
    said = run_command("runs", "import", str(exported))
    assert said.status == 1
    assert words in said.err
    assert said.err.count("\n") == 1
    assert elsewhere.reads.dags() == []
    assert elsewhere.reads.runs() == []


def resealed(lines: list[str]) -> bytes:
    """An export of these lines that nobody damaged."""
    body = "".join(f"{line}\n" for line in lines[:-1]).encode()
    count = sum('"line":"fact"' in line for line in lines)
    return body + msgspec.json.encode({"line": "end", "facts": count, "sha256": sha256(body)}) + b"\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_file_that_would_lie_outside_of_its_folder_is_refused(exported: Path, elsewhere: FilledHome) -> None:
    head, version, *rest = exported.read_text(encoding="utf-8").splitlines()
    bad = json.loads(version) | {"files": {"../../etc/cron.d/x": {"text": ""}}}
    exported.write_bytes(resealed([head, json.dumps(bad), *rest]))
    said = run_command("runs", "import", str(exported))
    assert said.status == 1
    assert "outside of its folder" in said.err
    assert elsewhere.reads.dags() == []


UNSOUND = {
    "a task of another DAG": ('"charge_card"', '"pay_invoice"', "does not follow from those before it"),
    "a fact that nobody knows": ("ActivityStarted", "ActivityDreamt", "upgrade the program"),
    "a fact of a newer version": ('"type":"RunEnded","version":1', '"type":"RunEnded","version":7', "upgrade"),
    "a body of another fact": ('"type":"RunEnded"', '"type":"ActivityFailed"', "is no ActivityFailed"),
    "a version that is not there": ('"version_id":1,"fingerprint"', '"version_id":4,"fingerprint"', "does not follow"),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_a_history_that_does_not_fold_is_refused_and_nothing_is_written(
    name: str, exported: Path, elsewhere: FilledHome
) -> None:
    old, new, words = UNSOUND[name]
    head, version, *rest = exported.read_text(encoding="utf-8").splitlines()
    assert any(old in line for line in rest)
    exported.write_bytes(resealed([head, version, *(line.replace(old, new) for line in rest)]))
    said = run_command("runs", "import", str(exported))
    assert (said.status, said.err.count("\n")) == (1, 1)
    assert words in said.err
    assert elsewhere.reads.dags() == []
    assert elsewhere.reads.runs() == []


def test_an_imported_run_is_never_taken_up_and_refuses_whatever_would_change_it(
    shop: FilledHome, tmp_path: Path, elsewhere: FilledHome
) -> None:
    shop.begin("order_1001", "open", ActivityScheduled(task_id="charge_card"))
    export_from(shop, "open", tmp_path / "open.jsonl")
    run_command("runs", "import", str(tmp_path / "open.jsonl"))
    assert SqlProjections(elsewhere.engine).open_runs() == []
    copy = elsewhere.reads.run("order_1001", "open")
    run = replay(copy.run_key, elsewhere.reads.history(copy.run_key), lambda key: Plan(elsewhere.reads.spec(key), key))
    assert decide(run, copy.created_at) == []
    asked = {"dag_id": "order_1001", "run_id": "open"}
    for ask in (CancelRun(**asked), PauseRun(**asked), ClearTasks(**asked, tasks=(("charge_card", None),))):
        assert "was imported and stays as it is; fork it" in str(facts_of(run, ask))


def test_a_rebuild_leaves_an_imported_run_as_it_is(shop: FilledHome, tmp_path: Path, elsewhere: FilledHome) -> None:
    shop.begin("order_1001", "open", ActivityScheduled(task_id="charge_card"))
    export_from(shop, "open", tmp_path / "open.jsonl")
    run_command("runs", "import", str(tmp_path / "open.jsonl"))
    before = elsewhere.reads.run("order_1001", "open")
    assert run_command("db", "rebuild", "-y").status == 0
    assert elsewhere.reads.run("order_1001", "open") == before
    assert SqlProjections(elsewhere.engine).open_runs() == []


def test_an_import_that_was_broken_off_is_not_seen_and_is_swept_away(exported: Path, elsewhere: FilledHome) -> None:
    class Broken(Exception):
        pass

    def facts() -> Iterator[Recorded]:
        yield from list(Transcript(exported).facts())[:4]
        raise Broken

    (version,) = [line for line in Transcript(exported).lines() if isinstance(line, Version)]
    plan = Plan(Transcript(exported).spec(version), 1)
    with pytest.raises(Broken):
        Guests(elsewhere.engine, SystemClock()).take("order_1001", RUN, facts, lambda _: plan, by="test")
    assert elsewhere.reads.runs() == []
    assert run_command("db", "clean", "--before", "2026-01-01", "-y").status == 0
    with elsewhere.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(history)).scalar_one() == 0
    assert run_command("runs", "import", str(exported)).status == 0


def test_a_run_that_is_only_asked_for_has_its_name_too(exported: Path, elsewhere: FilledHome) -> None:
    elsewhere.add_dag(order())
    run_command("dags", "trigger", "order_1001", "--run-id", RUN)
    said = run_command("runs", "import", str(exported))
    assert (said.status, "--run-id" in said.err) == (1, True)
    assert run_command("runs", "import", str(exported), "--run-id", "a b").status == 2


def test_a_scheduled_run_leaves_its_slot_to_the_schedule_of_the_home_it_comes_to(
    shop: FilledHome, exported: Path, elsewhere: FilledHome
) -> None:
    head, version, first, *rest = exported.read_text(encoding="utf-8").splitlines()
    slotted = first.replace('"run_type":"manual"', '"run_type":"scheduled","slot":"2026-01-31T06:00:00Z"')
    assert slotted != first
    exported.write_bytes(resealed([head, version, slotted, *rest]))
    assert run_command("runs", "import", str(exported)).status == 0
    assert elsewhere.reads.run("order_1001", RUN).slot is None
    assert "2026-01-31T06:00:00Z" in run_command("runs", "export", "order_1001", RUN).out
