"""Every route there is, as nobody, as a foreigner and as each role: a new one is covered without being named."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from orchestrator.api.document import api_document
from orchestrator.core.events import ActivityScheduled, RunStarted
from tests.cli.homes import FilledHome

Client = Callable[..., TestClient]
FOR_EVERYBODY = {"/api/v2/monitor/health", "/api/v2/version"}
STREAMS = ("/events", "/wait")
KNOWN = {
    "event_log_id": "1",
    "import_error_id": "broken.py",
    "dag_id": "order_1001",
    "dag_run_id": "first",
    "task_id": "charge_card",
    "map_index": "-1",
    "version_number": "1",
    "try_number": "1",
}


@pytest.fixture(autouse=True)
def run(filled: FilledHome) -> None:
    filled.begin("order_1001", "first", RunStarted(), ActivityScheduled(task_id="charge_card", attempt=1))


@cache
def _document() -> dict[str, Any]:
    return api_document()


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """The method and path of each."""
    for path, methods in _document()["paths"].items():
        yield from ((method.upper(), path) for method in methods)


def _filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: KNOWN.get(match[1], "unknown"), path)


def test_the_document_names_every_route_of_the_api(app: FastAPI) -> None:
    named = {path for _, path in routes(app)}
    assert named == set(app.openapi()["paths"])
    assert len(named) > 55
    hidden = {route.path for route in app.routes if isinstance(route, APIRoute) and not route.include_in_schema}
    assert all("/rpc/" in path for path in hidden)


def test_nobody_is_let_in(app: FastAPI, as_role: Client) -> None:
    for method, path in routes(app):
        answer = as_role(None).request(method, _filled(path), json={})
        assert answer.status_code == (200 if path in FOR_EVERYBODY else 401), (method, path, answer.text)


def test_a_foreigner_learns_nothing_and_changes_nothing(app: FastAPI, as_role: Client, filled: FilledHome) -> None:
    before = _traces(filled)
    for method, path in routes(app):
        if path in FOR_EVERYBODY or path == "/api/v2/events":
            continue
        answer = as_role("foreigner").request(method, _filled(path), json={})
        assert "order_1001" not in answer.text.replace("'order_1001'", "") or answer.status_code == 404, (method, path)
        assert answer.status_code in _FOREIGN[method != "GET" or "order_1001" in _filled(path)], (method, path)
        assert answer.status_code < 500, (method, path, answer.text)
    assert _traces(filled) == before


def _traces(filled: FilledHome) -> tuple[object, ...]:
    """What would be others had something been done."""
    done = [row for row in filled.reads.audit() if row.outcome == "done"]
    return filled.reads.standing(), filled.reads.pending_requests(), len(done)


_FOREIGN = {True: {403, 404, 422}, False: {200, 403, 404}}


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_whoever_may_only_look_changes_nothing(app: FastAPI, as_role: Client, filled: FilledHome, role: str) -> None:
    paused = filled.reads.dag("order_1001").is_paused
    for method, path in routes(app):
        if method == "GET" or (role == "user" and path.endswith("/dagRuns")):
            continue
        answer = as_role(role).request(method, _filled(path), json=_BODIES.get(path.rpartition("/")[2], {}))
        assert answer.status_code in {200, 400, 403, 404, 409, 422}, (method, path, answer.text)
    assert filled.reads.pending_requests() == 0
    assert filled.reads.dag("order_1001").is_paused == paused


_BODIES = {"cancel": {}, "reset": {"seq": 2}, "fork": {"seq": 2}, "clear": {"dry_run": False}}


def test_no_role_meets_an_error_of_the_server(app: FastAPI, as_role: Client) -> None:
    for method, path in routes(app):
        if path.endswith(STREAMS):
            continue
        for known in (True, False):
            where = _filled(path) if known else re.sub(r"\{(\w+)\}", "unknown", path)
            answer = as_role("admin").request(method, where, json=None if method in ("GET", "DELETE") else {})
            assert answer.status_code < 500, (method, where, answer.text)
