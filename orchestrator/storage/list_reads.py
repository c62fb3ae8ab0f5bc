"""Questions for lists of runs and of activities, of any number, a page at a time."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Connection, func, select, type_coerce

from orchestrator.core.events import RunCreated
from orchestrator.names import RunState, RunType, TaskState
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, of_dag, visible
from orchestrator.storage.history import recorded
from orchestrator.storage.listing import Page, Paging, Span, counted, fits, ordered, within
from orchestrator.storage.run_reads import RUNS, as_activity, as_run
from orchestrator.storage.tables import activities, audit, dag_versions, history, requests, runs
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

    def takes(self, row: ActivityRow) -> bool:
        """Whether it is one of them; spans take none that has no moments."""
        return (
            self.task_id in (None, row.task_id)
            and fits(self.task_id_pattern, row.task_id)
            and (not self.states or row.state in self.states)
            and (not self.pools or row.pool in self.pools)
            and (not self.operators or row.operator in self.operators)
            and (not self.try_numbers or row.attempt in self.try_numbers)
            and (not self.map_indexes or row.map_index in self.map_indexes)
            and not self.spans
        )


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
        query = select(runs.c.run_key).where(self._visible(runs.c.dag_id), *_of_runs(dag_id, which))
        with reading(self._engine) as connection:
            keys = connection.scalars(ordered(query, paging, _RUN_COLUMNS, [runs.c.run_key.desc()])).all()
            of_key = _runs_of(connection, keys)
            return Page([of_key[key] for key in keys], counted(connection, query))

    @visible
    def confs(self, run_keys: Sequence[int]) -> dict[int, msgspec.Raw]:
        """The conf of each run as given, but of those whose history is cleaned away."""
        query = (
            select(history.c.run_key, history.c.seq, history.c.at, history.c.type, history.c.version, history.c.body)
            .join(runs, runs.c.run_key == history.c.run_key)
            .where(history.c.run_key.in_(run_keys), history.c.seq == 1, self._visible(runs.c.dag_id))
        )
        with reading(self._engine) as connection:
            found = {key: recorded(*row).event for key, *row in connection.execute(query)}
        return {key: event.conf for key, event in found.items() if isinstance(event, RunCreated)}

    @of_dag
    def list_activities(
        self, dag_id: str | None = None, which: TaskFilter = _ANY_TASK, paging: Paging = _FIRST_PAGE
    ) -> Page[RunOfTask]:
        """Activities that something is recorded of, those of the newest run first."""
        query = (
            select(activities)
            .join(runs, runs.c.run_key == activities.c.run_key)
            .where(self._visible(runs.c.dag_id), *_of_runs(dag_id, which.runs), *conditions(which))
        )
        last = [activities.c.run_key.desc(), activities.c.task_id, activities.c.map_index]
        with reading(self._engine) as connection:
            page = connection.execute(ordered(query, paging, _TASK_COLUMNS, last)).all()
            of_key = _runs_of(connection, {row.run_key for row in page})
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


def _runs_of(connection: Connection, keys: Collection[int]) -> dict[int, RunRow]:
    return {row.run_key: as_run(row) for row in connection.execute(RUNS.where(runs.c.run_key.in_(keys)))}


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
        numbered = select(dag_versions.c.version_id).where(dag_versions.c.number.in_(which.versions))
        yield runs.c.version_id.in_(numbered)
    patterns = {runs.c.dag_id: which.dag_id_pattern, runs.c.run_id: which.run_id_pattern}
    yield from _like(patterns | {runs.c.triggered_by: which.user_pattern})
    yield from _in_spans(_RUN_COLUMNS, which.spans)


def conditions(which: TaskFilter) -> Iterator[ColumnElement[bool]]:
    """What the filter asks of an activity, its runs aside."""
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
