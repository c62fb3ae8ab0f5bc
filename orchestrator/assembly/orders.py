"""Orders for those who look: what a worker was given for a task in a recorded run, or would be in a new one."""

from datetime import UTC, datetime

from msgspec.structs import replace

from orchestrator.assembly.catalog import make_catalog
from orchestrator.assembly.home import Home
from orchestrator.core.events import Recorded, TaskExpanded
from orchestrator.core.measuring import Unmeasured
from orchestrator.core.orders import Order
from orchestrator.core.plan import Plan
from orchestrator.core.requests import TriggerRun
from orchestrator.core.run import Run
from orchestrator.core.runs import replay
from orchestrator.engine import creation
from orchestrator.engine.dispatch import Dispatch, Results
from orchestrator.exceptions import ConflictError
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.views import RunRow


def order_of_run(home: Home, row: RunRow, task_id: str, map_index: int) -> Order:
    """The order of the last attempt in that run, or of the first one where there was none."""
    facts = home.reads.history(row.run_key)
    run = replay(row.run_key, facts, lambda version_id: Plan(home.reads.spec(version_id), version_id))
    return _order(home, run, task_id, map_index)


def order_of_new_run(home: Home, request: TriggerRun, task_id: str, map_index: int) -> Order:
    """The order of the first attempt in a run that is recorded nowhere; no result is there yet for it to take."""
    _, entries = make_catalog(home.config, home.engine).changes(0)
    entry = next(entry for entry in entries if entry.dag_id == request.dag_id)
    now = datetime.now(UTC)
    created = creation.from_request(entry, request, now)
    run, _ = creation.begin(0, Plan(entry.spec, entry.version_id, entry.fingerprint), created, now)
    if run.plan.tasks[task_id].depth:
        _expand(run, task_id, now)
    return replace(_order(home, run, task_id, map_index), run_started_at=now)


def _expand(run: Run, task_id: str, now: datetime) -> None:
    """Say how many instances there are, where that stands in the file; ConflictError where results say it."""
    try:
        shape, extents = run.measure.expansion(task_id)
    except Unmeasured as unmeasured:
        raise ConflictError(
            f"task {task_id!r} is mapped over the result of {unmeasured.task_id!r}, which a new run does not have yet; "
            f"run the whole DAG with `orchestrator dags test {run.dag_id}`"
        ) from None
    run.apply(Recorded(run.seq + 1, now, TaskExpanded(task_id=task_id, shape=shape, extents=extents)))


def _check_instance(run: Run, task_id: str, map_index: int) -> None:
    """ConflictError if the task is mapped and there is no such instance of it."""
    node = run.nodes[task_id]
    if node.task.depth and (node.extents is None or not 0 <= map_index < node.size):
        there = f"it has {node.size}, counted from 0" if node.extents is not None else "nobody knows yet how many"
        raise ConflictError(f"task {task_id!r} is mapped: say which instance is meant by --map-index; {there}")


def _order(home: Home, run: Run, task_id: str, map_index: int) -> Order:
    _check_instance(run, task_id, map_index)
    dispatch = Dispatch(make_catalog(home.config, home.engine), Results(SqlHistoryStore(home.engine)))
    (order,) = dispatch.orders(run, task_id, map_index, 1)
    attempt = max(order.key.attempt, 1)
    return replace(order, key=order.key._replace(attempt=attempt), try_number=attempt)
