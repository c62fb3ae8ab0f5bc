"""What a run was given, and the runs that belong to it."""

from collections.abc import Callable

from fastapi.testclient import TestClient

from orchestrator.core.events import ChildStarted, RunStarted
from tests.cli.homes import FilledHome, order

Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"


def test_values_stand_beside_what_they_would_have_been(browser: Browser, filled: FilledHome) -> None:
    schemas = {"count": {"type": "integer", "description": "How <many>"}}
    filled.add_dag(order(dag_id="form", params={"count": 3, "mood": "good"}, param_schemas=schemas))
    filled.begin("form", "first", RunStarted(), conf={"count": 41, "more": HOSTILE})
    text = browser("viewer").get("/dags/form/runs/first/params").text
    rows = {part.split("<")[0]: part.split("</tr>")[0] for part in text.split('<td class="name">')[1:]}
    assert list(rows) == ["count", "mood", "more"]
    assert ">41<" in rows["count"]
    assert ">3<" in rows["count"]
    assert "How &lt;many&gt;" in rows["count"]
    assert ">this<" in rows["mood"]
    assert HOSTILE not in text
    assert "/dags/form/trigger?like=first" not in text
    assert "/dags/form/trigger?like=first" in browser("user").get("/dags/form/runs/first/params").text


def test_a_run_that_is_only_asked_for_tells_what_it_will_be_given(browser: Browser, filled: FilledHome) -> None:
    filled.add_dag(order(dag_id="form", params={"count": 3}))
    asked = {"run_id": "first", "conf": '{"count": 41}'}
    assert browser("user").post("/dags/form/trigger", data=asked).status_code == 204
    text = browser().get("/dags/form/runs/first/params").text
    assert ">41<" in text
    assert "Started" not in text


def test_the_runs_that_it_has_started_are_told_with_the_fact(browser: Browser, filled: FilledHome) -> None:
    filled.begin(
        "order_1001",
        "first",
        RunStarted(),
        ChildStarted(child_id="ship", dag_id="other", run_id="a b", child_run_key=7, close="cancel"),
        ChildStarted(child_id="never", dag_id="none", run_id="x", child_run_key=0),
    )
    text = browser().get("/dags/order_1001/runs/first/params").text
    assert "/dags/other/runs/a%20b" in text
    assert "/runs/first/history?at=3" in text
    assert "none / x" not in text
