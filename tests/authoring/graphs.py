"""Graphs: DAGs as a test makes them, what they compile to, and how they are refused."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator import DAG
from orchestrator.authoring.compiling import Defaults, compile_dag
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import DagError
from orchestrator.operators import EmptyOperator


def compiled(dag: DAG) -> DagSpec:
    return compile_dag(dag, file="x.py", defaults=Defaults())


def refusal(make: Callable[..., object], *args: Any, **kwargs: Any) -> str:
    """What the author is told of a mistake made by ``make``, or by the call of it here."""
    with pytest.raises(DagError) as caught:
        make(*args, **kwargs)
    assert caught.value.file in {__file__, inspect.stack()[1].filename}
    assert caught.value.line
    return caught.value.message


def empty(name: str, **settings: Any) -> EmptyOperator:
    return EmptyOperator(task_id=name, **settings)


def edges(dag: DAG) -> set[str]:
    return {f"{before}>{name}" for name in dag.task_ids for before in dag.get_task(name).upstream_task_ids}
