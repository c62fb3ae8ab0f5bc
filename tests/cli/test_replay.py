"""``orchestrator runs replay``, and ``orchestrator.testing.replay``."""

from pathlib import Path

import msgspec
import pytest

from orchestrator.core.events import ActivityCompleted, ActivityScheduled, ActivityStarted, TaskExpanded
from orchestrator.core.spec import mapping_over
from orchestrator.exceptions import DagImportError, NotFoundError, TranscriptError
from orchestrator.names import BlockKind
from orchestrator.testing import HistoryMismatchError, replay
from tests.cli.conftest import RUN
from tests.cli.homes import FilledHome, order, run_command
from tests.cli.test_transfer_of_random_runs import command, keep
from tests.simulation.blue_world import world
from tests.simulation.test_workflow_simulation import live

FILE = """
from orchestrator import DAG, chain
from orchestrator.operators import EmptyOperator

with DAG("order_1001"):
    charge, reserve, ship, send = (EmptyOperator(task_id=name) for name in {tasks})
    chain(charge, reserve, ship, send)
    charge >> send
"""
TASKS = ["charge_card", "reserve_inventory", "ship_package", "send_email"]


@pytest.fixture
def exported(tmp_path: Path, shop: FilledHome) -> Path:
    path = tmp_path / "order.jsonl"
    assert run_command("runs", "export", "order_1001", RUN, str(path)).status == 0
    return path


def write(path: Path, *tasks: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(FILE.format(tasks=list(tasks)), encoding="utf-8")
    return path


# ── against a recorded version ───────────────────────────────────────────────────────────────────────────


def test_a_run_fits_the_graph_that_it_was_made_with(shop: FilledHome) -> None:
    said = run_command("runs", "replay", "order_1001", "-o", "json")
    assert said.status == 0
    assert said.json["fits"] is True
    assert said.json["runs_now"] == []


def test_a_recorded_task_that_the_graph_has_no_more_does_not_fit(shop: FilledHome) -> None:
    shop.add_dag(order(tasks=order().tasks[:1]))
    said = run_command("runs", "replay", "order_1001", RUN)
    assert said.status == 1
    assert "It does not fit" in said.out
    assert "reserve_inventory is recorded (failed), and in version 2 there is no such task" in said.out
    assert run_command("runs", "replay", "order_1001", RUN, "--version", "1").status == 0


def test_a_recorded_task_of_another_shape_does_not_fit(shop: FilledHome) -> None:
    mapped = msgspec.structs.replace(order().tasks[0], mapping=mapping_over(3))
    shop.add_dag(order(tasks=(mapped, *order().tasks[1:])))
    said = run_command("runs", "replay", "order_1001", RUN)
    assert said.status == 1
    assert "charge_card is recorded (success), and in version 2:3 it is mapped, 3 of it" in said.out
    shop.begin("order_1001", "wide", TaskExpanded(task_id="charge_card", shape=(3,)))
    shop.go_on("wide", ActivityScheduled(task_id="charge_card", map_index=0, count=3))
    shop.add_dag(order(tasks=(msgspec.structs.replace(mapped, mapping=mapping_over(4)), *order().tasks[1:])))
    said = run_command("runs", "replay", "order_1001", "wide")
    assert "is recorded (mapped, 3 of it, queued, not finished), and in version 3:3 it is mapped, 4 of it" in said.out


def test_what_is_new_in_the_graph_fits_and_would_run_now(shop: FilledHome) -> None:
    audit = msgspec.structs.replace(order().tasks[0], task_id="audit", upstream=("charge_card",))
    report = msgspec.structs.replace(order().tasks[0], task_id="report", upstream=("audit",))
    shop.add_dag(order(tasks=(*order().tasks, audit, report)))
    found = run_command("runs", "replay", "order_1001", RUN, "-o", "json").json
    assert (found["runs_now"], found["runs_later"]) == (["audit"], ["report"])


def test_what_ran_before_something_that_it_waits_for_today_is_remarked_on(shop: FilledHome) -> None:
    check = msgspec.structs.replace(order().tasks[0], task_id="check")
    late = msgspec.structs.replace(order().tasks[0], upstream=("check",))
    shop.add_dag(order(tasks=(check, late, *order().tasks[1:])))
    said = run_command("runs", "replay", "order_1001", RUN)
    assert said.status == 0
    assert "charge_card ran before check, which it waits for today" in said.out


def test_an_open_run_is_told_what_it_would_go_on_with(shop: FilledHome) -> None:
    events = (
        ActivityScheduled(task_id="charge_card"),
        ActivityStarted(task_id="charge_card"),
        ActivityCompleted(task_id="charge_card"),
    )
    shop.begin("order_1001", "open", *events)
    found = run_command("runs", "replay", "order_1001", "open", "-o", "json").json
    assert (found["runs_now"], found["runs_later"]) == (["reserve_inventory"], ["ship_package", "send_email"])


def test_a_version_that_is_not_there_names_those_that_are(shop: FilledHome) -> None:
    said = run_command("runs", "replay", "order_1001", "--version", "9")
    assert said.status == 1
    assert "has no version 9; it has 1" in said.err


# ── against a file ───────────────────────────────────────────────────────────────────────────────────────


def test_an_exported_run_is_held_against_a_file(exported: Path, tmp_path: Path) -> None:
    good = write(tmp_path / "new" / "order.py", *TASKS)
    assert run_command("runs", "replay", str(exported), "--code", str(good)).status == 0
    bad = write(tmp_path / "bad" / "order.py", "charge_card", "reserve_stock", "ship_package", "send_email")
    said = run_command("runs", "replay", str(exported), "--code", str(bad))
    assert said.status == 1
    assert "reserve_inventory is recorded (failed), and in order.py there is no such task" in said.out


def test_the_same_holds_in_a_test_of_ones_own(exported: Path, tmp_path: Path) -> None:
    good = write(tmp_path / "new" / "order.py", *TASKS)
    assert replay(exported, good).fits
    assert replay(str(exported), tmp_path / "new").code == "order.py"
    write(good, "charge", *TASKS[1:])
    with pytest.raises(HistoryMismatchError, match=r"charge_card is recorded .success., and in order\.py") as caught:
        replay(exported, good)
    assert isinstance(caught.value, AssertionError)
    assert [misfit.task_id for misfit in caught.value.held.misfits] == ["charge_card"]


def test_code_that_cannot_be_read_is_told_with_its_line(exported: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "order.py"
    broken.parent.mkdir()
    broken.write_text("import orchestrator  # a dag\nraise ValueError('no')\n", encoding="utf-8")
    with pytest.raises(DagImportError, match=r"order\.py:2"):
        replay(exported, broken)
    said = run_command("runs", "replay", str(exported), "--code", str(broken))
    assert (said.status, said.err.count("\n")) == (1, 1)


def test_a_file_without_that_dag_names_the_nearest(exported: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "order.py"
    other.parent.mkdir()
    other.write_text(FILE.format(tasks=TASKS).replace("order_1001", "order_1002"), encoding="utf-8")
    with pytest.raises(NotFoundError, match=r"no DAG 'order_1001'.*order_1002"):
        replay(exported, other)


def test_what_is_no_history_is_said_to_be_none(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match="is no exported run"):
        replay(write(tmp_path / "new" / "order.py", *TASKS), tmp_path / "new")


def test_a_file_needs_code_where_the_dag_is_not_known(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    FilledHome(elsewhere).close()
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(elsewhere))
    said = run_command("runs", "replay", str(exported))
    assert said.status == 1
    assert "name the DAG file with --code" in said.err


def test_a_file_is_held_against_a_file_without_any_database(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(tmp_path / "nowhere"))
    good = write(tmp_path / "new" / "order.py", *TASKS)
    assert run_command("runs", "replay", str(exported), "--code", str(good)).status == 0
    assert not (tmp_path / "nowhere").exists()
    said = run_command("runs", "replay", str(exported))
    assert said.status == 1
    assert "name the DAG file with --code" in said.err


# ── workflows ────────────────────────────────────────────────────────────────────────────────────────────

FLOWS = Path(__file__).parents[1] / "simulation" / "flows.py"


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the exported runs of two workflows, each under its name."""
    folder = tmp_path_factory.mktemp("flows")
    home = keep(live(world(), "sequential", "asks_leave"), folder / "home")
    for name in ("sequential", "asks_leave"):
        command(home, "runs", "export", name, "manual__1", str(folder / f"{name}.jsonl"))
    home.close()
    return folder


@pytest.mark.parametrize("name", ["sequential", "asks_leave"])
def test_a_run_of_a_workflow_fits_the_code_that_it_was_made_with(flows: Path, name: str) -> None:
    assert replay(flows / f"{name}.jsonl", FLOWS).fits


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("asks_leave", 'return [given, step("end")]', "return [given]", "has returned without asking for it"),
        ("asks_leave", 'step("end")', 'step("finish")', 'activity step #1 with .*"end"'),
        ("sequential", "range(length)", "range(length + 1)", "end of the run"),
    ],
)
def test_a_workflow_that_asks_for_something_else_is_shown_from_both_sides_with_its_line(
    flows: Path, tmp_path: Path, name: str, old: str, new: str, words: str
) -> None:
    changed = tmp_path / "flows.py"
    source = FLOWS.read_text(encoding="utf-8")
    assert old in source
    changed.write_text(source.replace(old, new), encoding="utf-8")
    with pytest.raises(HistoryMismatchError, match=words) as caught:
        replay(flows / f"{name}.jsonl", changed)
    assert "flows.py:" in str(caught.value)
    block = caught.value.held.block
    assert block is not None
    assert block.kind is BlockKind.NON_DETERMINISM
    assert "recorded by version 1; this code " in block.message  # the file has not become a version


def test_a_workflow_that_is_a_static_dag_today_does_not_fit(flows: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "new" / "order.py", *TASKS)
    path.write_text(path.read_text(encoding="utf-8").replace("order_1001", "sequential"), encoding="utf-8")
    with pytest.raises(HistoryMismatchError, match=r"is recorded .a workflow., and in order"):
        replay(flows / "sequential.jsonl", path)


def test_the_command_says_the_same_of_a_workflow(flows: Path, home: FilledHome, tmp_path: Path) -> None:
    assert run_command("runs", "replay", str(flows / "sequential.jsonl"), "--code", str(FLOWS)).status == 0
    changed = tmp_path / "flows.py"
    source = FLOWS.read_text(encoding="utf-8").replace("range(length)", "range(length + 1)")
    changed.write_text(source, encoding="utf-8")
    said = run_command("runs", "replay", str(flows / "sequential.jsonl"), "--code", str(changed), "-o", "json")
    assert said.status == 1
    assert '"fits": false' in said.out
    assert "non_determinism" in said.out
