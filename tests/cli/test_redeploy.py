"""``dags redeploy-check``, ``dags versions`` and ``runs move``: a changed file, and the runs that are open."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.assembly.dag_processor import make_dag_processor
from orchestrator.cli import edge
from orchestrator.config import load_config
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityRequested,
    ActivityScheduled,
    ActivityStarted,
    RunBlocked,
    RunEnded,
    RunMoved,
    RunStarted,
)
from orchestrator.names import BlockKind, RunState
from orchestrator.ports import ParsedFile
from orchestrator.storage.database import create
from tests.cli.homes import FilledHome, Said, order, run_command

SHOP = """
from orchestrator import DAG, task
from prices import PRICE

with DAG("shop", schedule=None) as shop:
    @task
    def charge():
        return PRICE

    @task
    def pack(paid):
        return paid

    @task(delivery="at_most_once")
    def mail(packed):
        return packed

    mail(pack(charge()))
"""
UNPACKED = SHOP.replace("pack(charge())", "charge()").replace(
    "    @task\n    def pack(paid):\n        return paid\n", ""
)
CHARGED = (
    ActivityScheduled(task_id="charge"),
    ActivityStarted(task_id="charge"),
    ActivityCompleted(task_id="charge"),
)
Save = Callable[[str], None]


@pytest.fixture
def dags(home: FilledHome) -> Path:
    folder = home.folder / "dags"
    folder.mkdir()
    (folder / "prices.py").write_text("PRICE = 42\n", encoding="utf-8")
    return folder


@pytest.fixture
def save(home: FilledHome, dags: Path) -> Save:
    """Write shop.py as an editor does, and have it recorded as the dag processor does."""

    def saved(source: str) -> None:
        (dags / "shop.py").write_text(source, encoding="utf-8")
        processor = make_dag_processor(edge.config(), home.engine, on_change=lambda: None)
        assert processor.scan().errors == 0
        processor.close()

    return saved


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> ParsedFile:
    """The shop as it is recorded: parsed once, for a process that parses takes a second to start."""
    folder = tmp_path_factory.mktemp("parsed")
    (folder / "prices.py").write_text("PRICE = 42\n", encoding="utf-8")
    (folder / "shop.py").write_text(SHOP, encoding="utf-8")
    config = load_config({"ORCHESTRATOR__CORE__DAGS_FOLDER": str(folder)}, folder)
    engine = create(f"sqlite:///{folder}/orchestrator.db")
    processor = make_dag_processor(config, engine, on_change=lambda: None)
    found = processor.parse("shop.py")
    processor.close()
    engine.dispose()
    return found


@pytest.fixture
def shop(home: FilledHome, dags: Path, parsed: ParsedFile) -> FilledHome:
    """The shop with a run that has charged, one that packs, and one that has ended."""
    (dags / "shop.py").write_text(SHOP, encoding="utf-8")
    home.record(parsed)
    packing = (*CHARGED, ActivityScheduled(task_id="pack"), ActivityStarted(task_id="pack"))
    home.begin("shop", "charged", *CHARGED)
    home.begin("shop", "packing", *packing)
    home.begin("shop", "over", RunEnded(state=RunState.FAILED))
    return home


def check(home: FilledHome, source: str) -> tuple[Said, dict[str, Any]]:
    copy = home.folder / "elsewhere" / "shop.py"
    copy.parent.mkdir(exist_ok=True)
    copy.write_text(source, encoding="utf-8")
    said = run_command("dags", "redeploy-check", str(copy), "-o", "json")
    assert said.out, said.err
    (found,) = Said(0, said.out, said.err).json["dags"]
    return said, {"dag": found} | {run["run_id"]: run for run in found["runs"]}


def test_a_file_that_only_looks_different_is_the_version_that_runs_have(shop: FilledHome) -> None:
    said, found = check(shop, SHOP.replace("return PRICE", "return PRICE  # in cents"))
    assert said.status == 0
    assert (found["dag"]["version"], found["dag"]["changes"]) == (1, None)
    assert [(run["run_id"], run["verdict"], run["on_save"]) for run in found["dag"]["runs"]] == [
        ("charged", "compatible", "has it"),
        ("packing", "compatible", "has it"),
    ]


def test_a_change_of_the_code_alone_is_compatible_and_runs_stay_where_the_dag_pins(shop: FilledHome) -> None:
    said, found = check(shop, SHOP.replace("return paid", "return [paid]"))
    assert said.status == 0
    assert found["dag"]["version"] is None
    assert found["charged"]["on_save"] == "stays on version 1"


def test_a_task_that_is_removed_while_it_runs_breaks_that_run_alone(shop: FilledHome) -> None:
    said, found = check(shop, UNPACKED)
    assert said.status == 1
    assert found["dag"]["changes"]["removed"] == ["pack"]
    assert found["charged"]["verdict"] == "compatible"
    assert found["packing"]["verdict"] == "breaks"
    (finding,) = [one for one in found["packing"]["findings"] if one["verdict"] == "breaks"]
    assert (finding["task_id"], finding["old"], finding["new"]) == ("pack", "shop.py:18", None)
    assert "removed while it runs" in finding["message"]


def test_a_renamed_task_that_has_run_would_run_again(shop: FilledHome) -> None:
    said, found = check(shop, SHOP.replace("charge()", "bill()"))
    assert said.status == 1
    (finding,) = [one for one in found["charged"]["findings"] if one["verdict"] == "breaks"]
    assert "renamed to 'bill'" in finding["message"]
    assert (finding["old"], finding["new"]) == ("shop.py:18", "shop.py:18")


def test_what_the_policy_move_means_is_said_of_each_run(shop: FilledHome) -> None:
    moving = SHOP.replace("schedule=None", 'schedule=None, on_new_version="move"')
    _, found = check(shop, moving.replace("task\n    def pack", 'task(delivery="at_most_once")\n    def pack'))
    assert found["dag"]["on_new_version"] == "move"
    assert found["charged"]["on_save"] == "moves"
    assert (found["packing"]["verdict"], found["packing"]["on_save"]) == ("breaks", "stays on version 1")


FLOW = """
from orchestrator import activity, workflow

@activity
def charge(): ...

@workflow(on_new_version="move")
def shop():
    charge()
"""


def test_a_workflow_that_moves_with_its_dag_is_said_to_be_blocked_where_its_code_does_not_fit(
    home: FilledHome, save: Save
) -> None:
    save(FLOW)
    asked = ActivityRequested(task_id="charge", map_index=0, digest="of other arguments")
    home.begin("shop", "charged", RunStarted(), asked)
    said, found = check(home, FLOW.replace("    charge()", "    return charge()"))
    assert said.status == 1
    assert (found["charged"]["verdict"], found["charged"]["on_save"]) == ("breaks", "moves, and is blocked")
    said = run_command("dags", "redeploy-check", str(home.folder / "elsewhere" / "shop.py"))
    assert said.out.count("shop.py:9") == 1


def test_a_run_that_was_moved_by_force_is_held_against_the_version_that_it_has(home: FilledHome, save: Save) -> None:
    home.add_dag(order())  # so that the ids of versions are not their numbers
    save(FLOW)
    asked = ActivityRequested(task_id="charge", map_index=0, digest="of its arguments")
    home.begin("shop", "charged", RunStarted(), asked)
    now = FLOW.replace("    charge()", "    return None")
    save(now)
    home.go_on("charged", RunMoved(version_id=home.reads.dag("shop").version_id, fingerprint="f"))
    said, found = check(home, now)
    assert said.status == 1
    assert (found["charged"]["verdict"], found["charged"]["on_save"]) == ("breaks", "has it, and cannot go on")
    versions = "at seq 3, recorded by version 1; the code of version 2 has returned"
    assert versions in found["charged"]["findings"][0]["message"]
    assert versions in run_command("runs", "replay", "shop", "charged").out
    assert versions in " ".join(run_command("runs", "why", "shop", "charged").out.split())
    assert run_command("runs", "history", "shop", "charged").out.rstrip().endswith("to version 2")
    assert run_command("runs", "history", "shop", "charged", "-o", "json").json[-1]["version"] == 2


def test_a_run_that_is_blocked_though_its_code_fits_now_wants_a_decision(home: FilledHome, save: Save) -> None:
    save(FLOW)
    home.begin("shop", "charged", RunStarted(), RunBlocked(kind=BlockKind.STUCK, message="shop.py:9: no end"))
    said, found = check(home, FLOW)
    assert said.status == 1
    assert (found["charged"]["verdict"], found["charged"]["on_save"]) == (
        "needs a decision",
        "has it, and cannot go on",
    )
    assert "orchestrator runs resume shop 'charged'" in found["charged"]["findings"][0]["message"]


def test_nothing_is_recorded_by_a_check(shop: FilledHome) -> None:
    check(shop, SHOP.replace("return paid", "return [paid]"))
    assert [version.number for version in shop.reads.versions("shop")] == [1]
    assert shop.reads.import_errors() == []


def test_a_file_of_the_folder_itself_is_checked_too(shop: FilledHome, dags: Path) -> None:
    (dags / "shop.py").write_text(SHOP.replace("charge()", "bill()"), encoding="utf-8")
    said = run_command("dags", "redeploy-check", str(dags / "shop.py"))
    assert said.status == 1
    assert "charged: charge: it seems to be renamed to 'bill'" in said.out
    assert "stay on the version that they have (pin)" in said.out


def test_a_file_that_cannot_be_parsed_is_an_error_with_its_place(shop: FilledHome) -> None:
    copy = shop.folder / "shop.py"
    copy.write_text("import orchestrator\nfrom prices import COST\n", encoding="utf-8")
    said = run_command("dags", "redeploy-check", str(copy))
    assert said.status == 1
    assert "shop.py:2" in said.err
    assert run_command("dags", "redeploy-check", "nowhere.py").status == 1


def test_versions_say_what_changed_in_each_and_which_open_runs_have_it(shop: FilledHome, save: Save) -> None:
    save(SHOP.replace("return paid", "return [paid]"))
    save(SHOP.replace('@task(delivery="at_most_once")', "@task").replace("schedule=None", 'schedule="@daily"'))
    rows = run_command("dags", "versions", "shop", "-o", "json").json
    assert [(row["version"], row["is_current"], row["open_runs"]) for row in rows] == [
        (3, True, 0),
        (2, False, 0),
        (1, False, 2),
    ]
    assert (rows[0]["changes"]["changed"], rows[0]["changes"]["settings"]) == (["mail"], True)
    shown = run_command("dags", "versions", "shop").out
    assert "~mail, settings" in shown
    assert "code" in shown


def test_a_move_that_breaks_a_run_is_refused_and_names_the_task(shop: FilledHome, save: Save) -> None:
    save(SHOP.replace("charge()", "bill()"))
    said = run_command("runs", "move", "shop", "charged")
    assert said.status == 1
    assert "task 'charge' breaks" in said.err
    assert "--force" in said.err
    assert shop.reads.run("shop", "charged").version_number == 1


def test_all_open_runs_that_fit_are_moved_and_the_others_are_named(shop: FilledHome, save: Save) -> None:
    save(SHOP.replace("task\n    def pack", 'task(delivery="at_most_once")\n    def pack'))
    said = run_command("runs", "move", "shop", "--all", "-o", "json")
    assert said.status == 1
    rows = {row["run_id"]: row["verdict"] for row in Said(0, said.out, said.err).json}
    assert rows == {"charged": "pending", "packing": "left"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("charged",), "has version 1 of shop already"),
        (("over",), "not open"),
        (("charged", "--version", "9"), "no version 9"),
        (("charged", "--all"), "not both"),
    ],
)
def test_a_move_that_makes_no_sense_is_refused(shop: FilledHome, words: tuple[str, ...], said: str) -> None:
    done = run_command("runs", "move", "shop", *words)
    assert done.status in (1, 2)
    assert said in done.err


def test_the_policy_of_a_dag_is_among_its_details(shop: FilledHome) -> None:
    assert run_command("dags", "details", "shop", "-o", "json").json["on_new_version"] == "pin"
