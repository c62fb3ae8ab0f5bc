"""Params of runs that say what they may be."""

import pytest

from orchestrator import DAG, Param, ParamsDict, dag
from orchestrator.authoring.compiling import Defaults, compile_dag
from orchestrator.authoring.conf import check_conf
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import DagError, UsageError
from orchestrator.operators import EmptyOperator, PythonOperator


def compiled(**params: object) -> DagSpec:
    with DAG("load", params=params) as made:
        EmptyOperator(task_id="only")
    return compile_dag(made, file="load.py", defaults=Defaults())


def test_a_spec_has_defaults_and_schemas_apart() -> None:
    spec = compiled(plain=1, rows=Param(3, type="integer", minimum=1), day=Param(type="string", description="which"))
    assert spec.params == {"plain": 1, "rows": 3}
    assert spec.param_schemas == {
        "rows": {"type": "integer", "minimum": 1},
        "day": {"type": "string", "description": "which"},
    }


def test_none_is_a_default_only_where_the_schema_allows_it() -> None:
    spec = compiled(a=Param(None, type="string"), b=Param(None, type=["null", "string"]), c=Param(None))
    assert spec.params == {"b": None, "c": None}


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ({}, "param 'day' of DAG 'load' (load.py:"),
        ({}, "is missing"),
        ({"day": "2026-02-30"}, "does not take this: '2026-02-30' is not a 'date'; it takes date"),
        ({"day": "2026-02-28", "rows": "many"}, "'rows' of DAG 'load'"),
        ({"day": "2026-02-28", "rows": 0}, "0 is less than the minimum of 1; it takes integer"),
        ({"day": "2026-02-28", "mode": "slow"}, 'it takes "fast" or "thorough"'),
    ],
)
def test_a_conf_that_does_not_fit_is_refused_in_one_sentence(conf: dict[str, object], words: str) -> None:
    spec = compiled(
        day=Param(type="string", format="date"),
        rows=Param(3, type="integer", minimum=1),
        mode=Param("fast", enum=["fast", "thorough"]),
    )
    with pytest.raises(UsageError) as caught:
        check_conf(spec, conf)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_conf_that_fits_is_taken_with_whatever_else_is_in_it() -> None:
    check_conf(compiled(rows=Param(3, type="integer")), {"rows": 4, "other": True})


def test_a_default_that_does_not_fit_is_an_error_of_the_file() -> None:
    with pytest.raises(DagError, match="default of param 'rows' does not fit: 'x' is not of type 'integer'"):
        compiled(rows=Param("x", type="integer"))


def test_keywords_that_are_no_schema_are_refused() -> None:
    with pytest.raises(UsageError, match="no JSON Schema"):
        Param(1, type="number-ish")


def test_a_schedule_asks_for_a_default() -> None:
    with DAG("load", schedule="@daily", params={"day": Param(type="string")}) as made:
        EmptyOperator(task_id="only")
    with pytest.raises(DagError, match="a scheduled run is given no param 'day'"):
        compile_dag(made, file="load.py", defaults=Defaults())


def test_a_value_in_the_place_of_a_declared_one_keeps_the_schema() -> None:
    params = ParamsDict({"rows": Param(3, type="integer"), "plain": 1})
    params["rows"] = 4
    assert dict(params) == params.dump() == {"rows": 4, "plain": 1}
    params["rows"] = "x"
    with pytest.raises(UsageError, match="not of type 'integer'"):
        params.validate()
    assert isinstance(params.get_param("rows"), Param)


def test_parameters_of_a_dag_function_may_be_declared() -> None:
    @dag
    def load(rows=Param(3, type="integer")):  # noqa: B008 - as Airflow's authors write it
        EmptyOperator(task_id="only")

    spec = compile_dag(load(), file="load.py", defaults=Defaults())
    assert (spec.params, spec.param_schemas) == ({"rows": 3}, {"rows": {"type": "integer"}})


def test_the_labels_of_values_may_be_of_any_value() -> None:
    labels = {None: "nothing", 1: "one", False: "no", "x": "X"}
    spec = compiled(a=Param(None, enum=[None, 1, "x"], values_display=labels))
    assert spec.param_schemas["a"]["values_display"] == {"null": "nothing", "1": "one", "false": "no", "x": "X"}


# ── params of a task ─────────────────────────────────────────────────────────────────────────────────────


def seen(run, conf=None, **params):
    """What a task with these params is given."""
    with DAG("load", params={"rows": 1, "day": "monday"}) as made:
        PythonOperator(task_id="only", python_callable=lambda params: params, params=params)
    return run(made, "only", conf=conf)


def test_params_of_a_task_go_over_those_of_its_dag_and_under_the_conf(run) -> None:
    assert seen(run, rows=2) == {"rows": 2, "day": "monday"}
    assert seen(run, {"rows": 3}, rows=Param(2, type="integer")) == {"rows": 3, "day": "monday"}


def test_a_param_of_a_task_is_checked_when_the_task_begins(run) -> None:
    with pytest.raises(
        UsageError, match=r"param 'rows' of task 'only' does not take this: 'x' is not of type 'integer'"
    ):
        seen(run, {"rows": "x"}, rows=Param(2, type="integer"))
    with pytest.raises(UsageError, match=r"param 'size' of task 'only' is missing: give it in the conf"):
        seen(run, size=Param(type="integer"))


def test_a_default_of_a_task_that_does_not_fit_is_refused_with_its_line() -> None:
    with DAG("load") as made:
        EmptyOperator(task_id="only", params={"rows": Param(3, type="integer", minimum=5)})
    with pytest.raises(DagError, match="EmptyOperator 'only': the default of param 'rows' does not fit: 3 is less"):
        compile_dag(made, file="load.py", defaults=Defaults())
