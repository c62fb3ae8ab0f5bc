"""Talking with a workflow's run in a page."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from orchestrator.core.events import RunStarted
from orchestrator.core.spec import DagSpec, Entrance
from orchestrator.names import DagKind
from tests.cli.homes import FilledHome

Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"
PATH = "/dags/flow/runs/first"
SPEC = DagSpec(
    dag_id="flow",
    file="flow.py",
    kind=DagKind.WORKFLOW,
    signals=(
        Entrance(
            name="approve",
            doc=HOSTILE,
            schema={"type": "object", "properties": {"by": {"type": "string"}}, "required": ["by"]},
        ),
    ),
    queries=(Entrance(name="status"),),
)


@pytest.fixture(autouse=True)
def run(site: object, filled: FilledHome) -> None:
    filled.add_dag(SPEC)
    filled.begin("flow", "first", RunStarted())


def test_a_workflow_shows_what_it_can_be_told_and_asked(browser: Browser) -> None:
    text = browser("operator").get(f"{PATH}/talk").text
    assert "approve" in text
    assert "&#34;by&#34;: &#34;&#34;" in text
    assert "status" in text
    assert HOSTILE not in text


def test_who_may_only_look_may_only_ask(browser: Browser, filled: FilledHome) -> None:
    text = browser("viewer").get(f"{PATH}/talk").text
    assert 'id="talk-query"' in text
    assert 'id="talk-signal"' not in text
    answer = browser("viewer").post(f"{PATH}/signal", data={"name": "approve", "value": '{"by": "eve"}'})
    assert answer.status_code == 403
    assert filled.reads.pending_requests() == 0


def test_a_signal_is_left_for_the_run(browser: Browser, filled: FilledHome) -> None:
    answer = browser("user").post(f"{PATH}/signal", data={"name": "approve", "value": '{"by": "ada"}'})
    assert answer.status_code == 204
    assert filled.reads.pending_requests() == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "approve", "value": "{"}, "not JSON"),
        ({"name": "approve", "value": '{"to": 1}'}, "by"),
        ({"name": "aprove", "value": "{}"}, "approve"),
        ({"name": HOSTILE, "value": "{}"}, "no signal"),
        ({}, "no signal"),
    ],
)
def test_what_a_signal_does_not_take_is_told_beside_what_was_typed(
    browser: Browser, filled: FilledHome, fields: dict[str, str], said: str
) -> None:
    answer = browser("user").post(f"{PATH}/signal", data=fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert HOSTILE not in answer.text
    assert filled.reads.pending_requests() == 0


def test_a_dag_without_code_to_talk_with_has_no_such_tab(browser: Browser, filled: FilledHome) -> None:
    filled.begin("order_1001", "other")
    assert "/talk" in browser("viewer").get(PATH).text
    assert "/talk" not in browser("viewer").get("/dags/order_1001/runs/other").text
