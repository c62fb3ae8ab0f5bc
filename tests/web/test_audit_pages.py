"""The pages of the audit log: filters, pages, rights, export and proof."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from orchestrator.storage import audit_search
from orchestrator.storage.audit import Line, append
from orchestrator.storage.audit_proof import AuditProof
from orchestrator.storage.audit_reads import AuditFilter
from orchestrator.storage.database import writing
from tests.cli.homes import FilledHome

Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def write(filled: FilledHome, count: int, **changes: object) -> None:
    """So many lines, an hour apart."""
    fields = {"by": "session:ada", "action": "set_pool"} | changes
    with writing(filled.engine) as connection:
        append(connection, [Line(at=NOON + timedelta(hours=at), **fields) for at in range(count)])


@pytest.fixture(autouse=True)
def _site(site: object) -> None:
    """There is one."""


def keys(text: str) -> list[int]:
    return [int(part.split('"')[0]) for part in text.split('<tr data-key="')[1:]]


def test_lines_are_told_newest_first_by_pages(browser: Browser, filled: FilledHome) -> None:
    write(filled, 150)
    first = browser("admin").get("/audit").text
    assert keys(first) == list(range(150, 50, -1))
    assert "before=51" in first
    assert keys(browser("admin").get("/audit?before=51").text) == list(range(50, 0, -1))


def test_lines_are_found_by_who_what_where_and_when(browser: Browser, filled: FilledHome) -> None:
    write(filled, 48)
    write(filled, 1, by=f"token:7:{HOSTILE}", action="trigger_run", dag_id="order_1001", run_id="r<b>", refusal=HOSTILE)
    client = browser("admin")
    for words in (f"who={HOSTILE}", "action=trigger run", "dag=order_1001", "run=r<b>"):
        page = client.get(f"/audit?{words}").text
        assert keys(page) == [49], words
        assert "<script>alert" not in page
    assert keys(client.get("/audit?since=2026-11-03&who=ada").text) == list(range(48, 36, -1))
    assert keys(client.get("/audit?until=2026-11-01&who=ada").text) == list(range(12, 0, -1))
    assert "Nothing was done that fits" in client.get("/audit?who=nobody").text


@pytest.mark.parametrize("query", ["since=x", "until=2026-13-40", "before=-1", "who=" + "x" * 300, "before=x"])
def test_a_filter_that_is_none_is_refused(browser: Browser, query: str) -> None:
    assert browser("admin").get(f"/audit?{query}").status_code in (400, 422)
    assert browser("admin").get(f"/audit/export?{query}").status_code in (400, 422)


def test_a_search_for_what_is_rare_stops_and_goes_on(
    browser: Browser, filled: FilledHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(filled, 1, action="delete_user")
    write(filled, 40)
    monkeypatch.setattr(audit_search, "SPAN", 5)
    monkeypatch.setattr(audit_search, "MOST", 20)
    which = AuditFilter(action="delete_user")
    first = filled.reads.audit_page(which)
    assert (first.lines, first.older) == ([], 22)
    assert "Look further" in browser("admin").get("/audit?action=delete_user").text
    second = filled.reads.audit_page(which, before_id=22)
    third = filled.reads.audit_page(which, before_id=second.older)
    assert [line.id for line in third.lines] == [1]
    assert third.older is None


def test_others_are_told_of_the_dags_that_they_see(browser: Browser, filled: FilledHome) -> None:
    write(filled, 2)
    write(filled, 1, dag_id="order_1001")
    write(filled, 1, dag_id="elsewhere_1")
    assert keys(browser("viewer").get("/audit").text) == [4, 3]
    assert keys(browser("foreigner").get("/audit").text) == [4]
    assert browser("viewer").post("/audit/verify").status_code == 403
    assert "data-verify" not in browser("viewer").get("/audit").text


def test_an_export_has_the_lines_that_are_shown(browser: Browser, filled: FilledHome) -> None:
    write(filled, 3)
    write(filled, 2, action="delete_pool")
    answer = browser("admin").get("/audit/export?action=delete_pool")
    assert [json.loads(line)["id"] for line in answer.text.splitlines()] == [5, 4]
    assert "attachment" in answer.headers["content-disposition"]


def test_the_chain_is_proven_piece_by_piece_and_that_is_remembered(browser: Browser, filled: FilledHome) -> None:
    write(filled, 10)
    proof = AuditProof(filled.engine)
    assert (proof.standing().verified, proof.standing().last) == (0, 10)
    assert [proof.go_on(lines=4).verified for _ in range(3)] == [4, 8, 10]
    assert proof.standing().is_done
    write(filled, 5)
    assert browser("admin").post("/audit/verify").json() == {"verified": 15, "last": 15, "done": True, "breaks": []}
    assert "proven to line 15" in browser("admin").get("/audit").text


@pytest.mark.parametrize("changed", [2, 7])
def test_a_line_that_was_changed_is_named(browser: Browser, filled: FilledHome, changed: int) -> None:
    write(filled, 10)
    AuditProof(filled.engine).go_on(lines=4)
    with writing(filled.engine) as connection:
        connection.execute(text("UPDATE audit SET action = 'nothing' WHERE id = :id"), {"id": changed})
    found = browser("admin").post(f"/audit/verify?afresh={str(changed < 4).lower()}").json()
    assert found["done"]
    assert f"line {changed} was changed" in found["breaks"][0]
    assert found["verified"] == 4
