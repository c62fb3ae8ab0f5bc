"""The examples in dags/, run to the end by the real program."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.testing.home import LiveHome

ROOT = Path(__file__).parents[2]
PNG = b"\x89PNG\r\n\x1a\n"


def run(home: LiveHome, dag_id: str, run_id: str, **conf: Any) -> dict[str, str]:
    """Trigger and wait; the states of the run's tasks."""
    done = home.run("dags", "trigger", dag_id, "--run-id", run_id, "--conf", json.dumps(conf), "--wait", timeout=90)
    assert done.returncode == 0, done.stderr + home.log.read_text()
    return {task["task_id"]: task["state"] for task in home.ask("runs", "show", dag_id, run_id)["tasks"]}


def test_an_order_is_charged_reserved_shipped_and_confirmed(examples: LiveHome) -> None:
    states = run(examples, "order_1001", "whole", shop="whole")
    assert states == dict.fromkeys(
        ["charge_card", "reserve_inventory", "ship_package", "send_confirmation_email"], "success"
    )
    shop = examples.folder / "whole"
    [charge] = [json.loads(line) for line in (shop / "ledger.jsonl").read_text().splitlines()]
    assert (charge["order"], charge["amount"], charge["currency"]) == (1001, 42, "USD")
    assert "TRACK-1001" in (shop / "mail-1001.eml").read_text()
    assert (shop / "label-1001.txt").read_text() == "1 x teapot\n2 x cup\n"


def test_an_order_takes_its_input_from_conf(examples: LiveHome) -> None:
    run(examples, "order_1001", "other", shop="other", order=7, amount=9)
    assert examples.ask("tasks", "result", "order_1001", "charge_card", "other")["amount"] == 9
    assert (examples.folder / "other" / "label-7.txt").exists()


def test_each_charge_carries_a_key_that_names_its_run_and_task(examples: LiveHome) -> None:
    for name in ("first", "second"):
        run(examples, "order_1001", name, shop="keys")
    lines = (examples.folder / "keys" / "ledger.jsonl").read_text().splitlines()
    keys = [json.loads(line)["idempotency_key"] for line in lines]
    assert len(set(keys)) == 2
    assert all(key.endswith("/charge_card/-1/1") for key in keys)


def test_the_weather_report_loads_plots_and_publishes_four_years(examples: LiveHome) -> None:
    states = run(examples, "weather_report", "whole")
    assert states.pop("report_gaps") == "skipped"
    assert set(states.values()) == {"success"}
    with sqlite3.connect(examples.folder / "weather.db") as database:
        rows = database.execute("select year, days, wet_days, hottest_day from yearly_weather order by year").fetchall()
        completions = database.execute("select count(*) from orchestrator_completions").fetchone()
    database.close()
    assert [(year, days) for year, days, _, _ in rows] == [(2012, 366), (2013, 365), (2014, 365), (2015, 365)]
    assert all(100 < wet < 200 for _, _, wet, _ in rows)
    assert completions == (1,)
    reports = examples.folder / "reports" / "weather"
    assert (reports / "seattle.png").read_bytes().startswith(PNG)
    assert all(f"<th>{year}</th>" in (reports / "index.html").read_text() for year in (2012, 2013, 2014, 2015))


def test_the_backup_packs_each_folder_and_leaves_no_scratch(examples: LiveHome) -> None:
    states = run(examples, "nightly_backup", "whole", keep=0)
    assert states.pop("drop_the_oldest") == ("success" if states["copy_for_the_month"] == "success" else "skipped")
    assert states.pop("copy_for_the_month") in ("success", "skipped")  # by the day of the month
    assert set(states.values()) == {"success"}
    backups = examples.folder / "backups"
    assert sorted(path.name for path in backups.iterdir()) == ["recipes.tar", "settings.tar"]


def test_the_stock_take_counts_each_shelf_by_itself_and_adds_up(examples: LiveHome) -> None:
    shelves = examples.folder / "shelves"
    shelves.mkdir()
    for name, text in {"a": "tea,3\ncup,2\n", "b": "tea,4\n", "c": ""}.items():
        (shelves / f"{name}.csv").write_text(f"item,count\n{text}")
    conf = json.dumps({"folder": str(shelves), "stock": str(shelves / "stock.txt")})
    examples.ask("dags", "trigger", "stock_take", "--run-id", "whole", "--conf", conf)
    examples.wait_for("it ends", lambda: examples.ask("runs", "show", "stock_take", "whole")["state"] == "success")
    tasks = examples.ask("runs", "show", "stock_take", "whole")["tasks"]
    states = {(task["task_id"], task["map_index"]): task["state"] for task in tasks}
    assert [states["count_shelf", index] for index in range(3)] == ["success", "success", "skipped"]
    assert examples.ask("tasks", "result", "stock_take", "add_up", "whole") == 2
    assert (shelves / "stock.txt").read_text() == "cup,2\ntea,7\n"


def test_the_weather_report_takes_the_other_branch_where_no_year_is_complete(examples: LiveHome) -> None:
    states = run(examples, "weather_report", "gaps", minimum_days=1000, reports="gaps")
    assert states["report_gaps"] == "success"
    assert {states[name] for name in ("aggregate", "load", "plot", "report")} == {"skipped"}
    assert "2012: 366 good days" in (examples.folder / "gaps" / "gaps.txt").read_text()


def test_a_data_set_that_is_not_there_fails_the_run_with_the_authors_own_words(examples: LiveHome) -> None:
    conf = json.dumps({"dataset": "no-such-set.csv"})
    examples.ask("dags", "trigger", "weather_report", "--run-id", "absent", "--conf", conf)

    def waits_for_its_retry() -> dict[str, Any] | None:
        tasks = examples.ask("runs", "show", "weather_report", "absent")["tasks"]
        return next((task for task in tasks if task["state"] == "up_for_retry"), None)

    assert examples.wait_for("the first try has failed", waits_for_its_retry)["task_id"] == "extract"
    why = examples.run("runs", "why", "weather_report", "absent").stdout
    assert "no-such-set.csv" in why or "extract" in why
    assert "no-such-set.csv" in examples.run("tasks", "logs", "weather_report", "extract", "absent").stdout
    examples.ask("runs", "cancel", "weather_report", "absent")


@pytest.mark.slow
def test_the_demo_sees_exactly_one_charge() -> None:
    command = [sys.executable, "-m", "benchmarks.demo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "One order, one charge." in done.stdout


# ── workflows ────────────────────────────────────────────────────────────────────────────────────────────


def order(number: int, **changes: Any) -> dict[str, Any]:
    whole = {"order": number, "amount": 42, "currency": "USD", "items": {"cup": 1}, "customer": "ada@example.org"}
    return {**whole, "shop": "workflows", "work_seconds": 0, **changes}


def money(home: LiveHome, number: int) -> list[int]:
    """What moved for an order, in the payment provider's ledger."""
    lines = [json.loads(line) for line in (home.folder / "workflows" / "ledger.jsonl").read_text().splitlines()]
    return [line["amount"] for line in lines if line["order"] == number]


def shown(home: LiveHome, dag_id: str, run_id: str) -> str:
    state: str = home.ask("runs", "show", dag_id, run_id)["state"]
    return state


def test_an_order_as_plain_code_is_charged_reserved_shipped_and_confirmed(examples: LiveHome) -> None:
    states = run(examples, "order_workflow", "plain", order=order(1))
    assert states == dict.fromkeys(["charge_card", "reserve_inventory", "ship_package", "send_email"], "success")
    assert money(examples, 1) == [42]
    assert examples.ask("tasks", "result", "order_workflow", "charge_card", "plain", "--map-index", "0")["amount"] == 42


def test_a_dag_has_a_workflow_as_one_of_its_tasks(examples: LiveHome) -> None:
    states = run(examples, "orders_of_the_day", "node", **order(2))
    assert states == dict.fromkeys(["take_order", "order_workflow", "report"], "success")
    assert money(examples, 2) == [42]
    assert examples.ask("tasks", "result", "orders_of_the_day", "report", "node") == (
        "order 2: 42 charged, shipped as TRACK-2"
    )


def wait_for_approval(home: LiveHome, run_id: str, **conf: Any) -> None:
    home.ask("dags", "trigger", "order_approval", "--run-id", run_id, "--conf", json.dumps(conf))

    def waits() -> bool:
        done = home.run("runs", "query", "order_approval", run_id, "status")
        return done.returncode == 0 and json.loads(done.stdout) == "waiting for approval"

    home.wait_for("the order waits for approval", waits)


def test_an_order_that_is_approved_of_is_shipped(examples: LiveHome) -> None:
    wait_for_approval(examples, "yes", order=order(3))
    answer = json.dumps({"approved": True, "by": "ada"})
    assert examples.run("runs", "signal", "order_approval", "yes", "approval", answer).returncode == 0
    examples.wait_for("it is shipped", lambda: shown(examples, "order_approval", "yes") == "success")
    assert money(examples, 3) == [42]


def test_an_answer_of_another_shape_is_refused_and_the_order_goes_on_waiting(examples: LiveHome) -> None:
    wait_for_approval(examples, "shape", order=order(4))
    refused = examples.run("runs", "signal", "order_approval", "shape", "approval", '"yes"')
    assert refused.returncode == 2
    assert "approval" in refused.stderr
    assert shown(examples, "order_approval", "shape") == "running"


def test_an_order_that_nobody_approves_of_in_time_is_undone(examples: LiveHome) -> None:
    examples.ask(
        "dags", "trigger", "order_approval", "--run-id", "late",
        "--conf", json.dumps({"order": order(5), "patience_seconds": 0.2}),
    )  # fmt: skip
    examples.wait_for("it is undone", lambda: shown(examples, "order_approval", "late") == "failed")
    assert money(examples, 5) == [42, -42]


def test_an_order_that_is_cancelled_while_it_waits_is_undone(examples: LiveHome) -> None:
    wait_for_approval(examples, "gone", order=order(6))
    assert examples.run("runs", "cancel", "order_approval", "gone").returncode == 0
    examples.wait_for("it is undone", lambda: shown(examples, "order_approval", "gone") == "failed")
    assert money(examples, 6) == [42, -42]
