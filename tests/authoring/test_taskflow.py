"""@task: tasks made of functions, and results passed on as arguments."""

import functools
from collections.abc import Mapping

import pytest

from orchestrator import DAG, AirflowSkipException, XComArg, get_current_context, task
from orchestrator.exceptions import TemplateError, UsageError
from orchestrator.operators import EmptyOperator, PythonOperator
from tests.authoring.graphs import compiled, refusal


def add(left, right=0):
    return left + right


def test_a_call_makes_a_task_and_gives_a_reference_to_its_result(run):
    with DAG("d") as dag:
        result = task(add)(1, right=2)
    assert isinstance(result, XComArg)
    assert dag.task_ids == ["add"]
    assert run(dag, "add") == 3


def test_the_decorator_takes_the_settings_of_an_operator():
    @task(task_id="sum", retries=3, trigger_rule="all_done", pool="p", delivery="at_most_once")
    def total(x):
        """Adds up."""

    with DAG("d"):
        made = total(1).operator
    assert (made.task_id, made.retries, made.trigger_rule, made.pool) == ("sum", 3, "all_done", "p")
    assert made.doc_md == "Adds up."


def test_repeated_calls_are_numbered_as_in_airflow():
    with DAG("d") as dag:
        for _ in range(3):
            task(add)(1)
        EmptyOperator(task_id="add__7")
        task(add)(1)
        task(add)(2)
        task(task_id="add__2")(add)(1)
    assert dag.task_ids == ["add", "add__1", "add__2", "add__7", "add__8", "add__9", "add__10"]


def test_override_makes_another_task_of_the_same_function(run):
    adding = task(retries=1)(add)
    with DAG("d") as dag:
        adding(1)
        again = adding.override(task_id="again", retries=5)(2)
        adding(3)
    assert dag.task_ids == ["add", "again", "add__1"]
    assert [dag.get_task(name).retries for name in dag.task_ids] == [1, 5, 1]
    assert run(dag, again.operator.task_id) == 2


def test_a_result_passed_on_draws_the_edge_and_is_taken_as_input(run):
    with DAG("d") as dag:
        one, two = task(add)(1), task(add)(2)
        task(task_id="both")(add)(one, right=two)
    spec = compiled(dag).task("both")
    assert spec.upstream == ("add", "add__1")
    assert spec.inputs == ("add", "add__1")
    assert run(dag, "both", results={"add": 10, "add__1": 5}) == 15


def test_results_may_lie_deep_inside_arguments_and_be_indexed(run):
    @task
    def show(value, **kwargs):
        return value, kwargs["named"]

    with DAG("d") as dag:
        made = task(add)(1)
        show([{"a": (made["rows"][0], "{{ ds }}")}], named={"k": [made]})
    results = {"add": {"rows": ["first"]}}
    assert run(dag, "show", results=results) == ([{"a": ("first", "2026-01-31")}], {"k": [results["add"]]})
    assert compiled(dag).task("show").inputs == ("add",)


def test_text_inside_a_result_is_never_taken_for_a_template(run):
    with DAG("d") as dag:
        task(task_id="b")(add)(task(task_id="a")(add)(1), "")
    assert run(dag, "b", results={"a": "{{ 1/0 }}"}) == "{{ 1/0 }}"


def test_a_part_that_the_result_does_not_have_is_named(run):
    with DAG("d") as dag:
        made = task(task_id="a")(add)(1)
        task(task_id="b")(add)(made["rows"]["x"])
    with pytest.raises(TemplateError, match=r"field 'op_args': the result of 'a'\['rows'\] is a list and has no part"):
        run(dag, "b", results={"a": {"rows": []}})
    with pytest.raises(TemplateError, match="the result of 'a' is a NoneType and has no part 'rows'"):
        run(dag, "b", results={"a": None})


def test_a_reference_cannot_be_looped_over():
    with DAG("d"):
        made = task(add)(1)
        assert "the result of 'add' stands for a value that is not there" in refusal(list, made)


def test_a_reference_inside_an_f_string_becomes_a_template(run):
    with DAG("d") as dag:
        made = task(add)(1)
        task(task_id="say")(add)(f"got {made['n']}", "!")
    assert compiled(dag).task("say").inputs == ("add",)
    assert run(dag, "say", results={"add": {"n": 4}}) == "got 4!"


def test_the_output_of_an_operator_is_passed_like_a_call(run):
    with DAG("d") as dag:
        first = PythonOperator(task_id="first", python_callable=add, op_args=[1])
        PythonOperator(task_id="second", python_callable=add, op_kwargs={"left": first.output, "right": 1})
    assert compiled(dag).task("second").upstream == ("first",)
    assert run(dag, "second", results={"first": 1}) == 2


def test_a_result_may_stand_for_all_arguments(run):
    with DAG("d") as dag:
        first = EmptyOperator(task_id="first")
        PythonOperator(task_id="a", python_callable=add, op_args=first.output)
        PythonOperator(task_id="b", python_callable=add, op_kwargs=first.output)
    assert compiled(dag).task("a").upstream == ("first",)
    assert run(dag, "a", results={"first": [1, 2]}) == 3
    assert run(dag, "b", results={"first": {"left": 1}}) == 1
    with pytest.raises(UsageError, match="op_args must be a list and op_kwargs a dict, not 7 and"):
        run(dag, "a", results={"first": 7})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"op_args": 3}, "op_args must be a list, not 3"), ({"op_kwargs": [1]}, r"op_kwargs must be a dict, not [1]")],
)
def test_arguments_that_are_no_list_and_no_dict_are_refused(arguments, words):
    assert words in refusal(PythonOperator, task_id="a", python_callable=add, **arguments)


def test_a_result_assigned_later_is_taken_too():
    with DAG("d") as dag:
        first = EmptyOperator(task_id="first")
        second = PythonOperator(task_id="second", python_callable=add, op_args=[1])
        second.op_args = (first.output,)
    assert compiled(dag).task("second").upstream == compiled(dag).task("second").inputs == ("first",)


def test_a_coroutine_function_is_a_body_like_any_other(run):
    @task
    async def fetch(x, ti=None):
        return x, ti.task_id

    with DAG("d") as dag:
        fetch(1)
    assert run(dag, "fetch") == (1, "fetch")


def test_a_part_by_name_is_the_key_of_a_reference(run):
    with DAG("d") as dag:
        made = task(add)(1)
        task(task_id="b")(add)(XComArg(made.operator, key="rows"), made.operator.output["more"]["n"])
    assert (made["rows"].key, made["rows"]["x"].key, made.key) == ("rows", "rows", "return_value")
    assert run(dag, "b", results={"add": {"rows": 1, "more": {"n": 2}}}) == 3
    assert "the key of an XComArg is a text, not 3" in refusal(XComArg, made.operator, 3)
    assert "XComArg takes a task, not 'add'" in refusal(XComArg, "add")


def test_a_part_that_is_not_there_is_told_with_the_nearest(run):
    with DAG("d") as dag:
        made = task(add)(1)
        task(task_id="b")(add)(made["row"])
    with pytest.raises(TemplateError, match="has no part 'row'; did you mean 'rows'"):
        run(dag, "b", results={"add": {"rows": 1}})


def returns_dict() -> dict[str, int]:
    return {"a": 1}


def returns_text_hint() -> "Mapping[str, int]":
    return {"a": 1}


def returns_list() -> list[int]:
    return [1]


def returns_unknown() -> "Nowhere":  # noqa: F821 - what cannot be found says nothing
    return [1]


@pytest.mark.parametrize(
    ("function", "settings", "several"),
    [
        (returns_dict, {}, True),
        (returns_text_hint, {}, True),
        (returns_list, {}, False),
        (returns_unknown, {}, False),
        (returns_dict, {"multiple_outputs": False}, False),
        (add, {"multiple_outputs": True}, True),
    ],
)
def test_multiple_outputs_are_said_or_hinted(function, settings, several):
    with DAG("d"):
        made = task(**settings)(function)(*([1] if function is add else []))
    assert made.operator.multiple_outputs is several


@pytest.mark.parametrize(
    ("result", "words"),
    [([1], "must return a dict, not a list"), ({1: 2}, "must be texts, not 1")],
)
def test_multiple_outputs_need_a_dict_with_texts_as_keys(run, result, words):
    with DAG("d") as dag:
        task(multiple_outputs=True, task_id="t")(lambda_of(result))()
        task(multiple_outputs=True, task_id="none")(lambda_of(None))()
    with pytest.raises(UsageError, match=words):
        run(dag, "t")
    assert run(dag, "none") is None


def lambda_of(value):
    def body():
        return value

    return body


def test_parts_of_multiple_outputs_that_were_not_recorded_are_none(run):
    with DAG("d") as dag:
        made = task(returns_dict)()
        task(task_id="b")(lambda x: x)(made["a"])
    assert run(dag, "b", results={"returns_dict": None}) is None


# ── conditions and hooks ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("flavour", "answer", "message"),
    [
        (task.run_if, True, None),
        (task.run_if, False, "Task was skipped due to condition."),
        (task.run_if, (False, "not today"), "not today"),
        (task.skip_if, False, None),
        (task.skip_if, True, "Task was skipped due to condition."),
        (task.skip_if, (True, None), "Task was skipped due to condition."),
    ],
)
def test_a_condition_skips_a_task_before_its_body(run, flavour, answer, message):
    @flavour(lambda context: answer if context["ds"] == "2026-01-31" else None)
    @task
    def body():
        return 1

    with DAG("d") as dag:
        body()
    if message is None:
        assert run(dag, "body") == 1
    else:
        with pytest.raises(AirflowSkipException, match=message):
            run(dag, "body")


def test_a_condition_has_a_message_of_its_own_and_several_are_asked_in_order(run):
    asked = []

    @task.skip_if(lambda context: asked.append("second"), skip_message="no")
    @task.run_if(lambda context: not asked.append("first"))
    @task.bash(pre_execute=lambda context: asked.append("hook"))
    def body():
        return "echo"

    never = task.skip_if(lambda context: True, skip_message="never")
    with DAG("d") as dag:
        body()
        never(EmptyOperator(task_id="quiet"))
    run(dag, "body")
    assert asked == ["hook", "first", "second"]
    assert not compiled(dag).task("quiet").does_nothing
    with pytest.raises(AirflowSkipException, match="never"):
        run(dag, "quiet")


def test_a_condition_stands_over_a_task_only():
    message = refusal(task.skip_if(bool), add)
    assert message == "@task.skip_if(…) stands over @task, or is given an operator, not 'add'"


def test_hooks_are_called_around_the_body(run):
    seen = []
    with DAG("d") as dag:
        task(
            pre_execute=lambda context: seen.append(context["ti"].task_id),
            post_execute=lambda context, result: seen.append(result),
        )(add)(1)
        PythonOperator(task_id="plain", python_callable=add, op_args=[5], post_execute=lambda c, r: seen.append(r))
        assert "pre_execute must be a function, not 3" in refusal(EmptyOperator, task_id="e", pre_execute=3)
    run(dag, "add"), run(dag, "plain")
    assert seen == ["add", 1, 5]


def test_methods_are_not_decorated_but_those_of_an_object_are(run):
    class Shop:
        def sell(self, n):
            return n * 2

        @staticmethod
        @task
        def close(n):
            return n

    assert "@task does not decorate methods, and 'sell' takes self" in refusal(task, Shop.sell)
    with DAG("d") as dag:
        task(Shop().sell)(2), Shop.close(3)
    assert (run(dag, "sell"), run(dag, "close")) == (4, 3)


def test_display_names_are_plain_data():
    with DAG("d", dag_display_name="The DAG") as dag:
        task(task_display_name="Adds")(add)(1)
    assert (compiled(dag).display_name, compiled(dag).task("add").display_name) == ("The DAG", "Adds")


# ── what is filled from the context ──────────────────────────────────────────────────────────────────────


def test_parameters_named_like_context_keys_are_filled(run):
    @task
    def body(x, ds, ti=None, params=None, *, run_id, idempotency_key=None):
        return x, ds, ti.task_id, params, run_id, idempotency_key

    with DAG("d", params={"p": 1}) as dag:
        body(1)
    expected = (1, "2026-01-31", "body", {"p": 1}, "manual__2026-01-31T06:30:00+00:00", "uid/body/-1/1")
    assert run(dag, "body") == expected


def test_double_starred_parameters_take_the_whole_context(run):
    @task
    def body(x, **context):
        return x, context["ds"], context["task"].task_id, context["extra"]

    with DAG("d") as dag:
        body(1, extra=2)
    assert run(dag, "body") == (1, "2026-01-31", "body", 2)


@pytest.mark.parametrize(("args", "kwargs"), [(("mine",), {}), ((), {"ds": "mine"})])
def test_an_argument_that_is_given_goes_before_the_context(run, args, kwargs):
    @task
    def body(ds=None, **context):
        return ds

    with DAG("d") as dag:
        body(*args, **kwargs)
    assert run(dag, "body") == "mine"


def test_templates_dict_is_rendered_and_given(run):
    with DAG("d") as dag:
        PythonOperator(
            task_id="a", python_callable=lambda templates_dict: templates_dict, templates_dict={"day": "{{ ds }}"}
        )
    assert run(dag, "a") == {"day": "2026-01-31"}


def test_a_parameter_filled_from_the_context_has_no_other_default():
    with DAG("d"):
        assert "its default can only be None" in refusal(task(lambda_named("ds")), "x")


def lambda_named(name):
    namespace = {}
    exec(f"def body(x, {name}='today'): pass", namespace)
    return namespace["body"]


def test_the_current_context_can_be_asked_for_inside_a_body_only(run):
    @task
    def body():
        return get_current_context()["run_id"]

    with DAG("d") as dag:
        body()
    assert run(dag, "body").startswith("manual__")
    with pytest.raises(UsageError, match="only while a task runs"):
        get_current_context()


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((), {}, "task 'add': missing a required argument: 'left'"),
        ((1, 2, 3), {}, "task 'add': too many positional arguments"),
        ((1,), {"rigth": 2}, "task 'add': got an unexpected keyword argument 'rigth'"),
        ((1,), {"left": 2}, "task 'add': multiple values for argument 'left'"),
    ],
)
def test_a_call_that_cannot_work_is_refused_when_the_file_is_parsed(args, kwargs, words):
    with DAG("d"):
        assert refusal(task(add), *args, **kwargs) == words


def test_an_unknown_setting_is_refused_where_the_function_is_decorated():
    assert refusal(task, retires=3) == "@task has no setting 'retires'; did you mean 'retries'?"
    assert "@task has no setting 'retires'" in refusal(task(add).override, retires=3)
    assert "@task has no setting 'op_args'" in refusal(task, op_args=[1])


def test_only_functions_can_be_decorated():
    assert "@task decorates a function, not 3" in refusal(task, 3)
    assert "@task decorates a function" in refusal(task(), functools.partial(add, 1))


def test_a_task_function_cannot_be_called_inside_a_body(run):
    adding = task(add)

    @task
    def body():
        return adding.function(1, 2), adding(1, 2)

    with DAG("d") as dag:
        body()
    with pytest.raises(UsageError, match=r"'add' was called while a task runs; call add\.function"):
        run(dag, "body")
    assert adding.function(1, 2) == 3


def test_the_decorated_function_keeps_its_name_and_documentation():
    @task
    def body():
        """What it does."""

    assert (body.__name__, body.__doc__) == ("body", "What it does.")


def test_the_task_decorator_of_a_dag_puts_its_tasks_into_that_dag():
    first, second = DAG("first"), DAG("second")

    @first.task
    def load():
        return 1

    with second:
        given = load()

        @second.task(task_id="other", multiple_outputs=True)
        def split():
            return {}

        split()
    assert given.operator.dag is first
    assert (first.task_ids, second.task_ids) == (["load"], ["other"])
