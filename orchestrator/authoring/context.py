"""The context of an attempt, made from its order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from orchestrator.authoring import macros
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.dates import date_words
from orchestrator.authoring.references import RETURN_VALUE
from orchestrator.authoring.runtime import Context, get_current_context
from orchestrator.authoring.task import Task
from orchestrator.core.orders import Order
from orchestrator.exceptions import UsageError
from orchestrator.names import RunType

__all__ = ["CONTEXT_KEYS", "Context", "DagRun", "TaskInstance", "build_context", "get_current_context"]

CONTEXT_KEYS = frozenset(
    {
        "connection",
        "dag",
        "dag_run",
        "data_interval_end",
        "data_interval_start",
        "ds",
        "ds_nodash",
        "idempotency_key",
        "logical_date",
        "macros",
        "params",
        "run_id",
        "task",
        "task_instance",
        "task_instance_key_str",
        "templates_dict",
        "ti",
        "ts",
        "ts_nodash",
        "ts_nodash_with_tz",
    }
)


@dataclass(frozen=True, slots=True)
class DagRun:
    """The run, as a task sees it. Moments are aware and in UTC; ``conf`` is what the run was triggered with."""

    dag_id: str
    run_id: str
    run_uid: str
    run_type: RunType
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    start_date: datetime | None
    conf: dict[str, Any]


@dataclass(slots=True)
class TaskInstance:
    """The attempt, as its body sees it. ``try_number`` counts from 1, ``map_index`` is -1 where there is one only."""

    task: Task
    dag_run: DagRun
    map_index: int
    try_number: int
    max_tries: int
    results: Mapping[str, Any] = field(default_factory=dict)

    @property
    def task_id(self) -> str:
        return self.task.task_id

    @property
    def dag_id(self) -> str:
        return self.dag_run.dag_id

    @property
    def run_id(self) -> str:
        return self.dag_run.run_id

    def xcom_pull(self, task_ids: str | Iterable[str], key: str = RETURN_VALUE) -> Any:
        """The result of a task that this one takes, None where it recorded none; a list of them for several ids.

        Another ``key`` names a part of a result that is a dict; None where it has no such part. UsageError for the
        result of a task that this one did not say it takes: only those are sent to a worker.
        """
        if isinstance(task_ids, str):
            return self._pull(task_ids, key)
        return [self._pull(task_id, key) for task_id in task_ids]

    def _pull(self, task_id: str, key: str) -> Any:
        if task_id not in self.results:
            raise UsageError(
                f"task {self.task_id!r} does not take the result of {task_id!r}; pass the result as an argument, "
                f"or name it in one of the task's templates: {{{{ ti.xcom_pull(task_ids={task_id!r}) }}}}"
            )
        found = self.results[task_id]
        if key == RETURN_VALUE:
            return found
        return found.get(key) if isinstance(found, Mapping) else None


def build_context(order: Order, dag: DAG, task: Task, *, connection: Any = None) -> Context:
    """What the body of ``task`` is given for the attempt that ``order`` is about.

    ``connection`` is the SQLAlchemy connection of a transactional task. Without a logical date, the keys that are
    made from one are absent, as in Airflow. ``ti`` has the results once ``task.prepare`` has been called.
    """
    conf = msgspec.json.decode(order.conf, type=dict[str, Any])
    run = DagRun(
        dag_id=order.dag_id,
        run_id=order.run_id,
        run_uid=order.run_uid,
        run_type=order.run_type,
        logical_date=order.logical_date,
        data_interval_start=order.data_interval_start,
        data_interval_end=order.data_interval_end,
        start_date=order.run_started_at,
        conf=conf,
    )
    instance = TaskInstance(task, run, order.key.map_index, order.try_number, order.max_tries)
    context = Context(
        dag=dag,
        dag_run=run,
        run_id=order.run_id,
        task=task,
        ti=instance,
        task_instance=instance,
        params={**order.params, **task.own_params(), **conf},
        macros=macros,
        idempotency_key=order.idempotency_key,
        connection=connection,
    )
    if order.logical_date is not None:
        context.update(_dated(order, order.logical_date))
    return context


def _dated(order: Order, logical_date: datetime) -> dict[str, Any]:
    words = date_words(logical_date)
    return {
        **words,
        "data_interval_start": order.data_interval_start,
        "data_interval_end": order.data_interval_end,
        "task_instance_key_str": f"{order.dag_id}__{order.key.task_id}__{words['ds_nodash']}",
    }
