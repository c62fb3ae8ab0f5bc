"""Dispatch: what a worker is given for an attempt, made from the run and the recorded results that it takes."""

import contextlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeAlias

import msgspec

from orchestrator.core.activity import Activity
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityRequested,
    ActivityResumed,
    AnyEvent,
    OutcomeResolved,
)
from orchestrator.core.orders import Order, Result, Resume, Stretch, item_name, log_path, progress_path
from orchestrator.core.particulars import NULL, PayloadRef
from orchestrator.core.run import Run
from orchestrator.core.spec import TaskSpec
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.exceptions import NotFoundError, StorageCorruptError
from orchestrator.names import UNMAPPED, AttemptKey
from orchestrator.ports import DagCatalog, HistoryStore

_Taken: TypeAlias = tuple[dict[str, msgspec.Raw], dict[str, PayloadRef], dict[str, Stretch]]

_KEPT_BYTES = 32 * 1024 * 1024


class Results:
    """Recorded results and inputs by place in the history; the recent ones are kept, the others read again."""

    def __init__(self, store: HistoryStore, kept_bytes: int = _KEPT_BYTES) -> None:
        self._store = store
        self._room = kept_bytes
        self._kept: OrderedDict[tuple[int, int], Result] = OrderedDict()

    def keep(self, run_key: int, seq: int, event: AnyEvent) -> None:
        """Remember the result, or the input of a call, that was just recorded at ``seq``."""
        result = value_of(event)
        if result is None or result == NULL:
            return
        self._kept[run_key, seq] = result
        self._room -= _weight(result)
        while self._room < 0:
            _, old = self._kept.popitem(last=False)
            self._room += _weight(old)

    def get(self, run_key: int, seqs: Iterable[int]) -> dict[int, Result]:
        """The results and inputs at these places; a place of 0 has none."""
        wanted = [seq for seq in seqs if seq]
        found = {seq: self._kept[run_key, seq] for seq in wanted if (run_key, seq) in self._kept}
        missing = [seq for seq in wanted if seq not in found]
        if missing:
            facts = self._store.facts(run_key, missing)
            found |= {seq: value_of(fact.event) or NULL for seq, fact in facts.items()}
        return found


def value_of(event: AnyEvent) -> Result | None:
    """What a fact says that is passed on: a result, an input, a trigger or what came of it; None if it has none."""
    if isinstance(event, ActivityCompleted | OutcomeResolved):
        return event.payload or event.result
    if isinstance(event, ActivityRequested):
        return event.payload or event.input
    if isinstance(event, ActivityDeferred):
        return event.trigger
    if isinstance(event, ActivityResumed):
        return event.payload
    return None


def _weight(result: Result) -> int:
    return 128 if isinstance(result, PayloadRef) else 128 + len(bytes(result))


class Dispatch:
    """Makes orders. ``conf`` over the DAG's ``params`` gives the params of a run."""

    def __init__(self, catalog: DagCatalog, results: Results) -> None:
        self._catalog = catalog
        self._results = results
        self._code: dict[int, str] = {}
        self._numbers: dict[int, int] = {}
        self._params: dict[int, dict[str, Any]] = {}

    def orders(self, run: Run, task_id: str, first: int, count: int) -> Iterator[Order]:
        """One order for each of ``count`` activities, whose ActivityScheduled is committed."""
        task = run.nodes[task_id].task
        taken = None if task.depth else self._taken(run, task, first)
        measured = run.plan.parts_measured(task_id) if task_id in run.plan.measured else ()
        calls = self._calls(run, task_id, range(first, first + count)) if isinstance(run, WorkflowRun) else {}
        timeout, heartbeat = _seconds(task.execution_timeout), _seconds(task.heartbeat_timeout)
        created = run.created
        for map_index in range(first, first + count):
            activity = run.nodes[task_id].activity(map_index)
            call = calls.get(map_index, NULL)
            inputs, payloads, lists = taken or self._taken(run, task, map_index)
            yield Order(
                key=AttemptKey(run.run_key, task_id, map_index, activity.attempt),
                dag_id=created.dag_id,
                run_id=created.run_id,
                run_uid=created.run_uid,
                run_type=created.run_type,
                version_id=run.version_id,
                code=self.folder(run.version_id),
                file=run.plan.spec.file,
                idempotency_key=run.idempotency_key(task_id, map_index),
                max_tries=task.retry.retries + 1,
                try_number=activity.attempt,
                delivery=task.delivery,
                connection=task.connection,
                isolation=task.isolation,
                execution_timeout=timeout,
                queue=task.queue,
                logical_date=created.logical_date,
                data_interval_start=created.data_interval_start,
                data_interval_end=created.data_interval_end,
                run_started_at=run.started_at,
                conf=created.conf,
                params=self.params(run),
                inputs=inputs,
                payloads=payloads,
                lists=lists,
                coordinates=run.measure.coordinates(task_id, map_index) if taken is None else (),
                measured=measured,
                log=log_path(run.run_key, activity.scheduled_seq, map_index),
                call=NULL if isinstance(call, PayloadRef) else call,
                call_payload=call if isinstance(call, PayloadRef) else None,
                heartbeat_timeout=heartbeat,
                progress=progress_path(run.run_key, task_id, map_index, activity.generation),
                began_at=activity.began_at,
                pokes=activity.pokes,
                resume=self._resume(run, activity) if activity.resumed_seq else None,
            )

    def prepare(self, run: Run) -> None:
        """See that the code of the run's version is in its place; StorageUnavailableError where it cannot be put there.

        Asked before an attempt is recorded, so that a full disk leaves no attempts that nobody was given.
        """
        with contextlib.suppress(
            NotFoundError, StorageCorruptError
        ):  # these fail the attempt, when its order is made up
            self.folder(run.version_id)

    def forget(self, run_key: int) -> None:
        self._params.pop(run_key, None)

    def folder(self, version_id: int) -> str:
        """Where the code of a version lies."""
        found = self._code.get(version_id)
        if found is None:
            found = self._code[version_id] = self._catalog.code(version_id)
        return found

    def number(self, version_id: int) -> int:
        """How people call a version."""
        found = self._numbers.get(version_id)
        if found is None:
            found = self._numbers[version_id] = self._catalog.number(version_id)
        return found

    def params(self, run: Run) -> dict[str, Any]:
        """The defaults of the DAG, and over them what the run was given."""
        found = self._params.get(run.run_key)
        if found is None:
            conf = msgspec.json.decode(run.created.conf, type=dict[str, Any])
            found = self._params[run.run_key] = {**run.plan.spec.params, **conf}
        return found

    def _resume(self, run: Run, activity: Activity) -> Resume:
        places = activity.deferred_seq, activity.resumed_seq
        found = self._results.get(run.run_key, places)
        trigger, event = (found.get(seq, NULL) for seq in places)
        assert not isinstance(trigger, PayloadRef)
        assert not isinstance(event, PayloadRef)
        return Resume(trigger=trigger, event=event)

    def _calls(self, run: WorkflowRun, task_id: str, indexes: range) -> dict[int, Result]:
        """What the workflow calls the activity with."""
        seqs = [run.input_of(task_id, map_index) for map_index in indexes]
        found = self._results.get(run.run_key, seqs)
        return {map_index: found[seq] for map_index, seq in zip(indexes, seqs, strict=True)}

    def _taken(self, run: Run, task: TaskSpec, map_index: int) -> _Taken:
        """The results that an activity takes, those that are too large to send, and those that it reads by itself."""
        if not task.inputs and not task.depth:
            return {}, {}, {}
        places = dict(_single(run, task, map_index))
        found = self._results.get(run.run_key, places.values())
        inputs: dict[str, msgspec.Raw] = {}
        payloads: dict[str, PayloadRef] = {}
        for name, seq in places.items():
            result = found.get(seq, NULL)
            if isinstance(result, PayloadRef):
                payloads[name] = result
            else:
                inputs[name] = result
        return inputs, payloads, dict(_together(run, task, map_index))


def _single(run: Run, task: TaskSpec, map_index: int) -> Iterator[tuple[str, int]]:
    """The single results that an activity takes, with their places in the history (0: there is none)."""
    for name in task.inputs:
        up, shared = run.nodes[name], run.plan.shared_depth(name, task.task_id)
        if up.task.depth == shared:
            activity = up.peek(_instance(run, task, map_index, shared) if up.is_expanded else UNMAPPED)
            yield name, 0 if activity is None else activity.result_seq
    if task.depth:
        for pick in run.measure.picks(task.task_id, map_index):
            activity = run.nodes[pick.task_id].activity(pick.map_index)
            yield item_name(pick.task_id, pick.position), activity.result_seq


def _together(run: Run, task: TaskSpec, map_index: int) -> Iterator[tuple[str, Stretch]]:
    for name in task.inputs:
        up, shared = run.nodes[name], run.plan.shared_depth(name, task.task_id)
        if up.task.depth > shared:
            found = range(0)
            if up.extents is not None and up.is_expanded:
                found = up.extents.inside(_instance(run, task, map_index, shared), shared)
            yield name, Stretch(found.start, len(found))


def _instance(run: Run, task: TaskSpec, map_index: int, depth: int) -> int:
    """In which instance of the outermost ``depth`` mapped groups an activity lies."""
    extents = run.nodes[task.task_id].extents
    return 0 if extents is None or not depth else extents.outer(map_index, depth)


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
