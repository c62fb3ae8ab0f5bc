"""Questions for lists of runs and of activities, of any number, a page at a time."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, func, select, type_coerce

from orchestrator.names import RunState, RunType, TaskState
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, of_dag, visible
from orchestrator.storage.listing import Page, Paging, Span, counted, ordered, within
from orchestrator.storage.run_reads import RUNS, as_activity, as_run
from orchestrator.storage.tables import activities, audit, dag_versions, requests, runs
from orchestrator.storage.views import ActivityRow, RunRow

_MICROS = 1_000_000.0


def _seconds(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[Any]:
    """Moments are stored as microseconds."""
    return (type_coerce(end, BigInteger) - type_coerce(start, BigInteger)) / _MICROS


_RUN_AFTER = func.coalesce(runs.c.data_interval_end, runs.c.logical_date, runs.c.created_at)
_RUN_COLUMNS: dict[str, ColumnElement[Any]] = {
    "id": runs.c.run_key,
    "dag_id": runs.c.dag_id,
    "dag_run_id": runs.c.run_id,
    "run_id": runs.c.run_id,
    "state": runs.c.state,
    "run_type": runs.c.run_type,
    "logical_date": runs.c.logical_date,
    "run_after": _RUN_AFTER,
    "queued_at": runs.c.created_at,
    "start_date": runs.c.started_at,
    "end_date": runs.c.ended_at,
    "duration": _seconds(runs.c.started_at, runs.c.ended_at),
}
_TASK_COLUMNS: dict[str, ColumnElement[Any]] = {
    "id": activities.c.run_key,
    "task_id": activities.c.task_id,
    "map_index": activities.c.map_index,
    "state": activities.c.state,
    "start_date": activities.c.started_at,
    "end_date": activities.c.ended_at,
    "queued_when": activities.c.scheduled_at,
    "duration": _seconds(activities.c.started_at, activities.c.ended_at),
    "logical_date": runs.c.logical_date,
    "run_after": _RUN_AFTER,
    "pool": activities.c.pool,
    "operator": activities.c.operator,
    "try_number": activities.c.attempt,
}


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs are asked for. Patterns are SQL's: ``%`` stands for any text, ``_`` for one character. Spans of
    durations are in seconds."""

    run_id: str | None = None
    states: tuple[RunState, ...] = ()
    run_types: tuple[RunType, ...] = ()
    versions: tuple[int, ...] = ()
    dag_id_pattern: str | None = None
    run_id_pattern: str | None = None
    user_pattern: str | None = None
    spans: dict[str, Span] = {}


class TaskFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which activities are asked for; ``runs`` are those of which."""

    runs: RunFilter = RunFilter()
    task_id: str | None = None
    task_id_pattern: str | None = None
    map_indexes: tuple[int, ...] = ()
    states: tuple[TaskState, ...] = ()
    pools: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    try_numbers: tuple[int, ...] = ()
    spans: dict[str, Span] = {}


_ANY_RUN, _ANY_TASK, _FIRST_PAGE = RunFilter(), TaskFilter(), Paging()


class RunOfTask(msgspec.Struct, frozen=True, kw_only=True):
    """An activity, and the run that it is of."""

    activity: ActivityRow
    run: RunRow


class ListReads(Guarded):
    """What the scheduler recorded, for those who page through it."""

    @of_dag
    def list_runs(
        self, dag_id: str | None = None, which: RunFilter = _ANY_RUN, paging: Paging = _FIRST_PAGE
    ) -> Page[RunRow]:
        """Runs that are recorded, newest first unless the paging says otherwise; of one DAG, or of all."""
        query = RUNS.where(self._visible(runs.c.dag_id), *_of_runs(dag_id, which))
        with reading(self._engine) as connection:
            found = connection.execute(ordered(query, paging, _RUN_COLUMNS, [runs.c.run_key.desc()]))
            return Page([as_run(row) for row in found], counted(connection, query))

    @of_dag
    def list_activities(
        self, dag_id: str | None = None, which: TaskFilter = _ANY_TASK, paging: Paging = _FIRST_PAGE
    ) -> Page[RunOfTask]:
        """Activities that something is recorded of, those of the newest run first."""
        query = (
            select(activities, dag_versions.c.number.label("version_number"))
            .join(runs, runs.c.run_key == activities.c.run_key)
            .outerjoin(dag_versions, dag_versions.c.version_id == runs.c.version_id)
            .where(self._visible(runs.c.dag_id), *_of_runs(dag_id, which.runs), *_of_activities(which))
        )
        last = [activities.c.run_key.desc(), activities.c.task_id, activities.c.map_index]
        with reading(self._engine) as connection:
            page = connection.execute(ordered(query.with_only_columns(activities), paging, _TASK_COLUMNS, last)).all()
            keys = {row.run_key for row in page}
            of_key = {row.run_key: as_run(row) for row in connection.execute(RUNS.where(runs.c.run_key.in_(keys)))}
            found = [RunOfTask(activity=as_activity(row), run=of_key[row.run_key]) for row in page]
            return Page(found, counted(connection, query))

    @visible
    def asked_with(self, client_key: str) -> tuple[str, str] | None:
        """The DAG and the id of the run that a request with that key is about, dealt with or not."""
        for table in (requests, audit):
            query = select(table.c.dag_id, table.c.run_id).where(
                table.c.client_key == client_key, self._visible(table.c.dag_id)
            )
            with reading(self._engine) as connection:
                found = connection.execute(query).first()
            if found is not None:
                return found.dag_id, found.run_id
        return None


def _of_runs(dag_id: str | None, which: RunFilter) -> Iterator[ColumnElement[bool]]:
    if dag_id is not None:
        yield runs.c.dag_id == dag_id
    if which.run_id is not None:
        yield runs.c.run_id == which.run_id
    if which.states:
        yield runs.c.state.in_([state.value for state in which.states])
    if which.run_types:
        yield runs.c.run_type.in_([kind.value for kind in which.run_types])
    if which.versions:
        yield dag_versions.c.number.in_(which.versions)
    patterns = {runs.c.dag_id: which.dag_id_pattern, runs.c.run_id: which.run_id_pattern}
    yield from _like(patterns | {runs.c.triggered_by: which.user_pattern})
    yield from _in_spans(_RUN_COLUMNS, which.spans)


def _of_activities(which: TaskFilter) -> Iterator[ColumnElement[bool]]:
    if which.task_id is not None:
        yield activities.c.task_id == which.task_id
    yield from _like({activities.c.task_id: which.task_id_pattern})
    chosen: tuple[tuple[ColumnElement[Any], tuple[Any, ...]], ...] = (
        (activities.c.map_index, which.map_indexes),
        (activities.c.state, tuple(state.value for state in which.states)),
        (activities.c.pool, which.pools),
        (activities.c.operator, which.operators),
        (activities.c.attempt, which.try_numbers),
    )
    yield from (column.in_(values) for column, values in chosen if values)
    yield from _in_spans(_TASK_COLUMNS, which.spans)


def _like(patterns: dict[Any, str | None]) -> Iterator[ColumnElement[bool]]:
    yield from (column.ilike(pattern) for column, pattern in patterns.items() if pattern is not None)


def _in_spans(columns: dict[str, ColumnElement[Any]], spans: dict[str, Span]) -> Iterator[ColumnElement[bool]]:
    for name, span in spans.items():
        yield from within(columns[name], span)
