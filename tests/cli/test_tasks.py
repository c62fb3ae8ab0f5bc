"""``orchestrator tasks``."""

from pathlib import Path

import msgspec
import pytest

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivityScheduled,
    ActivityStarted,
)
from orchestrator.core.orders import log_path
from orchestrator.core.particulars import Failure, PayloadRef
from orchestrator.core.requests import ClearTasks, ResolveTask
from orchestrator.names import TaskState
from orchestrator.storage.payloads import FsspecPayloadStore
from tests.cli.conftest import RUN
from tests.cli.homes import START, FilledHome, run_command
from tests.cli.test_runs import asked


def test_tasks_are_listed_in_the_order_of_the_graph(shop: FilledHome) -> None:
    tasks = run_command("tasks", "list", "order_1001", "-o", "json").json
    assert [task["task_id"] for task in tasks] == ["charge_card", "reserve_inventory", "ship_package", "send_email"]
    assert tasks[3]["upstream"] == ["charge_card", "ship_package"]
    assert tasks[0]["retry_delay"] == 300.0


def test_the_state_of_a_task_is_one_word(shop: FilledHome) -> None:
    assert run_command("tasks", "state", "order_1001", "reserve_inventory").out == "failed\n"
    task = run_command("tasks", "state", "order_1001", "charge_card", RUN, "-o", "json").json
    assert (task["state"], task["run_id"]) == ("success", RUN)


def test_an_unknown_task_names_the_nearest(shop: FilledHome) -> None:
    said = run_command("tasks", "state", "order_1001", "chrge_card")
    assert said.status == 1
    assert "did you mean 'charge_card'?" in said.err


def test_the_states_of_a_run_are_a_list(shop: FilledHome) -> None:
    tasks = run_command("tasks", "states-for-dag-run", "order_1001", "-o", "json").json
    assert {task["task_id"]: task["state"] for task in tasks}["ship_package"] == "upstream_failed"


def test_a_result_is_printed_as_it_was_recorded(shop: FilledHome) -> None:
    assert run_command("tasks", "result", "order_1001", "charge_card").out == '{"receipt":"ch_1"}\n'


def test_a_large_result_comes_from_the_payload_store(shop: FilledHome, tmp_path: Path) -> None:
    ref = FsspecPayloadStore(str(tmp_path / "payloads")).put(b'["large"]')
    assert isinstance(ref, PayloadRef)
    shop.begin(
        "order_1001",
        "big",
        ActivityScheduled(task_id="charge_card"),
        ActivityStarted(task_id="charge_card"),
        ActivityCompleted(task_id="charge_card", payload=ref),
    )
    assert run_command("tasks", "result", "order_1001", "charge_card", "big").out == '["large"]\n'


def test_a_task_without_a_result_says_so(shop: FilledHome) -> None:
    said = run_command("tasks", "result", "order_1001", "ship_package")
    assert said.status == 1
    assert "upstream_failed" in said.err


def write_log(home: FilledHome, run_key: int, seq: int, text: str) -> None:
    path = home.folder / "logs" / log_path(run_key, seq, -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_the_log_of_the_last_try_is_printed(shop: FilledHome) -> None:
    write_log(shop, 1, 2, "charging\ndone\n")
    assert run_command("tasks", "logs", "order_1001", "charge_card").out == "charging\ndone\n"
    assert run_command("tasks", "logs", "order_1001", "charge_card", "--follow").out == "charging\ndone\n"


def test_the_log_of_an_earlier_try_is_found(shop: FilledHome) -> None:
    run = shop.begin(
        "order_1001",
        "retried",
        ActivityScheduled(task_id="charge_card"),
        ActivityStarted(task_id="charge_card"),
        ActivityFailed(task_id="charge_card", failure=Failure(message="no"), retry_at=START),
        ActivityScheduled(task_id="charge_card", attempt=2),
        ActivityStarted(task_id="charge_card", attempt=2),
    )
    write_log(shop, run.run_key, 2, "first\n")
    write_log(shop, run.run_key, 5, "second\n")
    assert run_command("tasks", "logs", "order_1001", "charge_card").out == "second\n"
    assert run_command("tasks", "logs", "order_1001", "charge_card", "--attempt", "1").out == "first\n"
    said = run_command("tasks", "logs", "order_1001", "charge_card", "--attempt", "3")
    assert said.status == 1
    assert "has had 2 tries" in said.err


def test_a_task_that_never_ran_has_no_log(shop: FilledHome) -> None:
    said = run_command("tasks", "logs", "order_1001", "ship_package")
    assert said.status == 1
    assert "has not run" in said.err


def test_a_task_that_wrote_nothing_says_so(shop: FilledHome) -> None:
    said = run_command("tasks", "logs", "order_1001", "charge_card")
    assert said.status == 0
    assert "wrote nothing" in said.err


@pytest.mark.parametrize(
    ("words", "cleared"),
    [
        (["ship_package"], ["ship_package"]),
        (["ship_package", "charge_card", RUN], ["charge_card", "ship_package"]),
        (["reserve_inventory", "--downstream"], ["reserve_inventory", "ship_package", "send_email"]),
        (["ship_package", "--upstream"], ["charge_card", "reserve_inventory", "ship_package"]),
        ([], ["charge_card", "reserve_inventory", "ship_package", "send_email"]),
        ([RUN, "--only-failed"], ["reserve_inventory", "send_email", "ship_package"]),
        (["ship_package", "--downstream", "--only-failed"], ["send_email", "ship_package"]),
    ],
)
def test_tasks_are_cleared_by_a_request(shop: FilledHome, words: list[str], cleared: list[str]) -> None:
    said = run_command("tasks", "clear", "order_1001", *words, "-y", "-o", "json")
    assert [place["task_id"] for place in said.json["cleared"]] == cleared
    (request,) = asked(shop)
    assert isinstance(request, ClearTasks)
    assert [task_id for task_id, _ in request.tasks] == cleared
    assert request.run_id == RUN
    assert request.same_key is False


def test_a_cleared_run_moves_to_the_latest_version_unless_told_otherwise(shop: FilledHome) -> None:
    shop.add_dag(msgspec.structs.replace(shop.reads.spec(1), owner="new"))
    run_command("tasks", "clear", "order_1001", "ship_package", "-y")
    run_command("tasks", "clear", "order_1001", "ship_package", "-y", "--same-version", "--same-key")
    latest, same = asked(shop)
    assert isinstance(latest, ClearTasks)
    assert isinstance(same, ClearTasks)
    assert (latest.version_id, latest.same_key) == (2, False)
    assert (same.version_id, same.same_key) == (None, True)


def test_clearing_an_unknown_task_names_the_nearest(shop: FilledHome) -> None:
    said = run_command("tasks", "clear", "order_1001", "ship_pakage", "-y")
    assert said.status == 1
    assert "did you mean 'ship_package'?" in said.err


def test_nothing_failed_is_nothing_to_clear(shop: FilledHome) -> None:
    said = run_command("tasks", "clear", "order_1001", "charge_card", "--only-failed", "-y")
    assert said.status == 1
    assert "nothing to clear" in said.err


@pytest.fixture
def unknown(shop: FilledHome) -> FilledHome:
    """A run whose charge has an unknown outcome."""
    shop.begin(
        "order_1001",
        "unknown",
        ActivityScheduled(task_id="charge_card"),
        ActivityStarted(task_id="charge_card"),
        ActivityLost(task_id="charge_card", reason="the worker died", unknown=True),
    )
    return shop


@pytest.mark.parametrize(
    ("options", "state", "result"),
    [
        (["--success", '{"receipt": 1}'], TaskState.SUCCESS, b'{"receipt":1}'),
        (["--retry"], TaskState.NONE, b"null"),
        (["--fail"], TaskState.FAILED, b"null"),
    ],
)
def test_an_unknown_outcome_is_resolved_by_a_person(
    unknown: FilledHome, options: list[str], state: TaskState, result: bytes
) -> None:
    said = run_command("tasks", "resolve", "order_1001", "charge_card", "unknown", *options)
    assert said.status == 0, said.err
    (request,) = asked(unknown)
    assert isinstance(request, ResolveTask)
    assert (request.task_id, request.state, bytes(request.result)) == ("charge_card", state, result)


@pytest.mark.parametrize("options", [[], ["--retry", "--fail"], ["--success", "{"]])
def test_an_answer_that_is_not_clear_is_refused(unknown: FilledHome, options: list[str]) -> None:
    assert run_command("tasks", "resolve", "order_1001", "charge_card", *options).status == 2
    assert asked(unknown) == []


def test_a_task_whose_outcome_is_known_awaits_no_answer(shop: FilledHome) -> None:
    said = run_command("tasks", "resolve", "order_1001", "charge_card", "--retry")
    assert said.status == 1
    assert "awaits no answer" in said.err
