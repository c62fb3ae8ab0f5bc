"""The resources of the REST API: what they list, and what they change."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from orchestrator.assembly.home import Home
from orchestrator.assembly.vault import vault_of
from orchestrator.config import load_config
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityScheduled,
    ActivityStarted,
    RunEnded,
    RunStarted,
)
from orchestrator.core.orders import log_path
from orchestrator.names import RunState
from tests.cli.homes import FilledHome

Client = Callable[..., TestClient]
API = "/api/v2"


@pytest.fixture
def get(as_role: Client) -> Callable[..., Any]:
    def ask(path: str, role: str = "viewer", status: int = 200, **params: Any) -> Any:
        answer = as_role(role).get(API + path, params=params)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    return ask


@pytest.fixture
def send(as_role: Client) -> Callable[..., Any]:
    def ask(method: str, path: str, body: Any = None, role: str = "admin", status: int = 200, **headers: str) -> Any:
        answer = as_role(role).request(method, API + path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    return ask


@pytest.fixture
def run(filled: FilledHome) -> str:
    """A run with one task that has ended and one that runs."""
    filled.begin(
        "order_1001",
        "first",
        RunStarted(),
        ActivityScheduled(task_id="charge_card", attempt=1),
        ActivityStarted(task_id="charge_card", attempt=1, worker="w"),
        ActivityCompleted(task_id="charge_card", attempt=1, result=msgspec.Raw(b'{"amount":42}')),
        conf={"order": 1001},
    )
    return "/dags/order_1001/dagRuns/first"


def test_dags_are_listed_filtered_and_counted(get: Callable[..., Any]) -> None:
    page = get("/dags", tags="orders", dag_id_pattern="ORDER%", order_by="-dag_id")
    assert (page["total_entries"], page["dags"][0]["dag_id"]) == (1, "order_1001")
    assert page["dags"][0]["tags"] == [{"name": "orders", "dag_id": "order_1001"}]
    assert get("/dags", tags="none")["total_entries"] == 0
    assert get("/dags", limit=0) == {"dags": [], "total_entries": 1}


def test_a_dag_has_details_tasks_versions_and_statistics(get: Callable[..., Any], run: str) -> None:
    assert get("/dags/order_1001/details")["max_active_runs"] == 16
    tasks = get("/dags/order_1001/tasks")["tasks"]
    assert [task["task_id"] for task in tasks][:2] == ["charge_card", "reserve_inventory"]
    assert tasks[0]["downstream_task_ids"] == ["reserve_inventory", "send_email"]
    assert get("/dags/order_1001/tasks/charge_card")["task_id"] == "charge_card"
    assert get("/dags/order_1001/dagVersions/1")["version_number"] == 1
    assert get("/dags/~/dagVersions")["total_entries"] == 1
    assert get("/dagSources/order_1001")["file"] == "order_1001.py"
    assert get("/dagTags")["tags"] == ["orders"]
    assert {"state": "running", "count": 1} in get("/dagStats")["dags"][0]["stats"]
    assert get("/dags/order_1001/preview")["runs"] == []


def test_a_dag_is_paused_by_patch(get: Callable[..., Any], send: Callable[..., Any]) -> None:
    assert send("PATCH", "/dags/order_1001", {"is_paused": True})["is_paused"] is True
    assert get("/dags", paused=True)["total_entries"] == 1


def test_runs_are_listed_filtered_and_ordered(filled: FilledHome, get: Callable[..., Any], run: str) -> None:
    filled.begin("order_1001", "second")
    assert [one["dag_run_id"] for one in get("/dags/order_1001/dagRuns")["dag_runs"]] == ["second", "first"]
    assert [one["dag_run_id"] for one in get("/dags/~/dagRuns", order_by="run_id")["dag_runs"]] == ["first", "second"]
    assert get("/dags/~/dagRuns", state="running")["total_entries"] == 1
    assert get("/dags/~/dagRuns", limit=1, offset=1)["dag_runs"][0]["dag_run_id"] == "first"
    assert get("/dags/~/dagRuns", run_id_pattern="sec%")["total_entries"] == 1
    assert get("/dags/~/dagRuns", logical_date_gte="2027-01-01T00:00:00Z")["total_entries"] == 0
    assert get("/dags/~/dagRuns", duration_gte=5)["total_entries"] == 0
    assert "did you mean 'state'" in get("/dags/~/dagRuns", order_by="stat", status=400)["detail"]


def test_a_run_is_told_with_its_conf(get: Callable[..., Any], run: str) -> None:
    told = get(run)
    assert (told["state"], told["run_type"], told["conf"]) == ("running", "manual", {"order": 1001})


def test_an_answer_that_is_known_is_not_sent_again(as_role: Client, filled: FilledHome, run: str) -> None:
    client = as_role("viewer")
    first = client.get(API + run)
    again = client.get(API + run, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    filled.go_on("first", ActivityScheduled(task_id="reserve_inventory", attempt=1))
    assert client.get(API + run, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_a_run_is_triggered_once_for_each_key(get: Callable[..., Any], send: Callable[..., Any]) -> None:
    path, body = "/dags/order_1001/dagRuns", {"conf": {"order": 7}}
    first = send("POST", path, body, "user", **{"Idempotency-Key": "k"})
    assert (first["state"], first["conf"]) == ("queued", {"order": 7})
    assert send("POST", path, body, "user", **{"Idempotency-Key": "k"})["dag_run_id"] == first["dag_run_id"]
    assert send("POST", path, body, "operator", **{"Idempotency-Key": "k"})["dag_run_id"] != first["dag_run_id"]
    send("POST", path, {"dag_run_id": first["dag_run_id"]}, status=409)
    send("POST", path, body, "viewer", 403)
    send("POST", path, {"dag_run_id": "../../etc/passwd"}, status=400)
    send("POST", path, {"unknown": 1}, status=422)


def test_task_instances_are_those_of_the_dag_also_where_nothing_is_recorded(get: Callable[..., Any], run: str) -> None:
    page = get(run + "/taskInstances")
    assert page["total_entries"] == 4
    states = {one["task_id"]: one["state"] for one in page["task_instances"]}
    assert (states["charge_card"], states["ship_package"]) == ("success", None)
    assert get(run + "/taskInstances", state="success")["total_entries"] == 1
    assert get("/dags/~/dagRuns/~/taskInstances", task_id="charge_card")["total_entries"] == 1
    assert get("/dags/~/dagRuns/~/taskInstances", order_by="-duration", try_number=1)["total_entries"] == 1
    assert get(run + "/taskInstances/charge_card")["duration"] == 1.0
    assert get(run + "/taskInstances/charge_cart", status=404)["detail"].endswith("did you mean 'charge_card'?")


def test_what_a_task_left_is_told(get: Callable[..., Any], run: str) -> None:
    path = run + "/taskInstances/charge_card/xcomEntries"
    assert [one["key"] for one in get(path)["xcom_entries"]] == ["return_value"]
    assert get(path + "/return_value")["value"] == {"amount": 42}
    get(path + "/nothing", status=404)


def test_a_log_is_told_in_pieces(filled: FilledHome, get: Callable[..., Any], run: str) -> None:
    place = filled.folder / "logs" / log_path(filled.reads.run("order_1001").run_key, 3, -1)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"one\ntwo\n")
    path = run + "/taskInstances/charge_card/logs/1"
    first = get(path, limit=4)
    second = get(path, limit=4, token=first["continuation_token"])
    assert (first["content"], second["content"], second["continuation_token"]) == ("one\n", "two\n", None)
    get(run + "/taskInstances/charge_card/logs/7", status=404)
    get(path, token="x", status=422)


def test_a_log_is_told_whole_or_line_by_line(filled: FilledHome, as_role: Client, run: str) -> None:
    place = filled.folder / "logs" / log_path(filled.reads.run("order_1001").run_key, 3, -1)
    place.parent.mkdir(parents=True)
    stamp = "2026-01-31T06:00:00.000000Z"
    place.write_bytes(f'{stamp} INFO     "ä" and\x00\n{stamp} stdout   \nbare\n'.encode() + b"\xff")
    path = API + run + "/taskInstances/charge_card/logs/1"
    whole = as_role("viewer").get(path, params={"full_content": True}).json()
    assert whole["content"] == place.read_bytes().decode("utf-8", "replace")
    assert (whole["continuation_token"], whole["size"]) == (None, place.stat().st_size)
    answer = as_role("viewer").get(path, headers={"accept": "application/x-ndjson"})
    assert [json.loads(line) for line in answer.text.splitlines()] == [
        {"timestamp": stamp, "level": "INFO", "event": '"ä" and\x00'},
        {"timestamp": stamp, "level": "stdout", "event": ""},
        {"timestamp": None, "level": None, "event": "bare"},
        {"timestamp": None, "level": None, "event": "\ufffd"},
    ]


def test_no_letter_is_torn_between_two_pieces_of_a_log(filled: FilledHome, get: Callable[..., Any], run: str) -> None:
    place = filled.folder / "logs" / log_path(filled.reads.run("order_1001").run_key, 3, -1)
    place.parent.mkdir(parents=True)
    place.write_text("aä漢🎉z")
    told, token = "", "0"
    while token is not None:
        piece = get(run + "/taskInstances/charge_card/logs/1", limit=5, token=token)
        told, token = told + piece["content"], piece["continuation_token"]
    assert told == "aä漢🎉z"


def test_a_log_is_a_file_of_which_a_range_may_be_had(filled: FilledHome, as_role: Client, run: str) -> None:
    place = filled.folder / "logs" / log_path(filled.reads.run("order_1001").run_key, 3, -1)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"0123456789")
    path = API + run + "/taskInstances/charge_card/logs/1/raw"
    client = as_role("viewer")
    assert client.get(path).content == b"0123456789"
    for asked, status, content in (
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=10-", 416, b""),
        ("bytes=1-2,4-5", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ):
        answer = client.get(path, headers={"range": asked})
        assert (answer.status_code, answer.content) == (status, content), asked
    assert answer.headers["content-disposition"].startswith(
        'attachment; filename="order_1001-first-charge_card-try1.log"'
    )
    assert as_role("foreigner").get(path).status_code == 404


def test_clearing_is_only_told_of_unless_it_is_meant(send: Callable[..., Any], run: str) -> None:
    body = {"dag_run_id": "first", "task_ids": ["charge_card"], "include_downstream": True, "only_failed": False}
    found = send("POST", "/dags/order_1001/clearTaskInstances", body)
    assert [one["task_id"] for one in found["task_instances"]] == [
        "charge_card",
        "reserve_inventory",
        "ship_package",
        "send_email",
    ]
    send("POST", "/dags/order_1001/clearTaskInstances", body | {"task_ids": ["x"]}, status=404)
    send("POST", "/dags/order_1001/clearTaskInstances", body | {"dry_run": False}, "user", 403)
    send("POST", "/dags/order_1001/clearTaskInstances", body | {"dry_run": False})


def test_a_history_is_told_page_by_page(get: Callable[..., Any], run: str) -> None:
    first = get(run + "/history", limit=2)
    assert [event["type"] for event in first["events"]] == ["RunCreated", "RunStarted"]
    rest = get(run + "/history", after=first["next_after"])
    assert (rest["events"][0]["seq"], rest["next_after"], rest["last_seq"]) == (3, None, 5)
    assert rest["events"][2]["task_id"] == "charge_card"


def test_why_a_run_does_not_go_on_is_told(get: Callable[..., Any], run: str) -> None:
    reasons = get(run + "/why")["reasons"]
    assert "no_scheduler" in {reason["cause"] for reason in reasons}
    assert get(run + "/taskInstances/ship_package/dependencies")["total_entries"] > 0


def test_waiting_ends_with_the_run(as_role: Client, filled: FilledHome, run: str) -> None:
    filled.go_on("first", RunEnded(state=RunState.SUCCESS))
    answer = as_role("viewer").get(API + run + "/wait", params={"result": "charge_card"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.json() == {"state": "success", "results": {"charge_card": {"amount": 42}}}


def test_pools_are_made_changed_and_deleted(get: Callable[..., Any], send: Callable[..., Any]) -> None:
    assert send("POST", "/pools", {"name": "slow", "slots": 2}, status=201)["open_slots"] == 2
    send("POST", "/pools", {"name": "slow", "slots": 3}, status=409)
    send("POST", "/pools", {"name": "slow", "slots": 3}, "viewer", 403)
    assert send("PATCH", "/pools/slow", {"slots": 5})["slots"] == 5
    assert get("/pools", pool_name_pattern="slow")["total_entries"] == 1
    send("DELETE", "/pools/slow", status=204)
    get("/pools/slow", status=404)
    send("DELETE", "/pools/default_pool", status=409)


def test_variables_are_made_changed_and_deleted(get: Callable[..., Any], send: Callable[..., Any]) -> None:
    send("POST", "/variables", {"key": "a/b", "value": "1"}, status=201)
    send("POST", "/variables", {"key": "a/b", "value": "1"}, status=409)
    assert send("PATCH", "/variables/a/b", {"description": "d"})["value"] == "1"
    assert send("POST", "/variables", {"key": "api_password", "value": "hunter2"}, status=201)["value"] == "***"
    assert "hunter2" not in str(get("/variables", "operator"))
    get("/variables", "user", 403)
    send("DELETE", "/variables/a/b", status=204)


def test_what_is_told_of_a_variable_may_be_sent_back_and_loses_no_secret(
    filled: FilledHome, get: Callable[..., Any], send: Callable[..., Any]
) -> None:
    send("POST", "/variables", {"key": "shop", "value": '{"token": "tok-en", "port": 1}'}, status=201)
    told = get("/variables/shop", "operator")["value"]
    assert "tok-en" not in told
    send("PATCH", "/variables/shop", {"value": told, "description": "d"})
    send("PATCH", "/variables/shop", {"value": told.replace("1", "2")})
    send("PATCH", "/variables/shop", {"value": '{"other": "***"}'}, status=400)
    send("POST", "/variables", {"key": "new", "value": "***"}, status=400)
    home = Home(load_config({"ORCHESTRATOR_HOME": str(filled.folder)}, filled.folder), filled.engine)
    kept = vault_of(home).variables.get("shop")
    assert kept is not None
    assert json.loads(kept.value) == {"token": "tok-en", "port": 2}


def test_secrets_of_connections_go_in_and_never_come_out(get: Callable[..., Any], send: Callable[..., Any]) -> None:
    body = {"connection_id": "db", "conn_type": "postgres", "password": "hunter2", "extra": '{"token": "tok-en"}'}
    told = send("POST", "/connections", body | {"schema": "public"}, status=201)
    assert (told["schema"], told["has_password"], told["has_extra"]) == ("public", True, True)
    changed = send("PATCH", "/connections/db", {"host": "h"})
    assert (changed["host"], changed["has_password"]) == ("h", True)
    everything = str([told, changed, get("/connections", "admin"), get("/connections/db", "admin")])
    send("PATCH", "/connections/db", {"extra": "no JSON"}, status=400)
    assert "hunter2" not in everything
    assert "tok-en" not in everything
    get("/connections", "viewer", 403)


def test_the_audit_log_tells_who_did_what(get: Callable[..., Any], send: Callable[..., Any]) -> None:
    send("PATCH", "/dags/order_1001", {"is_paused": True}, "operator")
    line = get("/eventLogs", "admin", dag_id="order_1001")["event_logs"][0]
    assert (line["event"], line["owner"], line["dag_id"]) == ("pause_dag", "operator", "order_1001")
    assert get("/eventLogs", "admin", limit=1)["next_before"] is not None


def test_the_settings_are_told_to_administrators_without_secrets(
    get: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sections = {one["name"]: one["options"] for one in get("/config", "admin")["sections"]}
    assert {"parallelism", "fernet_key"} <= {one["key"] for one in sections["core"]}
    get("/config", "operator", 403)
    get("/plugins", "operator", 403)


def test_files_that_cannot_be_read_are_told_of(filled: FilledHome, get: Callable[..., Any]) -> None:
    filled.break_file("broken.py", "it is <b>wrong</b>", 3)
    found = get("/importErrors", "admin")["import_errors"]
    assert (found[0]["filename"], found[0]["line"]) == ("broken.py", 3)
    assert get("/dagWarnings")["total_entries"] == 0


def test_a_run_is_forked_and_reset_after_it_is_told_what_happens_again(send: Callable[..., Any], run: str) -> None:
    told = send("POST", run + "/fork", {"before": "charge_card", "dry_run": True})
    assert (told["verdict"], told["effects"][0]["name"]) == (None, "charge_card")
    assert send("POST", run + "/fork", {"before": "charge_card"})["dag_run_id"] == "first~1"
    assert send("POST", run + "/reset", {"seq": 2})["verdict"] == "pending"
    send("POST", run + "/move", {}, status=409)
    send("POST", run + "/signals", {"name": "go"}, status=400)
    assert send("POST", run + "/pause")["verdict"] == "pending"
    send("POST", run + "/cancel", {}, "user", 403)


def test_names_with_characters_that_no_database_takes_are_refused(
    get: Callable[..., Any], send: Callable[..., Any]
) -> None:
    get("/dags/a%00b", status=400)
    send("POST", "/dags/order_1001/dagRuns", {"note": "a\x00"}, status=422)
    send("POST", "/dags/order_1001/dagRuns", {"conf": {"a": 2**70}}, status=400)
    get("/dags/~/dagRuns", dag_version=10**30, status=422)
    get("/dags", dag_id_pattern="a\x00", status=400)


def test_what_a_task_asks_is_told_and_answered(
    filled: FilledHome, get: Callable[..., Any], send: Callable[..., Any]
) -> None:
    where = {"task_id": "charge_card", "attempt": 1}
    filled.begin(
        "order_1001",
        "asks",
        RunStarted(),
        ActivityScheduled(**where),
        ActivityStarted(**where, worker="w"),
        ActivityDeferred(**where, trigger=msgspec.Raw(b'{"input":{"subject":"<b>?","options":["yes","no"]}}')),
    )
    path = "/dags/order_1001/dagRuns/asks"
    (question,) = get("/dags/~/dagRuns/~/hitlDetails")["hitl_details"]
    assert (question["subject"], question["options"]) == ("<b>?", ["yes", "no"])
    assert get(path + "/hitlDetails")["total_entries"] == 1
    answer = path + "/taskInstances/charge_card/-1/hitlDetails"
    send("PATCH", answer, {"chosen_options": ["maybe"]}, "user", 400)
    send("PATCH", answer, {"chosen_options": ["yes"]}, "viewer", 403)
    assert send("PATCH", answer, {"chosen_options": ["yes"]}, "user")["verdict"] == "pending"
    get(path + "/taskInstances/ship_package/-1/hitlDetails", status=409)
