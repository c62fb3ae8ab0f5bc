"""Writes runs into the database: their facts, and the projections that come of them, in the caller's transaction."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Engine, Table, bindparam, delete, select

from orchestrator.core.board import Place
from orchestrator.core.events import Recorded
from orchestrator.core.run import Run
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.exceptions import HistoryConflictError
from orchestrator.ports import Part
from orchestrator.storage.database import advance, insert_sql, placeholder, upsert_sql
from orchestrator.storage.projected import (
    Notes,
    Row,
    activity_rows,
    all_places,
    callback_counts,
    history_rows,
    run_progress,
    run_row,
    timer_rows,
)
from orchestrator.storage.tables import activities, history, payload_refs, runs, timers, xcoms

_PROGRESS = (
    "version_id",
    "state",
    "reason",
    "is_paused",
    "is_cancelling",
    "blocked",
    "started_at",
    "ended_at",
    "last_seq",
    "open_callbacks",
    "failed_callbacks",
)

_FORGET_ACTIVITY = delete(activities).where(
    activities.c.run_key == bindparam("run"),
    activities.c.task_id == bindparam("task"),
    activities.c.map_index == bindparam("index"),
)
_FORGET_TIMER = delete(timers).where(timers.c.run_key == bindparam("run"), timers.c.timer_id == bindparam("timer"))
_UNDO_XCOMS = delete(xcoms).where(xcoms.c.run_key == bindparam("run"), xcoms.c.seq > bindparam("since"))
_FORGET_TIMERS = delete(timers).where(timers.c.run_key == bindparam("run"))


class RunWriter:
    """The statements that the scheduler writes by, spelled out once for the driver."""

    def __init__(self, engine: Engine) -> None:
        mark = placeholder(engine)
        self._facts = insert_sql(history, mark)
        self._new_runs = insert_sql(runs, mark)
        self._runs = upsert_sql(runs, mark)
        self._activities = upsert_sql(activities, mark)
        self._timers = upsert_sql(timers, mark)
        self._payloads = _insert_once(payload_refs, mark)
        self._xcoms = upsert_sql(xcoms, mark)
        changes = ", ".join(f"{name} = {mark}" for name in _PROGRESS)
        self._progress = f"UPDATE runs SET {changes} WHERE run_key = {mark} AND last_seq = {mark}"  # noqa: S608

    def append(self, connection: Connection, parts: Sequence[Part]) -> None:
        """Write the parts' facts and projections. HistoryConflictError or IntegrityError if one is out of place."""
        position = advance(connection, "position", sum(len(part.records) for part in parts))
        position -= sum(len(part.records) for part in parts)
        facts: list[Row] = []
        notes = Notes()
        for part in parts:
            facts += history_rows(part.run.run_key, part.records, position + len(facts))
            notes.take(part.run.run_key, part.records)
        self._write_runs(connection, parts)
        self._many(connection, self._facts, facts)
        self._write_activities(connection, [(part.run, part.activities) for part in parts])
        self._write_notes(connection, notes)
        self._rearm(connection, [part.run for part in parts if part.run.run_key in notes.rearmed])
        undone = {run_key for run_key, _ in notes.undone}
        self._take_back(connection, [part.run for part in parts if part.run.run_key in undone])
        self._move(connection, [part.run for part in parts if part.run.run_key in notes.moved])

    def rewrite(self, connection: Connection, run: Run, notes: Notes) -> None:
        """Replace the run's projections by those of this state."""
        for table in (runs, activities, xcoms, timers, payload_refs):
            connection.execute(delete(table).where(table.c.run_key == run.run_key))
        self._many(connection, self._new_runs, [run_row(run, run.seq)])
        self._many(connection, self._activities, activity_rows(run, all_places(run))[0])
        self._write_notes(connection, notes)
        self._rearm(connection, [run] if notes.rearmed else [])

    def write_facts(self, connection: Connection, run_key: int, facts: Sequence[Recorded]) -> None:
        """Write facts of a run whose projections are not there yet."""
        position = advance(connection, "position", len(facts)) - len(facts)
        self._many(connection, self._facts, history_rows(run_key, facts, position))

    def write_places(self, connection: Connection, run: Run, places: Sequence[Place]) -> None:
        """Write these activities as they stand in the run."""
        self._write_activities(connection, [(run, places)])

    def write_run(self, connection: Connection, run: Run, notes: Notes) -> None:
        """Write the run itself, where its facts and activities are there; IntegrityError if its name is taken."""
        self._many(connection, self._new_runs, [run_row(run, run.seq)])
        self._write_notes(connection, notes)

    def _write_runs(self, connection: Connection, parts: Sequence[Part]) -> None:
        created = [run_row(part.run, len(part.records)) for part in parts if part.after == 0]
        changed = [
            (
                *run_progress(part.run),
                part.after + len(part.records),
                *callback_counts(part.run),
                part.run.run_key,
                part.after,
            )
            for part in parts
            if part.after > 0
        ]
        self._many(connection, self._new_runs, created)
        if changed and connection.exec_driver_sql(self._progress, changed).rowcount != len(changed):
            raise HistoryConflictError("a run's history is not where its part of the group says")

    def _write_activities(self, connection: Connection, changed: Iterable[tuple[Run, Sequence[Place]]]) -> None:
        rows: list[Row] = []
        gone: list[dict[str, object]] = []
        for run, places in changed:
            fresh, rowless = activity_rows(run, places)
            rows += fresh
            gone += ({"run": run.run_key, "task": task_id, "index": index} for task_id, index in rowless)
        self._many(connection, self._activities, rows)
        if gone:
            connection.execute(_FORGET_ACTIVITY, gone)

    def _write_notes(self, connection: Connection, notes: Notes) -> None:
        self._many(connection, self._payloads, notes.payloads)
        if notes.undone:
            connection.execute(_UNDO_XCOMS, [{"run": run_key, "since": seq} for run_key, seq in notes.undone])
        self._many(connection, self._xcoms, notes.xcoms)
        if notes.ended:
            connection.execute(_FORGET_TIMERS, [{"run": run_key} for run_key in notes.ended])
        set_ = [(*place, at) for place, at in notes.timers.items() if at is not None]
        over = [{"run": place[0], "timer": place[1]} for place, at in notes.timers.items() if at is None]
        self._many(connection, self._timers, set_)
        if over:
            connection.execute(_FORGET_TIMER, over)

    def _rearm(self, connection: Connection, runs: Iterable[Run]) -> None:
        for run in runs:
            if isinstance(run, WorkflowRun):
                connection.execute(_FORGET_TIMERS, {"run": run.run_key})
                self._many(connection, self._timers, timer_rows(run))

    def _move(self, connection: Connection, moved: Iterable[Run]) -> None:
        """On another version an activity may look another way, though no fact speaks of it; what RunContinued left
        behind stays as it was."""
        for run in moved:
            places = [place for place in _listed(connection, run) if not _is_let_go(run, place)]
            self._write_activities(connection, [(run, places)])

    def _take_back(self, connection: Connection, reset: Iterable[Run]) -> None:
        """Calls that RunContinued had left behind, and that had not been asked for yet where the reset went back to:
        all others are in the run again."""
        for run in reset:
            places = [place for place in _listed(connection, run) if _is_let_go(run, place)]
            self._write_activities(connection, [(run, places)])

    def _many(self, connection: Connection, statement: str, rows: list[Row]) -> None:
        if rows:
            connection.exec_driver_sql(statement, rows)


def _listed(connection: Connection, run: Run) -> list[Place]:
    where = select(activities.c.task_id, activities.c.map_index).where(activities.c.run_key == run.run_key)
    return [(row.task_id, row.map_index) for row in connection.execute(where)]


def _is_let_go(run: Run, place: Place) -> bool:
    """Whether it is a call of a workflow that RunContinued left behind."""
    node = run.nodes.get(place[0])
    return isinstance(run, WorkflowRun) and node is not None and node.peek(place[1]) is None


def _insert_once(table: Table, mark: str) -> str:
    """An INSERT of a row that consists of its key, and may be there."""
    return f"{insert_sql(table, mark)} ON CONFLICT DO NOTHING"
