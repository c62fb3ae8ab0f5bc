"""Every route (REST, pages, streams, remote commands) as each kind of visitor, by the table beside this file."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from orchestrator.api.app import API, ROUTERS
from orchestrator.core.events import ActivityScheduled, RunStarted
from orchestrator.core.rights import Grant, Principal, Role
from orchestrator.web.site import PAGES
from orchestrator.web.statics import Statics
from tests.api.conftest import PRINCIPALS
from tests.cli.homes import FilledHome

TABLE = Path(__file__).with_name("rights_of_routes.txt")
RANKS = {"view": 1, "trigger": 2, "edit": 3, "admin": 4}
ROLES = {"viewer": 1, "user": 2, "operator": 3, "admin": 4}
VISITORS = ("nobody", "foreigner", *ROLES, "scoped")
STREAMS = ("/events", "/wait", "/follow")
KNOWN = {
    "event_log_id": "1",
    "import_error_id": "broken.py",
    "dag_id": "order_1001",
    "dag_run_id": "first",
    "run_id": "first",
    "task_id": "charge_card",
    "map_index": "-1",
    "version_number": "1",
    "try_number": "1",
    "run_key": "1",
    "pool_name": "default_pool",
    "part": "reads",
    "name": "dag",
}
SENT: dict[str, Any] = {
    "PATCH /api/v2/dags/{dag_id}": {"is_paused": True},
    "PATCH …dagRuns/{dag_run_id}": {"state": "failed"},
    "PATCH …taskInstances/{task_id}": {"new_state": "success"},
    "PATCH …dry_run": {"new_state": "success"},
    "PATCH …hitlDetails": {"chosen_options": ["Approve"]},
    "PATCH …pools/{pool_name}": {"slots": 3},
    "POST …dagRuns/{dag_run_id}/clear": {"dry_run": False},
    "POST …clearTaskInstances": {"dag_run_id": "first", "dry_run": False},
    "POST …signals": {"name": "x"},
    "POST …updates": {"name": "x", "timeout": 0},
    "POST …queries": {"name": "x"},
    "POST …resolve": {"task_id": "charge_card", "outcome": "failed"},
    "POST …fork": {"seq": 1},
    "POST …reset": {"seq": 1},
    "POST …api/v2/pools": {"name": "new", "slots": 1},
    "POST …api/v2/variables": {"key": "new", "value": "x"},
    "POST …api/v2/connections": {"connection_id": "new", "conn_type": "http"},
    "POST …rpc/{part}/{name}": {"dag_id": "order_1001"},
}
FORMS: dict[str, dict[str, str]] = {
    "/sign-in": {"name": "viewer", "password": "viewer"},
    "/pools/edit": {"name": "made", "slots": "1"},
    "/variables/edit": {"key": "made", "value": "1"},
    "/variables/import": {"text": '{"made": 1}'},
    "/connections/edit": {"conn_id": "made", "conn_type": "http"},
    "/users/new": {"name": "made", "role": "viewer"},
    "/users/{name}/grant": {"role": "viewer"},
    "/tokens/new": {"user": "somebody_else", "name": "made"},
    "/dags/{dag_id}/runs/{run_id}/mark": {"state": "success", "task_id": "charge_card"},
    "/dags/{dag_id}/runs/{run_id}/clear": {"task_id": "charge_card"},
}
QUERIES = {
    "/logs/{run_key}/lines": "?task_id=charge_card&attempt=1",
    "/users/{name}/revoke": "?role=viewer",
    "/sessions/end": "?user=somebody_else&session=0000000000000000",
    "/sessions/end-all": "?user=somebody_else",
    "/tokens/revoke": "?user=somebody_else&name=ci",
    "/pools/delete": "?name=default_pool",
    "/variables/delete": "?key=made",
    "/connections/delete": "?conn_id=made",
}


class Entry(NamedTuple):
    """A line of the table."""

    need: str
    method: str
    path: str

    def lets_in(self, visitor: str) -> bool:
        kind, _, right = self.need.partition(" ")
        if kind == "open" or visitor == "nobody":
            return kind == "open"
        if kind in ("signed-in", "own"):
            return True
        if visitor == "foreigner":
            return False
        if visitor == "scoped":  # an administrator's token, which may look at orders
            return kind == "dag" and right == "view"
        return ROLES[visitor] >= RANKS[right]


@cache
def table() -> tuple[Entry, ...]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    parts = (re.fullmatch(r"(\w[\w-]*(?: \w+)?) +([A-Z]+) +(/\S*)", line) for line in lines if line[:1] != "#")
    return tuple(Entry(*found.groups()) for found in parts if found)


def served() -> Iterator[tuple[str, str]]:
    """The method and path of each, with what converts its parts left out."""
    routers = [(API, router) for router in ROUTERS] + [("", router) for router in (*PAGES, Statics().router())]
    for prefix, router in routers:
        for route in router.routes:
            assert isinstance(route, APIRoute), f"{route} is something else than a route"
            yield from ((method, prefix + re.sub(r":\w+\}", "}", route.path)) for method in route.methods)


def test_every_route_has_a_line_in_the_table_and_every_line_a_route() -> None:
    routes, lines = set(served()), {(entry.method, entry.path) for entry in table()}
    assert routes - lines == set(), f"say in {TABLE.name} what these take"
    assert lines - routes == set(), f"these are in {TABLE.name}, and not served"


@pytest.fixture(autouse=True)
def scoped(monkeypatch: pytest.MonkeyPatch, filled: FilledHome) -> None:
    filled.begin("order_1001", "first", RunStarted(), ActivityScheduled(task_id="charge_card", attempt=1))
    token = Principal(name="root", grants=(Grant(Role.ADMIN),), scopes=(Grant(Role.VIEWER, "order_*"),), via="token:1")
    monkeypatch.setitem(PRINCIPALS, "scoped", token)


def _is_about(name: str, entry: Entry) -> bool:
    method, _, path = name.partition(" ")
    return method == entry.method and (entry.path.endswith(path[1:]) if path[0] == "…" else entry.path == path)


def ask(client: TestClient, entry: Entry) -> httpx.Response:
    path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: KNOWN.get(match[1], "x"), entry.path)
    where = path + QUERIES.get(entry.path, "")
    if entry.method in ("GET", "HEAD", "DELETE"):
        return client.request(entry.method, where)
    if not entry.path.startswith("/api/"):
        return client.request(entry.method, where, data=FORMS.get(entry.path, {"x": "y"}))
    body = next((body for name, body in SENT.items() if _is_about(name, entry)), {})
    return client.request(entry.method, where, json=body)


@pytest.mark.parametrize("visitor", VISITORS)
def test_each_visitor_may_do_what_the_table_says_and_nothing_else(
    visitor: str, browser: Callable[..., TestClient], site: FastAPI, filled: FilledHome
) -> None:
    client = browser(None if visitor in ("nobody", "scoped") else visitor)
    if visitor == "scoped":
        client.headers["authorization"] = "Bearer scoped"
    before, wrong = _traces(filled), []
    for entry in sorted(_asked_by(visitor), key=lambda entry: entry.method not in ("GET", "HEAD")):
        if entry.path.endswith(STREAMS) and entry.lets_in(visitor):
            continue  # endless; they are tested where they are read
        if visitor == "nobody":
            client.cookies.clear()
        answer = ask(client, entry)
        fits = _lets_in(answer, visitor) if entry.lets_in(visitor) else _refuses(answer, visitor)
        if answer.status_code >= 500 or not fits:
            wrong.append(f"{int(answer.status_code)} for {visitor}: {entry.need}: {entry.method} {entry.path}")
        if visitor == "foreigner" and not entry.lets_in(visitor):
            assert "reserve_inventory" not in answer.text, entry
    assert wrong == [], "\n".join(wrong)
    if visitor in ("nobody", "foreigner", "scoped", "viewer"):
        assert _traces(filled) == before


def _asked_by(visitor: str) -> Iterator[Entry]:
    """One's own account is a matter of sessions, and not of tokens."""
    yield from (entry for entry in table() if visitor != "scoped" or entry.need != "own")


def _lets_in(answer: httpx.Response, visitor: str) -> bool:
    if visitor == "nobody":
        return answer.status_code != 401 and not answer.headers.get("location", "").startswith("/sign-in")
    hidden = answer.status_code == 404 and ("there is no DAG" in answer.text or "there is no run" in answer.text)
    return answer.status_code not in (401, 403) and not hidden


def _refuses(answer: httpx.Response, visitor: str) -> bool:
    """What may not be seen is answered for as what is not there, or as what nobody understands; whoever may see the DAG
    may be told first that what they ask for makes no sense just now."""
    if visitor == "nobody":
        return not _lets_in(answer, visitor)
    return answer.status_code in ((403, 404, 422) if visitor == "foreigner" else (400, 403, 404, 409, 422))


def _traces(filled: FilledHome) -> tuple[object, ...]:
    """What would be others had something been done."""
    done = [row for row in filled.reads.audit() if row.outcome == "done"]
    return filled.reads.standing(), filled.reads.pending_requests(), len(done)
