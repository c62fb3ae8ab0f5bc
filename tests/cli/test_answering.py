"""``orchestrator tasks awaiting`` and ``answer``."""

import io
import sys

import msgspec
import pytest

from orchestrator.cli.asking import ask_form
from orchestrator.core import values
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityLost,
    ActivityResumed,
    ActivityScheduled,
    ActivityStarted,
)
from orchestrator.core.forms import Field, Form, Person
from orchestrator.core.requests import AnswerTask
from tests.cli.homes import START, FilledHome, order, run_command
from tests.cli.test_runs import asked

FORM = Form(
    subject="Ship it?",
    body="It is *dear*.\x1b[31m",
    options=("Approve", "Reject"),
    params={
        "amount": Field(schema={"type": "integer", "minimum": 1}),
        "note": Field(value="", schema={"type": "string"}),
    },
)
CHARGE = {"task_id": "charge_card"}


def begin(home: FilledHome, form: Form = FORM, run_id: str = "r1") -> FilledHome:
    home.add_dag(order())
    trigger = msgspec.Raw(msgspec.json.encode({"input": form}))
    home.begin(
        "order_1001",
        run_id,
        ActivityScheduled(**CHARGE),
        ActivityStarted(**CHARGE),
        ActivityDeferred(**CHARGE, trigger=trigger),
    )
    return home


@pytest.fixture
def shop(home: FilledHome) -> FilledHome:
    """A home whose run asks."""
    return begin(home)


def answer(*words: str):
    return run_command("tasks", "answer", "order_1001", "charge_card", *words)


def test_what_waits_for_people_is_listed_with_the_command_that_answers(shop: FilledHome) -> None:
    (row,) = run_command("tasks", "awaiting", "-o", "json").json
    assert (row["task_id"], row["subject"], row["kind"], row["until"]) == ("charge_card", "Ship it?", "question", None)
    assert row["form"]["options"] == ["Approve", "Reject"]
    command = "orchestrator tasks answer order_1001 charge_card 'r1' --choose 'Approve' --set amount=JSON"
    assert row["command"] == command
    table = run_command("tasks", "awaiting", "order_1001")
    assert "Ship it?" in table.out
    assert command in table.err


def test_an_unknown_outcome_is_listed_with_the_command_that_resolves_it(home: FilledHome) -> None:
    home.add_dag(order())
    lost = ActivityLost(**CHARGE, reason="its worker died", unknown=True)
    home.begin("order_1001", "r1", ActivityScheduled(**CHARGE), ActivityStarted(**CHARGE), lost)
    (row,) = run_command("tasks", "awaiting", "-o", "json").json
    assert (row["kind"], row["form"]) == ("outcome", None)
    assert "tasks resolve order_1001 charge_card 'r1' --success JSON" in row["command"]
    said = answer("--choose", "Approve")
    assert "its outcome is unknown; say what became of it with `orchestrator tasks resolve`" in said.err


def test_nothing_to_answer_is_said(home: FilledHome) -> None:
    home.add_dag(order())
    assert run_command("tasks", "awaiting", "-o", "json").json == []
    assert "Nothing waits for a person." in run_command("tasks", "awaiting").err
    assert "did you mean 'order_1001'" in run_command("tasks", "awaiting", "order_101").err


def test_an_answer_is_left_for_the_scheduler_with_who_gave_it(shop: FilledHome) -> None:
    said = answer("r1", "--choose", "Approve", "--set", "amount=3", "--set", "note=it is fine", "--by", "ada")
    assert said.status == 0, said.err
    assert "No scheduler is running" in said.err
    (request,) = asked(shop)
    assert isinstance(request, AnswerTask)
    assert (request.options, request.by, request.asked) == (("Approve",), "ada", 4)
    assert msgspec.json.decode(request.params) == {"amount": 3, "note": "it is fine"}


def test_the_run_may_be_written_before_the_task(shop: FilledHome) -> None:
    said = run_command("tasks", "answer", "order_1001", "r1", "charge_card", "--choose", "Reject", "--set", "amount=1")
    assert said.status == 0, said.err
    assert asked(shop)[0].task_id == "charge_card"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say what to answer to 'Ship it?' with --choose and --set: Approve or Reject; to fill in: amount, note"),
        (("--choose", "Aprove", "--set", "amount=1"), "did you mean 'Approve'"),
        (("--choose", "Approve"), "the field 'amount' is missing"),
        (("--set", "amount=1"), "no option is chosen"),
        (("--choose", "Approve", "--set", "amount"), "--set takes FIELD=JSON, not 'amount'"),
        (("--choose", "Approve", "--set", "amount=0"), "0 is less than the minimum of 1; it takes integer"),
        (("--choose", "Approve", "--set", "amount=x"), "field 'amount' is not JSON"),
        (("--choose", "Approve", "--set", "amont=1"), "did you mean 'amount'"),
        (("--choose", "Approve", "--choose", "Reject", "--set", "amount=1"), "only one option may be chosen"),
        (("--map-index", "2", "--choose", "Approve"), "asks nobody anything"),
    ],
)
def test_what_is_no_answer_is_refused_before_it_is_sent(shop: FilledHome, words, said) -> None:
    found = answer(*words)
    assert found.status in (1, 2)
    assert said in found.err
    assert "Traceback" not in found.err
    assert asked(shop) == []


def test_only_those_who_are_asked_may_answer(home: FilledHome) -> None:
    begin(home, Form(subject="s", options=("OK",), assigned_users=(Person(id="7", name="ada"),)))
    assert "bob may not answer; this is asked of ada" in answer("--choose", "OK", "--by", "bob").err
    assert answer("--choose", "OK", "--by", "ada").status == 0


def test_the_only_option_need_not_be_chosen(home: FilledHome) -> None:
    begin(home, Form(subject="s", options=("OK",), params={"n": Field()}))
    assert answer("--set", "n=[1]").status == 0
    assert asked(home)[0].options == ("OK",)


def test_who_comes_too_late_is_told_who_was_first(shop: FilledHome) -> None:
    first = {
        "chosen_options": ["Reject"],
        "params_input": {},
        "responded_at": START,
        "responded_by_user": {"id": "ada", "name": "ada"},
    }
    shop.go_on(
        "r1",
        ActivityResumed(**CHARGE, payload=msgspec.Raw(values.encode(first))),
        ActivityScheduled(**CHARGE),
        ActivityStarted(**CHARGE),
        ActivityCompleted(**CHARGE),
    )
    assert "ada was first and said Reject at 2026-01-31" in answer("--choose", "Approve", "--set", "amount=1").err


def test_a_question_is_not_resolved(shop: FilledHome) -> None:
    said = run_command("tasks", "resolve", "order_1001", "charge_card", "--fail")
    assert "orchestrator tasks answer" in said.err


def test_why_says_what_is_asked(shop: FilledHome) -> None:
    said = run_command("runs", "why", "order_1001", "r1", "-o", "json").json
    (reason,) = [one for one in said if one["cause"] == "input"]
    assert "asks 'Ship it?' (Approve or Reject; to fill in: amount, note)" in reason["sentence"]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch):
    def type_(*lines: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines) + "\n"))

    return type_


def test_a_form_is_asked_for_line_by_line_until_it_fits(typed, capsys: pytest.CaptureFixture[str]) -> None:
    typed("3", "nope", "2", "zero", "0", "5", "")
    assert ask_form(FORM) == (["Reject"], {"amount": 5, "note": ""})
    shown = capsys.readouterr().err
    assert "It is *dear*.\\x1b[31m" in shown
    assert "'nope' is none of them" in shown
    assert "0 is less than the minimum of 1" in shown


def test_several_options_are_chosen_by_number_or_word(typed) -> None:
    typed("1, green")
    form = Form(subject="s", options=("red", "blue", "green"), multiple=True)
    assert ask_form(form)[0] == ["red", "green"]
