"""The pages of an activity: its result, its attempts, its details; and those of a task over its runs."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from orchestrator.assembly.payloads import open_payloads
from orchestrator.config import load_config
from orchestrator.core import values
from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ActivityStarted,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure, XCom
from orchestrator.core.spec import DagSpec, TaskSpec, mapping_over
from orchestrator.web.views.result import LARGEST_SHOWN
from tests.cli.homes import START, FilledHome, order

Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"
PATH = "/dags/order_1001/runs/first/tasks/charge_card"
TASK = {"task_id": "charge_card"}


def end(filled: FilledHome, value: Any = None, **more: Any) -> None:
    result = msgspec.Raw(values.encode(value))
    filled.begin(
        "order_1001",
        "first",
        ActivityScheduled(**TASK),
        ActivityStarted(**TASK, worker="host:1"),
        ActivityCompleted(**TASK, result=result, **more),
    )


def fail_twice(filled: FilledHome) -> None:
    failure = Failure(
        message=f"declined {HOSTILE}",
        types=("shop.CardError", "ValueError"),
        where="order_1001.py:7",
        frames=("  File order_1001.py, line 7, in charge_card",),
    )
    filled.begin(
        "order_1001",
        "first",
        ActivityScheduled(**TASK),
        ActivityStarted(**TASK, worker="host:1"),
        ActivityFailed(**TASK, failure=failure, retry_at=START),
        ActivityScheduled(**TASK, attempt=2),
        ActivityStarted(**TASK, attempt=2, worker="host:2"),
        ActivityFailed(**TASK, attempt=2, failure=failure),
        ActivityCleared(**TASK, by="session:ada"),
    )


def test_a_list_of_objects_is_shown_as_a_table_of_its_first_rows(browser: Browser, filled: FilledHome) -> None:
    end(filled, [{"name": f"{HOSTILE}{number}", "price": number} for number in range(150)])
    text = browser("viewer").get(f"{PATH}/result").text
    assert '<th scope="col">price</th>' in text
    assert text.count("<tr>") == 101
    assert "The first 100 of 150 rows" in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_a_value_is_shown_with_its_dates_as_dates(browser: Browser, filled: FilledHome) -> None:
    end(filled, {"when": START, "nested": {"a": [1, (2, 3)]}})
    text = browser("viewer").get(f"{PATH}/result").text
    assert "object of 2" in text
    assert "2026-01-31T06:00:00" in text
    assert "__type__" not in text


@pytest.mark.parametrize(("value", "said"), [("two\nlines", "two\nlines"), (7, "7"), (True, "true"), ([], "[]")])
def test_plain_values_are_shown_as_they_are(browser: Browser, filled: FilledHome, value: Any, said: str) -> None:
    end(filled, value)
    assert said in browser("viewer").get(f"{PATH}/result").text


def test_a_table_that_only_libraries_read_is_told_by_its_columns(browser: Browser, filled: FilledHome) -> None:
    arrow = {"__type__": "arrow", "rows": 12, "columns": ["id", HOSTILE], "value": "AAAA" * 10}
    filled.begin("order_1001", "first", ActivityScheduled(**TASK), ActivityStarted(**TASK))
    filled.go_on("first", ActivityCompleted(**TASK, result=msgspec.Raw(msgspec.json.encode(arrow))))
    text = browser("viewer").get(f"{PATH}/result").text
    assert "12 rows" in text
    assert '<th scope="col">id</th>' in text
    assert "AAAA" not in text
    assert "<script>alert" not in text


def test_every_key_is_shown_and_downloaded(browser: Browser, filled: FilledHome) -> None:
    xcoms = {"receipt": XCom(value=msgspec.Raw(b'{"id":"ch_1"}')), "_link_Shop": XCom(value=msgspec.Raw(b'"x"'))}
    end(filled, 42, xcoms=xcoms)
    text = browser("viewer").get(f"{PATH}/result").text
    assert "receipt" in text
    assert "ch_1" in text
    assert "_link_" not in text
    answer = browser("viewer").get(f"{PATH}/result/json?key=receipt")
    assert answer.json() == {"id": "ch_1"}
    assert answer.headers["content-disposition"].startswith("attachment")
    assert browser("viewer").get(f"{PATH}/result/json").json() == 42
    assert browser("viewer").get(f"{PATH}/result/json?key=nothing").status_code == 404
    assert browser("foreigner").get(f"{PATH}/result/json").status_code == 404


def test_what_is_large_is_not_read_and_can_be_downloaded(browser: Browser, filled: FilledHome) -> None:
    config = load_config({"ORCHESTRATOR_HOME": str(filled.folder)}, filled.folder)
    data = msgspec.json.encode("x" * LARGEST_SHOWN)
    filled.begin("order_1001", "first", ActivityScheduled(**TASK), ActivityStarted(**TASK))
    filled.go_on("first", ActivityCompleted(**TASK, payload=open_payloads(config).put(data)))
    text = browser("viewer").get(f"{PATH}/result").text
    assert "Too large to be shown here" in text
    assert "xxxxx" not in text
    assert browser("viewer").get(f"{PATH}/result/json").content == data


def test_what_has_no_result_says_so(browser: Browser, filled: FilledHome) -> None:
    filled.begin("order_1001", "first")
    assert "No result" in browser("viewer").get(f"{PATH}/result").text
    assert "No tries" in browser("viewer").get(f"{PATH}/attempts").text
    assert "<pre" not in browser("viewer").get(f"{PATH}/details").text


def test_attempts_are_told_with_what_became_of_each(browser: Browser, filled: FilledHome) -> None:
    fail_twice(filled)
    text = browser("viewer").get(f"{PATH}/attempts").text
    assert text.index("Try 2") < text.index("Try 1")
    assert "host:1" in text
    assert "declined &lt;script&gt;" in text
    assert "shop.CardError" in text
    assert "order_1001.py:7" in text
    assert "cleared by ada" in text
    assert f"{PATH}?attempt=1" in text


def test_the_attempts_of_an_instance_are_its_own(browser: Browser, filled: FilledHome) -> None:
    each = TaskSpec(task_id="each", mapping=mapping_over(12))
    filled.add_dag(DagSpec(dag_id="many", file="many.py", tasks=(each,)))
    failed = ActivityFailed(task_id="each", map_index=1, failure=Failure(message="only mine"))
    scheduled = ActivityScheduled(task_id="each", map_index=0, count=12)
    filled.begin("many", "first", TaskExpanded(task_id="each", shape=(12,)), scheduled, failed)
    page = "/dags/many/runs/first/tasks/each"
    assert "only mine" in browser().get(f"{page}/attempts?map_index=1").text
    assert "only mine" not in browser().get(f"{page}/attempts?map_index=11").text
    assert "Try 1" in browser().get(f"{page}/attempts?map_index=11").text


def test_details_tell_what_stands_beside_it_and_link_where_it_is_safe(browser: Browser, filled: FilledHome) -> None:
    tasks = tuple(msgspec.structs.replace(task, doc=f"Does *it*. {HOSTILE}") for task in order().tasks)
    filled.add_dag(order(tasks=tasks))
    bad, good = (XCom(value=msgspec.Raw(msgspec.json.encode(url))) for url in ("javascript:alert(1)", "https://a.b/c"))
    end(filled, xcoms={"_link_BadLink": bad, "_link_ShopLink": good})
    text = browser("viewer").get(f"{PATH}/details").text
    assert "<em>it</em>" in text
    assert "<script>alert" not in text
    assert 'href="https://a.b/c"' in text
    assert 'href="javascript' not in text
    assert "reserve_inventory" in text
    assert "order_1001.py" in text
    assert browser().get("/dags/order_1001/runs/first/tasks/send_email/details").text.count('class="badge') >= 2


def test_templates_are_shown_as_they_were_rendered(browser: Browser, filled: FilledHome) -> None:
    fields = msgspec.Raw(msgspec.json.encode({"bash_command": f"echo {HOSTILE}"}))
    end(filled, xcoms={"_rendered_fields": XCom(value=fields)})
    text = browser("viewer").get(f"{PATH}/details").text
    assert "echo &lt;script&gt;" in text
    assert "_rendered_fields" not in browser("viewer").get(f"{PATH}/result").text
    rest = "/api/v2/dags/order_1001/dagRuns/first/taskInstances/charge_card"
    assert browser("viewer").get(f"{rest}/renderedFields").json()["rendered_fields"] == {
        "bash_command": f"echo {HOSTILE}"
    }
    assert browser("viewer").get(f"{rest}/xcomEntries").json()["total_entries"] == 0


def test_the_rest_api_tells_links_and_tries(browser: Browser, filled: FilledHome) -> None:
    fail_twice(filled)
    rest = "/api/v2/dags/order_1001/dagRuns/first/taskInstances/charge_card"
    found = browser("viewer").get(f"{rest}/tries").json()["task_instances"]
    assert [(one["try_number"], one["hostname"]) for one in found] == [(1, "host:1"), (2, "host:2")]
    assert found[0]["state"] == "failed"
    assert browser("viewer").get(f"{rest}/links").json() == {"extra_links": {}, "total_entries": 0}


def test_why_it_does_not_run_is_asked_for_beside_the_page(browser: Browser, filled: FilledHome) -> None:
    filled.begin("order_1001", "first", ActivityScheduled(**TASK), ActivityStarted(**TASK))
    page = "/dags/order_1001/runs/first/tasks/ship_package"
    assert f'data-src="{page}/why"' in browser().get(f"{page}/details").text
    assert "reserve_inventory" in browser().get(f"{page}/why").text
    assert browser("foreigner").get(f"{page}/why").status_code == 404


def test_a_task_is_shown_over_its_runs(browser: Browser, filled: FilledHome) -> None:
    end(filled)
    filled.begin("order_1001", "second", ActivityScheduled(**TASK), ActivityStarted(**TASK))
    filled.begin("order_1001", "third")
    page = "/dags/order_1001/tasks/charge_card"
    text = browser("viewer").get(page).text
    assert text.count('class="run-bar') == 2
    assert f'<a href="{PATH}">first</a>' in text
    assert ">third<" not in text
    only = browser("viewer").get(f"{page}?state=running").text
    assert ">second<" in only
    assert ">first<" not in only
    assert browser("foreigner").get(page).status_code == 404
    assert browser().get("/dags/order_1001/tasks/charge_cart").status_code == 404
    assert "it was in that state" in browser().get(f"{page}?state=skipped").text.lower()


def test_a_task_that_is_gone_is_shown_where_it_has_run(browser: Browser, filled: FilledHome) -> None:
    end(filled)
    filled.add_dag(order(tasks=order().tasks[3:4], tags=("new",)))
    text = browser().get("/dags/order_1001/tasks/charge_card").text
    assert ">first<" in text


@pytest.mark.parametrize("page", ["result", "attempts", "details", "instances", "why"])
def test_a_page_of_what_is_not_there_is_not_there(browser: Browser, filled: FilledHome, page: str) -> None:
    end(filled)
    assert browser().get(f"/dags/order_1001/runs/first/tasks/nothing/{page}").status_code == 404
    assert browser().get(f"/dags/order_1001/runs/none/tasks/charge_card/{page}").status_code == 404
    there, absent = (browser("foreigner").get(path) for path in (f"{PATH}/{page}", f"/dags/nil/runs/a/tasks/b/{page}"))
    assert (there.status_code, absent.status_code) == (404, 404)
