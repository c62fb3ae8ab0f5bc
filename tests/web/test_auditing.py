"""Who did what with a DAG and with a run."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from orchestrator.clock import SystemClock
from orchestrator.storage.audit import AuditLog
from orchestrator.web.views.audit_table import PER_PAGE
from tests.cli.homes import FilledHome

Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"
DAG = "/dags/order_1001"


@pytest.fixture(autouse=True)
def run(site: object, filled: FilledHome) -> None:
    filled.begin("order_1001", "first")


@pytest.fixture
def audit(filled: FilledHome) -> AuditLog:
    return AuditLog(filled.engine, SystemClock())


def test_what_was_done_with_a_run_is_told_with_who_did_it(browser: Browser, audit: AuditLog) -> None:
    audit.note("session:ada", "pause_run", dag_id="order_1001", run_id="first", why="lunch")
    for path in (f"{DAG}/audit", f"{DAG}/runs/first/audit"):
        text = browser("viewer").get(path).text
        assert "pause run" in text
        assert "ada <span" in text
        assert "lunch" in text


def test_what_was_refused_stands_there_with_the_reason(browser: Browser, audit: AuditLog) -> None:
    audit.note("token:4:eve", "cancel_run", dag_id="order_1001", run_id="first", refusal="it may only look")
    text = browser("viewer").get(f"{DAG}/runs/first/audit").text
    assert "refused" in text
    assert "it may only look" in text


def test_html_of_users_is_text_and_long_lists_have_pages(browser: Browser, audit: AuditLog) -> None:
    for number in range(PER_PAGE + 1):
        audit.note(HOSTILE, "look", dag_id="order_1001", run_id="first", number=number)
    text = browser("viewer").get(f"{DAG}/runs/first/audit").text
    assert HOSTILE not in text
    assert "number&#34;:0}" not in text
    older = text.split('rel="next" href="')[1].split('"')[0]
    assert "number&#34;:0}" in browser("viewer").get(older).text


def test_what_somebody_may_not_see_has_no_audit_for_them(browser: Browser) -> None:
    assert browser("foreigner").get(f"{DAG}/audit").status_code == 404
    assert browser("foreigner").get(f"{DAG}/runs/first/audit").status_code == 404
    assert browser("viewer").get("/dags/nobody/audit").status_code == 404
