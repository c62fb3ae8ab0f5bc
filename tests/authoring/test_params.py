"""Params of runs that say what they may be."""

import pytest

from orchestrator import DAG, Param, ParamsDict, dag
from orchestrator.assembly.entrances import check_conf
from orchestrator.authoring.compiling import Defaults, compile_dag
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import DagError, UsageError
from orchestrator.operators import EmptyOperator


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
