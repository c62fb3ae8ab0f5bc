"""``orchestrator runs``."""

import msgspec
import pytest

from orchestrator.core.events import ActivityCompleted, ActivityScheduled, ActivityStarted, RunEnded
from orchestrator.core.requests import CancelRun, PauseRun, ResumeRun
from orchestrator.names import RunState
from orchestrator.storage.requests import decode_request
from orchestrator.storage.tables import requests
from tests.cli.conftest import RUN
from tests.cli.homes import FilledHome, run_command


def asked(home: FilledHome) -> list[object]:
    """The requests that wait for a scheduler."""
    with home.engine.connect() as connection:
        return [decode_request(body) for body in connection.execute(requests.select()).scalars("body")]


def test_a_run_is_shown_with_its_tasks(shop: FilledHome) -> None:
    run = run_command("runs", "show", "order_1001", RUN, "-o", "json").json
    assert run["state"] == "failed"
    assert run["reason"] == "reserve_inventory failed"
    assert run["conf"] == {"amount": 42}
    assert run["start_date"] == "2026-01-31T06:00:01Z"
    assert run["duration"] == 8.0
    first = run["tasks"][0]
    assert {name: first[name] for name in ("task_id", "map_index", "state", "try_number", "duration")} == {
        "task_id": "charge_card",
        "map_index": -1,
        "state": "success",
        "try_number": 1,
        "duration": 1.0,
    }
    assert [task["state"] for task in run["tasks"]] == ["success", "failed", "upstream_failed", "upstream_failed"]


def test_a_run_is_found_by_its_date_and_is_the_latest_by_default(shop: FilledHome) -> None:
    assert run_command("runs", "show", "order_1001", "2026-01-31T06:00", "-o", "json").json["run_id"] == RUN
    assert run_command("runs", "show", "order_1001", "-o", "json").json["run_id"] == RUN


def test_the_table_of_a_run_leaves_out_what_is_empty(shop: FilledHome) -> None:
    out = run_command("runs", "show", "order_1001").out
    assert 'conf          {"amount":42}' in out
    assert "note" not in out


def test_an_unknown_run_names_the_nearest(shop: FilledHome) -> None:
    said = run_command("runs", "show", "order_1001", "manual__2026-01-31T06:00:01+00:00")
    assert said.status == 1
    assert RUN in said.err


def test_a_dag_that_never_ran_says_how_to_start_it(shop: FilledHome) -> None:
    shop.add_dag(msgspec.structs.replace(shop.reads.spec(1), dag_id="fresh", file="fresh.py"))
    said = run_command("runs", "show", "fresh")
    assert said.status == 1
    assert "orchestrator dags trigger fresh" in said.err


def test_the_history_lists_every_fact_in_order(shop: FilledHome) -> None:
    events = run_command("runs", "history", "order_1001", "-o", "json").json
    assert [event["seq"] for event in events] == list(range(1, 11))
    assert events[0]["type"] == "RunCreated"
    assert events[0]["task_id"] is None
    assert events[0]["conf"] == {"amount": 42}
    completed = events[3]
    assert completed["type"] == "ActivityCompleted"
    assert completed["at"] == "2026-01-31T06:00:03Z"
    assert (completed["task_id"], completed["map_index"], completed["attempt"]) == ("charge_card", -1, 1)
    assert completed["result"] == {"receipt": "ch_1"}
    assert events[6]["failure"] == {"message": "sold out"}


def test_the_history_can_be_narrowed_to_a_task_and_to_what_is_new(shop: FilledHome) -> None:
    events = run_command("runs", "history", "order_1001", "--task", "charge_card", "--after", "2", "-o", "json").json
    assert [event["type"] for event in events] == ["ActivityStarted", "ActivityCompleted"]
    assert run_command("runs", "history", "order_1001", "--after", "99", "-o", "json").json == []


def test_the_strip_tells_decisions_from_what_happened(shop: FilledHome) -> None:
    out = run_command("runs", "history", "order_1001").out
    assert "◇ ActivityScheduled" in out
    assert "◆ ActivityCompleted" in out
    assert '→ {"receipt":"ch_1"}' in out
    assert "\x1b" not in out


def test_the_strip_is_blue_and_red_on_a_terminal(shop: FilledHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = run_command("runs", "history", "order_1001").out
    assert "\x1b[94m  ◇ ActivityScheduled" in out
    assert "\x1b[31m  ◆ ActivityCompleted" in out


def test_watching_a_run_that_has_ended_shows_it_and_exits_by_its_state(shop: FilledHome) -> None:
    said = run_command("runs", "watch", "order_1001", RUN)
    assert said.status == 1
    assert "charge_card  success (try 1, 1.00s)" in said.out
    assert "reserve_inventory  failed" in said.out
    assert "orchestrator runs why order_1001" in said.err
    events = (
        ActivityScheduled(task_id="charge_card"),
        ActivityStarted(task_id="charge_card"),
        ActivityCompleted(task_id="charge_card"),
        RunEnded(state=RunState.SUCCESS),
    )
    shop.begin("order_1001", "good", *events)
    assert run_command("runs", "watch", "order_1001", "good").status == 0


def test_watching_with_json_keeps_stdout_pure(shop: FilledHome) -> None:
    said = run_command("runs", "watch", "order_1001", RUN, "-o", "json")
    assert msgspec.json.decode(said.out)["state"] == "failed"
    assert "charge_card  success" in said.err


@pytest.mark.parametrize(
    ("words", "kind"), [(("cancel", "--reason", "enough"), CancelRun), (("pause",), PauseRun), (("resume",), ResumeRun)]
)
def test_a_run_is_steered_by_a_request_that_is_kept_for_the_scheduler(
    shop: FilledHome, words: tuple[str, ...], kind: type
) -> None:
    shop.begin("order_1001", "open")
    verb, *options = words
    said = run_command("runs", verb, "order_1001", "open", *options, "-o", "json")
    assert said.json["verdict"] == "pending"
    assert "No scheduler is running" in said.err
    (request,) = asked(shop)
    assert isinstance(request, kind)
    assert (request.dag_id, request.run_id) == ("order_1001", "open")  # type: ignore[attr-defined]
    assert request.by.startswith("cli:")  # type: ignore[attr-defined]


def test_on_a_terminal_a_request_that_waits_says_only_that(shop: FilledHome) -> None:
    shop.begin("order_1001", "open")
    said = run_command("runs", "cancel", "order_1001", "open")
    assert said.out == ""
    assert said.err.startswith("No scheduler is running; this is kept")
