import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from orchestrator.assembly.home import Home
from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityScheduled,
    ActivityStarted,
    AnyEvent,
    Recorded,
    RunEnded,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.spec import DagSpec, TaskSpec, mapping_over
from orchestrator.core.stretches import stretches_of
from orchestrator.names import RunState
from orchestrator.web.views.gantt import Gantt, gantt, instances
from orchestrator.web.views.longest import Reach, longest, longest_of_calls
from tests.cli.homes import START, FilledHome

Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"
SPEC = DagSpec(
    dag_id="etl",
    file="etl.py",
    tasks=(
        TaskSpec(task_id="start", display_name=HOSTILE),
        TaskSpec(task_id="quick"),
        TaskSpec(task_id="each", upstream=("start",), mapping=mapping_over("start")),
        TaskSpec(task_id="end", upstream=("each", "quick")),
    ),
)
FAILURE = Failure(message="boom")


def scheduled(task_id: str, attempt: int = 1, **place: Any) -> list[AnyEvent]:
    fields = {"task_id": task_id, "attempt": attempt} | place
    return [ActivityScheduled(**fields), ActivityStarted(**fields, worker="host:1")]


def works(task_id: str, attempt: int = 1, **place: Any) -> list[AnyEvent]:
    return [
        *scheduled(task_id, attempt, **place),
        ActivityCompleted(task_id=task_id, attempt=attempt, length=3, **place),
    ]


def fails(task_id: str, attempt: int = 1, **place: Any) -> list[AnyEvent]:
    failed = ActivityFailed(
        task_id=task_id, attempt=attempt, failure=FAILURE, retry_at=START + timedelta(minutes=1), **place
    )
    return [*scheduled(task_id, attempt, **place), failed]


@pytest.fixture
def home(site: object, filled: FilledHome) -> Home:
    filled.add_dag(SPEC)
    found: Home = site.state.home  # type: ignore[attr-defined]
    return found


def chart_of(home: Home, run_id: str) -> tuple[Gantt, dict[str, Any]]:
    """The chart, and its lines by task."""
    found = gantt(home, home.reads.run("etl", run_id))
    return found, {found.rows[line.place].id: line for line in found.lines}


def bars(line: Any) -> list[tuple[Any, ...]]:
    return [(bar.doing.value, bar.state, bar.attempt, bar.start, bar.end) for bar in line.bars]


def test_each_try_of_a_task_is_a_bar_of_its_own_with_what_it_waited_before(home: Home, filled: FilledHome) -> None:
    filled.begin("etl", "one", *fails("start"), *works("start", 2))
    found, lines = chart_of(home, "one")
    assert bars(lines["start"]) == [
        ("queued", "queued", 1, 0.0, 1.0),
        ("running", "failed", 1, 1.0, 2.0),
        ("waiting", "up_for_retry", 1, 2.0, 3.0),
        ("queued", "queued", 2, 3.0, 4.0),
        ("running", "success", 2, 4.0, 5.0),
    ]
    assert lines["start"].bars[1].worker == "host:1"
    assert (found.ended, found.state) == (None, "running")
    assert found.origin == (START + timedelta(seconds=1)).timestamp() * 1000


def test_a_task_that_was_done_and_cleared_keeps_the_bar_of_what_it_had_done(home: Home, filled: FilledHome) -> None:
    filled.begin("etl", "one", *works("start"), ActivityCleared(task_id="start"), *scheduled("start", 2))
    _, lines = chart_of(home, "one")
    assert bars(lines["start"])[1] == ("running", "success", 1, 1.0, 2.0)
    assert bars(lines["start"])[-1] == ("running", "running", 2, 5.0, None)


def test_a_task_that_was_put_off_has_a_gap_without_a_worker(home: Home, filled: FilledHome) -> None:
    put_off = ActivityDeferred(task_id="start", until=START + timedelta(minutes=1))
    filled.begin("etl", "one", *scheduled("start"), put_off, *works("start"))
    _, lines = chart_of(home, "one")
    assert ("waiting", "up_for_reschedule", 1, 2.0, 3.0) in bars(lines["start"])
    assert len([bar for bar in lines["start"].bars if bar.doing == "running"]) == 2


def test_tasks_with_one_try_are_told_without_reading_the_history(
    home: Home, filled: FilledHome, queries: list[str]
) -> None:
    filled.begin("etl", "one", *works("start"), *works("quick"))
    queries.clear()
    _, lines = chart_of(home, "one")
    assert bars(lines["quick"]) == [("queued", "success", 1, 3.0, 4.0), ("running", "success", 1, 4.0, 5.0)]
    assert [query for query in queries if "history.seq" in query] == []


def test_instances_of_a_mapped_task_are_one_row_until_they_are_asked_for(home: Home, filled: FilledHome) -> None:
    filled.begin(
        "etl",
        "one",
        *works("start"),
        TaskExpanded(task_id="each", shape=(3,)),
        ActivityScheduled(task_id="each", map_index=0, count=3),
        ActivityStarted(task_id="each", map_index=0),
        ActivityStarted(task_id="each", map_index=1),
        ActivityCompleted(task_id="each", map_index=0),
        ActivityFailed(task_id="each", map_index=1, failure=FAILURE, retry_at=START),
        *works("each", 2, map_index=1),
    )
    found, lines = chart_of(home, "one")
    assert (lines["each"].size, lines["each"].counts) == (3, {"success": 2, "queued": 1})
    assert [(bar.doing.value, bar.start, bar.end) for bar in lines["each"].bars] == [
        ("queued", 4.0, 5.0),
        ("running", 5.0, None),
    ]
    run = home.reads.run("etl", "one")
    some = instances(home, run, "each", 0, datetime.fromtimestamp(found.origin / 1000, UTC))
    assert [line.map_index for line in some.lines] == [0, 1, 2]
    assert [bar[:3] for bar in bars(some.lines[1])] == [
        ("queued", "queued", 1),
        ("running", "failed", 1),
        ("waiting", "up_for_retry", 1),
        ("queued", "queued", 2),
        ("running", "success", 2),
    ]
    assert [line.map_index for line in instances(home, run, "each", 2, START).lines] == [2]


def test_the_critical_path_goes_back_from_what_ended_last_over_what_it_waited_for(
    home: Home, filled: FilledHome
) -> None:
    filled.begin("etl", "one", *works("quick"), *works("start"), *works("each", map_index=0), *works("end"))
    _, lines = chart_of(home, "one")
    assert {name for name, line in lines.items() if line.is_critical} == {"start", "each", "end"}


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def test_what_goes_on_is_the_end_of_the_critical_path() -> None:
    done, open_one = (Reach(began_at=at(0), ended_at=at(9)), Reach(began_at=at(1), ended_at=None, is_open=True))
    assert longest(SPEC, {"start": done, "quick": open_one}) == {"quick"}
    assert longest(SPEC, {}) == frozenset()


def test_a_call_of_a_workflow_waited_for_the_last_one_that_ended_before_it() -> None:
    calls = {
        "a": Reach(began_at=at(0), ended_at=at(3)),
        "b": Reach(began_at=at(0), ended_at=at(5)),
        "c": Reach(began_at=at(5), ended_at=at(8)),
        "d": Reach(began_at=at(5), ended_at=at(6)),
    }
    assert longest_of_calls(calls) == {"b", "c"}
    same = Reach(began_at=at(1), ended_at=at(1))
    assert longest_of_calls({"a": same, "b": same}) == {"a", "b"}


def test_a_report_that_comes_too_late_changes_no_bar() -> None:
    told = [*works("start", 2), ActivityCompleted(task_id="start", attempt=1), RunEnded(state=RunState.SUCCESS)]
    facts = [Recorded(number, at(number), event) for number, event in enumerate(told)]
    (stretches,) = stretches_of(facts, lambda _: True).values()
    assert [(one.attempt, one.state.value) for one in stretches] == [(2, "queued"), (2, "success")]


def test_a_run_that_is_only_asked_for_has_a_chart_without_bars(
    home: Home, browser: Browser, filled: FilledHome
) -> None:
    filled.begin("etl", "one")
    client = browser("viewer")
    found = client.get("/dags/etl/runs/one/gantt/bars.json")
    assert found.json()["lines"] == []
    assert [row["id"] for row in found.json()["rows"]] == ["start", "quick", "each", "end"]
    again = client.get("/dags/etl/runs/one/gantt/bars.json", headers={"if-none-match": found.headers["etag"]})
    assert again.status_code == 304


def test_the_chart_is_a_tab_of_the_run_and_what_people_wrote_is_text(
    home: Home, browser: Browser, filled: FilledHome
) -> None:
    filled.begin("etl", "<script>", *works("start"))
    client = browser()
    answer = client.get("/dags/etl/runs/%3Cscript%3E/gantt")
    assert (answer.status_code, "<script>" in answer.text) == (200, False)
    assert 'aria-current="page">Gantt' in answer.text
    assert json.loads(msgspec.json.encode(chart_of(home, "<script>")[0]))["rows"][0]["label"] == HOSTILE


@pytest.mark.parametrize("page", ["", "/bars.json", "/instances.json?task=each&origin=0"])
def test_a_foreigner_is_told_what_they_would_be_told_if_the_chart_were_not_there(
    home: Home, filled: FilledHome, browser: Browser, page: str
) -> None:
    filled.begin("etl", "one", *works("start"))
    there, absent = (browser("foreigner").get(f"/dags/{name}/runs/one/gantt{page}") for name in ("etl", "nil"))
    assert (there.status_code, absent.status_code) == (404, 404)
    assert there.text.replace("etl", "nil") == absent.text


def test_a_dag_has_the_chart_of_its_newest_run_or_of_the_one_that_is_chosen(
    browser: Browser, home: Home, filled: FilledHome
) -> None:
    look = browser("viewer")
    assert 'data-path=""' in look.get("/dags/etl/gantt").text
    for run_id in ("one", f"t/wo {HOSTILE}"):
        filled.begin("etl", run_id, *works("start"))
    newest = look.get("/dags/etl/gantt").text
    assert newest.count('data-path="/dags/etl/runs/t%2Fwo%20%3Cscript%3Ealert%281%29%3C%2Fscript%3E"') == 2
    assert HOSTILE not in newest
    chosen = look.get("/dags/etl/gantt?run=one").text
    assert chosen.count('data-path="/dags/etl/runs/one"') == 2
    assert "<option selected>one</option>" in chosen
    assert look.get("/dags/etl/gantt?run=none").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "task=each",
        "task=each&origin=x",
        "task=each&origin=-1",
        "task=each&origin=9e99",
        "task=each&origin=281474976710655",
        "origin=0&task=e&first=-1",
    ],
)
def test_nonsense_is_refused_and_what_is_not_there_has_no_instances(
    home: Home, filled: FilledHome, browser: Browser, query: str
) -> None:
    filled.begin("etl", "one", *works("start"))
    client = browser()
    assert client.get(f"/dags/etl/runs/one/gantt/instances.json?{query}").status_code == 422
    assert client.get("/dags/etl/runs/one/gantt/instances.json?origin=nan&task=each").status_code == 422
    found = client.get("/dags/etl/runs/one/gantt/instances.json?origin=0&task='%22&first=7")
    assert found.json()["lines"] == []
