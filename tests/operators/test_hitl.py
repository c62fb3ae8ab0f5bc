"""The operators that ask a person: what they ask, what they make of an answer, and what is refused."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest

from orchestrator import DAG, Param
from orchestrator.authoring.masking import mask_secret
from orchestrator.authoring.pages import keep_base_url
from orchestrator.core import values
from orchestrator.core.forms import Form, form_of
from orchestrator.core.orders import Resume
from orchestrator.exceptions import (
    DagError,
    HITLRejectException,
    HITLTimeoutError,
    HITLTriggerEventError,
    TaskAwaitingInput,
    UsageError,
)
from orchestrator.operators.empty import EmptyOperator
from orchestrator.operators.hitl import ApprovalOperator, HITLBranchOperator, HITLEntryOperator, HITLOperator
from orchestrator.worker.putting_off import put_off, resumed
from tests.authoring.conftest import order_for

NOW = datetime(2026, 1, 31, 6, 30, tzinfo=UTC)
ADA = {"id": "ada", "name": "ada"}


def made(operator=HITLOperator, after=(), **settings):
    """The operator, in a DAG with tasks after it."""
    defaults = {} if operator in (ApprovalOperator, HITLEntryOperator) else {"options": ["a", "b"]}
    with DAG("d") as dag:
        task = operator(task_id="ask", **{"subject": "Go on?"} | defaults | settings)
        for name in after:
            task >> EmptyOperator(task_id=name)
    return SimpleNamespace(dag=dag, task=task)


def asked(run, one) -> Form:
    with pytest.raises(TaskAwaitingInput) as caught:
        run(one.dag, "ask", results={})
    return caught.value.form


def event(*options: str, **given):
    return {"chosen_options": list(options), "params_input": given, "responded_at": NOW, "responded_by_user": ADA}


def deferred(one, **order):
    with pytest.raises(TaskAwaitingInput) as caught:
        one.task.execute({})
    return put_off(order_for(one.dag, "ask", **order), caught.value, NOW)


def test_what_is_asked_is_rendered_before_it_is_asked(run):
    one = made(
        subject="Ship on {{ ds }}?", body="run *{{ run_id }}*", params={"n": Param(3, type="integer", title="N")}
    )
    form = asked(run, one)
    assert (form.subject, form.body) == ("Ship on 2026-01-31?", "run *manual__2026-01-31T06:30:00+00:00*")
    assert (form.options, form.defaults, form.multiple) == (("a", "b"), None, False)
    assert (form.params["n"].value, form.params["n"].schema) == (3, {"type": "integer", "title": "N"})


def test_a_template_that_is_wrong_names_task_and_field(run):
    one = made(subject="{{ nope.x }}")
    with pytest.raises(DagError, match=r"'ask'.*'subject'.*nope"):
        run(one.dag, "ask")


def test_a_form_is_recorded_as_it_is_asked_and_waits_until_its_time_runs_out():
    report = deferred(made(response_timeout=timedelta(hours=1), defaults="b", assigned_users=ADA))
    form = form_of(report.trigger)
    assert report.until == NOW + timedelta(hours=1)
    assert (form.defaults, form.assigned_users[0].name) == (("b",), "ada")
    assert deferred(made()).until is None


def test_a_secret_in_a_question_is_masked():
    mask_secret("s3cr3t-of-hitl")
    report = deferred(made(subject="send s3cr3t-of-hitl?", body="to s3cr3t-of-hitl"))
    assert b"s3cr3t" not in bytes(report.trigger)


def test_a_question_that_is_too_long_to_be_recorded_is_refused():
    with pytest.raises(UsageError, match=r"task 'ask' asks with a form of 1\d\d,\d\d\d bytes"):
        deferred(made(body="x" * 100_000))


def test_a_call_of_a_workflow_asks_nobody():
    with pytest.raises(UsageError, match="let its code wait for a signal"):
        deferred(made(), call=msgspec.Raw(b"{}"))


def test_the_result_is_the_answer_over_the_defaults_of_the_form():
    one = made(params={"n": Param(3, type="integer"), "m": 1})
    assert one.task.execute_complete({}, event("a", m=2)) == {
        "chosen_options": ["a"],
        "params_input": {"n": 3, "m": 2},
        "responded_at": NOW,
        "responded_by_user": ADA,
    }


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (event("c", n=1), "'c' is none of the options"),
        (event("a"), "differ in n"),
        (event("a", n=1, x=2), "differ in x"),
        (event("a", n="one"), "n does not fit: 'one' is not of type 'integer'"),
    ],
)
def test_an_answer_that_does_not_fit_fails_the_body(answer, said):
    with pytest.raises(ValueError, match=said):
        made(params={"n": Param(type="integer")}).task.execute_complete({}, answer)


def resume(one, payload: bytes = b"null"):
    return resumed(one.task, Resume(trigger=deferred(one).trigger, event=msgspec.Raw(payload)), {})


def test_a_body_goes_on_with_the_answer_that_was_recorded():
    assert resume(made(), values.encode(event("b")))["chosen_options"] == ["b"]


def test_the_defaults_count_when_the_time_has_run_out():
    one = made(response_timeout=timedelta(hours=1), defaults=["b"], params={"n": 1})
    answer = resume(one)
    assert (answer["chosen_options"], answer["params_input"]) == (["b"], {"n": 1})
    assert answer["responded_at"] == NOW + timedelta(hours=1)
    assert answer["responded_by_user"]["name"] == "Fallback to defaults"


def test_without_defaults_a_time_that_has_run_out_is_a_failure():
    with pytest.raises(HITLTimeoutError, match=r"nobody answered 'Go on\?' until 2026-01-31"):
        resume(made(response_timeout=timedelta(hours=1)))
    with pytest.raises(HITLTriggerEventError, match="broke"):
        made().task.execute_complete({}, {"error": "broke", "error_type": "unknown"})


def test_an_execution_timeout_is_taken_for_the_time_to_answer():
    one = made(execution_timeout=timedelta(minutes=5))
    assert (one.task.response_timeout, one.task.execution_timeout) == (timedelta(minutes=5), None)
    both = made(execution_timeout=timedelta(minutes=5), response_timeout=timedelta(hours=1)).task
    assert (both.response_timeout, both.execution_timeout) == (timedelta(hours=1), timedelta(minutes=5))


def test_people_are_told_before_they_are_asked():
    told = []
    one = made(notifiers=[lambda context: told.append(context["ds"])])
    with pytest.raises(TaskAwaitingInput):
        one.task.execute({"ds": "2026-01-31"})
    assert told == ["2026-01-31"]


def test_an_approval_goes_on_and_a_rejection_skips_what_comes_right_after_it():
    one = made(ApprovalOperator, after=("x", "y"))
    one.task.downstream_list[0] >> EmptyOperator(task_id="z", dag=one.dag)
    assert one.task.skips(one.task.execute_complete({}, event("Approve"))) == ()
    assert one.task.skips(one.task.execute_complete({}, event("Reject"))) == ("x", "y")
    one.task.ignore_downstream_trigger_rules = True
    assert one.task.skips(one.task.execute_complete({}, event("Reject"))) == ("x", "y", "z")


def test_a_rejection_skips_no_teardown():
    with DAG("d") as dag:
        task = ApprovalOperator(task_id="ask", subject="?")
        task >> [EmptyOperator(task_id="x"), EmptyOperator(task_id="down").as_teardown()]
    assert dag.get_task("ask").skips(event("Reject")) == ("x",)


def test_a_rejection_fails_where_it_is_to():
    one = made(ApprovalOperator, fail_on_reject=True)
    with pytest.raises(HITLRejectException, match="rejected by ada"):
        one.task.execute_complete({}, event("Reject"))
    assert one.task.execute_complete({}, event("Approve"))["chosen_options"] == ["Approve"]


def test_a_branch_goes_the_way_that_was_chosen():
    one = made(
        HITLBranchOperator,
        after=("left", "right", "both"),
        options=["left", "To the right", "both"],
        options_mapping={"To the right": "right"},
        multiple=True,
    )
    chosen = one.task.execute_complete({}, event("To the right", "both"))
    assert chosen == ["right", "both"]
    assert one.task.skips(chosen) == ("left",)


def test_an_entry_needs_nothing_but_its_fields():
    one = made(HITLEntryOperator, params={"n": Param(1, type="integer")})
    assert (one.task.options, one.task.defaults) == (["OK"], ["OK"])
    assert made(HITLEntryOperator, options=["Send"]).task.defaults is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"options": []}, "options is empty"),
        ({"options": "abc"}, "options must be a list of texts"),
        ({"options": ["a", 3]}, "each of options must be a text"),
        ({"options": ["a", "a"]}, "has one twice"),
        ({"defaults": "c"}, "defaults has 'c', which is none of the options"),
        ({"defaults": ["a", "b"]}, "goes with multiple=True"),
        ({"params": {"_options": 1}}, "no field '_options'"),
        ({"params": {"n": Param("x", type="integer")}}, r"the default of params\['n'\] does not fit"),
        (
            {"params": {"n": Param(type="integer")}, "defaults": "a", "response_timeout": timedelta(1)},
            r"leave params\['n'\] open",
        ),
        ({"response_timeout": 5}, "response_timeout must be a timedelta above 0"),
        ({"response_timeout": timedelta(0)}, "response_timeout must be a timedelta above 0"),
        ({"assigned_users": ["ada"]}, "each of assigned_users must be"),
        ({"notifiers": ["slack"]}, "each of notifiers must be something to call"),
        ({"option": ["a"]}, "did you mean 'options'"),
        ({"params": 3}, "params"),
    ],
)
def test_what_an_author_gets_wrong_is_refused_with_the_line(settings, said):
    with pytest.raises(DagError, match=said) as caught:
        made(**settings)
    assert caught.value.file.endswith("test_hitl.py")


@pytest.mark.parametrize("name", ["options", "multiple"])
def test_an_approval_has_its_own_options(name):
    with pytest.raises(DagError, match=f"'ask': {name} is fixed for an ApprovalOperator"):
        made(ApprovalOperator, **{name: ["x"]})


@pytest.mark.parametrize(
    ("mapping", "said"), [({"c": "x"}, "'c', which is none of the options"), ({"a": 3}, "must be the id of a task")]
)
def test_a_branch_maps_its_own_options_to_tasks(mapping, said):
    with pytest.raises(DagError, match=said):
        made(HITLBranchOperator, options_mapping=mapping)


def instance(one, map_index: int = -1):
    return SimpleNamespace(dag_id="d", run_id="manual__2026-01-31T06:30:00+00:00", task_id="ask", map_index=map_index)


def test_a_link_leads_to_the_page_of_the_answer_with_what_is_chosen_and_filled_in():
    one = made(params={"amount": Param(1, type="integer")})
    page = "https://runs.example.com/dags/d/runs/manual__2026-01-31T06:30:00%2B00:00/tasks/ask/answer"
    link = one.task.generate_link_to_ui(task_instance=instance(one), base_url="https://runs.example.com/")
    assert link == page
    filled = one.task.generate_link_to_ui(
        task_instance=instance(one, 3), base_url="https://runs.example.com", options="b", params_input={"amount": 7}
    )
    assert filled == f"{page}?map_index=3&_options=b&param.amount=7"


def test_a_link_without_an_address_takes_that_of_the_settings():
    one = made()
    with pytest.raises(UsageError, match=r"\[api\] base_url"):
        one.task.generate_link_to_ui(task_instance=instance(one))
    before = keep_base_url("http://localhost:8080")
    try:
        context = {"task": one.task, "ti": instance(one)}
        link = HITLOperator.generate_link_to_ui_from_context(context=context, options=["a"])
        assert link.startswith("http://localhost:8080/dags/d/runs/")
        assert link.endswith("/answer?_options=a")
    finally:
        keep_base_url(before)


def test_a_link_with_what_the_form_does_not_have_is_refused():
    one = made()
    base = {"task_instance": instance(one), "base_url": "http://a"}
    with pytest.raises(ValueError, match="'c' is none of the options"):
        one.task.generate_link_to_ui(**base, options=["c"])
    with pytest.raises(ValueError, match="'n' is none of the fields"):
        one.task.generate_link_to_ui(**base, params_input={"n": 1})
    other = EmptyOperator(task_id="other")
    with pytest.raises(ValueError, match="'other' asks nobody"):
        HITLOperator.generate_link_to_ui_from_context(context={"task": other, "ti": None})
