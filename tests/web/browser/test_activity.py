"""An activity in a real browser: clearing it, marking it, answering what it asks, and what it has left."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from orchestrator.assembly.settling import settle
from orchestrator.assembly.triggering import trigger_run
from orchestrator.core.requests import CancelRun
from orchestrator.names import TaskState
from tests.web.browser.site import Site

pytestmark = pytest.mark.slow

REFUND = """
from orchestrator import DAG, Param, task
from orchestrator.operators.hitl import ApprovalOperator, HITLOperator

with DAG("refund"):
    ask = ApprovalOperator(task_id="ask", subject="Refund ORDER #1001?", body="It was *late*.")
    how = HITLOperator(
        task_id="how",
        subject="How shall it be paid?",
        options=["card", "cash"],
        multiple=True,
        params={"amount": Param(1200, type="integer", minimum=1, title="Amount"), "note": ""},
    )

    @task
    def pay(answer):
        return [{"paid": answer["params_input"]["amount"], "by": ", ".join(answer["chosen_options"])}]

    ask >> how
    pay(how.output)
"""
BAD = "run_02"  # fill makes every fifth run of sales fail, beginning with the third


@pytest.fixture(scope="module", autouse=True)
def refund(site: Site) -> None:
    site.home.write_dag("refund.py", REFUND)
    with site.home.open() as home:
        site.home.wait_for("the DAG is there", lambda: "refund" in {dag.dag_id for dag in home.reads.dags()})


def begin(site: Site, run_id: str) -> None:
    """Start a run, and wait until it asks."""
    with site.home.open() as home:
        trigger_run(home, "refund", run_id=run_id)
        site.home.wait_for("it asks", lambda: any(row.run_id == run_id for row in home.reads.awaiting("refund")))


def attempts(site: Site, dag_id: str, run_id: str, task_id: str) -> int:
    with site.home.open() as home:
        return home.reads.activity(home.reads.run(dag_id, run_id), task_id).attempt


def test_a_task_is_cleared_after_a_look_at_what_that_is_about(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(f"/dags/sales/runs/{BAD}/tasks/transform")
    page.get_by_role("link", name="Clear…").click()
    dialog = page.locator("#dialog")
    expect(dialog.locator("#clear-preview li")).to_have_count(3)
    expect(dialog.locator("#clear-preview")).to_contain_text("would happen again")
    dialog.get_by_label("Downstream").uncheck()
    expect(dialog.locator("#clear-preview li")).to_have_count(1)
    expect(page).to_have_url(re.compile("/tasks/transform$"))
    dialog.get_by_role("button", name="Clear").click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".toast")).to_contain_text("1 activity runs again")
    page.get_by_role("link", name="Attempts").click()
    expect(page.get_by_role("heading", name="Try 2")).to_be_visible()
    expect(page.locator("#attempts")).to_contain_text("cleared by admin")
    assert attempts(site, "sales", BAD, "transform") == 2


def test_tasks_that_are_picked_are_marked_together(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(f"/dags/sales/runs/{BAD}")
    for name in ("report", "load"):
        page.get_by_role("checkbox", name=name).check()
    expect(page.locator("[data-picked-count]")).to_have_text("2 picked")
    page.locator("[data-picked]").get_by_role("link", name="Mark…").click()
    dialog = page.locator("#dialog")
    dialog.get_by_text("skipped", exact=True).click()
    expect(dialog.locator("#mark-preview")).to_contain_text("would count as skipped")
    dialog.get_by_role("button", name="Mark").click()
    expect(page.locator("tr[data-key=report] .badge")).to_have_text("skipped")
    with site.home.open() as home:
        assert home.reads.activity(home.reads.run("sales", BAD), "report").state is TaskState.SKIPPED


def test_an_approval_and_a_form_are_answered_and_the_run_goes_on_before_ones_eyes(
    open_page: Callable[..., Page], site: Site
) -> None:
    watching = open_page("/required-actions")
    expect(watching.locator("#nav-count")).to_be_hidden()
    begin(site, "asked")
    expect(watching.locator("#nav-count")).to_have_text("1")
    run = open_page("/dags/refund/runs/asked")
    expect(run.locator("tr[data-key=ask] .badge")).to_have_text("awaiting input")
    watching.get_by_role("button", name="Approve").click()
    expect(run.locator("tr[data-key=ask] .badge")).to_have_text("success")
    expect(run.locator("tr[data-key=how] .badge")).to_have_text("awaiting input")
    watching.get_by_role("link", name="How shall it be paid?").click()
    form = watching.locator("#dialog form")
    form.get_by_label("Amount").fill("0")
    form.get_by_label("card").check()
    form.get_by_role("button", name="Answer").click()
    expect(form.locator(".wrong")).to_contain_text("minimum")
    form.get_by_label("Amount").fill("700")
    form.get_by_label("cash").check()
    form.get_by_role("button", name="Answer").click()
    expect(watching.locator("#dialog")).to_be_hidden()
    expect(run.locator(".head .badge")).to_have_text("success")
    expect(watching.locator("#required")).to_contain_text("Nothing waits for people")
    expect(watching.locator("#nav-count")).to_be_hidden()
    run.goto("/dags/refund/runs/asked/tasks/pay/result")
    expect(run.get_by_role("cell", name="700")).to_be_visible()
    expect(run.get_by_role("cell", name="card, cash")).to_be_visible()
    watching.get_by_role("link", name="Answered").click()
    expect(watching.locator("#required li").first).to_contain_text("How shall it be paid?")
    expect(watching.locator("#required li").first).to_contain_text("admin")


def test_who_answers_second_sees_who_was_first_without_a_reload(open_page: Callable[..., Page], site: Site) -> None:
    begin(site, "raced")
    answer = "/dags/refund/runs/raced/tasks/ask/answer"
    first, second = open_page(answer), open_page(f"{answer}?_options=Reject")
    expect(second.get_by_role("button", name="Reject")).to_have_class(re.compile("primary"))
    first.get_by_role("button", name="Approve").click()
    expect(second.locator("#answer")).to_contain_text("admin was first and said Approve")
    with site.home.open() as home:
        settle(home, CancelRun(dag_id="refund", run_id="raced"))
        site.home.wait_for("nothing waits for people", lambda: not home.reads.awaiting_count())
