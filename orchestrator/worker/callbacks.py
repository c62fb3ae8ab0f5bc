"""Calls the callbacks of tasks and DAGs, each whatever becomes of the one before it."""

import asyncio
import inspect
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from orchestrator.authoring.callbacks import Callback, callbacks_of
from orchestrator.authoring.context import DagRun, TaskInstance, build_context, run_context
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.exchange import Exchange
from orchestrator.authoring.moments import moment
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.task import Task
from orchestrator.core.orders import Completed, Failed, Order, Outcome
from orchestrator.core.particulars import Failure
from orchestrator.exceptions import DagImportError
from orchestrator.names import AttemptKey, RunState, TaskState
from orchestrator.worker.failure import failure_of
from orchestrator.worker.recorded_errors import error_of

logger = logging.getLogger("orchestrator")


def call_back(order: Order, owner: DAG | Task, context: Context) -> Completed | Failed:
    """Call those that the order is about, and say what became of them: failed where one of them raised."""
    assert order.key.callback is not None
    called = callbacks_of(owner, order.key.callback)
    failures = call_each(f"{order.key.callback}_callback", called, context, order.code)
    now = datetime.now(UTC)
    if not failures:
        return Completed(key=order.key, at=now)
    failure = failures[0]
    if len(called) > 1:
        message = f"{len(failures)} of {len(called)} callbacks raised, the first of them {failure.message}"
        failure = Failure(message=message, types=failure.types, where=failure.where, frames=failure.frames)
    return Failed(key=order.key, at=now, failure=failure)


def call_on_execute(task: Task, context: Context, code: str) -> None:
    """Call what a task has as on_execute_callback; what one raises is logged, and the body begins regardless."""
    call_each("on_execute_callback", getattr(task, "on_execute_callback", ()), context, code)


def call_each(name: str, callbacks: Sequence[Callback], context: Context, code: str) -> list[Failure]:
    """Call each of them; the failures of those that raised, which are in the log."""
    failures = []
    for number, callback in enumerate(callbacks, 1):
        try:
            answer = callback(context)
            if inspect.iscoroutine(answer):
                asyncio.run(answer)
        except (Exception, SystemExit) as error:
            failure = failure_of(error, code)
            failures.append(failure)
            which = f"{name} {number} of {len(callbacks)}" if len(callbacks) > 1 else name
            where = f"{failure.where}: " if failure.where else ""
            logger.error("%s", "\n".join((*failure.frames, f"{where}{which} raised {failure.message}")))
    return failures


def owner_of(order: Order, dag: DAG) -> DAG | Task:
    """Whose callbacks they are; DagImportError if the code is not what it was."""
    if not order.key.task_id:
        return dag
    task = dag.task_dict.get(order.key.task_id)
    if task is None:
        raise DagImportError(
            f"DAG {order.dag_id!r} has no task {order.key.task_id!r} in the version of its attempt; make the file "
            f"define the same tasks each time it is loaded",
            file=order.file,
        )
    return task


def context_of(order: Order, dag: DAG, exchange: Exchange) -> Context:
    """What they are given: the context of the attempt as it ended; of a run, of the attempt that ended last."""
    outcome = order.outcome
    assert outcome is not None
    task = dag.task_dict.get(outcome.task_id)
    if task is None:
        context = run_context(order, dag)
    else:
        key = AttemptKey(order.key.run_key, outcome.task_id, outcome.map_index, outcome.attempt)
        context = build_context(replace(order, key=key), dag, task, exchange=exchange)
    _tell(context, order, outcome)
    return context


def _tell(context: Context, order: Order, outcome: Outcome) -> None:
    ended_at = moment(outcome.at)
    instance: TaskInstance | None = context.get("ti")
    if not order.key.task_id:
        context["dag_run"] = _ended(context["dag_run"], RunState(outcome.state), ended_at)
        context["reason"] = outcome.reason
        if instance is not None:
            instance.dag_run, instance.state = context["dag_run"], TaskState(outcome.task_state or TaskState.NONE)
        return
    assert instance is not None
    instance.state, instance.end_date = TaskState(outcome.state), ended_at
    context["exception"] = None if outcome.failure is None else error_of(outcome.failure)
    if outcome.reason:
        context["reason"] = outcome.reason


def _ended(run: DagRun, state: RunState, at: datetime | None) -> DagRun:
    values = {name: getattr(run, name) for name in run.__slots__}
    return DagRun(**values | {"state": state, "end_date": at})
