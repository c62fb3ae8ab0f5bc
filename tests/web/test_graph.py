"""The graphs of a DAG and of its runs: where cards stand, and in which states."""

from collections.abc import Callable

import msgspec
import pytest
from fastapi.testclient import TestClient

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ActivityStarted,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.spec import DagSpec, GroupSpec, TaskSpec, mapping_over
from orchestrator.names import DagKind
from orchestrator.web.views.graph import FOLD_FROM, Graph, GraphStates
from tests.cli.homes import FilledHome

Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"
SPEC = DagSpec(
    dag_id="etl",
    file="etl.py",
    tasks=(
        TaskSpec(task_id="start"),
        TaskSpec(task_id="g.a", upstream=("start",), group="g", labels={"start": HOSTILE}),
        TaskSpec(task_id="each", upstream=("g.a",), mapping=mapping_over("g.a")),
    ),
    groups=(GroupSpec(group_id="g", tooltip=HOSTILE),),
)


@pytest.fixture(autouse=True)
def etl(site: object, filled: FilledHome) -> None:
    filled.add_dag(SPEC)


def drawing(browser: Browser, query: str = "version=1") -> Graph:
    answer = browser("viewer").get(f"/dags/etl/graph.json?{query}")
    assert answer.status_code == 200
    return msgspec.json.decode(answer.content, type=Graph)


def states(browser: Browser, path: str) -> GraphStates:
    return msgspec.json.decode(browser("viewer").get(path).content, type=GraphStates)


def fail_some(filled: FilledHome) -> None:
    filled.begin(
        "etl",
        "first",
        ActivityScheduled(task_id="start"),
        ActivityStarted(task_id="start"),
        ActivityCompleted(task_id="start", length=2),
        ActivityScheduled(task_id="g.a"),
        ActivityStarted(task_id="g.a"),
        ActivityCompleted(task_id="g.a", length=2),
        TaskExpanded(task_id="each", shape=(2,)),
        ActivityScheduled(task_id="each", map_index=0),
        ActivityStarted(task_id="each", map_index=0),
        ActivityFailed(task_id="each", map_index=0, failure=Failure(message="no")),
        ActivityScheduled(task_id="each", map_index=1),
        ActivityStarted(task_id="each", map_index=1),
    )


def test_cards_stand_from_left_to_right_and_know_what_is_before_them(browser: Browser) -> None:
    found = drawing(browser)
    assert [(card.id, card.before) for card in found.cards] == [("start", []), ("g.a", [0]), ("each", [1])]
    assert found.cards[0].x < found.cards[1].x < found.cards[2].x
    assert [edge.label for edge in found.edges] == [HOSTILE, ""]
    assert [box.id for box in found.boxes] == ["g"]
    assert found.cards[2].is_mapped


@pytest.mark.parametrize("query", ["fold=g", "fold=*"])
def test_a_folded_group_is_one_card_that_knows_its_tasks(browser: Browser, query: str) -> None:
    found = drawing(browser, f"version=1&{query}")
    assert [(card.id, card.tasks) for card in found.cards] == [("start", []), ("g", ["g.a"]), ("each", [])]
    assert found.boxes == []


def test_all_but_some_groups_may_be_folded(browser: Browser) -> None:
    assert [box.id for box in drawing(browser, "version=1&fold=*&unfold=g").boxes] == ["g"]


def test_the_states_are_counted_by_task_with_the_gravest_first(browser: Browser, filled: FilledHome) -> None:
    fail_some(filled)
    found = states(browser, "/dags/etl/runs/first/graph/states.json")
    assert found.tasks == {"start": {"success": 1}, "g.a": {"success": 1}, "each": {"failed": 1, "running": 1}}
    assert list(found.tasks["each"]) == ["failed", "running"]
    assert states(browser, "/dags/etl/graph/states.json") == found


def test_a_dag_that_has_never_run_has_a_graph_without_states(browser: Browser) -> None:
    assert states(browser, "/dags/etl/graph/states.json") == GraphStates(run_id="", state="", path="", tasks={})
    assert 'id="graph"' in browser("viewer").get("/dags/etl/graph").text


def test_a_run_has_the_graph_of_its_own_version(browser: Browser, filled: FilledHome) -> None:
    filled.begin("etl", "first")
    filled.add_dag(msgspec.structs.replace(SPEC, tasks=SPEC.tasks[:1], groups=()))
    assert "graph.json?version=1" in browser("viewer").get("/dags/etl/runs/first/graph").text
    assert "graph.json?version=2" in browser("viewer").get("/dags/etl/graph").text
    assert "graph.json?version=1" in browser("viewer").get("/dags/etl/graph?version=1").text


def test_a_large_dag_is_shown_with_its_groups_folded_first(browser: Browser, filled: FilledHome) -> None:
    tasks = tuple(TaskSpec(task_id=f"g.t{number:03}", group="g") for number in range(FOLD_FROM + 1))
    filled.add_dag(DagSpec(dag_id="large", file="large.py", tasks=tasks, groups=(GroupSpec(group_id="g"),)))
    assert " data-fold>" in browser("viewer").get("/dags/large/graph").text
    assert " data-fold>" not in browser("viewer").get("/dags/etl/graph").text


def test_a_workflow_whose_order_is_in_its_code_has_no_tab_for_a_graph(browser: Browser, filled: FilledHome) -> None:
    filled.add_dag(DagSpec(dag_id="flow", file="flow.py", kind=DagKind.WORKFLOW))
    assert "/dags/flow/graph" not in browser("viewer").get("/dags/flow").text
    assert "/dags/etl/graph" in browser("viewer").get("/dags/etl").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/dags/etl/graph.json?version=9", 404),
        ("/dags/etl/graph?version=9", 404),
        ("/dags/nobody/graph", 404),
        ("/dags/etl/runs/none/graph", 404),
        ("/dags/etl/graph.json", 422),
        ("/dags/etl/graph.json?version=one", 422),
    ],
)
def test_what_is_not_there_is_told(browser: Browser, path: str, status: int) -> None:
    assert browser("viewer").get(path).status_code == status
