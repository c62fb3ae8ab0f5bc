"""Cleaning: takes ended runs out of the database, a little at a time, so that nobody has to wait for it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Connection, Delete, Engine, Table, delete, func, insert, select, tuple_

from orchestrator.exceptions import ConflictError
from orchestrator.storage.audit import Seal, lock_head, note, set_seal
from orchestrator.storage.catalog_reads import no_such_dag
from orchestrator.storage.database import reading, writing
from orchestrator.storage.payloads import FsspecPayloadStore
from orchestrator.storage.schema import BASE
from orchestrator.storage.tables import (
    activities,
    audit,
    cursors,
    dag_versions,
    dags,
    history,
    payload_refs,
    requests,
    runs,
    runs_to_delete,
    timers,
    xcoms,
)

_LAST_LINE = select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)

_BATCH = 50
_ROWS = 1_000
_GRACE = timedelta(days=1)


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """What was deleted, or would be."""

    runs: int = 0
    facts: int = 0
    payloads: int = 0
    audit_lines: int = 0


class Cleaning:
    """Deletes ended runs, with their histories, projections and payloads. An open run is never touched, nor one whose
    callbacks are still being called.
    """

    def __init__(self, engine: Engine, payloads: FsspecPayloadStore | None = None) -> None:
        self._engine = engine
        self._payloads = payloads

    def clean(
        self,
        before: datetime,
        *,
        now: datetime,
        dry_run: bool = False,
        keep_audit: bool = False,
        by: str = "db clean",
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Cleaned:
        """Delete the runs that ended before ``before`` and the audit's lines from before it; and payloads that
        nothing refers to and that are older than a day. ``keep_audit`` leaves the audit as it is; otherwise a line of
        it says how many others ``by`` has deleted. ``progress`` is told how many runs are done, of how many.
        """
        ended = (runs.c.ended_at < before) & (runs.c.open_callbacks == 0)
        found = self._count(ended, None if keep_audit else before)
        if not dry_run:
            self._delete_runs(ended, lambda done: progress(done, found.runs))
            if not keep_audit:
                self._clean_audit(before, now, by)
        return msgspec.structs.replace(found, payloads=self._sweep(now, dry_run=dry_run))

    def delete_dag(self, dag_id: str) -> int:
        """Delete a DAG whose file is gone, with all that is recorded of it; how many runs it had. ConflictError while
        its file is there, since it would come back, or while one of its runs is open."""
        of_dag = runs.c.dag_id == dag_id
        with reading(self._engine) as connection:
            _require_deletable(connection, dag_id)
            count = connection.execute(select(func.count()).select_from(runs).where(of_dag)).scalar_one()
        self._delete_runs(of_dag & runs.c.ended_at.is_not(None), lambda _done: None)
        with writing(self._engine) as connection:
            _require_deletable(connection, dag_id)
            for table in (dags, cursors, dag_versions, requests):
                connection.execute(delete(table).where(table.c.dag_id == dag_id))
        return int(count)

    def _count(self, which: ColumnElement[bool], audit_before: datetime | None) -> Cleaned:
        keys = select(runs.c.run_key).where(which)
        with reading(self._engine) as connection:
            return Cleaned(
                runs=_rows(connection, runs, which),
                facts=_rows(connection, history, history.c.run_key.in_(keys)),
                audit_lines=0 if audit_before is None else _rows(connection, audit, _earlier(audit_before)),
            )

    def _clean_audit(self, before: datetime, now: datetime, by: str) -> None:
        """Delete the lines before the first that is to stay; the chain goes on from the last of them."""
        with writing(self._engine) as connection:
            lock_head(connection)
            last = connection.execute(_LAST_LINE.where(_earlier(before))).first()
            if last is not None:
                lines = connection.execute(delete(audit).where(_earlier(before))).rowcount
                set_seal(connection, BASE, Seal(id=last.id, hash=last.hash))
                note(connection, now, by, "clean_audit", lines=lines, up_to=last.id)

    def _delete_runs(self, which: ColumnElement[bool], progress: Callable[[int], None]) -> None:
        """First a run's row goes, so that nobody takes the run up again, then the rest of it. What a cleaning that was
        broken off has left is taken along."""
        done = 0
        self._drain()
        while taken := self._take_out(which):
            self._drain()
            done += taken
            progress(done)

    def _take_out(self, which: ColumnElement[bool]) -> int:
        with writing(self._engine) as connection:
            keys = list(connection.execute(select(runs.c.run_key).where(which).limit(_BATCH)).scalars())
            if keys:
                connection.execute(insert(runs_to_delete), [{"run_key": key} for key in keys])
                connection.execute(delete(runs).where(runs.c.run_key.in_(keys)))
            return len(keys)

    def _drain(self) -> None:
        with reading(self._engine) as connection:
            keys = list(connection.execute(select(runs_to_delete.c.run_key)).scalars())
        for key in keys:
            while not self._delete_some(key):
                pass

    def _delete_some(self, run_key: int) -> bool:
        """Delete a bounded number of rows of a run; whether that was the last of it."""
        with writing(self._engine) as connection:
            low = connection.execute(select(func.min(history.c.seq)).where(history.c.run_key == run_key)).scalar()
            if low is not None:
                facts = delete(history).where(history.c.run_key == run_key, history.c.seq < low + _ROWS)
                if connection.execute(facts).rowcount == _ROWS:
                    return False
            if any(connection.execute(_some(table, run_key)).rowcount == _ROWS for table in (activities, xcoms)):
                return False
            for table in (timers, payload_refs, runs_to_delete):
                connection.execute(delete(table).where(table.c.run_key == run_key))
            return True

    def _sweep(self, now: datetime, *, dry_run: bool) -> int:
        if self._payloads is None:
            return 0
        with reading(self._engine) as connection:
            referenced = set(connection.execute(select(payload_refs.c.sha256).distinct()).scalars())
        return self._payloads.sweep(referenced, now - _GRACE, dry_run=dry_run)


def _some(table: Table, run_key: int) -> Delete:
    """A bounded number of a run's rows."""
    key = [column for column in table.primary_key.columns if column.name != "run_key"]
    some = select(*key).where(table.c.run_key == run_key).limit(_ROWS)
    return delete(table).where(table.c.run_key == run_key, tuple_(*key).in_(some))


def _earlier(than: datetime) -> ColumnElement[bool]:
    """The audit's lines before its first one from then on: a beginning of the chain, whatever clocks said."""
    first = select(func.min(audit.c.id)).where(audit.c.at >= than).scalar_subquery()
    return audit.c.id < func.coalesce(first, 2**62)


def _rows(connection: Connection, table: Table, which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(which)).scalar_one())


def _require_deletable(connection: Connection, dag_id: str) -> None:
    row = connection.execute(select(dags.c.is_stale, dags.c.file).where(dags.c.dag_id == dag_id)).first()
    if row is None:
        raise no_such_dag(connection, dag_id)
    if not row.is_stale:
        raise ConflictError(f"the DAG {dag_id!r} would come back, since {row.file} defines it; remove it there first")
    count = _rows(connection, runs, (runs.c.dag_id == dag_id) & runs.c.ended_at.is_(None))
    if count:
        raise ConflictError(f"the DAG {dag_id!r} has {count} open runs; cancel them, or wait for them, first")
