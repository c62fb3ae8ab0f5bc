"""What runs ask of people: the list of it, and the forms in which they answer."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from fastapi.testclient import TestClient

from orchestrator.core.events import ActivityDeferred, ActivityLost, ActivityResumed, ActivityScheduled, ActivityStarted
from orchestrator.core.forms import Field, Form, Person
from orchestrator.web.views.required import PER_PAGE
from tests.cli.homes import START, FilledHome

Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"
PATH = "/dags/order_1001/runs/first/tasks/charge_card"
QUICK = Form(subject=f"Ship it? {HOSTILE}", options=("Approve", "Reject"), body=f"It is *dear*. {HOSTILE}")
LONG = Form(
    subject="How much?",
    options=("card", "cash", HOSTILE),
    multiple=True,
    params={
        "amount": Field(schema={"type": "integer", "minimum": 1}, description="In cents"),
        "note": Field(value="", schema={"type": "string"}),
    },
)


def ask(filled: FilledHome, form: Form, run_id: str = "first", until: timedelta | None = None) -> None:
    trigger = msgspec.Raw(msgspec.json.encode({"input": form}))
    place = {"task_id": "charge_card"}
    asks = ActivityDeferred(**place, trigger=trigger, until=None if until is None else START + until)
    filled.begin("order_1001", run_id, ActivityScheduled(**place), ActivityStarted(**place), asks)


def lose(filled: FilledHome) -> None:
    lost = ActivityLost(task_id="charge_card", reason="its worker died", unknown=True)
    filled.begin(
        "order_1001", "first", ActivityScheduled(task_id="charge_card"), ActivityStarted(task_id="charge_card"), lost
    )


def test_what_waits_for_people_is_listed_and_counted_in_the_navigation(browser: Browser, filled: FilledHome) -> None:
    assert "Nothing waits for people" in browser().get("/required-actions").text
    ask(filled, QUICK, until=timedelta(hours=1))
    text = browser("viewer").get("/required-actions").text
    assert "Ship it?" in text
    assert "not for you" in text
    assert ">1</span>" in text.split('id="nav-count"')[1][:120]
    assert browser("viewer").get("/required-actions/count").json() == {"count": 1}
    assert "Approve</button>" in browser("user").get("/required-actions").text


def test_a_foreigner_is_told_of_no_question_and_of_no_answer(browser: Browser, filled: FilledHome) -> None:
    ask(filled, QUICK)
    foreigner = browser("foreigner")
    assert foreigner.get("/required-actions/count").json() == {"count": 0}
    for page in ("/required-actions", "/required-actions/answered"):
        answer = foreigner.get(page)
        assert answer.status_code == 200
        assert "order_1001" not in answer.text
        assert foreigner.get(f"{page}?dag_id=order_1001").status_code == 404
    assert foreigner.get(f"{PATH}/answer").status_code == 404
    assert foreigner.post(f"{PATH}/answer", data={"asked": "4", "option": "0"}).status_code == 404


@pytest.mark.parametrize("page", ["/required-actions", f"{PATH}/answer"])
def test_what_authors_wrote_in_a_question_is_text(browser: Browser, filled: FilledHome, page: str) -> None:
    ask(filled, QUICK)
    text = browser().get(page).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_the_body_of_a_question_is_markdown(browser: Browser, filled: FilledHome) -> None:
    ask(filled, QUICK)
    assert "<em>dear</em>" in browser().get(f"{PATH}/answer").text


def test_an_approval_is_one_press_and_is_asked_of_the_scheduler(browser: Browser, filled: FilledHome) -> None:
    ask(filled, QUICK)
    assert browser("viewer").post(f"{PATH}/answer", data={"asked": "4", "option": "0"}).status_code == 403
    assert browser("user", csrf="other").post(f"{PATH}/answer", data={"asked": "4", "option": "0"}).status_code == 403
    assert filled.reads.pending_requests() == 0
    assert browser("user").post(f"{PATH}/answer", data={"asked": "4", "option": "0"}).status_code == 204
    assert filled.reads.pending_requests() == 1


def test_a_form_is_shown_again_with_what_is_wrong_beside_each_field(browser: Browser, filled: FilledHome) -> None:
    ask(filled, LONG)
    text = browser("user").get(f"{PATH}/answer").text
    assert "In cents" in text
    assert 'type="checkbox" name="option" value="2"' in text
    answer = browser("user").post(f"{PATH}/answer", data={"asked": "4", "option": "0", "param.amount": "0"})
    assert answer.status_code == 422
    assert "minimum" in answer.text
    none = browser("user").post(f"{PATH}/answer", data={"asked": "4", "param.amount": "5"})
    assert none.status_code == 422
    assert "no option is chosen" in none.text
    assert filled.reads.pending_requests() == 0
    sent = {"asked": "4", "option": ["0", "1"], "param.amount": "5"}
    assert browser("user").post(f"{PATH}/answer", data=sent).status_code == 204
    assert filled.reads.pending_requests() == 1


def test_a_link_has_chosen_and_filled_in_already(browser: Browser, filled: FilledHome) -> None:
    ask(filled, LONG)
    text = browser("user").get(f"{PATH}/answer?_options=cash&param.amount=7&param.other=<x>").text
    assert 'name="param.amount" value="7"' in text
    assert 'value="1" checked> cash' in text
    assert "<x>" not in text


@pytest.mark.parametrize("sent", [{"option": "0"}, {"asked": "3", "option": "0"}, {"asked": "x", "option": "0"}])
def test_an_answer_to_another_question_than_was_seen_is_refused(
    browser: Browser, filled: FilledHome, sent: dict[str, str]
) -> None:
    ask(filled, QUICK)
    answer = browser("user").post(f"{PATH}/answer", data=sent)
    assert answer.status_code == 409
    assert "asks something else by now" in answer.text


def test_an_option_that_is_none_is_refused(browser: Browser, filled: FilledHome) -> None:
    ask(filled, QUICK)
    for option in ("7", "-1", "Approve", "٣"):
        answer = browser("user").post(f"{PATH}/answer", data={"asked": "4", "option": option})
        assert answer.status_code == 422, option


def test_who_comes_second_is_told_who_was_first(browser: Browser, filled: FilledHome) -> None:
    ask(filled, QUICK)
    said = {
        "chosen_options": ["Approve"],
        "params_input": {},
        "responded_at": "2026-01-31T07:00:00Z",
        "responded_by_user": {"id": "ada", "name": "ada"},
    }
    filled.go_on("first", ActivityResumed(task_id="charge_card", payload=msgspec.Raw(msgspec.json.encode(said))))
    text = browser("user").get(f"{PATH}/answer").text
    assert "ada was first and said Approve" in text
    answer = browser("user").post(f"{PATH}/answer", data={"asked": "4", "option": "1"})
    assert answer.status_code == 409
    assert "ada was first" in answer.text
    assert filled.reads.pending_requests() == 0


def test_only_who_is_asked_may_answer(browser: Browser, filled: FilledHome) -> None:
    ask(filled, msgspec.structs.replace(QUICK, assigned_users=(Person(id="7", name="user"),)))
    assert "Approve</button>" in browser("user").get("/required-actions").text
    text = browser("operator").get(f"{PATH}/answer").text
    assert "may not answer; this is asked of user" in text
    assert "Approve</button>" not in text
    assert browser("operator").post(f"{PATH}/answer", data={"asked": "4", "option": "0"}).status_code == 422


def test_an_outcome_that_is_unknown_is_resolved_by_who_may_change_the_dag(browser: Browser, filled: FilledHome) -> None:
    lose(filled)
    assert "What became of charge_card?" in browser().get("/required-actions").text
    assert "It took place" not in browser("user").get(f"{PATH}/answer").text
    assert browser("user").post(f"{PATH}/resolve", data={"outcome": "retry"}).status_code == 403
    operator = browser("operator")
    assert "It took place" in operator.get(f"{PATH}/answer").text
    wrong = operator.post(f"{PATH}/resolve", data={"outcome": "success", "result": "{"})
    assert wrong.status_code == 422
    assert "is not JSON" in wrong.text
    assert operator.post(f"{PATH}/resolve", data={"outcome": "maybe"}).status_code == 422
    assert operator.post(f"{PATH}/resolve", data={"outcome": "success", "result": '{"a": 1}'}).status_code == 204
    assert filled.reads.pending_requests() == 1


def test_there_is_nothing_to_resolve_or_answer_where_nothing_waits(browser: Browser, filled: FilledHome) -> None:
    filled.begin("order_1001", "first")
    assert browser().post(f"{PATH}/resolve", data={"outcome": "retry"}).status_code == 409
    assert browser().post(f"{PATH}/answer", data={"option": "0"}).status_code == 409
    text = browser().get(f"{PATH}/answer").text
    assert "Nothing to answer" in text


def test_very_many_questions_are_told_by_pages(browser: Browser, filled: FilledHome) -> None:
    for number in range(PER_PAGE + 1):
        ask(filled, QUICK, f"run_{number}")
    first = browser().get("/required-actions").text
    assert first.count('class="asked"') == PER_PAGE
    assert "page=2" in first
    assert browser().get("/required-actions?page=2").text.count('class="asked"') == 1
    assert browser().get("/required-actions?dag_id=order_1001&run_id=run_3").text.count('class="asked"') == 1
