"""Questions about what waits for people."""

from sqlalchemy import and_, select, text

from orchestrator.core.events import ActivityDeferred
from orchestrator.core.forms import form_of
from orchestrator.storage.database import AnyRow, reading
from orchestrator.storage.guard import Guarded, of_dag
from orchestrator.storage.history import recorded
from orchestrator.storage.tables import activities, history, runs
from orchestrator.storage.views import AwaitingRow

# Spelled out as in the partial index: with a parameter in place of the word, no database would use that.
_awaits = text("activities.state = 'awaiting_input'")

_AWAITING = (
    select(
        activities,
        runs.c.dag_id,
        runs.c.run_id,
        history.c.seq,
        history.c.at,
        history.c.type,
        history.c.version,
        history.c.body,
    )
    .join(runs, and_(runs.c.run_key == activities.c.run_key, runs.c.ended_at.is_(None)))
    .outerjoin(history, and_(history.c.run_key == activities.c.run_key, history.c.seq == activities.c.asked_seq))
    .where(_awaits)
    .order_by(activities.c.run_key, activities.c.task_id, activities.c.map_index)
)


class AwaitingReads(Guarded):
    """What people are asked."""

    @of_dag
    def awaiting(
        self,
        dag_id: str | None = None,
        *,
        run_key: int | None = None,
        task_id: str | None = None,
        map_index: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[AwaitingRow]:
        """Activities that wait for a person, of open runs, oldest run first; a page of ``limit`` from ``offset`` on."""
        query = _AWAITING.where(self._visible(runs.c.dag_id)).limit(limit).offset(offset or None)
        if dag_id is not None:
            query = query.where(runs.c.dag_id == dag_id)
        if run_key is not None:
            query = query.where(activities.c.run_key == run_key)
        if task_id is not None:
            query = query.where(activities.c.task_id == task_id)
        if map_index is not None:
            query = query.where(activities.c.map_index == map_index)
        with reading(self._engine) as connection:
            return [_awaiting(row) for row in connection.execute(query)]


def _awaiting(row: AnyRow) -> AwaitingRow:
    event = None if row.seq is None else recorded(row.seq, row.at, row.type, row.version, row.body).event
    return AwaitingRow(
        run_key=row.run_key,
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        attempt=row.attempt,
        since=row.at or row.started_at,
        until=row.retry_at,
        seq=row.seq or 0,
        form=form_of(event.trigger) if isinstance(event, ActivityDeferred) else None,
    )
