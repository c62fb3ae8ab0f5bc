"""Calling: what a worker is given to call the callbacks of an attempt or a run, made from what called for them."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from orchestrator.core.activity import Activity
from orchestrator.core.events import ActivityFailed, ActivitySkipped, Recorded
from orchestrator.core.orders import Order, Outcome, log_path
from orchestrator.core.run import Run
from orchestrator.core.spec import TaskSpec
from orchestrator.engine.dispatch import Dispatch
from orchestrator.names import AttemptKey, CallbackKind, RunState, TaskState
from orchestrator.ports import DagCatalog, HistoryStore

_STATES = {
    CallbackKind.SUCCESS: TaskState.SUCCESS,
    CallbackKind.FAILURE: TaskState.FAILED,
    CallbackKind.RETRY: TaskState.UP_FOR_RETRY,
    CallbackKind.SKIPPED: TaskState.SKIPPED,
}


class Calling:
    """Makes the orders of callbacks. Their code is that of the version which the run had when they were called for."""

    def __init__(self, dispatch: Dispatch, store: HistoryStore, catalog: DagCatalog, timeout: timedelta) -> None:
        self._dispatch = dispatch
        self._store = store
        self._catalog = catalog
        self._timeout = timeout.total_seconds()

    def orders(self, run: Run, keys: Sequence[AttemptKey]) -> list[Order]:
        """One order for each; its CallbackScheduled is committed."""
        called = {key: found for key in keys if (found := run.callbacks.get(key)) is not None}
        causes = self._store.facts(run.run_key, sorted({one.cause for one in called.values()}))
        return [self._order(run, key, causes[one.cause], one.scheduled_seq) for key, one in called.items()]

    def _order(self, run: Run, key: AttemptKey, cause: Recorded, scheduled_seq: int) -> Order:
        created, outcome = run.created, _outcome(run, key, cause)
        version_id = _version_at(run, cause.seq)
        spec = run.plan.spec if version_id == run.version_id else self._catalog.spec(version_id)
        task = next((one for one in spec.tasks if one.task_id == outcome.task_id), TaskSpec(task_id=""))
        return Order(
            key=key,
            dag_id=created.dag_id,
            run_id=created.run_id,
            run_uid=created.run_uid,
            run_type=created.run_type,
            version_id=version_id,
            code=self._dispatch.folder(version_id),
            file=spec.file,
            idempotency_key=f"{created.run_uid}/{key.task_id}/{key.map_index}/{key.callback}-{key.attempt}",
            max_tries=task.retry.retries + 1,
            try_number=outcome.attempt,
            execution_timeout=self._timeout,
            queue=task.queue,
            logical_date=created.logical_date,
            data_interval_start=created.data_interval_start,
            data_interval_end=created.data_interval_end,
            run_started_at=run.started_at,
            conf=created.conf,
            params=self._dispatch.params(run),
            log=log_path(run.run_key, scheduled_seq, key.map_index),
            outcome=outcome,
        )


def _version_at(run: Run, seq: int) -> int:
    """Which version the run had at that fact."""
    return run.versions[bisect_right(run.versions, seq, key=lambda one: one[0]) - 1][1]


def _outcome(run: Run, key: AttemptKey, cause: Recorded) -> Outcome:
    event = cause.event
    assert key.callback is not None
    if not key.task_id:
        state = RunState.SUCCESS if key.callback is CallbackKind.SUCCESS else RunState.FAILED
        outcome = Outcome(state=state, at=cause.at, reason=_word(run, state))
        last = _last(run, TaskState(state))
        return outcome if last is None else replace(outcome, **last)
    return Outcome(
        state=_STATES[key.callback],
        at=cause.at,
        task_id=key.task_id,
        map_index=key.map_index,
        attempt=key.attempt,
        reason=event.reason if isinstance(event, ActivitySkipped) else "",
        failure=event.failure if isinstance(event, ActivityFailed) else None,
    )


def _word(run: Run, state: RunState) -> str:
    """Why the run ended, as Airflow says it."""
    if state is RunState.SUCCESS:
        return "success"
    return "timed_out" if run.cancelled_by == "dagrun_timeout" else "task_failure"


def _last(run: Run, state: TaskState) -> dict[str, Any] | None:
    """The attempt that ended last in that state, or else in any, as an Outcome names it."""
    last = max(_ended(run), key=lambda one: (one[2].state is state, one[2].ended_at, one[0], one[1]), default=None)
    if last is None:
        return None
    task_id, map_index, activity = last
    attempt, word = activity.attempt, str(activity.state)
    return {"task_id": task_id, "map_index": map_index, "attempt": attempt, "task_state": word}


def _ended(run: Run) -> Iterator[tuple[str, int, Activity]]:
    for task_id, node in run.nodes.items():
        for map_index, activity in node.activities():
            if activity.attempt and activity.ended_at is not None:
                yield task_id, map_index, activity
