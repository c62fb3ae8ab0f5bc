"""A worker in a few lines: it runs one task of a DAG, the way authoring asks a worker to."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from orchestrator.authoring.context import Context, build_context
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.runtime import running
from orchestrator.core.orders import Order
from orchestrator.names import AttemptKey, RunType

MORNING = datetime(2026, 1, 31, 6, 30, tzinfo=UTC)


@dataclass
class Runtime:
    context: Context
    beats: list[Any] = field(default_factory=list)

    def heartbeat(self, progress: Any) -> None:
        self.beats.append(progress)


def order_for(dag: DAG, task_id: str, **fields: Any) -> Order:
    given = {
        "run_id": "manual__2026-01-31T06:30:00+00:00",
        "run_uid": "uid",
        "run_type": RunType.MANUAL,
        "version_id": 1,
        "code": "",
        "file": "x.py",
        "idempotency_key": f"uid/{task_id}/-1/1",
        "logical_date": MORNING,
        "data_interval_start": MORNING,
        "data_interval_end": MORNING,
        "run_started_at": MORNING,
        "params": dag.params,
        **fields,
    }
    return Order(key=AttemptKey(1, task_id, -1, 1), dag_id=dag.dag_id, **given)


@pytest.fixture
def order() -> Callable[..., Order]:
    return order_for


@pytest.fixture
def run() -> Callable[..., Any]:
    """``run(dag, task_id, results={…}, conf={…}, **fields of the order)``: what the task returns."""

    def run(
        dag: DAG,
        task_id: str,
        *,
        results: Mapping[str, Any] | None = None,
        conf: Mapping[str, Any] | None = None,
        connection: Any = None,
        **fields: Any,
    ) -> Any:
        task = dag.get_task(task_id)
        order = order_for(dag, task_id, conf=msgspec.Raw(msgspec.json.encode(conf or {})), **fields)
        context = build_context(order, dag, task, connection=connection)
        given = {name: (results or {}).get(name) for name in task.input_ids()}
        ready = task.prepare(context, given)
        with running(Runtime(context)):
            ready.pre_execute(context)
            result = ready.execute(context)
            result = asyncio.run(result) if inspect.iscoroutine(result) else result
            ready.finish(context, result)
            return result

    return run
