"""The context of an attempt, made from its order."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from socket import gethostname
from typing import Any

import msgspec

from orchestrator.authoring import macros
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.dates import date_words
from orchestrator.authoring.exchange import Exchange, NoExchange
from orchestrator.authoring.lookups import CONN, VAR
from orchestrator.authoring.moments import moment
from orchestrator.authoring.passing_time import utcnow
from orchestrator.authoring.pulling import EVERY, Pull
from orchestrator.authoring.references import RETURN_VALUE
from orchestrator.authoring.runtime import Context, get_current_context
from orchestrator.authoring.task import Task
from orchestrator.core.orders import Order
from orchestrator.names import RunState, RunType, TaskState

__all__ = ["CONTEXT_KEYS", "Context", "DagRun", "TaskInstance", "build_context", "get_current_context"]

NO_EXCHANGE = NoExchange()
CONTEXT_KEYS = frozenset(
    {
        "conn",
        "connection",
        "dag",
        "dag_run",
        "data_interval_end",
        "data_interval_start",
        "ds",
        "ds_nodash",
        "idempotency_key",
        "inlets",
        "logical_date",
        "macros",
        "outlets",
        "params",
        "run_id",
        "task",
        "task_instance",
        "task_instance_key_str",
        "task_reschedule_count",
        "templates_dict",
        "test_mode",
        "ti",
        "ts",
        "ts_nodash",
        "ts_nodash_with_tz",
        "var",
    }
)


@dataclass(frozen=True, slots=True)
class DagRun:
    """The run, as a task sees it. Moments are pendulum.DateTime in UTC; ``conf`` is what the run was triggered with."""

    dag_id: str
    run_id: str
    run_uid: str
    run_type: RunType
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    start_date: datetime | None
    conf: dict[str, Any]
    state: RunState = RunState.RUNNING
    end_date: datetime | None = None


@dataclass(slots=True)
class TaskInstance:
    """The attempt, as its body sees it. ``try_number`` counts from 1, ``map_index`` is -1 where there is one only.

    ``began_at`` is when this try began for the first time, None if that is now, and ``pokes`` how often it was put off
    since. ``results`` are those of the tasks that this one takes, by task_id; all others are pulled from the
    ``exchange``.
    """

    task: Task
    dag_run: DagRun
    map_index: int
    try_number: int
    max_tries: int
    results: Mapping[str, Any] = field(default_factory=dict)
    exchange: Exchange = NO_EXCHANGE
    began_at: datetime | None = None
    pokes: int = 0
    state: TaskState = TaskState.RUNNING
    end_date: datetime | None = None
    made_at: datetime = field(default_factory=utcnow)

    @property
    def start_date(self) -> datetime | None:
        """When this try began for the first time."""
        return moment(self.began_at or self.made_at)

    @property
    def hostname(self) -> str:
        """Of the machine that runs the attempt."""
        return gethostname()

    @property
    def is_mapped(self) -> bool:
        """Whether it is one of the instances of a mapped task."""
        return self.map_index >= 0

    @property
    def log_url(self) -> str:
        """The command that shows the log of this activity."""
        index = f" --map-index {self.map_index}" if self.is_mapped else ""
        return f"orchestrator tasks logs {self.dag_id} {self.task_id} {self.run_id}{index}"

    @property
    def log(self) -> logging.Logger:
        """Writes to the log of the task."""
        return logging.getLogger("airflow.task")

    def get_template_context(self) -> Context:
        """What its body is given; UsageError where no task runs."""
        return get_current_context()

    @property
    def task_id(self) -> str:
        return self.task.task_id

    @property
    def dag_id(self) -> str:
        return self.dag_run.dag_id

    @property
    def run_id(self) -> str:
        return self.dag_run.run_id

    def xcom_push(self, key: str, value: Any) -> None:
        """Leave ``value`` for others to pull; it is recorded with the outcome of this attempt, whatever that is."""
        self.exchange.push(key, value)

    def xcom_pull(
        self,
        task_ids: str | Iterable[str] | None = None,
        dag_id: str | None = None,
        key: str = RETURN_VALUE,
        include_prior_dates: bool = False,
        *,
        map_indexes: int | Iterable[int] | None = EVERY,
        default: Any = None,
        run_id: str | None = None,
    ) -> Any:
        """What a task has returned, or pushed under ``key``; this one, where ``task_ids`` names none.

        Of a mapped task it is a list, unless ``map_indexes`` is one number; of several tasks or indexes it is one
        list over all of them, with ``default`` for each that has nothing. Any task of any run can be asked for:
        ``dag_id`` and ``run_id`` are this run's own by default, and ``include_prior_dates`` goes back to the latest
        logical date that has something. A key that nobody pushed is a part of a result that is a dict.
        """
        pull = Pull(
            exchange=self.exchange,
            results=self.results,
            key=key,
            dag_id=None if dag_id == self.dag_id else dag_id,
            run_id=None if run_id == self.run_id and dag_id in (None, self.dag_id) else run_id,
            prior_dates=include_prior_dates,
            default=default,
        )
        is_one = task_ids is None or isinstance(task_ids, str)
        names = [task_ids or self.task_id] if task_ids is None or isinstance(task_ids, str) else list(task_ids)
        if map_indexes is EVERY:
            found = [pull.every(name) for name in names]
            return found[0].alone if is_one else [value for one in found for value in one.values]
        if map_indexes is None or isinstance(map_indexes, int):
            values = [pull.one(name, map_indexes) for name in names]
            return values[0] if is_one else values
        indexes = list(map_indexes)
        return [pull.one(name, map_index) for name in names for map_index in indexes]


def build_context(
    order: Order, dag: DAG, task: Task, *, connection: Any = None, exchange: Exchange = NO_EXCHANGE
) -> Context:
    """What the body of ``task`` is given for the attempt that ``order`` is about.

    ``connection`` is the SQLAlchemy connection of a transactional task. Without a logical date, the keys that are
    made from one are absent, as in Airflow. ``exchange`` is where ``ti`` pushes and pulls; ``ti`` has the results once
    ``task.prepare`` has been called.
    """
    context = run_context(order, dag)
    key = order.key
    instance = TaskInstance(
        task,
        context["dag_run"],
        key.map_index,
        order.try_number,
        order.max_tries,
        exchange=exchange,
        began_at=moment(order.began_at),
        pokes=order.pokes,
    )
    context.update(task=task, ti=instance, task_instance=instance, connection=connection)
    context.update(inlets=_listed(task, "inlets"), outlets=_listed(task, "outlets"), test_mode=False)
    context["task_reschedule_count"] = order.pokes
    context["params"] = {**order.params, **task.own_params(), **instance.dag_run.conf}
    task.check_params(context["params"])
    if "ds_nodash" in context:
        context["task_instance_key_str"] = f"{order.dag_id}__{key.task_id}__{context['ds_nodash']}"
    return context


def _listed(task: Task, name: str) -> list[Any]:
    given = getattr(task, name, None) or ()
    return [*given] if isinstance(given, list | tuple | set) else [given]


def run_context(order: Order, dag: DAG) -> Context:
    """What is said of the run, whatever the task."""
    conf = msgspec.json.decode(order.conf, type=dict[str, Any])
    run = DagRun(
        dag_id=order.dag_id,
        run_id=order.run_id,
        run_uid=order.run_uid,
        run_type=order.run_type,
        logical_date=moment(order.logical_date),
        data_interval_start=moment(order.data_interval_start),
        data_interval_end=moment(order.data_interval_end),
        start_date=moment(order.run_started_at),
        conf=conf,
    )
    context = Context(
        dag=dag,
        dag_run=run,
        run_id=order.run_id,
        params={**order.params, **conf},
        macros=macros,
        var=VAR,
        conn=CONN,
        idempotency_key=order.idempotency_key,
    )
    if run.logical_date is not None:
        context.update(_dated(run, run.logical_date))
    return context


def _dated(run: DagRun, logical_date: datetime) -> dict[str, Any]:
    return {
        **date_words(logical_date),
        "data_interval_start": run.data_interval_start,
        "data_interval_end": run.data_interval_end,
    }
