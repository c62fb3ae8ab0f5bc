"""The graph in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from orchestrator.assembly.triggering import trigger_run
from tests.web.browser.site import Site

pytestmark = pytest.mark.slow

WAITING = '''
import time
from pathlib import Path

from orchestrator import dag, task


@task
def wait(**context) -> None:
    """Until there is a file."""
    while not Path("{gate}").exists():
        time.sleep(0.02)


@task
def end() -> None:
    pass


@dag
def gated():
    wait() >> end()


gated()
'''


def test_a_task_goes_green_before_ones_eyes(open_page: Callable[..., Page], site: Site) -> None:
    gate = site.home.folder / "gate"
    site.home.write_dag("gated.py", WAITING.format(gate=gate))
    with site.home.open() as home:
        site.home.wait_for("the DAG is there", lambda: any(dag.dag_id == "gated" for dag in home.reads.dags()))
        trigger_run(home, "gated", run_id="now")
    page = open_page("/dags/gated/runs/now/graph")
    first = page.locator(".card").first
    expect(first).to_have_class(re.compile("state-running"))
    assert page.locator(".card").count() == 2
    gate.touch()
    expect(page.locator(".card.state-success")).to_have_count(2)
    first.click()
    expect(page).to_have_url(re.compile("/dags/gated/runs/now/tasks/wait"))


def test_a_group_is_folded_and_stays_so(open_page: Callable[..., Page]) -> None:
    page = open_page("/dags/sales/graph")
    expect(page.locator(".card")).to_have_count(5)
    page.get_by_role("button", name="Fold sources").click()
    expect(page.locator(".card")).to_have_count(4)
    page.reload()
    expect(page.locator(".card")).to_have_count(4)
    folded = page.locator(".card.is-group")
    expect(folded).to_have_attribute("aria-label", re.compile("group of 2 tasks, folded"))
    folded.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_have_count(5)


def test_the_keyboard_goes_along_the_edges_and_a_search_brings_a_task_into_sight(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("/dags/sales/graph")
    card = page.locator(".card[aria-label^=transform]")
    card.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".card:focus")).to_have_attribute("aria-label", re.compile("^load"))
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".card:focus")).to_have_attribute("aria-label", re.compile("^transform"))
    page.keyboard.press("/")
    page.keyboard.type("report")
    expect(page.locator(".card:not(.is-off)")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".card[tabindex='0']")).to_have_attribute("aria-label", re.compile("^report"))


def test_dragging_moves_the_graph_and_opens_nothing(open_page: Callable[..., Page]) -> None:
    page = open_page("/dags/sales/graph")
    box = page.locator(".card").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("/graph$"))
    after = page.locator(".card").first.bounding_box()
    assert after is not None
    assert after["x"] - box["x"] == pytest.approx(60, abs=2)
    assert after["y"] - box["y"] == pytest.approx(40, abs=2)
