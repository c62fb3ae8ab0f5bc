"""Questions about runs, their histories and their activities."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select

from orchestrator.core.events import ActivityCompleted, OutcomeResolved, RunCreated
from orchestrator.core.requests import TriggerRun
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.exceptions import NotFoundError
from orchestrator.names import UNMAPPED, BlockKind, RunState, RunType, TaskState
from orchestrator.nearest import did_you_mean
from orchestrator.storage import past_reads
from orchestrator.storage.catalog_reads import no_such_dag, spec_of
from orchestrator.storage.database import AnyRow, reading
from orchestrator.storage.guard import Guarded, of_dag, of_run, visible
from orchestrator.storage.history import read_facts, recorded
from orchestrator.storage.requests import decode_request
from orchestrator.storage.tables import activities, dag_versions, dags, history, payload_refs, requests, runs
from orchestrator.storage.views import ActivityRow, Outcome, RunRow

RUNS = (
    select(runs, dag_versions.c.number.label("version_number"))
    .outerjoin(dag_versions, dag_versions.c.version_id == runs.c.version_id)
    .order_by(runs.c.run_key.desc())
)
_PENDING = select(requests).where(requests.c.kind == "trigger_run").order_by(requests.c.id.desc())
_when = func.coalesce(runs.c.logical_date, runs.c.created_at)


class RunReads(Guarded):
    """What the scheduler recorded."""

    @of_dag
    def runs(
        self,
        dag_id: str | None = None,
        *,
        states: Collection[RunState] = (),
        types: Collection[RunType] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        before_key: int | None = None,
        limit: int = 100,
    ) -> list[RunRow]:
        """Newest first, pending ones before all others; ``since`` and ``until`` look at the logical date, or at the
        creation of a run without one. ``before_key`` (a run_key) goes on with the next page."""
        query = RUNS.where(self._visible(runs.c.dag_id)).limit(limit)
        has_pending = before_key is None and (not states or RunState.QUEUED in states)
        pending = _PENDING.where(self._visible(requests.c.dag_id)).limit(limit if has_pending else 0)
        if dag_id is not None:
            query, pending = query.where(runs.c.dag_id == dag_id), pending.where(requests.c.dag_id == dag_id)
        if states:
            query = query.where(runs.c.state.in_([state.value for state in states]))
        if types:
            query = query.where(runs.c.run_type.in_([kind.value for kind in types]))
        if since is not None:
            query = query.where(_when >= since)
        if until is not None:
            query = query.where(_when <= until)
        if before_key is not None:
            query = query.where(runs.c.run_key < before_key)
        with reading(self._engine) as connection:
            waiting = [_pending(row) for row in connection.execute(pending)]
            found = [as_run(row) for row in connection.execute(query)]
        waiting = [run for run in waiting if _is_between(run, since, until) and (not types or run.run_type in types)]
        return [*waiting, *found][:limit]

    @of_dag
    def run(self, dag_id: str, run_id: str | None = None) -> RunRow:
        """That run, or the DAG's latest; one that is only asked for as yet counts."""
        query = RUNS.where(runs.c.dag_id == dag_id).limit(1)
        pending = _PENDING.where(requests.c.dag_id == dag_id).limit(1)
        if run_id is not None:
            query, pending = query.where(runs.c.run_id == run_id), pending.where(requests.c.run_id == run_id)
        with reading(self._engine) as connection:
            if (waiting := connection.execute(pending).first()) is not None:
                return _pending(waiting)
            if (found := connection.execute(query).first()) is not None:
                return as_run(found)
            raise self._no_such_run(connection, dag_id, run_id)

    @of_run
    def run_by_key(self, run_key: int) -> RunRow:
        with reading(self._engine) as connection:
            row = connection.execute(RUNS.where(runs.c.run_key == run_key)).first()
        if row is None:
            raise NotFoundError(f"there is no run with key {run_key}")
        return as_run(row)

    @of_run
    def conf(self, run: RunRow) -> msgspec.Raw:
        """The run's conf as given: a JSON object."""
        with reading(self._engine) as connection:
            if not run.is_pending:
                return _created(connection, run.run_key).conf
            body = connection.execute(select(requests.c.body).where(requests.c.id == run.request_id)).scalar()
        if body is None:  # a scheduler has taken it up meanwhile
            return self.conf(self.run(run.dag_id, run.run_id))
        request = decode_request(body)
        return request.conf if isinstance(request, TriggerRun) else msgspec.Raw(b"{}")

    @visible
    def last_position(self) -> int:
        """The place of the newest fact over all runs; rises with every commit."""
        with reading(self._engine) as connection:
            return connection.execute(select(func.max(history.c.position))).scalar() or 0

    @of_run
    def tasks(self, run: RunRow) -> list[ActivityRow]:
        """Every task of the run in topological order, in state none where nothing is recorded of it; of a mapped one,
        the activities that something is recorded of, and of a workflow, the calls."""
        by_task: Mapping[str, list[ActivityRow]] = defaultdict(list)
        with reading(self._engine) as connection:
            spec = spec_of_run(connection, run)
            for row in connection.execute(_activities(run.run_key)):
                by_task[row.task_id].append(as_activity(row))
        return [row for task in spec.tasks for row in _of_task(run, task, by_task.get(task.task_id, []))]

    @of_run
    def activities(
        self,
        run_key: int,
        *,
        task_id: str | None = None,
        states: Collection[TaskState] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> list[ActivityRow]:
        """Those that something is recorded of, by task_id and map_index."""
        query = _activities(run_key).limit(limit).offset(offset or None)
        if task_id is not None:
            query = query.where(activities.c.task_id == task_id)
        if states:
            query = query.where(activities.c.state.in_([state.value for state in states]))
        with reading(self._engine) as connection:
            return [as_activity(row) for row in connection.execute(query)]

    @of_run
    def activity(self, run: RunRow, task_id: str, map_index: int = UNMAPPED) -> ActivityRow:
        """One of them; in state none where nothing is recorded of it. A workflow's only call of an activity needs no
        index."""
        query = _activities(run.run_key).where(activities.c.task_id == task_id, activities.c.map_index == map_index)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
            if row is not None:
                return as_activity(row)
            spec = spec_of_run(connection, run)
        for task in spec.tasks:
            if task.task_id == task_id:
                is_call = task.is_activity and map_index == UNMAPPED
                return self._only_call(run, task_id) if is_call else untouched(run, task, map_index)
        near = did_you_mean(task_id, (task.task_id for task in spec.tasks))
        raise NotFoundError(f"the DAG {run.dag_id!r} has no task {task_id!r}{near}")

    def _only_call(self, run: RunRow, task_id: str) -> ActivityRow:
        calls = self.activities(run.run_key, task_id=task_id, limit=2)
        if not calls:
            raise NotFoundError(f"run {run.run_id!r} of workflow {run.dag_id!r} has not called {task_id!r}")
        if len(calls) > 1:
            raise NotFoundError(
                f"run {run.run_id!r} of workflow {run.dag_id!r} has called {task_id!r} more than once; say which call "
                f"with --map-index, 0 being the first"
            )
        return calls[0]

    @of_run
    def has_payload(self, run_key: int, sha256: str) -> bool:
        """Whether a fact of the run points to that payload."""
        query = select(payload_refs.c.seq).where(payload_refs.c.run_key == run_key, payload_refs.c.sha256 == sha256)
        with reading(self._engine) as connection:
            return connection.execute(query.limit(1)).first() is not None

    @of_run
    def task_counts(self, run_key: int) -> dict[TaskState, int]:
        """How many recorded activities of the run are in each state."""
        query = select(activities.c.state, func.count()).where(activities.c.run_key == run_key)
        with reading(self._engine) as connection:
            return {TaskState(row[0]): row[1] for row in connection.execute(query.group_by(activities.c.state))}

    @of_run
    def runs_ahead(self, run: RunRow) -> int:
        """How many open runs of the DAG have begun, or wait and come before this one."""
        comes_first = (runs.c.state == RunState.RUNNING) | (runs.c.run_key < run.run_key)
        others = (runs.c.dag_id == run.dag_id, runs.c.ended_at.is_(None), runs.c.run_key != run.run_key)
        with reading(self._engine) as connection:
            return connection.execute(select(func.count()).select_from(runs).where(*others, comes_first)).scalar_one()

    @of_run
    def run_before(self, run: RunRow, *, but_manual: bool) -> RunRow | None:
        """The run of its DAG with the last logical date before its own; of those that are not manual, if so asked."""
        if run.logical_date is None:
            return None
        query = past_reads.run_before(run.dag_id, run.logical_date, but_manual=but_manual)
        with reading(self._engine) as connection:
            found = connection.execute(query).first()
            row = None if found is None else connection.execute(RUNS.where(runs.c.run_key == found.run_key)).first()
        return None if row is None else as_run(row)

    @of_run
    def has_had_before(self, run: RunRow, task_id: str) -> bool:
        """Whether a run of its DAG with an earlier logical date has had the task."""
        if run.logical_date is None:
            return False
        with reading(self._engine) as connection:
            query = past_reads.earlier_with(run.dag_id, task_id, run.logical_date)
            return connection.execute(query).first() is not None

    @of_run
    def result(self, run_key: int, task_id: str, map_index: int = UNMAPPED) -> Outcome:
        """The recorded result; NotFoundError where there is none (yet)."""
        place = (activities.c.run_key == run_key, activities.c.task_id == task_id, activities.c.map_index == map_index)
        query = (
            select(history.c.seq, history.c.at, history.c.type, history.c.version, history.c.body)
            .join(activities, (activities.c.run_key == history.c.run_key) & (activities.c.result_seq == history.c.seq))
            .where(*place)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
            if row is None:
                state = connection.execute(select(activities.c.state).where(*place)).scalar()
                raise NotFoundError(f"{task_id} has no recorded result; it is in state {state or 'none'}")
        event = recorded(*row).event
        assert isinstance(event, ActivityCompleted | OutcomeResolved)
        return Outcome(payload=event.payload) if event.payload is not None else Outcome(value=event.result)

    def _no_such_run(self, connection: Connection, dag_id: str, run_id: str | None) -> NotFoundError:
        if connection.execute(select(dags.c.dag_id).where(dags.c.dag_id == dag_id)).first() is None:
            return no_such_dag(connection, dag_id, self._visible(dags.c.dag_id))
        if run_id is None:
            start = f"orchestrator dags trigger {dag_id}"
            return NotFoundError(f"the DAG {dag_id!r} has no run yet; start one with `{start}`")
        known = connection.execute(select(runs.c.run_id).where(runs.c.dag_id == dag_id).limit(1000)).scalars()
        return NotFoundError(f"the DAG {dag_id!r} has no run {run_id!r}{did_you_mean(run_id, known)}")


def _activities(run_key: int) -> Select[Any]:
    query = select(activities).where(activities.c.run_key == run_key)
    return query.order_by(activities.c.task_id, activities.c.map_index)


def _created(connection: Connection, run_key: int) -> RunCreated:
    facts = read_facts(connection, run_key, limit=1)
    if not facts or not isinstance(facts[0].event, RunCreated):
        raise NotFoundError(f"the history of run {run_key} is gone; it was cleaned away")
    return facts[0].event


def spec_of_run(connection: Connection, run: RunRow) -> DagSpec:
    """The spec of the version that the run has, or would start with."""
    if run.version_id:
        return spec_of(connection, run.version_id)
    current = connection.execute(select(dags.c.version_id).where(dags.c.dag_id == run.dag_id)).scalar()
    return DagSpec(dag_id=run.dag_id) if current is None else spec_of(connection, current)


def _of_task(run: RunRow, task: TaskSpec, rows: list[ActivityRow]) -> list[ActivityRow]:
    if not rows:
        return [] if task.is_activity else [untouched(run, task, UNMAPPED)]
    expanded = [row for row in rows if row.map_index != UNMAPPED]
    return expanded or rows


def untouched(run: RunRow, task: TaskSpec, map_index: int) -> ActivityRow:
    """An activity that nothing is recorded of."""
    return ActivityRow(
        run_key=run.run_key,
        task_id=task.task_id,
        map_index=map_index,
        pool=task.pool,
        pool_slots=task.pool_slots,
        operator=task.operator,
    )


def as_activity(row: AnyRow) -> ActivityRow:
    """A row of ``activities``."""
    return ActivityRow(**{**row._asdict(), "state": TaskState(row.state)})


def as_run(row: AnyRow) -> RunRow:
    """A row of ``RUNS``."""
    values = row._asdict()
    values.update(run_type=RunType(row.run_type), state=RunState(row.state), version_number=row.version_number or 0)
    return RunRow(**values | {"blocked": BlockKind(row.blocked) if row.blocked else None})


def _pending(row: AnyRow) -> RunRow:
    request = decode_request(row.body)
    assert isinstance(request, TriggerRun)
    return RunRow(
        run_key=0,
        run_uid=request.run_uid,
        dag_id=request.dag_id,
        run_id=request.run_id,
        run_type=request.run_type,
        state=RunState.QUEUED,
        reason="waits for the scheduler to take it up",
        logical_date=request.logical_date,
        data_interval_start=request.data_interval_start,
        data_interval_end=request.data_interval_end,
        created_at=row.created_at,
        triggered_by=request.by,
        note=request.note,
        is_pending=True,
        request_id=row.id,
    )


def _is_between(run: RunRow, since: datetime | None, until: datetime | None) -> bool:
    when = run.logical_date or run.created_at
    return (since is None or when >= since) and (until is None or when <= until)
