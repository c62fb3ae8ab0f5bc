"""Functions that run in another Python: what reaches them, what comes back, and how they end."""

import sys
import textwrap
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import DAG, AirflowFailException, AirflowSkipException, dag, task
from orchestrator.authoring.environments import parcel
from orchestrator.exceptions import CommandError, DagError, OtherPythonError, UsageError
from orchestrator.operators import EmptyOperator
from orchestrator.operators.python import BranchExternalPythonOperator, ExternalPythonOperator

OFFSET = 3


@pytest.fixture
def external(run):
    """Run a function in this very Python, as another process; give back its result."""

    def external(function, *args, results=None, run_with=None, op_kwargs=None, **given):
        with DAG("d") as made:
            ExternalPythonOperator(
                task_id="t", python=sys.executable, python_callable=function, op_args=args, op_kwargs=op_kwargs, **given
            )
        return run(made, "t", results=results, **(run_with or {}))

    return external


def test_arguments_go_there_and_the_result_comes_back(external):
    def total(numbers, *, factor):
        return sum(numbers) * factor

    assert external(total, [1, 2], op_kwargs={"factor": 10}) == 30


def test_it_runs_in_another_process_that_sees_nothing_of_its_file(external):
    def pid():
        import os

        return os.getpid(), "tests" in str(globals().get("__file__"))

    import os

    found, sees = external(pid)
    assert found != os.getpid()
    assert not sees


def test_what_is_no_json_comes_back_as_it_was(external):
    def values(day):
        from decimal import Decimal

        return {"day": day, "price": Decimal("1.50"), "both": (1, {2})}

    day = datetime(2026, 1, 31, tzinfo=UTC)
    assert external(values, day) == {"day": day, "price": Decimal("1.50"), "both": (1, {2})}


@pytest.mark.parametrize("serializer", ["pickle", "cloudpickle", "dill", "json"])
def test_each_serializer_takes_arguments_there_and_the_result_back(external, serializer):
    def double(numbers, ds):
        return {"numbers": [2 * number for number in numbers], "day": ds}

    assert external(double, [1, 2], serializer=serializer) == {"numbers": [2, 4], "day": "2026-01-31"}


def test_parameters_are_filled_from_the_context(external):
    def names(ds, run_id, params, logical_date, templates_dict):
        return [ds, run_id, params, logical_date.isoformat(), type(logical_date).__module__, templates_dict]

    ds, run_id, params, date, module, templates = external(names, templates_dict={"query": "{{ ds }}"})
    assert (ds, params, templates) == ("2026-01-31", {}, {"query": "2026-01-31"})
    assert run_id.startswith("manual__")
    assert datetime.fromisoformat(date) == datetime(2026, 1, 31, 6, 30, tzinfo=UTC)
    assert module.startswith("pendulum"), "it is installed there"


def test_all_keywords_take_what_of_the_context_can_be_passed(external):
    def names(**context):
        return sorted(context)

    found = external(names)
    assert {"ds", "run_id", "logical_date", "params"} <= set(found)
    assert not {"ti", "dag", "task", "dag_run"} & set(found)


def test_a_coroutine_is_awaited_there(external):
    async def later():
        import asyncio

        await asyncio.sleep(0)
        return "done"

    assert external(later) == "done"


def test_string_args_and_variables_are_there(external, monkeypatch):
    def seen():
        import os

        return virtualenv_string_args, os.environ.get("OWN"), os.environ.get("INHERITED")  # noqa: F821

    monkeypatch.setenv("INHERITED", "yes")
    given = {"string_args": ["a", "b"], "env_vars": {"OWN": "1"}}
    assert external(seen, **given) == (["a", "b"], "1", "yes")
    assert external(seen, inherit_env=False, **given) == (["a", "b"], "1", None)


def test_the_attempt_is_named_in_its_variables(external):
    def names():
        import os

        return os.environ["AIRFLOW_CTX_DAG_ID"], os.environ["AIRFLOW_CTX_TASK_ID"]

    assert external(names) == ("d", "t")


def test_annotations_are_not_looked_at(external):
    def annotated(frame: "pandas.DataFrame" = None) -> "NoSuchThing":  # noqa: F821
        return 1

    assert external(annotated) == 1


def test_a_text_of_several_lines_keeps_its_indentation(external):
    def text():
        return """a
  b
c"""

    assert external(text) == "a\n  b\nc"


def test_what_it_prints_comes_as_it_is_printed(external, capsys):
    def says():
        print("one")
        import sys

        print("two", file=sys.stderr)

    external(says)
    out = capsys.readouterr().out
    assert out.index("one") < out.index("two")


# ── how it ends ──────────────────────────────────────────────────────────────────────────────────────────


def test_what_it_raises_keeps_its_types_and_lines(external):
    def broken(x):
        return 1 / x

    with pytest.raises(OtherPythonError, match=r"^ZeroDivisionError: division by zero$") as caught:
        external(broken, 0)
    assert caught.value.types[:2] == ("builtins.ZeroDivisionError", "builtins.ArithmeticError")
    file, line, name = caught.value.frames[-1]
    assert (file, name) == (__file__, "broken")
    assert "1 / x" in Path(file).read_text().splitlines()[line - 1]


def test_a_name_of_its_file_is_told_not_to_be_there(external):
    def uses():
        return OFFSET

    with pytest.raises(OtherPythonError, match=r"'OFFSET' is not defined; the body runs in another Python.*uses\(\)"):
        external(uses)


@pytest.mark.parametrize("place", ["orchestrator", "orchestrator.exceptions", "airflow.exceptions", "airflow.sdk"])
def test_exceptions_that_steer_a_task_are_there_by_their_names(external, place, tmp_path):
    def steers(place, name):
        import importlib

        raise getattr(importlib.import_module(place), name)("because")

    bare = {"inherit_env": False, "env_vars": {"PYTHONPATH": ""}}
    with pytest.raises(AirflowSkipException, match="because"):
        external(steers, place, "AirflowSkipException", **bare)
    with pytest.raises(AirflowFailException, match="because"):
        external(steers, place, "AirflowFailException", **bare)


def test_an_exit_code_skips_or_fails(external):
    def leaves(code):
        import sys

        sys.exit(code)

    with pytest.raises(AirflowSkipException, match="99"):
        external(leaves, 99, skip_on_exit_code=99)
    with pytest.raises(CommandError, match="exit code 7"):
        external(leaves, 7, skip_on_exit_code=[98, 99])
    assert external(leaves, 0) is None


def test_a_crash_of_the_interpreter_is_told_by_its_signal(external):
    def crashes():
        import os

        os.abort()

    with pytest.raises(CommandError, match="signal 6"):
        external(crashes)


def test_a_result_that_cannot_be_passed_is_told_of(external):
    def lock():
        import threading

        return threading.Lock()

    with pytest.raises(UsageError, match=r"result cannot be passed back by pickle.*cloudpickle"):
        external(lock)


def test_a_result_that_cannot_be_read_here_is_told_of(external):
    def alien():
        import sys
        import types

        module = sys.modules["moon"] = types.ModuleType("moon")
        exec("class Rock:\n    pass", module.__dict__)
        return module.Rock()

    with pytest.raises(UsageError, match=r"result cannot be read outside of its environment.*moon"):
        external(alien)


def test_an_argument_that_cannot_be_passed_is_named(external):
    def takes(number, lock):
        return 1

    import threading

    with pytest.raises(UsageError, match=r"argument 'lock', a .*lock.*cannot be passed to another Python by pickle"):
        external(takes, 1, op_kwargs={"lock": threading.Lock()})


def test_a_path_that_is_no_python_is_refused(run):
    def nothing():
        return None

    with DAG("d") as made:
        ExternalPythonOperator(task_id="t", python="/no/such/python", python_callable=nothing)
    with pytest.raises(CommandError, match="'/no/such/python' is no absolute path of a program"):
        run(made, "t")


def test_a_program_that_is_no_python_is_told_of(run):
    def nothing():
        return None

    with DAG("d") as made:
        ExternalPythonOperator(task_id="t", python="/bin/ls", python_callable=nothing)
    with pytest.raises(CommandError, match=r"/bin/ls is no Python: it ended with 0"):
        run(made, "t")


def test_an_argument_that_cannot_be_read_there_is_told_of(external, tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("class Thing:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here

    def takes(thing):
        return 1

    with pytest.raises(UsageError, match=r"arguments cannot be read in the other Python: .*only_here"):
        external(takes, only_here.Thing())


def test_an_exception_without_a_text_fails_the_task_all_the_same(external):
    def broken():
        class Mute(ValueError):
            def __str__(self):
                raise RuntimeError("no")

        raise Mute

    with pytest.raises(OtherPythonError, match=r"^Mute: \(its text cannot be had: str\(\) raised RuntimeError\)"):
        external(broken)


def test_a_branch_is_chosen_there(run):
    def chooses():
        return "left"

    with DAG("d") as made:
        branch = BranchExternalPythonOperator(task_id="t", python=sys.executable, python_callable=chooses)
        branch >> [EmptyOperator(task_id="left"), EmptyOperator(task_id="right")]
    assert run(made, "t") == "left"
    assert made.get_task("t").skips("left") == ("right",)


def test_the_decorator_makes_the_task_and_takes_results(run):
    @dag
    def flow():
        @task
        def numbers():
            return [1, 2, 3]

        @task.external_python(python=sys.executable)
        def total(values, ds):
            return [sum(values), ds]

        total(numbers())

    assert run(flow(), "total", results={"numbers": [1, 2, 3]}) == [6, "2026-01-31"]


# ── what is refused while the file is parsed ─────────────────────────────────────────────────────────────


def refusal(function, **given):
    with pytest.raises(DagError) as caught, DAG("d"):
        ExternalPythonOperator(task_id="t", **{"python": sys.executable, **given}, python_callable=function)
    return str(caught.value)


def test_functions_that_cannot_run_by_themselves_are_refused():
    outer = 3

    def closes():
        return outer

    def yields():
        yield 1

    def wants(ti):
        return ti

    assert "made with def" in refusal(lambda: 1)
    assert "made with def" in refusal(Counter)
    assert "uses 'outer' of the function around it" in refusal(closes)
    assert "yields" in refusal(yields)
    assert "'ti' of the context cannot be passed" in refusal(wants)


def test_a_function_under_another_decorator_is_refused():
    import functools

    def loud(function):
        @functools.wraps(function)
        def wrapper(*args):
            return function(*args)

        return wrapper

    @loud
    def body():
        return 1

    assert "another decorator" in refusal(body)


def test_settings_that_make_no_sense_are_refused():
    def body():
        return 1

    assert "serializer must be one of pickle, cloudpickle, dill, json" in refusal(body, serializer="yaml")
    assert "get_current_context()" in refusal(body, use_airflow_context=True)
    assert "python must be the path" in refusal(body, python="")
    assert "no setting 'serialiser', did you mean 'serializer'" in refusal(body, serialiser="json").replace(
        "; did", ", did"
    )


# ── values on their way ──────────────────────────────────────────────────────────────────────────────────

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.datetimes() | st.timedeltas() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=10,
)


@given(_VALUES)
@settings(max_examples=60)
def test_a_parcel_holds_what_was_put_into_it(value):
    data = parcel.packed("pickle", "t", [value], {"x": value}, {})
    found = parcel.unpacked("pickle", "t", data)
    assert (found["args"], found["kwargs"]) == ([value], {"x": value})


def test_moments_of_pendulum_travel_as_those_of_python():
    import pendulum

    brussels = pendulum.datetime(2026, 7, 1, 12, tz="Europe/Brussels")
    found = parcel.plain({"a": [brussels, pendulum.datetime(2026, 1, 1)], "b": (pendulum.naive(2026, 1, 1),)})
    assert [type(moment) for moment in (*found["a"], *found["b"])] == [datetime] * 3
    assert found["a"][0] == brussels
    assert found["a"][0].utcoffset() == timedelta(hours=2)
    assert str(found["a"][0].tzinfo) == "Europe/Brussels"


def test_the_function_sees_the_modules_beside_its_file(external, tmp_path, monkeypatch):
    folder = tmp_path / "dags"
    folder.mkdir()
    (folder / "shop_words.py").write_text(textwrap.dedent("GREETING = 'hello'\n"))
    monkeypatch.syspath_prepend(str(tmp_path))

    def greets():
        import shop_words

        return shop_words.GREETING

    assert external(greets) == "hello"
