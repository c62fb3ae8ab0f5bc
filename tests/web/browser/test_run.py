"""The pages of a run in a real browser: through its history, forks, and talking with a workflow."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from orchestrator.assembly.triggering import trigger_run
from tests.web.browser.site import Site

pytestmark = pytest.mark.slow

LEDGER = """
from pathlib import Path

from orchestrator import dag, task


def note(word: str) -> None:
    with Path("{ledger}").open("a") as file:
        file.write(word + "\\n")


@task
def charge() -> int:
    note("charge")
    return 42


@task
def ship(amount: int) -> None:
    note("ship")


@dag
def shop():
    ship(charge())


shop()
"""
APPROVAL = """
from orchestrator import workflow
from orchestrator.workflow import Signal, query

approval = Signal("approval", bool)


@workflow
def wait_for_somebody() -> str:
    standing = "waiting"

    @query
    def status() -> str:
        return standing

    standing = "approved" if approval.wait() else "refused"
    return standing
"""


def start(site: Site, file: str, text: str, dag_id: str, run_id: str) -> None:
    site.home.write_dag(file, text)
    with site.home.open() as home:
        site.home.wait_for("the DAG is there", lambda: any(dag.dag_id == dag_id for dag in home.reads.dags()))
        trigger_run(home, dag_id, run_id=run_id)
        site.home.wait_for("it has begun", lambda: not home.reads.run(dag_id, run_id).is_pending)


def ended(site: Site, dag_id: str, run_id: str) -> None:
    with site.home.open() as home:
        site.home.wait_for("it has ended", lambda: home.reads.run(dag_id, run_id).is_ended)


def test_a_handle_goes_through_the_history_and_the_tasks_go_with_it(open_page: Callable[..., Page]) -> None:
    page = open_page("/dags/sales/runs/run_00/history")
    page.wait_for_selector(".scrub-strip rect")
    assert page.locator(".scrub-strip rect.state-event").count() > 3
    handle = page.get_by_role("slider", name="Fact")
    handle.focus()
    page.keyboard.press("Home")
    expect(page.locator("#past-title")).to_have_text("As it was after fact 1")
    done = page.locator("#run-history tr .badge.state-success")
    expect(done).to_have_count(0)
    page.keyboard.press("End")
    expect(done).to_have_count(5)
    expect(page).to_have_url(re.compile(r"\?at=\d+$"))
    box = page.locator(".scrub-track").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 10, steps=5)
    page.mouse.up()
    expect(done).not_to_have_count(5)
    page.reload()
    expect(page.locator("#past-title")).to_be_visible()
    expect(handle).not_to_have_value("1")


def test_a_run_that_is_forked_does_not_repeat_what_it_keeps(
    open_page: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    start(site, "shop.py", LEDGER.format(ledger=ledger), "shop", "first")
    ended(site, "shop", "first")
    page = open_page("/dags/shop/runs/first/history")
    page.locator(".strip li", has_text="ActivityCompleted").filter(has_text="charge").click()
    page.get_by_role("link", name="Fork from here").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("1 activity keeps its result: charge")
    expect(dialog).to_contain_text("ship (success)")
    dialog.get_by_role("button", name="Fork").click()
    expect(page).to_have_url(re.compile("/dags/shop/runs/first~1$"))
    expect(page.locator("#run-head .badge.state-success")).to_be_visible(timeout=20_000)
    assert ledger.read_text().split() == ["charge", "ship", "ship"]


def test_a_workflow_that_waits_for_a_signal_is_asked_and_told_and_ends_before_ones_eyes(
    open_page: Callable[..., Page], site: Site
) -> None:
    start(site, "approval.py", APPROVAL, "wait_for_somebody", "now")
    page = open_page("/dags/wait_for_somebody/runs/now/talk")
    expect(page.locator("#talk-why")).to_contain_text("waits for signal 'approval'")
    asking = page.locator("#talk-query")
    expect(asking.get_by_label("Name", exact=True)).to_have_value("status")
    asking.get_by_role("button", name="Ask").click()
    expect(page.locator("#talk-query [role=status]")).to_contain_text('"waiting"')
    telling = page.locator("#talk-signal")
    expect(telling.get_by_label("Name", exact=True)).to_have_value("approval")
    telling.get_by_label("Payload").fill('"perhaps"')
    telling.get_by_role("button", name="Send").click()
    expect(page.locator("#talk-signal [role=alert]")).to_be_visible()
    telling.get_by_label("Payload").fill("true")
    telling.get_by_role("button", name="Send").click()
    expect(page.locator("#run-head .badge.state-success")).to_be_visible(timeout=20_000)
