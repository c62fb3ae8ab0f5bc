"""Several changes in one body, and single things that lists have."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.api.app import API
from tests.cli.homes import FilledHome, order

Client = Callable[..., TestClient]
MADE: dict[str, dict[str, Any]] = {
    "pools": {"name": "a", "slots": 3},
    "variables": {"key": "a", "value": "1"},
    "connections": {"connection_id": "a", "conn_type": "http"},
}
OTHER: dict[str, dict[str, Any]] = {
    "pools": {"name": "b", "slots": 4},
    "variables": {"key": "b", "value": "2"},
    "connections": {"connection_id": "b", "conn_type": "ftp"},
}


def send(client: TestClient, path: str, *actions: dict[str, Any]) -> Any:
    answer = client.patch(f"{API}/{path}", json={"actions": actions})
    assert answer.status_code == 200, answer.text
    return {name: told for name, told in answer.json().items() if told is not None}


def names(client: TestClient, path: str) -> set[str]:
    found = client.get(f"{API}/{path}").json()[path]
    return {one.get("name") or one.get("key") or one.get("connection_id") for one in found} & {"a", "b"}


@pytest.mark.parametrize("path", MADE)
def test_actions_are_done_one_after_the_other(as_role: Client, path: str) -> None:
    client = as_role("operator")
    made = send(client, path, {"action": "create", "entities": [MADE[path], OTHER[path]]})
    assert made == {"create": {"success": ["a", "b"], "errors": []}}
    told = send(
        client,
        path,
        {"action": "delete", "entities": ["b"]},
        {"action": "create", "entities": [MADE[path], OTHER[path]], "action_on_existence": "skip"},
        {"action": "update", "entities": [MADE[path]]},
    )
    assert (told["delete"]["success"], told["create"]["success"], told["update"]["success"]) == (["b"], ["b"], ["a"])
    assert names(client, path) == {"a", "b"}


@pytest.mark.parametrize("path", MADE)
def test_what_is_there_or_missing_is_named_and_nothing_of_it_is_done(as_role: Client, path: str) -> None:
    client = as_role("operator")
    send(client, path, {"action": "create", "entities": [MADE[path]]})
    told = send(
        client,
        path,
        {"action": "create", "entities": [OTHER[path], MADE[path]]},
        {"action": "update", "entities": [OTHER[path]]},
        {"action": "delete", "entities": ["a", "b"]},
    )
    assert [told[action]["success"] for action in ("create", "update", "delete")] == [[], [], []]
    assert [told[action]["errors"][0]["status_code"] for action in ("create", "update", "delete")] == [409, 404, 404]
    assert names(client, path) == {"a"}
    assert send(client, path, {"action": "delete", "entities": ["a", "b"], "action_on_non_existence": "skip"})
    assert names(client, path) == set()


def test_what_is_named_twice_is_not_done_at_all(as_role: Client) -> None:
    twice = [MADE["variables"], OTHER["variables"], MADE["variables"] | {"value": "9"}]
    told = send(as_role("operator"), "variables", {"action": "create", "entities": twice})
    assert told["create"]["success"] == []
    assert "a: named twice" in told["create"]["errors"][0]["error"]
    assert names(as_role("operator"), "variables") == set()


def test_one_that_cannot_be_is_named_and_the_others_are_done(as_role: Client) -> None:
    told = send(as_role("operator"), "pools", {"action": "delete", "entities": ["default_pool"]})
    assert (told["delete"]["success"], "default_pool" in told["delete"]["errors"][0]["error"]) == ([], True)


@pytest.mark.parametrize("path", MADE)
def test_who_may_not_change_it_changes_nothing(as_role: Client, path: str) -> None:
    body = {"actions": [{"action": "create", "entities": [MADE[path]]}]}
    assert as_role("user").patch(f"{API}/{path}", json=body).status_code == 403
    assert as_role("operator").patch(f"{API}/{path}", json={"actions": [{"action": "drop"}]}).status_code == 422


def test_the_dags_of_a_page_are_paused_all_or_none(as_role: Client, filled: FilledHome) -> None:
    filled.add_dag(order(dag_id="other", file="other.py"))
    path = f"{API}/dags?dag_id_pattern=o%25"
    assert as_role("viewer").patch(path, json={"is_paused": True}).status_code == 403
    assert not filled.reads.dag("other").is_paused
    told = as_role("operator").patch(f"{path}&tags=orders", json={"is_paused": True}).json()
    assert [(one["dag_id"], one["is_paused"]) for one in told["dags"]] == [("order_1001", True), ("other", True)]


def test_single_lines_errors_and_tries_are_told(as_role: Client, filled: FilledHome) -> None:
    filled.break_file("broken.py", "it is broken", 3)
    admin = as_role("admin")
    admin.patch(f"{API}/dags/order_1001", json={"is_paused": True})
    line = admin.get(f"{API}/eventLogs").json()["event_logs"][0]
    assert admin.get(f"{API}/eventLogs/{line['event_log_id']}").json() == line
    assert admin.get(f"{API}/eventLogs/999999").status_code == 404
    assert admin.get(f"{API}/importErrors/broken.py").json()["line"] == 3
    assert admin.get(f"{API}/importErrors/whole.py").status_code == 404
    assert as_role("foreigner").get(f"{API}/importErrors/broken.py").status_code == 404
    assert admin.get(f"{API}/plugins/importErrors").json()["total_entries"] >= 0
