"""Server-sent events, from a server that listens on a port."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx2
import msgspec
import pytest
from sqlalchemy import event

from orchestrator.api import live
from orchestrator.api.app import make_app
from orchestrator.api.server import _Server, _settings
from orchestrator.assembly.home import Home
from orchestrator.config import load_config
from orchestrator.core.events import ActivityScheduled, RunStarted
from tests.api.conftest import KnownAccounts
from tests.cli.homes import FilledHome, order

pytestmark = pytest.mark.slow

Events = Iterator[tuple[str, str, Any]]


@pytest.fixture
def address(filled: FilledHome) -> Iterator[str]:
    """Where the home is served."""
    home = Home(load_config({"ORCHESTRATOR_HOME": str(filled.folder)}, filled.folder), filled.engine)
    app = make_app(home, KnownAccounts())
    stop, ready = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = _Server(_settings(home.config, app), stop, timedelta(0), ready.set, on_end=app.state.live.close)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        assert ready.wait(10)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v2"
        began = time.monotonic()
        stop.set()
        thread.join(10)
        assert time.monotonic() - began < 3  # open streams do not hold it up


@pytest.fixture
def stream(address: str) -> Callable[..., Any]:
    """Streams of events as a role."""

    @contextmanager
    def open_one(path: str, role: str, last: str | None = None) -> Iterator[Events]:
        headers = {"Authorization": f"Bearer {role}"} | ({"Last-Event-ID": last} if last else {})
        with httpx2.stream("GET", f"{address}{path}", headers=headers, timeout=10) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield _events(answer.iter_lines())

    return open_one


def _events(lines: Iterator[str]) -> Events:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
        elif "event" in fields:
            yield fields["event"], fields["id"], msgspec.json.decode(fields["data"])
            fields = {}


def test_a_watcher_is_told_of_a_run_and_nothing_that_is_in_it(filled: FilledHome, stream: Callable[..., Any]) -> None:
    with stream("/events", "viewer") as events:
        kind, _, _ = next(events)
        assert kind == "hello"
        run = filled.begin("order_1001", "first", conf={"card": "4711"})
        kind, number, told = next(events)
        assert (kind, number) == ("change", f"{told['position']}-{told['revision']}")
        assert (told["dag_id"], told["run_id"], told["run_key"]) == ("order_1001", "first", run.run_key)
        assert told["what"] == ["new", "run"]
        assert set(told) == {"position", "revision", "dag_id", "run_id", "run_key", "seq", "what"}


def test_whoever_comes_back_is_told_what_they_missed(filled: FilledHome, stream: Callable[..., Any]) -> None:
    with stream("/events", "viewer") as events:
        _, last, _ = next(events)
    filled.begin("order_1001", "first", RunStarted())
    with stream("/events", "viewer", last) as events:
        assert next(events)[0] == "hello"
        assert next(events)[2]["run_id"] == "first"


def test_whoever_comes_first_says_in_the_address_since_when(filled: FilledHome, stream: Callable[..., Any]) -> None:
    with stream("/events", "viewer") as events:
        _, since, _ = next(events)
    filled.begin("order_1001", "first", RunStarted())
    for path in ("/events", "/dags/order_1001/events", "/dags/order_1001/dagRuns/first/events"):
        with stream(f"{path}?since={since}", "viewer") as events:
            assert [next(events)[0], next(events)[2]["run_id"]] == ["hello", "first"]


def test_a_place_that_was_never_reached_is_answered_by_a_reset(stream: Callable[..., Any]) -> None:
    with stream("/events", "viewer", "999999-1") as events:
        assert [next(events)[0], next(events)[0]] == ["hello", "reset"]


def test_nobody_hears_of_what_they_may_not_see(filled: FilledHome, stream: Callable[..., Any]) -> None:
    with stream("/events", "foreigner") as events:
        next(events)
        filled.begin("order_1001", "first")
        filled.add_dag(order(dag_id="elsewhere_1", file="elsewhere.py"))
        _, _, told = next(events)
        assert (told["dag_id"], told["what"]) == ("elsewhere_1", ["catalog"])


def test_a_stream_of_one_run_tells_of_no_other(filled: FilledHome, stream: Callable[..., Any]) -> None:
    filled.begin("order_1001", "first", RunStarted())
    with stream("/dags/order_1001/dagRuns/first/events", "viewer") as events:
        next(events)
        filled.begin("order_1001", "second")
        filled.go_on("first", ActivityScheduled(task_id="charge_card", attempt=1))
        _, _, told = next(events)
        assert (told["run_id"], told["what"]) == ("first", ["tasks"])


def test_a_stream_of_what_may_not_be_seen_is_not_there(address: str) -> None:
    for role, status in (("foreigner", 404), ("nobody", 401)):
        for path in ("/dags/order_1001/events", "/dags/order_1001/dagRuns/first/events"):
            answer = httpx2.get(f"{address}{path}", headers={"Authorization": f"Bearer {role}"})
            assert answer.status_code == status


def test_many_watchers_cost_one_query_a_period(
    filled: FilledHome, stream: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    with stream("/events", "viewer") as one, stream("/events", "user") as two, stream("/events", "admin") as three:
        for each in (one, two, three):
            next(each)
        event.listen(filled.engine, "before_cursor_execute", note)
        began = time.monotonic()
        filled.begin("order_1001", "first")
        told = [next(each)[2] for each in (one, two, three)]
        took = time.monotonic() - began
    looks = [statement for statement in asked if "FROM counters" in statement]
    assert told[0] == told[1] == told[2]
    assert len(looks) <= took / live.PERIOD + 2
    assert len([statement for statement in asked if "history.position >" in statement]) == 1
