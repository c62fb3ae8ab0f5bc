"""The pages of a run: its tasks, its history, and what may be done with it."""

from collections.abc import Callable

import msgspec
import pytest
from fastapi.testclient import TestClient

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ActivityStarted,
    RunEnded,
    RunStarted,
)
from orchestrator.core.particulars import Failure
from orchestrator.names import RunState
from orchestrator.web.views.run_history import PARTS, PER_PAGE, Strip
from tests.cli.homes import FilledHome

Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"
PATH = "/dags/order_1001/runs/first"


@pytest.fixture(autouse=True)
def run(site: object, filled: FilledHome) -> None:
    filled.begin(
        "order_1001",
        "first",
        RunStarted(),
        ActivityScheduled(task_id="charge_card"),
        ActivityStarted(task_id="charge_card"),
        ActivityCompleted(task_id="charge_card", length=2, result=msgspec.Raw(msgspec.json.encode(HOSTILE))),
        ActivityScheduled(task_id="reserve_inventory"),
        ActivityStarted(task_id="reserve_inventory"),
        conf={"order": HOSTILE},
    )


def fail(filled: FilledHome) -> None:
    failure = Failure(message=HOSTILE)
    filled.go_on(
        "first",
        ActivityFailed(task_id="reserve_inventory", failure=failure),
        RunEnded(state=RunState.FAILED, reason=HOSTILE),
    )


def row_of(text: str, task_id: str) -> str:
    return text.split(f'<tr data-key="{task_id}">')[1].split("</tr>")[0]


def test_a_run_shows_the_state_of_each_of_its_tasks(browser: Browser) -> None:
    text = browser("viewer").get(PATH).text
    assert "state-success" in row_of(text, "charge_card")
    assert "state-running" in row_of(text, "reserve_inventory")
    assert "state-none" in row_of(text, "send_email")


def test_the_history_tells_what_was_decided_in_blue_and_what_happened_in_red(browser: Browser) -> None:
    text = browser("viewer").get(f"{PATH}/history").text
    assert '<li data-key="3" class="state-command">' in text
    assert '<li data-key="4" class="state-event">' in text


def test_a_run_is_shown_as_it_was_at_one_of_its_facts(browser: Browser) -> None:
    text = browser("viewer").get(f"{PATH}/history?at=3").text
    assert "As it was after fact 3" in text
    assert "state-success" not in row_of(text, "charge_card")
    assert "state-none" in row_of(text, "reserve_inventory")
    assert "at=2" in text
    assert "at=4" in text


@pytest.mark.parametrize("query", ["at=0", "at=x", "after=-1", "at=" + "9" * 30])
def test_a_place_that_is_no_number_is_refused(browser: Browser, query: str) -> None:
    assert browser().get(f"{PATH}/history?{query}").status_code == 422


def test_a_fact_that_a_history_does_not_have_is_not_there(browser: Browser) -> None:
    answer = browser().get(f"{PATH}/history?at=99")
    assert answer.status_code == 404
    assert "none 99" in answer.text


def test_a_long_history_is_told_by_pages(browser: Browser, filled: FilledHome) -> None:
    for _ in range(PER_PAGE // 2):
        filled.go_on("first", *[ActivityStarted(task_id="reserve_inventory")] * 2)
    first = browser().get(f"{PATH}/history").text
    assert first.count("<li data-key=") == PER_PAGE
    assert f"after={PER_PAGE}" in first
    second = browser().get(f"{PATH}/history?after={PER_PAGE}").text
    assert f'<li data-key="{PER_PAGE + 1}"' in second
    assert "after=0" in second


@pytest.mark.parametrize("page", ["", "/history", "/history?at=9"])
def test_what_people_wrote_is_text_on_the_pages_of_a_run(browser: Browser, filled: FilledHome, page: str) -> None:
    fail(filled)
    answer = browser().get(PATH + page)
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize("page", ["", "/history"])
def test_a_foreigner_cannot_tell_whether_a_run_is_there(browser: Browser, page: str) -> None:
    there, absent = (browser("foreigner").get(f"/dags/{name}/runs/first{page}") for name in ("order_1001", "nil"))
    assert (there.status_code, absent.status_code) == (404, 404)
    assert there.text.replace("order_1001", "nil") == absent.text


def test_buttons_are_shown_to_who_may_press_them(browser: Browser, filled: FilledHome) -> None:
    assert "/cancel" not in browser("viewer").get(PATH).text
    text = browser("operator").get(PATH).text
    assert f"{PATH}/pause" in text
    assert f"{PATH}/cancel" in text
    fail(filled)
    text = browser("operator").get(PATH).text
    assert f"{PATH}/cancel" not in text
    assert f"{PATH}/clear?chosen=1&amp;only_failed=1" in text


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_what_is_asked_for_waits_for_the_scheduler_and_who_may_not_ask_is_refused(
    browser: Browser, filled: FilledHome, action: str
) -> None:
    assert browser("viewer").post(f"{PATH}/{action}").status_code == 403
    assert browser("operator", csrf="other").post(f"{PATH}/{action}").status_code == 403
    assert filled.reads.pending_requests() == 0
    answer = browser("operator").post(f"{PATH}/{action}")
    assert answer.status_code == 204
    assert filled.reads.pending_requests() == 1


def test_an_activity_that_has_not_run_says_why(browser: Browser) -> None:
    text = browser("viewer").get(f"{PATH}/tasks/ship_package").text
    assert "has not run yet" in text
    assert "reserve_inventory" in browser("viewer").get(f"{PATH}/tasks/ship_package/why").text


@pytest.mark.parametrize("place", ["nothing", "charge_card?attempt=9", "..%2f..%2fetc"])
def test_an_activity_that_a_run_does_not_have_is_not_there(browser: Browser, place: str) -> None:
    assert browser().get(f"{PATH}/tasks/{place}").status_code == 404


def test_the_strip_counts_what_was_decided_what_happened_and_what_failed(browser: Browser, filled: FilledHome) -> None:
    fail(filled)
    strip = msgspec.json.decode(browser("viewer").get(f"{PATH}/history/strip.json").content, type=Strip)
    assert strip.last == 9
    assert len(strip.parts) == 9
    assert strip.parts[2] == (1, 0, 0)
    assert strip.parts[3] == (0, 1, 0)
    assert strip.parts[7] == (0, 1, 1)


def test_the_strip_of_a_long_history_has_as_many_parts_as_can_be_seen(browser: Browser, filled: FilledHome) -> None:
    filled.go_on("first", *[ActivityStarted(task_id="reserve_inventory")] * (3 * PARTS))
    strip = msgspec.json.decode(browser("viewer").get(f"{PATH}/history/strip.json").content, type=Strip)
    assert len(strip.parts) == PARTS
    assert sum(commands + events for commands, events, _ in strip.parts) == strip.last == 7 + 3 * PARTS


def test_a_fact_leads_to_the_failure_after_it_and_shows_all_that_is_recorded(
    browser: Browser, filled: FilledHome
) -> None:
    fail(filled)
    text = browser("viewer").get(f"{PATH}/history?at=5").text
    assert "at=8" in text
    assert "Next failure" in text
    assert "&#34;task_id&#34;: &#34;charge_card&#34;" in text
    assert "Next failure" not in browser("viewer").get(f"{PATH}/history?at=8").text


def test_a_fork_says_what_is_kept_and_what_would_happen_again(browser: Browser) -> None:
    text = browser("operator").get(f"{PATH}/fork?at=5").text
    assert "1 activity keeps its result</b>: charge_card" in text
    assert "reserve_inventory (running" in text
    assert 'value="first~1"' in text
    before = browser("operator").get(f"{PATH}/fork?at=2").text
    assert "0 activities keep" in before
    assert "charge_card (success" in before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"run_id": "../../etc"}, "letters, digits"),
        ({"edits": "{"}, "not JSON"),
        ({"edits": '{"nobody": 1}'}, "nobody"),
        ({"edits": "[1]"}, "by task"),
    ],
)
def test_a_fork_that_cannot_be_says_why_and_changes_nothing(
    browser: Browser, filled: FilledHome, fields: dict[str, str], said: str
) -> None:
    answer = browser("operator").post(f"{PATH}/fork", data={"at": "5"} | fields)
    assert answer.status_code == 409
    assert said in answer.text
    assert filled.reads.pending_requests() == 0


@pytest.mark.parametrize("at", ["0", "99", "x", "-1", "9" * 40])
def test_a_fork_begins_at_a_fact(browser: Browser, at: str) -> None:
    assert browser("operator").get(f"{PATH}/fork?at={at}").status_code == 400


def test_a_fork_is_asked_for_by_who_may_change_runs(browser: Browser, filled: FilledHome) -> None:
    assert browser("viewer").post(f"{PATH}/fork", data={"at": "5"}).status_code == 403
    assert browser("operator", csrf="other").post(f"{PATH}/fork", data={"at": "5"}).status_code == 403
    assert filled.reads.pending_requests() == 0
    assert browser("operator").post(f"{PATH}/fork", data={"at": "5"}).status_code == 204
    assert filled.reads.pending_requests() == 1
