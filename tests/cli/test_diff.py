"""``orchestrator runs diff``."""

from pathlib import Path
from typing import Any

import msgspec

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ActivityStarted,
    AnyEvent,
    RunEnded,
)
from orchestrator.core.particulars import Failure
from orchestrator.names import RunState
from tests.cli.conftest import RUN
from tests.cli.homes import FilledHome, order, run_command


def done(task_id: str, result: str = "null", attempt: int = 1) -> list[AnyEvent]:
    return [
        ActivityScheduled(task_id=task_id, attempt=attempt),
        ActivityStarted(task_id=task_id, attempt=attempt, worker=f"here:{attempt}"),
        ActivityCompleted(task_id=task_id, attempt=attempt, result=msgspec.Raw(result.encode())),
    ]


def whole(result: str = '{"receipt":"ch_1"}') -> list[AnyEvent]:
    tasks = ("reserve_inventory", "ship_package", "send_email")
    return [
        *done("charge_card", result),
        *(event for name in tasks for event in done(name)),
        RunEnded(state=RunState.SUCCESS),
    ]


def diff(*words: str) -> Any:
    return run_command("runs", "diff", "order_1001", *words, "-o", "json").json


def test_two_runs_that_did_the_same_have_no_difference(shop: FilledHome) -> None:
    shop.begin("order_1001", "one", *whole())
    shop.begin("order_1001", "two", *whole('{ "receipt": "ch_1" }'))
    found = diff("one", "two")
    assert found["is_same"] is True
    assert (found["diverges_at"], found["activities"]) == (None, [])
    assert found["counts"] == {"alike": 4, "different": 0, "only_a": 0, "only_b": 0}


def test_what_differs_is_shown_from_both_sides(shop: FilledHome) -> None:
    shop.begin("order_1001", "good", *whole('{"receipt":"ch_2"}'), conf={"amount": 42})
    found = diff(RUN, "good")
    assert found["run"]["state"] == {"a": "failed", "b": "success"}
    assert "conf" not in found["run"]
    charge, reserve, *rest = found["activities"]
    assert (charge["task_id"], charge["differs"]) == ("charge_card", ["result"])
    assert (charge["a"]["result"], charge["b"]["result"]) == ('{"receipt":"ch_1"}', '{"receipt":"ch_2"}')
    assert reserve["differs"] == ["state"] or reserve["differs"] == ["state", "result"]
    assert (reserve["a"]["state"], reserve["b"]["state"]) == ("failed", "success")
    assert [one["a"]["state"] for one in rest] == ["upstream_failed", "upstream_failed"]


def test_the_histories_diverge_at_the_first_facts_that_say_something_else(shop: FilledHome) -> None:
    shop.begin("order_1001", "good", *whole(), conf={"amount": 42})
    point = diff(RUN, "good")["diverges_at"]
    assert (point["a"]["seq"], point["a"]["type"], point["a"]["task_id"]) == (7, "ActivityFailed", "reserve_inventory")
    assert (point["b"]["seq"], point["b"]["type"]) == (7, "ActivityCompleted")


def test_another_input_is_where_they_diverge(shop: FilledHome) -> None:
    shop.begin("order_1001", "dear", *whole(), conf={"amount": 43})
    found = diff(RUN, "dear")
    assert found["run"]["conf"] == {"a": {"amount": 42}, "b": {"amount": 43}}
    assert [found["diverges_at"][side]["seq"] for side in "ab"] == [1, 1]


def test_the_order_in_which_parallel_tasks_ended_is_no_difference(shop: FilledHome) -> None:
    shop.add_dag(order(dag_id="wide", file="wide.py", tasks=(order().tasks[0], task("other"))))
    shop.begin("wide", "one", *done("charge_card"), *done("other"))
    shop.begin("wide", "two", *done("other"), *done("charge_card"))
    assert run_command("runs", "diff", "wide", "one", "two", "-o", "json").json["is_same"] is True


def task(name: str) -> Any:
    return msgspec.structs.replace(order().tasks[0], task_id=name)


def test_a_second_attempt_is_a_difference(shop: FilledHome) -> None:
    lost = ActivityFailed(task_id="charge_card", failure=Failure(message="busy"), retry_at=None)
    shop.begin("order_1001", "one", *done("charge_card"))
    shop.begin("order_1001", "two", ActivityScheduled(task_id="charge_card"), lost)
    (charge,) = diff("one", "two")["activities"]
    assert "state" in charge["differs"]
    again = msgspec.structs.replace(lost, retry_at=shop.reads.run("order_1001", "one").created_at)
    shop.begin("order_1001", "three", ActivityScheduled(task_id="charge_card"), again, *done("charge_card", attempt=2))
    (charge,) = diff("one", "three")["activities"]
    assert charge["differs"] == ["attempts"]
    assert (charge["a"]["attempts"], charge["b"]["attempts"]) == (1, 2)


def test_an_activity_that_one_run_lacks_is_named(shop: FilledHome) -> None:
    shop.begin("order_1001", "old", *whole())
    tasks = (*order().tasks, msgspec.structs.replace(order().tasks[0], task_id="audit", line=7))
    shop.add_dag(order(tasks=tasks))
    shop.begin("order_1001", "new", *whole()[:-1], *done("audit"), RunEnded(state=RunState.SUCCESS))
    found = diff("old", "new")
    assert [(one["task_id"], one["a"]) for one in found["activities"]] == [("audit", None)]
    assert found["counts"]["only_b"] == 1
    assert found["run"]["version"] == {"a": 1, "b": 2}
    assert found["diverges_at"]["a"] is None


def test_runs_of_different_dags_are_compared_only_where_that_is_meant(shop: FilledHome) -> None:
    shop.add_dag(order(dag_id="other", file="other.py"))
    shop.begin("other", "there", *whole())
    said = run_command("runs", "diff", "order_1001", RUN, "there")
    assert said.status == 2
    assert "--other-dag other" in said.err
    assert diff(RUN, "there", "--other-dag", "other")["run"]["dag_id"] == {"a": "order_1001", "b": "other"}


def test_the_table_says_it_in_words(shop: FilledHome) -> None:
    shop.begin("order_1001", "good", *whole(), conf={"amount": 42})
    out = run_command("runs", "diff", "order_1001", RUN, "good").out
    assert "state: failed → success" in out
    assert "1 activities are alike, 3 differ, 0 are in a only, 0 in b only." in out
    assert "◆ ActivityFailed" in out
    assert "ActivityUpstreamFailed" not in out


def test_a_run_that_is_only_asked_for_cannot_be_compared(shop: FilledHome) -> None:
    run_command("dags", "trigger", "order_1001", "--run-id", "soon")
    said = run_command("runs", "diff", "order_1001", RUN, "soon")
    assert said.status == 1
    assert "nothing is recorded" in said.err


def test_a_run_is_compared_with_one_that_was_imported(shop: FilledHome, tmp_path: Path) -> None:
    run_command("runs", "export", "order_1001", RUN, str(tmp_path / "run.jsonl"))
    run_command("runs", "import", str(tmp_path / "run.jsonl"), "--run-id", "copy")
    assert diff(RUN, "copy")["is_same"] is True
