"""The small functions of airflow.utils, and exceptions by their names."""

import inspect
import os
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator import DAG
from orchestrator.compat.airflow import conveniences, exceptions
from orchestrator.compat.airflow.catalog import Served, find
from orchestrator.exceptions import AirflowException, CycleError
from orchestrator.operators import EmptyOperator


def test_lists_and_dicts_are_cut_joined_and_pruned() -> None:
    assert list(conveniences.chunks([1, 2, 3], 2)) == [[1, 2], [3]]
    assert conveniences.as_flattened_list([[1], [2, 3]]) == [1, 2, 3]
    assert [list(part) for part in conveniences.partition(lambda n: n > 1, [1, 2, 3])] == [[1], [2, 3]]
    assert conveniences.merge_dicts({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}, "d": 4}) == {"a": {"b": 3, "c": 2}, "d": 4}
    assert conveniences.prune_dict({"a": None, "b": {"c": None, "d": 0}, "e": [None, 1]}) == {"b": {"d": 0}, "e": [1]}
    assert conveniences.prune_dict({"b": {"d": 0}, "e": [""], "f": 1}, mode="truthy") == {"f": 1}
    with pytest.raises(ValueError, match="at least 1"):
        list(conveniences.chunks([1], 0))


def test_how_many_are_true_is_counted() -> None:
    assert conveniences.exactly_one(0, 1, None)
    assert not conveniences.exactly_one(1, 1)
    assert conveniences.at_most_one(None, None)
    assert not conveniences.at_most_one("a", "b")
    with pytest.raises(ValueError, match="one by one"):
        conveniences.exactly_one([True])


def test_texts_name_things() -> None:
    assert conveniences.convert_camel_to_snake("TheBashTask") == "the_bash_task"
    assert conveniences.to_boolean(" Yes ")
    assert not conveniences.to_boolean(None)
    assert conveniences.import_string("os.path.join") is os.path.join
    assert conveniences.qualname(Served) == "orchestrator.compat.airflow.catalog.Served"
    with pytest.raises(ImportError, match="'os' has no 'no_such_name'"):
        conveniences.import_string("os.no_such_name")
    assert conveniences.get_email_address_list("a@b.c; d@e.f,a@b.c") == ["a@b.c", "d@e.f"]


def test_a_circle_of_tasks_is_found() -> None:
    with DAG("d") as dag:
        first, second = EmptyOperator(task_id="a"), EmptyOperator(task_id="b")
        first >> second
    conveniences.check_cycle(dag)
    second >> first
    with pytest.raises(CycleError, match="the tasks form a cycle: "):
        conveniences.check_cycle(dag)


def test_an_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "before")
    with conveniences.patch_environ({"KEPT": "inside", "NEW": "inside"}):
        assert os.environ["KEPT"] == os.environ["NEW"] == "inside"
    assert os.environ["KEPT"] == "before"
    assert "NEW" not in os.environ


def test_an_attempt_is_named_for_other_programs() -> None:
    context = {
        "task": SimpleNamespace(owner="me", email=("a@b.c", "d@e.f")),
        "task_instance": SimpleNamespace(dag_id="d", task_id="t", try_number=2),
        "dag_run": SimpleNamespace(run_id="r", logical_date=datetime(2026, 1, 1, tzinfo=UTC)),
    }
    named = conveniences.context_to_airflow_vars(context, in_env_var_format=True)
    assert (named["AIRFLOW_CTX_TASK_ID"], named["AIRFLOW_CTX_DAG_EMAIL"]) == ("t", "a@b.c,d@e.f")
    assert conveniences.context_to_airflow_vars(context)["airflow.ctx.logical_date"] == "2026-01-01T00:00:00+00:00"


RAISED: list[type[BaseException]] = [
    one for one in vars(exceptions).values() if inspect.isclass(one) and one.__module__ == exceptions.__name__
]
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "AirflowDagDuplicatedIdException": ("d", "a.py", "b.py"),
    "AirflowFileParseException": ("it is no JSON", "v.json"),
    "DagRunAlreadyExists": (SimpleNamespace(dag_id="d", run_id="r"),),
    "TaskAlreadyInTaskGroup": ("t", "a", "b"),
    "UnmappableXComLengthPushed": ([1, 2], 1),
    "XComNotFound": ("d", "t", "k"),
}


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.__name__)
def test_an_exception_of_airflows_can_be_raised_with_its_own_arguments(kind: type[BaseException]) -> None:
    with pytest.raises(kind) as raised:
        raise kind(*ARGUMENTS.get(kind.__name__, ("why",)))
    assert str(raised.value)


def test_an_exception_that_nothing_raises_is_said_to_differ() -> None:
    found = find("airflow.exceptions", "AirflowTaskTimeout")
    assert isinstance(found, Served)
    assert "raised by nothing here" in found.difference
    assert not issubclass(exceptions.AirflowTaskTimeout, Exception), "as in Airflow, `except Exception` lets it pass"
    assert issubclass(exceptions.XComNotFound, AirflowException)
