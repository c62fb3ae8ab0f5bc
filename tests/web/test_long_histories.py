"""Pages of a run whose history is long: they are there at once, and what takes reading all of it comes after."""

from collections.abc import Callable

import msgspec
import pytest
from fastapi.testclient import TestClient

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityScheduled,
    ActivityStarted,
    RunEnded,
    RunStarted,
    TaskExpanded,
)
from orchestrator.core.spec import DagSpec, TaskSpec, mapping_over
from orchestrator.names import RunState
from orchestrator.web.wording import count
from tests.cli.homes import FilledHome

RUN = "/dags/many/runs/first"
SIZE = 1_100
LAST = 2 * SIZE + 10
Open = Callable[..., TestClient]


@pytest.fixture
def browser_of(browser: Open, filled: FilledHome) -> TestClient:
    """Somebody who looks at a run of a few tasks, of which one is mapped over a thousand things."""
    tasks = (
        TaskSpec(task_id="list_all"),
        TaskSpec(task_id="each", upstream=("list_all",), mapping=mapping_over("list_all")),
        TaskSpec(task_id="sums", upstream=("each",)),
    )
    filled.add_dag(DagSpec(dag_id="many", file="many.py", tasks=tasks))
    each = [
        event(task_id="each", map_index=place, attempt=1)
        for place in range(SIZE)
        for event in (ActivityStarted, ActivityCompleted)
    ]
    alone = [
        event(task_id=name, attempt=1)
        for name in ("list_all", "sums")
        for event in (ActivityScheduled, ActivityStarted, ActivityCompleted)
    ]
    filled.begin(
        "many",
        "first",
        RunStarted(),
        *alone[:3],
        TaskExpanded(task_id="each", shape=(SIZE,)),
        ActivityScheduled(task_id="each", map_index=0, count=SIZE, attempt=1),
        *each,
        *alone[3:],
    )
    return browser()


def part(client: TestClient, path: str) -> str:
    """What a script of the page asks for."""
    return client.get(path, headers={"x-fragment": "1"}).text


def test_a_fork_says_what_it_means_after_its_form_is_there(browser_of: TestClient) -> None:
    page = browser_of.get(f"{RUN}/fork?at=12").text
    assert "data-late" in page
    assert f"Reading {count(LAST)} facts" in page
    assert "keeps its result" not in page
    assert f"Reading {count(LAST)} facts" in part(browser_of, f"{RUN}/fork?at=12")
    told = part(browser_of, f"{RUN}/fork?at=12&preview=1")
    assert "3 activities keep their results" in told
    assert "data-late" not in told


def test_a_fork_from_what_a_run_does_not_have_is_refused_at_once(browser_of: TestClient) -> None:
    assert browser_of.get(f"{RUN}/fork?at={LAST + 1}").status_code == 400


def test_a_run_as_it_was_comes_after_the_fact_itself(browser_of: TestClient) -> None:
    page = browser_of.get(f"{RUN}/history?at=12").text
    assert "As it was after fact 12" in page
    assert f"Reading {count(LAST)} facts" in page
    assert "data-slow" in page
    told = part(browser_of, f"{RUN}/history?at=12")
    assert "Reading" not in told
    assert "/tasks/sums" in told
    assert browser_of.get(f"{RUN}/history?at={LAST + 1}").status_code == 404


def test_what_a_run_waits_for_comes_after_its_page(browser_of: TestClient) -> None:
    assert f"Reading {count(LAST)} facts" in browser_of.get(f"{RUN}/talk").text
    assert "Reading" not in part(browser_of, f"{RUN}/talk")


def test_task_instances_come_by_pages_in_the_order_of_the_dag(browser_of: TestClient, filled: FilledHome) -> None:
    filled.begin("many", "second", RunStarted(), RunEnded(state=RunState.FAILED, result=msgspec.Raw(b"null")))
    path = "/api/v2/dags/many/dagRuns/{}/taskInstances"

    def places(run_id: str, **query: str | int) -> tuple[list[tuple[str, int]], int]:
        told = browser_of.get(path.format(run_id), params=query).json()
        return [(one["task_id"], one["map_index"]) for one in told["task_instances"]], told["total_entries"]

    whole = [("list_all", -1), *(("each", index) for index in range(SIZE)), ("sums", -1)]
    found = [place for start in range(0, SIZE + 2, 100) for place in places("first", offset=start, limit=100)[0]]
    assert found == whole
    assert places("first", offset=SIZE, limit=1) == ([("each", SIZE - 1)], SIZE + 2)
    assert places("first", map_index=7) == ([("each", 7)], 1)
    assert places("first", task_display_name_pattern="%s", limit=2) == ([("sums", -1)], 1)
    assert places("second") == ([("list_all", -1), ("each", -1), ("sums", -1)], 3)
    assert places("second", state="success") == ([], 0)
