"""Questions to people: how they stand in a run, and what is an answer."""

import msgspec
import pytest

from orchestrator.core.compatibility import compare
from orchestrator.core.decide import decide
from orchestrator.core.events import (
    ActivityCleared,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityResumed,
    ActivityScheduled,
    ActivityStarted,
    OutcomeResolved,
    RunCancelRequested,
)
from orchestrator.core.forms import Field, Form, Person, answer_command, form_of, misfit
from orchestrator.core.particulars import Failure
from orchestrator.core.reasons import Cause, Usage
from orchestrator.core.spec import DagSpec
from orchestrator.core.story import why
from orchestrator.core.words import Words
from orchestrator.names import Delivery, TaskState
from tests.core.ledger import Ledger, at, check, tasks

QUESTION = Form(subject="Ship it?", options=("yes", "no"))
ASKS = msgspec.Raw(msgspec.json.encode({"input": QUESTION, "method": "go_on", "kwargs": {}, "until": None}))
STEPS = tasks("ask", "ship: ask")


def asking(**more) -> Ledger:
    ledger = Ledger(STEPS)
    ledger.add(ActivityScheduled(task_id="ask"), ActivityStarted(task_id="ask"))
    ledger.add(ActivityDeferred(task_id="ask", trigger=ASKS, **more))
    check(ledger.run)
    return ledger


def is_asking(ledger: Ledger) -> bool:
    same = {ledger.activity("ask").is_asking, ledger.replayed().nodes["ask"].one.is_asking}
    assert len(same) == 1
    return same.pop()


def test_a_task_that_asks_awaits_input_and_holds_no_worker():
    ledger = asking()
    assert ledger.state("ask") is TaskState.AWAITING_INPUT
    assert is_asking(ledger)
    assert ledger.run.open == {}
    assert decide(ledger.run, at(10**6)) == []


def test_an_unknown_outcome_awaits_input_and_asks_nothing():
    ledger = Ledger(tasks("ask", ask={"delivery": Delivery.AT_MOST_ONCE}))
    ledger.add(ActivityScheduled(task_id="ask"), ActivityStarted(task_id="ask"))
    ledger.add(ActivityLost(task_id="ask", reason="its worker died", unknown=True))
    assert ledger.state("ask") is TaskState.AWAITING_INPUT
    assert not is_asking(ledger)


def test_an_outcome_that_is_unknown_after_an_answer_is_no_question():
    ledger = Ledger(tasks("ask", ask={"delivery": Delivery.AT_MOST_ONCE}))
    ledger.add(ActivityScheduled(task_id="ask"), ActivityStarted(task_id="ask"))
    ledger.add(ActivityDeferred(task_id="ask", trigger=ASKS), ActivityResumed(task_id="ask"))
    ledger.add(ActivityScheduled(task_id="ask"), ActivityStarted(task_id="ask"))
    ledger.add(ActivityLost(task_id="ask", reason="its worker died", unknown=True))
    assert not is_asking(ledger)
    ledger.add(OutcomeResolved(task_id="ask", state=TaskState.SUCCESS))
    assert ledger.state("ask") is TaskState.SUCCESS


def test_to_resolve_an_outcome_says_nothing_to_a_question():
    ledger = asking()
    ledger.add(OutcomeResolved(task_id="ask", state=TaskState.SUCCESS))
    assert is_asking(ledger)


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (ActivityResumed(task_id="ask"), TaskState.UP_FOR_RESCHEDULE),
        (ActivityCleared(task_id="ask"), TaskState.NONE),
        (ActivityMarked(task_id="ask", state=TaskState.SUCCESS), TaskState.SUCCESS),
    ],
)
def test_a_question_is_over_when_it_is_answered_cleared_or_marked(event, state):
    ledger = asking(until=at(50))
    ledger.add(event)
    check(ledger.run)
    assert ledger.state("ask") is state
    assert not is_asking(ledger)
    assert not any(command.__class__.__name__ == "ResumeActivity" for command in decide(ledger.run, at(100)))


def test_a_question_is_over_when_its_time_has_run_out():
    (command,) = decide(asking(until=at(50)).run, at(50))
    assert command.__class__.__name__ == "ResumeActivity"
    assert decide(asking(until=at(50)).run, at(49)) == []


def test_a_run_that_is_cancelled_asks_no_longer():
    ledger = asking()
    ledger.add(RunCancelRequested())
    given_up = [one for one in decide(ledger.run, at(20)) if getattr(one, "task_id", "") == "ask"]
    assert [one.__class__.__name__ for one in given_up] == ["GiveUp"]
    ledger.add(ActivityFailed(task_id="ask", failure=Failure(message="the run was cancelled")))
    assert ledger.state("ask") is TaskState.FAILED


def test_a_task_that_is_gone_while_it_asks_needs_a_decision_and_asks_anew_when_it_comes_back():
    ledger = asking()
    (finding,) = [one for one in compare(ledger.run, DagSpec(dag_id="d", tasks=tasks("ship"))) if one.task_id == "ask"]
    assert "asks a person" in finding.message


def test_why_says_what_is_asked_and_what_to_type():
    ledger = asking(until=at(3600))
    words = Words()
    for fact in ledger.facts:
        words.hear(fact)
    (reason,) = why(ledger.run, "ask", now=at(100), usage=Usage(), failure_of=words.of)
    assert reason.cause is Cause.INPUT
    assert "asks 'Ship it?' (yes or no) and fails in 58 min 20 s without an answer" in reason.sentence
    assert "orchestrator tasks answer" in reason.sentence
    assert reason.seq == 4


@pytest.mark.parametrize(
    "trigger", [b"null", b'{"run": {}}', b'{"at": "x"}', b'{"input": 3}', b"[1]", b'{"input": null}']
)
def test_what_is_no_form_is_none(trigger):
    assert form_of(msgspec.Raw(trigger)) is None


PAINT = Form(
    subject="Paint",
    options=("red", "blue"),
    params={"coats": Field(schema={"type": "integer"}), "note": Field(value="")},
    assigned_users=(Person(id="7", name="ada"),),
)


@pytest.mark.parametrize(
    ("options", "given", "by", "said"),
    [
        (["red"], {"coats": 2}, "ada", None),
        (["red"], {"coats": 2, "note": "x"}, "7", None),
        (["red"], {"coats": 2}, "cli:ada", None),
        (["red"], {"coats": 2}, "token:3:ada", None),
        (["red"], {"coats": 2}, "session:bob", "session:bob may not answer; this is asked of ada"),
        (["rad"], {"coats": 2}, "ada", "'rad' is none of the options red, blue; did you mean 'red'?"),
        ([], {"coats": 2}, "ada", "no option is chosen; choose one of red, blue"),
        (["red", "blue"], {"coats": 2}, "ada", "only one option may be chosen, and red, blue are 2"),
        (["red"], {}, "ada", "the field 'coats' is missing, and it has no default"),
        (["red"], {"coats": 2, "coat": 1}, "ada", "the form has no field 'coat'; did you mean 'coats'?"),
        (["red"], {"coats": 2}, "bob", "bob may not answer; this is asked of ada"),
    ],
)
def test_an_answer_fits_its_form_or_a_sentence_says_in_what_not(options, given, by, said):
    assert misfit(PAINT, options, given, by) == said


def test_an_option_is_chosen_once_also_where_several_may_be():
    form = Form(subject="s", options=("a", "b"), multiple=True)
    assert misfit(form, ["a", "b"], {}, "") is None
    assert misfit(form, ["a", "a"], {}, "") == "an option is chosen twice: a, a"


def test_the_command_that_answers_can_be_typed_as_it_stands():
    form = Form(subject="s", options=("it's fine",), params={"n": Field()})
    command = answer_command(form, "d", "t", "r", 3)
    assert command == "orchestrator tasks answer d t 'r' --map-index 3 --choose 'it'\\''s fine' --set n=JSON"
