"""The log of an activity in a real browser: while it grows, and when it is long."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from orchestrator.assembly.triggering import trigger_run
from orchestrator.core.orders import log_path
from tests.web.browser.site import PICTURES, Site, start_site

pytestmark = pytest.mark.slow

TALK = '''
import time
from pathlib import Path

from orchestrator import Param, dag, task


@task.sensor(mode="reschedule", poke_interval=0.1)
def look(**context) -> bool:
    """Is put off once."""
    seen = Path(context["params"]["folder"], context["run_id"])
    print("it was there" if seen.exists() else "it is not there yet")
    was_there = seen.exists()
    seen.touch()
    return was_there


@task
def talk(**context) -> None:
    """Counts until a file tells it to stop."""
    number = 0
    while not Path(context["params"]["folder"], "hush").exists():
        number += 1
        print("number", number)
        time.sleep(0.02)
    print("\\x1b[1;31mhushed\\x1b[0m <script>alert(1)</script> \\u202egnp")


@dag(params={"folder": Param("", type="string")})
def talker():
    look() >> talk()


talker()
'''
LINES = 400_000
LAST_NUMBER = "Number([...document.querySelectorAll('.log-text')].at(-1)?.textContent.split('number ')[1])"
SHARE = "(box => box.scrollTop / (box.scrollHeight - box.clientHeight))(document.querySelector('.log-box'))"
PHONE = {"width": 390, "height": 844}
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with the DAG ``talker``, whose run ``hushed`` has ended."""
    found = start_site(tmp_path_factory.mktemp("site"))
    folder = tmp_path_factory.mktemp("signs")
    (folder / "hush").touch()
    with found.home:
        found.home.write_dag("talk.py", TALK)
        with found.home.open() as home:
            found.home.wait_for("the DAG is there", lambda: any(dag.dag_id == "talker" for dag in home.reads.dags()))
            talk_in(found, "hushed", folder)
            found.home.wait_for("the run has ended", lambda: home.reads.run("talker", "hushed").is_ended, timeout=60)
        yield found


def talk_in(site: Site, run_id: str, folder: Path) -> None:
    conf = msgspec.Raw(msgspec.json.encode({"folder": str(folder)}))
    with site.home.open() as home:
        trigger_run(home, "talker", run_id=run_id, conf=conf)


def page_of(task_id: str, run_id: str = "hushed") -> str:
    return f"/dags/talker/runs/{run_id}/tasks/{task_id}"


def last_line(page: Page) -> str:
    return page.locator(".log-row .log-text").last.text_content() or ""


def number_of(line: str) -> int:
    found = re.search(r"number (\d+)", line)
    return int(found[1]) if found else 0


def ready(page: Page) -> Page:
    page.wait_for_selector(".log-panel[data-ready]")
    return page


def test_a_log_is_read_while_it_grows_and_after(open_page: Open, site: Site, tmp_path: Path) -> None:
    talk_in(site, "talking", tmp_path)
    with site.home.open() as home:
        site.home.wait_for("the run is there", lambda: home.reads.run("talker", "talking").run_key)
    page = ready(open_page(page_of("talk", "talking")))
    # More lines than a box has room for, however high it is: what stands above it comes a moment later than the page.
    page.wait_for_function(f"() => ({LAST_NUMBER}) > 60")
    before = number_of(last_line(page))
    page.wait_for_function(f"before => ({LAST_NUMBER}) > before + 20", arg=before)
    page.locator(".log-box").hover()
    page.mouse.wheel(0, -200)
    news = page.get_by_role("button", name="New lines")
    expect(news).to_be_visible()
    where = page.locator(".log-where").text_content()
    first = page.locator(".log-number").first.text_content()
    page.wait_for_function("where => document.querySelector('.log-where').textContent !== where", arg=where)
    assert page.locator(".log-number").first.text_content() == first
    news.click()
    expect(news).to_be_hidden()
    (tmp_path / "hush").touch()
    expect(page.locator(".log-text", has_text="hushed <script>alert(1)</script> \\u202egnp")).to_be_visible()
    expect(page.locator(".log-text .sgr-bold.sgr-ink-1")).to_have_text("hushed")
    expect(page.locator(".log-state")).not_to_contain_text("Live")


def test_all_parts_of_a_try_that_was_put_off_are_shown(open_page: Open) -> None:
    page = ready(open_page(page_of("look")))
    expect(page.locator(".log-text", has_text="it is not there yet")).to_be_visible()
    expect(page.locator(".log-text", has_text="it was there")).to_be_visible()


@pytest.fixture(scope="module")
def long_log(site: Site) -> str:
    """The page of a log of many MB, in which one line has a word."""
    with site.home.open() as home:
        run = home.reads.run("talker", "hushed")
        row = home.reads.activity(run, "talk")
        path: Path = home.config.logging.base_log_folder / log_path(run.run_key, row.scheduled_seq, -1)
    with path.open("w") as file:
        for number in range(LINES):
            label = "ERROR" if number % 1000 == 7 else "INFO"
            word = "the needle" if number == 123_456 else "hay"
            file.write(f"2026-01-31T06:00:00.000000Z {label:<8} line {number + 1} of many is {word}\n")
    return page_of("talk")


def test_a_word_is_found_in_a_log_of_many_megabytes(open_page: Open, long_log: str) -> None:
    page = ready(open_page(long_log))
    expect(page.locator(".log-where")).to_contain_text("400\u202f000")
    assert f"line {LINES} of" in last_line(page)
    page.keyboard.press("/")
    page.keyboard.type("NEEDLE")
    expect(page.locator(".log-count")).to_have_text("1 of 1")
    expect(page.locator(".log-row.is-here mark")).to_have_text("needle")
    expect(page.locator(".log-row.is-here .log-number")).to_have_text("123457")
    expect(page).to_have_url(re.compile(r"\?q=NEEDLE$"))
    page.reload()
    expect(page.locator(".log-row.is-here mark")).to_have_text("needle")
    page.get_by_role("searchbox").fill("line (7|8) of")
    page.get_by_role("button", name="Regular expression").click()
    expect(page.locator(".log-count")).to_have_text("1 of 2")
    page.locator(".log-box").focus()
    page.keyboard.press("n")
    expect(page.locator(".log-row.is-here .log-number")).to_have_text("8")
    page.get_by_role("searchbox").fill("(")
    expect(page.get_by_role("alert").filter(has_text="no regular expression")).to_be_visible()


def test_only_lines_of_a_level_are_left(open_page: Open, long_log: str) -> None:
    page = ready(open_page(long_log))
    page.get_by_role("button", name="Errors").click()
    expect(page.locator(".log-count")).to_have_text("400 lines")
    expect(page.locator(".log-row.is-waiting")).to_have_count(0)
    assert {one.split()[2] for one in page.locator(".log-text").all_text_contents()} == {"ERROR"}


def test_only_the_lines_in_sight_are_there_wherever_one_looks(open_page: Open, long_log: str) -> None:
    page = ready(open_page(f"{long_log}#L200000"))
    expect(page.locator(".log-row.is-chosen .log-number")).to_have_text("200000")
    expect(page.locator(".log-row.is-chosen .log-text")).to_contain_text("line 200000 of")
    box = page.locator(".log-box")
    for key, number in (("Home", 1), ("End", LINES)):
        box.press(key)
        expect(page.locator(".log-text", has_text=f"line {number} of")).to_be_visible()
    page.keyboard.press(":")
    page.keyboard.type("50%")
    page.keyboard.press("Enter")
    expect(page.locator(".log-text", has_text="line 200001 of")).to_be_visible()
    assert 0.49 < page.evaluate(SHARE) < 0.51
    for way in (3000, -900, 20_000):
        box.hover()
        page.mouse.wheel(0, way)
    page.get_by_role("button", name="Wrap").click()
    assert page.locator(".log-row").count() < 100
    assert page.evaluate("document.querySelectorAll('*').length") < 1500
    page.get_by_role("button", name="Wrap").click()


def test_a_line_is_chosen_and_its_link_leads_there(open_page: Open, long_log: str) -> None:
    page = ready(open_page(f"{long_log}#L500"))
    page.locator(".log-number", has_text="503").click()
    page.locator(".log-number", has_text="505").click(modifiers=["Shift"])
    expect(page).to_have_url(re.compile("#L503-L505$"))
    expect(page.locator(".log-row.is-chosen")).to_have_count(3)
    page.reload()
    expect(page.locator(".log-row.is-chosen")).to_have_count(3)
    time = page.locator(".log-time").first
    expect(time).to_have_text("2026-01-31 06:00:00.000")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_log_has_no_serious_barrier_and_fits_a_phone(open_page: Open, long_log: str, scheme: str) -> None:
    page = ready(open_page(f"{long_log}?q=7&level=error", color_scheme=scheme, reduced_motion="reduce", viewport=PHONE))
    page.wait_for_selector(".log-row mark")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    serious = [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]
    assert serious == []


@pytest.mark.skipif(not PICTURES, reason="pictures are made by `make pictures`")
def test_the_pictures_of_logs_are_made(open_page: Open, long_log: str) -> None:
    page = ready(open_page(f"{long_log}?q=needle", viewport={"width": 1280, "height": 800}, color_scheme="dark"))
    page.wait_for_selector(".log-row.is-here mark")
    page.screenshot(path=Path(PICTURES or "") / "log-dark.png")
