"""``orchestrator dags``."""

import pytest

from orchestrator.core.events import RunEnded
from orchestrator.core.spec import Cron, DagSpec, Entrance, TaskSpec
from orchestrator.names import DagKind, RunState
from tests.cli.conftest import RUN
from tests.cli.homes import FilledHome, order, run_command


def test_an_empty_home_says_where_dag_files_go(home: FilledHome) -> None:
    said = run_command("dags", "list")
    assert said.status == 0
    assert said.out == ""
    assert f"{home.folder}/dags" in said.err


def test_the_list_is_a_table_and_names_broken_files(shop: FilledHome) -> None:
    shop.break_file("broken.py", "NameError: no foo", 7)
    said = run_command("dags", "list")
    assert "order_1001" in said.out
    assert "1 DAG file cannot be read" in said.err


def test_json_of_the_list_is_json_and_nothing_else(shop: FilledHome) -> None:
    shop.break_file("broken.py", "NameError: no foo", 7)
    said = run_command("dags", "list", "-o", "json")
    assert said.err == ""
    (dag,) = said.json
    assert dag["dag_id"] == "order_1001"
    assert dag["file"] == "order_1001.py"
    assert dag["owner"] == "shop"
    assert dag["tags"] == ["orders"]
    assert dag["is_paused"] is False
    assert dag["task_count"] == 4


def test_json_of_an_empty_list_is_an_empty_list(home: FilledHome) -> None:
    assert run_command("dags", "list", "-o", "json").out == "[]\n"


def test_yaml_and_plain_say_the_same(shop: FilledHome) -> None:
    assert "- dag_id: order_1001\n" in run_command("dags", "list", "-o", "yaml").out
    head, line = run_command("dags", "list", "-o", "plain").out.splitlines()
    assert head.split() == ["dag_id", "file", "schedule", "owner", "is_paused", "kind"]
    assert line.split() == ["order_1001", "order_1001.py", "shop", "False", "dag"]


def test_a_dag_whose_file_is_gone_is_listed_on_request_only(shop: FilledHome) -> None:
    shop.remove_file("order_1001.py")
    assert run_command("dags", "list", "-o", "json").json == []
    (dag,) = run_command("dags", "list", "--all", "-o", "json").json
    assert dag["is_stale"] is True


def test_the_list_can_be_narrowed_by_tag(shop: FilledHome) -> None:
    assert len(run_command("dags", "list", "--tag", "orders", "-o", "json").json) == 1
    assert run_command("dags", "list", "--tag", "orders", "--tag", "weather", "-o", "json").json == []


def test_details_count_the_runs_by_state(shop: FilledHome) -> None:
    details = run_command("dags", "details", "order_1001", "-o", "json").json
    assert details["runs"] == {"queued": 0, "running": 0, "success": 0, "failed": 1}
    assert details["max_active_runs"] == 16


def test_an_unknown_dag_names_the_nearest(shop: FilledHome) -> None:
    said = run_command("dags", "details", "order_101")
    assert said.status == 1
    assert said.err.count("\n") == 1
    assert "'order_101'" in said.err
    assert "'order_1001'" in said.err


def test_the_state_of_the_latest_run_is_one_word(shop: FilledHome) -> None:
    assert run_command("dags", "state", "order_1001").out == "failed\n"
    assert run_command("dags", "state", "order_1001", RUN, "-o", "json").json["state"] == "failed"


def test_runs_are_listed_newest_first_and_by_state(shop: FilledHome) -> None:
    shop.begin("order_1001", "later", RunEnded(state=RunState.SUCCESS))
    both = run_command("dags", "list-runs", "order_1001", "-o", "json").json
    assert [run["run_id"] for run in both] == ["later", RUN]
    failed = run_command("dags", "list-runs", "-d", "order_1001", "--state", "failed", "-o", "json").json
    assert [run["run_id"] for run in failed] == [RUN]
    assert run_command("dags", "list-runs", "--limit", "1", "-o", "json").json == both[:1]


def test_runs_are_found_by_their_dates(shop: FilledHome) -> None:
    assert run_command("dags", "list-runs", "--start-date", "2026-02-01", "-o", "json").json == []
    assert len(run_command("dags", "list-runs", "--end-date", "2026-02-01", "-o", "json").json) == 1


def test_a_date_that_is_none_is_refused(shop: FilledHome) -> None:
    said = run_command("dags", "list-runs", "--start-date", "yesterday")
    assert said.status == 2
    assert "write it like 2026-01-31" in said.err


def test_an_import_error_is_shown_with_its_line_and_the_authors_traceback(home: FilledHome) -> None:
    home.break_file("broken.py", "NameError: no foo", 7, 'File "broken.py", line 7', "  foo()")
    said = run_command("dags", "list-import-errors")
    assert said.status == 0
    assert "NameError: no foo" in said.out
    assert 'File "broken.py", line 7' in said.out
    (error,) = run_command("dags", "list-import-errors", "-o", "json").json
    assert (error["file"], error["line"], error["error"]) == ("broken.py", 7, "NameError: no foo")


def test_the_report_says_how_long_each_file_took(shop: FilledHome) -> None:
    (file,) = run_command("dags", "report", "-o", "json").json
    assert file["file"] == "order_1001.py"
    assert file["duration"] == 0.25
    assert (file["dag_num"], file["task_num"], file["dags"]) == (1, 4, ["order_1001"])


def test_a_dag_can_be_paused_and_unpaused(shop: FilledHome) -> None:
    assert run_command("dags", "pause", "order_1001", "-o", "json").json == [
        {"dag_id": "order_1001", "is_paused": True}
    ]
    assert shop.reads.dag("order_1001").is_paused
    run_command("dags", "unpause", "order_1001")
    assert not shop.reads.dag("order_1001").is_paused


def test_nothing_is_paused_if_one_name_is_wrong(shop: FilledHome) -> None:
    assert run_command("dags", "pause", "order_1001", "nope").status == 1
    assert not shop.reads.dag("order_1001").is_paused


def test_the_next_dates_of_a_schedule_are_shown(home: FilledHome) -> None:
    home.add_dag(order(schedule=Cron(expression="0 6 * * *"), schedule_text="0 6 * * *"))
    slots = run_command("dags", "next-execution", "order_1001", "-n", "2", "-o", "json").json
    assert len(slots) == 2
    assert all(slot["run_after"].endswith("T06:00:00Z") for slot in slots)
    assert slots[0]["run_after"] < slots[1]["run_after"]


def test_a_dag_without_a_schedule_says_so(shop: FilledHome) -> None:
    said = run_command("dags", "next-execution", "order_1001")
    assert said.status == 0
    assert "has no schedule" in said.err
    assert run_command("dags", "next-execution", "order_1001", "-o", "json").json == []


def test_the_graph_is_drawn_as_a_tree(shop: FilledHome) -> None:
    out = run_command("dags", "show", "order_1001").out
    assert "└── charge_card" in out
    assert "waits for charge_card, ship_package" in out


def test_the_graph_is_printed_as_mermaid_and_dot(shop: FilledHome) -> None:
    mermaid = run_command("dags", "show", "order_1001", "--mermaid").out
    assert '  t0["charge_card"]' in mermaid
    assert "  t0 --> t1" in mermaid
    dot = run_command("dags", "show", "order_1001", "--dot").out
    assert '  "charge_card" -> "reserve_inventory";' in dot


def test_only_a_dag_whose_file_is_gone_can_be_deleted(shop: FilledHome) -> None:
    said = run_command("dags", "delete", "order_1001", "-y")
    assert said.status == 1
    assert "order_1001.py" in said.err
    shop.remove_file("order_1001.py")
    assert run_command("dags", "delete", "order_1001", "-y").status == 0
    assert run_command("dags", "list", "--all", "-o", "json").json == []


@pytest.mark.parametrize("words", [("dags", "delete", "order_1001"), ("tasks", "clear", "order_1001")])
def test_what_destroys_is_not_done_where_nobody_can_be_asked(shop: FilledHome, words: tuple[str, ...]) -> None:
    said = run_command(*words)
    assert said.status == 2
    assert "add --yes" in said.err
    assert len(shop.reads.runs("order_1001")) == 1
    assert shop.reads.pending_requests() == 0


def basket() -> DagSpec:
    item = {"type": "object", "properties": {"item": {"type": "string"}, "count": {"type": "integer", "default": 1}}}
    return DagSpec(
        dag_id="basket",
        kind=DagKind.WORKFLOW,
        file="basket.py",
        tasks=(TaskSpec(task_id="pack", is_activity=True, operator="activity"),),
        entrance=Entrance(name="basket", schema={"type": "object", "properties": {"customer": {"type": "string"}}}),
        signals=(Entrance(name="paid", schema={"type": "boolean"}, doc="The money is there."),),
        queries=(Entrance(name="content", schema={"type": "object", "properties": {}}),),
        updates=(Entrance(name="put", schema=item),),
    )


def test_a_workflow_is_listed_as_one_and_says_what_it_may_be_told_and_asked(home: FilledHome) -> None:
    home.add_dag(basket())
    assert run_command("dags", "list", "-o", "json").json[0]["kind"] == "workflow"
    fields = dict(line.split(maxsplit=1) for line in run_command("dags", "details", "basket").out.splitlines())
    assert fields["called_with"].strip() == "basket(customer: string)"
    assert fields["signals"].strip() == "paid(boolean)"
    assert fields["queries"].strip() == "content()"
    assert fields["updates"].strip() == "put(item: string, count: integer = 1)"
    told = run_command("dags", "details", "basket", "-o", "json").json
    assert told["signals"] == [{"name": "paid", "schema": {"type": "boolean"}, "doc": "The money is there."}]


def test_the_activities_of_a_workflow_are_no_graph(home: FilledHome) -> None:
    home.add_dag(basket())
    assert "upstream" not in run_command("tasks", "list", "basket", "-o", "plain").out
    drawn = run_command("dags", "show", "basket").out
    assert "workflow: its code calls these" in drawn
    assert "pack" in drawn
