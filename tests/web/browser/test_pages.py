"""The pages in a real browser, in front of a home that runs."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from orchestrator.assembly.triggering import trigger_run
from tests.web.browser.site import PICTURES, Site

pytestmark = pytest.mark.slow

PAGES = {
    "home": "/",
    "dags": "/dags",
    "grid": "/dags/sales",
    "graph": "/dags/sales/graph",
    "history": "/dags/sales/runs/run_02/history?at=5",
    "params": "/dags/sales/runs/run_02/params",
    "fork": "/dags/sales/runs/run_02/fork?at=5",
    "dag audit": "/dags/sales/audit",
    "run graph": "/dags/sales/runs/run_02/graph",
    "runs": "/dags/sales/runs",
    "code": "/dags/sales/code",
    "details": "/dags/sales/details",
    "pools": "/pools",
    "variables": "/variables",
    "variable": "/variables/edit",
    "connections": "/connections",
    "connection": "/connections/edit",
    "health": "/health",
    "config": "/config",
    "audit": "/audit",
    "plugins": "/plugins",
    "import_errors": "/import-errors",
    "users": "/users",
    "user": "/users/admin",
    "tokens": "/tokens",
    "account": "/account",
    "calendar": "/dags/sales/calendar",
    "hours": "/dags/sales/calendar?by=hour",
    "durations": "/dags/sales/durations",
    "gantt": "/dags/sales/runs/run_00/gantt",
    "gantt of a DAG": "/dags/sales/gantt",
    "trigger": "/dags/sales/trigger",
    "required": "/required-actions",
    "answered": "/required-actions/answered",
    "task": "/dags/sales/tasks/load",
    "run": "/dags/sales/runs/run_02",
    "instances": "/dags/sales/runs/run_02/tasks/load/instances",
    "result": "/dags/sales/runs/run_02/tasks/transform/result",
    "attempts": "/dags/sales/runs/run_02/tasks/report/attempts",
    "activity": "/dags/sales/runs/run_02/tasks/report/details",
    "clear": "/dags/sales/runs/run_02/clear?task=transform",
    "mark": "/dags/sales/runs/run_02/mark?task=report",
}
PHONE = {"width": 390, "height": 844}


def runs_of(site: Site, dag_id: str) -> list[str]:
    with site.home.open() as home:
        return [run.run_id for run in home.reads.runs(dag_id)]


def test_a_wrong_password_is_told_and_the_right_one_lets_in(chromium: Browser, site: Site) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/dags?tag=ops")
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill("a wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Password").fill(site.password)
    page.get_by_label("Password").press("Enter")
    expect(page).to_have_url(f"{site.url}/dags?tag=ops")
    expect(page.locator("td.name")).to_have_count(1)
    page.get_by_label("admin: account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{site.url}/sign-in")
    page.goto(f"{site.url}/dags")
    expect(page).to_have_url(re.compile("/sign-in"))
    context.close()


def test_a_run_that_is_triggered_with_a_form_goes_green_before_ones_eyes(
    open_page: Callable[..., Page], site: Site
) -> None:
    page = open_page("/dags")
    page.get_by_role("link", name="Trigger sales").click()
    form = page.locator("#dialog form")
    form.get_by_label("How many").fill("0")
    form.get_by_role("button", name="Trigger").click()
    expect(form.locator(".wrong")).to_contain_text("minimum")
    expect(form.get_by_label("How many")).to_be_focused()
    watching = open_page("/dags/sales")
    watching.wait_for_selector(".grid-run")
    before = watching.locator(".grid-run").count()
    form.get_by_label("How many").fill("7")
    form.get_by_text("Date, run id, note and JSON").click()
    form.get_by_label("Run id").fill("by_hand")
    with page.expect_navigation():
        form.get_by_role("button", name="Trigger").click()
    assert "by_hand" in runs_of(site, "sales")
    expect(watching.locator(".grid-run")).to_have_count(before + 1)
    expect(watching.locator(".grid-run").last).to_have_class(re.compile("state-success"), timeout=30_000)
    expect(watching.locator(".grid-cell[aria-label='report: success']").last).to_be_visible()


def test_a_list_of_dags_is_filtered_as_one_types_and_its_address_is_kept(open_page: Callable[..., Page]) -> None:
    page = open_page("/dags")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("invoice")
    expect(page.locator("td.name")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/dags\?q=invoice"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.reload()
    expect(page.locator("td.name")).to_have_count(1)


def test_a_dag_is_switched_off_and_on(open_page: Callable[..., Page]) -> None:
    page = open_page("/dags")
    switch = page.get_by_role("switch", name="backup is on")
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.locator(".toast")).to_contain_text("backup is off")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")


def test_everything_is_done_with_the_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page("/")
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page).to_have_url(re.compile("/dags$"))
    page.goto("/dags/sales")
    page.wait_for_selector(".grid-cell")
    page.keyboard.press("t")
    expect(page.locator("#dialog")).to_be_visible()
    expect(page.locator("#dialog").get_by_label("Mood")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).to_be_hidden()
    page.locator("#grid").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".grid-cell.is-here")).to_have_attribute("data-row", "1")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator(".grid-row")).to_have_count(4)
    page.keyboard.press("Enter")
    expect(page.locator(".grid-row")).to_have_count(6)


def test_what_is_light_or_dark_stays_so(open_page: Callable[..., Page]) -> None:
    page = open_page("/", color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_times_are_shown_in_ones_own_zone_where_that_is_wanted(open_page: Callable[..., Page]) -> None:
    page = open_page("/dags/sales/runs", timezone_id="Asia/Seoul")
    moment = page.locator("time[data-moment]").first
    utc = moment.text_content()
    page.get_by_role("button", name="UTC").click()
    expect(moment).not_to_have_text(utc or "")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_has_no_serious_barrier(open_page: Callable[..., Page], name: str, scheme: str) -> None:
    page = open_page(PAGES[name], color_scheme=scheme, reduced_motion="reduce")
    if name == "grid":
        page.wait_for_selector(".grid-cell")
    if name.endswith("graph"):
        page.wait_for_selector(".card")
    found = Axe().run(page).response["violations"]
    serious = [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]
    assert serious == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone(open_page: Callable[..., Page], name: str) -> None:
    page = open_page(PAGES[name], viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_what_happens_between_a_page_and_its_stream_is_shown(chromium: Browser, site: Site, cookies: list[Any]) -> None:
    context = chromium.new_context(base_url=site.url)
    context.add_cookies(cookies)
    page = context.new_page()
    with site.home.open() as home:

        def hold(route: Route) -> None:
            trigger_run(home, "sales", run_id="between")
            site.home.wait_for("it has ended", lambda: home.reads.run("sales", "between").is_ended)
            route.continue_()

        page.route("**/api/v2/events*", hold, times=1)
        page.goto("/dags/sales/runs")
        # Without being told, a page looks again only after 20 seconds.
        expect(page.get_by_role("link", name="between")).to_be_visible(timeout=12_000)
    context.close()


@pytest.mark.skipif(not PICTURES, reason="pictures are made by `make pictures`")
def test_the_pictures_of_the_documentation_are_made(open_page: Callable[..., Page]) -> None:
    folder = Path(PICTURES or "")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("home", "dags", "trigger", "run graph", "history", "gantt", "params"):
        page = open_page(PAGES[name], viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page.wait_for_timeout(500)
        page.screenshot(path=folder / f"{name.replace(' ', '-')}.png")
    dark = open_page(PAGES["grid"], viewport={"width": 1280, "height": 800}, color_scheme="dark")
    dark.wait_for_selector(".grid-cell")
    dark.screenshot(path=folder / "grid-dark.png")
    open_page(PAGES["dags"], viewport=PHONE).screenshot(path=folder / "dags-phone.png")
