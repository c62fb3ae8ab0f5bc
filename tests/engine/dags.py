"""Small DAGs for the engine's tests."""

from datetime import timedelta
from typing import Any

from orchestrator.core.spec import DagSpec, RetrySpec, TaskSpec

RETRY_ONCE = RetrySpec(retries=1, delay=timedelta(seconds=10))


def task(task_id: str, *upstream: str, **fields: Any) -> TaskSpec:
    return TaskSpec(task_id=task_id, upstream=upstream, **fields)


def dag(*tasks: TaskSpec, dag_id: str = "d", **fields: Any) -> DagSpec:
    return DagSpec(dag_id=dag_id, file=f"{dag_id}.py", tasks=tasks, **fields)


def chain(length: int, **fields: Any) -> DagSpec:
    names = [f"t{i}" for i in range(length)]
    return dag(*(task(name, *names[max(i - 1, 0) : i]) for i, name in enumerate(names)), **fields)
