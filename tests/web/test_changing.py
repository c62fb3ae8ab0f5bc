"""Clearing and marking tasks of a run: what the forms show, and what they ask for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ActivityStarted,
    ActivityUpstreamFailed,
    AnyEvent,
    RunEnded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.requests import ClearTasks, MarkTask
from orchestrator.core.spec import DagSpec, TaskSpec, mapping_over
from orchestrator.names import Delivery, RunState, TaskState
from orchestrator.storage.requests import decode_request
from orchestrator.storage.tables import requests
from orchestrator.web.views.instances import PER_PAGE
from tests.cli.homes import START, FilledHome, order

Browser = Callable[..., TestClient]
PATH = "/dags/order_1001/runs/first"


def ran(task_id: str, end: type[AnyEvent] = ActivityCompleted, **about: Any) -> list[AnyEvent]:
    place = {"task_id": task_id}
    return [ActivityScheduled(**place), ActivityStarted(**place), end(**place, **about)]


FAILED = (
    *ran("charge_card"),
    *ran("reserve_inventory", ActivityFailed, failure=Failure(message="none left")),
    ActivityUpstreamFailed(task_id="ship_package"),
    ActivityUpstreamFailed(task_id="send_email"),
    RunEnded(state=RunState.FAILED),
)


@pytest.fixture(autouse=True)
def run(site: object, filled: FilledHome) -> None:
    filled.begin("order_1001", "first", *FAILED)


def asked(filled: FilledHome) -> list[Any]:
    with filled.engine.connect() as connection:
        return [decode_request(row.body) for row in connection.execute(requests.select().order_by(requests.c.id))]


def preview(text: str) -> str:
    return text.split('id="clear-preview"')[1].split('class="form-end"')[0]


def test_what_would_be_cleared_is_shown_before_it_is(browser: Browser) -> None:
    text = preview(browser("operator").get(f"{PATH}/clear?task=reserve_inventory").text)
    assert "<b>3 activities</b>" in text
    assert "charge_card" not in text
    assert "1 of these has run before" in text
    assert "new idempotency keys" in text
    alone = preview(browser("operator").get(f"{PATH}/clear?task=reserve_inventory&chosen=1&same_key=1").text)
    assert "<b>1 activity</b>" in alone
    assert "the same idempotency keys" in alone
    upstream = preview(browser("operator").get(f"{PATH}/clear?task=send_email&chosen=1&upstream=1").text)
    assert "<b>4 activities</b>" in upstream
    failed = preview(browser("operator").get(f"{PATH}/clear?chosen=1&only_failed=1").text)
    assert "<b>3 activities</b>" in failed
    assert "charge_card" not in failed


def test_a_task_that_may_run_once_only_is_named(browser: Browser, filled: FilledHome) -> None:
    once = tuple(msgspec.structs.replace(task, delivery=Delivery.AT_MOST_ONCE) for task in order().tasks)
    filled.add_dag(order(tasks=once))
    filled.begin("order_1001", "second", *FAILED)
    text = browser().get("/dags/order_1001/runs/second/clear?task=reserve_inventory").text
    assert "reserve_inventory may run at most once" in text


def test_the_same_tasks_of_runs_before_and_after_are_cleared_with_it(browser: Browser, filled: FilledHome) -> None:
    for day in (-1, 1):
        filled.begin("order_1001", f"day{day}", *FAILED, logical_date=START + timedelta(days=day))
    past = preview(browser().get(f"{PATH}/clear?task=charge_card&chosen=1&past=1").text)
    assert "of 2 runs" in past
    assert "day-1" in past
    assert "day1" not in past
    sent = {"task": "charge_card", "chosen": "1", "past": "1", "future": "1"}
    assert browser().post(f"{PATH}/clear", data=sent).status_code == 204
    assert [request.run_id for request in asked(filled)] == ["day-1", "first", "day1"]


def test_clearing_asks_for_what_the_form_showed(browser: Browser, filled: FilledHome) -> None:
    sent = {"task": "reserve_inventory", "chosen": "1", "downstream": "1"}
    assert browser("viewer").post(f"{PATH}/clear", data=sent).status_code == 403
    assert browser("foreigner").post(f"{PATH}/clear", data=sent).status_code == 404
    assert browser("operator", csrf="other").post(f"{PATH}/clear", data=sent).status_code == 403
    assert filled.reads.pending_requests() == 0
    assert browser("operator").post(f"{PATH}/clear", data=sent).status_code == 204
    (request,) = asked(filled)
    assert isinstance(request, ClearTasks)
    assert request.tasks == (("reserve_inventory", None), ("ship_package", None), ("send_email", None))
    assert request.version_id is None
    assert request.by == "session:operator"


def test_two_who_clear_the_same_at_once_clear_it_once(browser: Browser, filled: FilledHome) -> None:
    sent = {"task": "reserve_inventory", "chosen": "1"}
    answers = [browser(name).post(f"{PATH}/clear", data=sent).status_code for name in ("operator", "admin", "operator")]
    assert answers == [204, 204, 204]
    assert filled.reads.pending_requests() == 1
    cleared = ActivityCleared(task_id="reserve_inventory")
    again = ran("reserve_inventory", ActivityFailed, attempt=2, failure=Failure(message="none left"))
    filled.go_on("first", cleared, *(msgspec.structs.replace(event, attempt=2) for event in again))
    assert browser().post(f"{PATH}/clear", data=sent).status_code == 204
    assert filled.reads.pending_requests() == 2


def test_there_is_nothing_to_clear_where_nothing_failed(browser: Browser, filled: FilledHome) -> None:
    page = f"{PATH}/clear?task=charge_card&chosen=1&only_failed=1"
    assert "there is nothing to clear" in browser().get(page).text
    sent = {"task": "charge_card", "chosen": "1", "only_failed": "1"}
    assert browser().post(f"{PATH}/clear", data=sent).status_code == 409
    assert filled.reads.pending_requests() == 0


@pytest.mark.parametrize("state", ["success", "failed", "skipped"])
def test_tasks_are_marked_with_what_was_chosen(browser: Browser, filled: FilledHome, state: str) -> None:
    sent = {"task": ["reserve_inventory", "send_email"], "chosen": "1", "state": state}
    assert "<b>2 activities</b>" in browser().get(f"{PATH}/mark?task=reserve_inventory&task=send_email").text
    assert browser("viewer").post(f"{PATH}/mark", data=sent).status_code == 403
    for _ in range(2):
        assert browser("operator").post(f"{PATH}/mark", data=sent).status_code == 204
    found = asked(filled)
    assert [(one.task_id, one.state) for one in found if isinstance(one, MarkTask)] == [
        ("reserve_inventory", TaskState(state)),
        ("send_email", TaskState(state)),
    ]


@pytest.mark.parametrize(
    "query", ["task=nothing", "task=charge_card&map_index=x", "state=removed", "map_index=" + "9" * 30]
)
@pytest.mark.parametrize("what", ["clear", "mark"])
def test_what_no_form_sends_is_refused(browser: Browser, query: str, what: str) -> None:
    assert browser().get(f"{PATH}/{what}?{query}").status_code in (400, 404, 422)


def test_who_may_not_change_a_dag_is_shown_no_form(browser: Browser) -> None:
    for what in ("clear", "mark"):
        assert browser("viewer").get(f"{PATH}/{what}").status_code == 403
        assert browser("foreigner").get(f"{PATH}/{what}").status_code == 404
    assert "data-picked" not in browser("viewer").get(PATH).text
    assert "data-picked" in browser("operator").get(PATH).text


def test_instances_are_counted_filtered_and_listed_by_pages(browser: Browser, filled: FilledHome) -> None:
    size = PER_PAGE + 20
    each = TaskSpec(task_id="each", mapping=mapping_over(size), trigger_rule="all_success")
    filled.add_dag(DagSpec(dag_id="many", file="many.py", tasks=(each,)))
    failed = [ActivityFailed(task_id="each", map_index=index, failure=Failure(message="no")) for index in (3, 110)]
    filled.begin("many", "first", ActivityScheduled(task_id="each", map_index=0, count=size), *failed)
    page = "/dags/many/runs/first/tasks/each/instances"
    text = browser("viewer").get(page).text
    assert text.count("<tr data-key=") == PER_PAGE
    assert "page=2" in text
    assert f'<span class="number">{size}</span>' in text
    assert browser().get(f"{page}?page=2").text.count("<tr data-key=") == 20
    bad = browser().get(f"{page}?state=failed").text
    assert bad.count("<tr data-key=") == 2
    assert "each[110]" in bad
    run = browser().get("/dags/many/runs/first").text
    assert "/tasks/each/instances" in run
    assert "2 failed" in run
    for wrong in ("state=good", "page=0", "page=x"):
        assert browser().get(f"{page}?{wrong}").status_code == 422
    one = browser().get("/dags/many/runs/first/clear?task=each&chosen=1&only_failed=1").text
    assert "<b>2 activities</b>" in one
