"""The pages about time in a real browser, in front of a home that runs."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orchestrator.assembly.triggering import trigger_run
from tests.web.browser.site import Site

pytestmark = pytest.mark.slow

AGAIN = """
import time
from datetime import timedelta
from pathlib import Path

from orchestrator import dag, task


@task(retries=1, retry_delay=timedelta(seconds=0.1))
def work(**context) -> int:
    if context["ti"].try_number == 1:
        raise ValueError("not yet")
    while not Path("{gate}").exists():
        time.sleep(0.05)
    return 1


@task
def each(number: int) -> int:
    return number


@dag
def again():
    each.expand(number=[1, 2, 3]) >> work()


again()
"""
FRESH = """
from orchestrator import dag, task


@task
def work():
    return 1


@dag
def fresh():
    work()


fresh()
"""


def width(page: Page, selector: str) -> Any:
    return page.locator(selector).last.evaluate("(bar) => bar.getBoundingClientRect().width")


def test_a_gantt_chart_grows_live_and_shows_a_retry_as_two_bars(open_page: Callable[..., Page], site: Site) -> None:
    gate = site.home.folder / "gate"
    site.home.write_dag("again.py", AGAIN.replace("{gate}", str(gate)))
    with site.home.open() as home:
        site.home.wait_for("the DAG is there", lambda: "again" in {dag.dag_id for dag in home.reads.dags()})
        trigger_run(home, "again", run_id="one")
    page = open_page("/dags/again/runs/one/gantt")
    bars = "#gantt .gantt-bar.is-running[href*='/tasks/work']"
    expect(page.locator(bars)).to_have_count(2)
    expect(page.locator(bars).first).to_have_class(re.compile("state-failed"))
    expect(page.locator(bars).last).to_have_class(re.compile("is-open"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "bars.json" in request.url else None)
    before = width(page, bars)
    page.wait_for_function(
        "([bars, before]) => [...document.querySelectorAll(bars)].at(-1).getBoundingClientRect().width > before",
        arg=[bars, before],
    )
    assert asked == []
    gate.touch()
    expect(page.locator(bars).last).to_have_class(re.compile("state-success"))
    page.locator("[data-fold=each]").first.click()
    expect(page.locator("#gantt .is-instance")).to_have_count(3)
    page.locator(bars).first.hover()
    expect(page.locator("#tooltip")).to_contain_text("try 1")
    page.locator(bars).first.click()
    expect(page).to_have_url(re.compile(r"/dags/again/runs/one/tasks/work\?attempt=1"))


def test_the_chart_of_a_dag_goes_over_to_its_newest_run_unless_one_is_chosen(
    open_page: Callable[..., Page], site: Site
) -> None:
    site.home.write_dag("fresh.py", FRESH)
    with site.home.open() as home:
        site.home.wait_for("the DAG is there", lambda: "fresh" in {dag.dag_id for dag in home.reads.dags()})
        page = open_page("/dags/fresh/gantt")
        expect(page.locator("#gantt")).to_contain_text("No run yet")
        page.get_by_role("button", name="Zoom in").click()
        trigger_run(home, "fresh", run_id="one")
        expect(page.locator("#gantt .gantt-bar[href*='/runs/one/']").first).to_be_visible(timeout=20_000)
        trigger_run(home, "fresh", run_id="two")
        expect(page.locator("#gantt .gantt-bar[href*='/runs/two/']").first).to_be_visible(timeout=20_000)
        expect(page.locator("#gantt .gantt-bar[href*='/runs/one/']")).to_have_count(0)
        page.locator("select[name=run]").select_option("one")
        expect(page).to_have_url(re.compile(r"\?run=one$"))
        expect(page.locator("#gantt .gantt-bar[href*='/runs/one/']").first).to_be_visible()
        trigger_run(home, "fresh", run_id="three")
        expect(page.locator("select[name=run]")).to_contain_text("three")
        expect(page.locator("#gantt .gantt-bar[href*='/runs/one/']").first).to_be_visible()
        expect(page.locator("#gantt .gantt-bar[href*='/runs/three/']")).to_have_count(0)


def test_a_range_of_a_gantt_chart_is_dragged_over_to_see_it_whole(open_page: Callable[..., Page]) -> None:
    page = open_page("/dags/sales/runs/run_00/gantt")
    page.wait_for_selector(".gantt-bar")
    box = page.locator(".gantt-axis").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10, steps=4)
    page.mouse.up()
    whole = page.get_by_role("button", name="Whole run")
    expect(whole).to_be_visible()
    whole.click()
    expect(whole).to_be_hidden()
    page.locator("#gantt").focus()
    page.keyboard.press("+")
    expect(whole).to_be_visible()
    page.keyboard.press("0")
    expect(whole).to_be_hidden()
    page.get_by_text("As a table").click()
    expect(page.locator("#gantt-table tbody tr").first).to_be_visible()


def test_a_day_of_the_calendar_leads_to_its_runs(open_page: Callable[..., Page]) -> None:
    page = open_page("/dags/sales/calendar")
    day = page.locator("a.day.is-today")
    expect(day).to_have_attribute("aria-label", re.compile("success"))
    page.locator("#zone").click()
    expect(day).to_be_visible()
    day.click()
    expect(page).to_have_url(re.compile("/dags/sales/runs[?]since="))
    expect(page.get_by_role("link", name="run_00")).to_be_visible()
    page.goto("/dags/sales/calendar?by=hour")
    page.locator("a.day").first.click()
    expect(page.get_by_role("link", name="Any time")).to_be_visible()
    expect(page.get_by_role("link", name="run_00")).to_be_visible()


def test_the_calendar_shows_today_on_a_phone(open_page: Callable[..., Page]) -> None:
    page = open_page("/dags/sales/calendar", viewport={"width": 390, "height": 844})
    expect(page.locator(".day.is-today")).to_be_in_viewport()
