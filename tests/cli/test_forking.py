"""``runs fork`` and ``runs reset`` without a scheduler: what they show, ask and refuse."""

from pathlib import Path

import pytest

from orchestrator.core.requests import ForkRun, ResetRun
from orchestrator.storage.projections import SqlProjections
from tests.cli.conftest import RUN
from tests.cli.homes import FilledHome, run_command


def pending(home: FilledHome) -> list[object]:
    return [one.request for one in SqlProjections(home.engine).requests()]


def fork(*words: str) -> tuple[int, str]:
    said = run_command("runs", "fork", "order_1001", RUN, *words)
    assert "Traceback" not in said.err
    return said.status, said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--at", "0"), "the facts 1 to 10"),
        (("--at", "999"), "and no 999"),
        ((), "exactly one"),
        (("--at", "3", "--before", "ship_package"), "exactly one"),
        (("--before", "charge_cart"), "nothing is recorded of 'charge_cart'"),
        (("--before", "charge_card[x]"), "names no task"),
        (("--at", "5", "--set", "charge_cart=1"), "did you mean 'charge_card'"),
        (("--at", "5", "--set", "charge_card={"), "not JSON"),
        (("--at", "5", "--set", "charge_card"), "TASK=JSON"),
        (("--at", "5", "--set", "charge_card[2]=1"), "no map indexes"),
        (("--at", "5", "--set", "charge_card=1", "--set", "charge_card=2"), "given twice"),
        (("--at", "5", "--latest", "--version", "1"), "not both"),
        (("--at", "5", "--latest", "--code", "x.py"), "one of --code"),
        (("--at", "5", "--version", "99"), "no version 99"),
        (("--at", "5", "--code", "nowhere.py"), "no file nowhere.py"),
        (("--at", "5", "--run-id", "a b"), "the run id 'a b' may hold"),
        (("--at", "5", "--run-id", RUN, "-y"), "already"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence_and_nothing_is_asked_for(
    shop: FilledHome, words: tuple[str, ...], said: str
) -> None:
    status, error = fork(*words)
    assert status in (1, 2)
    assert said in error
    assert pending(shop) == []


def test_what_would_happen_again_is_listed_with_its_delivery_attempts_and_result(shop: FilledHome) -> None:
    status, error = fork("--at", "1")
    assert status == 2
    assert 'charge_card        at_least_once, 1 attempt, success {"receipt":"ch_1"}' in error
    assert "reserve_inventory  at_least_once, 1 attempt, failed: sold out" in error
    assert "ship_package" not in error
    assert "add --yes" in error
    assert pending(shop) == []


def test_where_nothing_would_happen_again_nobody_is_asked(shop: FilledHome) -> None:
    said = run_command("runs", "fork", "order_1001", RUN, "--at", "10", "-o", "json")
    assert (said.json["verdict"], said.json["effects"], said.json["run_id"]) == ("pending", [], f"{RUN}~1")
    (request,) = pending(shop)
    assert isinstance(request, ForkRun)
    assert (request.source, request.seq, request.same_key, request.version_id) == (RUN, 10, False, None)


def test_each_fork_has_the_next_number(shop: FilledHome) -> None:
    shop.begin("order_1001", "r")
    shop.begin("order_1001", "r~1")
    for source in ("r", "r~1"):
        said = run_command("runs", "fork", "order_1001", source, "--at", "1", "-o", "json")
        assert said.json["run_id"] == ("r~2" if source == "r" else "r~3")
        shop.begin("order_1001", said.json["run_id"])


def test_two_forks_of_one_name_are_asked_for_once(shop: FilledHome) -> None:
    assert fork("--at", "10", "--run-id", "mine")[0] == 0
    status, error = fork("--at", "10", "--run-id", "mine")
    assert status == 1
    assert "already" in error
    assert len(pending(shop)) == 1


def test_an_edited_result_goes_with_the_request(shop: FilledHome) -> None:
    status, error = fork("--before", "reserve_inventory", "--set", 'charge_card={"receipt": "ch_2"}', "-y")
    assert status == 0
    assert "would happen again" in error
    (request,) = pending(shop)
    assert isinstance(request, ForkRun)
    assert [(edit.task_id, bytes(edit.result)) for edit in request.edits] == [("charge_card", b'{"receipt":"ch_2"}')]


def test_a_file_without_the_dag_is_refused_by_the_names_that_it_has(shop: FilledHome, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "other.py"
    other.parent.mkdir()
    other.write_text("from orchestrator import DAG\nwith DAG('other'):\n    pass\n", encoding="utf-8")
    (tmp_path / "dags").mkdir()
    status, error = fork("--at", "5", "--code", str(other))
    assert status == 1
    assert "has no DAG 'order_1001'; its DAGs: other" in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "99"), "and no 99"),
        ((), "exactly one"),
        (("--before", "nothing"), "nothing is recorded of 'nothing'"),
        (("--to", "1"), "add --yes"),
    ],
)
def test_a_reset_that_makes_no_sense_or_that_nobody_agreed_to_is_refused(
    shop: FilledHome, words: tuple[str, ...], said: str
) -> None:
    done = run_command("runs", "reset", "order_1001", RUN, *words)
    assert done.status in (1, 2)
    assert said in done.err
    assert pending(shop) == []


def test_a_reset_lists_what_would_happen_again(shop: FilledHome) -> None:
    said = run_command("runs", "reset", "order_1001", RUN, "--before", "reserve_inventory", "-y", "-o", "json")
    assert [effect["name"] for effect in said.json["effects"]] == ["reserve_inventory"]
    (request,) = pending(shop)
    assert isinstance(request, ResetRun)
    assert (request.seq, request.version_id) == (4, None)
