"""Questions about what waits for people, and what they have said."""

from collections.abc import Iterator

import msgspec
from sqlalchemy import ColumnElement, and_, func, select, text, tuple_

from orchestrator.core.events import ActivityDeferred
from orchestrator.core.forms import Form, form_of
from orchestrator.core.requests import AnswerTask, ResolveTask
from orchestrator.storage.database import AnyRow, reading
from orchestrator.storage.guard import Guarded, of_dag
from orchestrator.storage.history import recorded
from orchestrator.storage.requests import decode_request
from orchestrator.storage.tables import SAID_BY_PEOPLE, activities, audit, history, runs
from orchestrator.storage.views import AnswerRow, AwaitingRow

# Spelled out as in the partial index: with a parameter in place of the word, no database would use that.
_awaits = text("activities.state = 'awaiting_input'")

_OPEN = and_(runs.c.run_key == activities.c.run_key, runs.c.ended_at.is_(None))
_FACTS = select(history.c.run_key, history.c.seq, history.c.at, history.c.type, history.c.version, history.c.body)
_ANSWERS = (
    select(audit, runs.c.run_key)
    .outerjoin(runs, and_(runs.c.dag_id == audit.c.dag_id, runs.c.run_id == audit.c.run_id))
    .where(text(SAID_BY_PEOPLE), audit.c.refusal.is_(None))
    .order_by(audit.c.id.desc())
)
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
    .join(runs, _OPEN)
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
        asking: bool | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[AwaitingRow]:
        """Activities that wait for a person, of open runs, oldest run first; a page of ``limit`` from ``offset`` on.
        Those that are ``asking`` something, or those whose outcome is unknown."""
        which = _which(dag_id, run_key, task_id, map_index, asking)
        query = _AWAITING.where(self._visible(runs.c.dag_id), *which).limit(limit).offset(offset or None)
        with reading(self._engine) as connection:
            return [_awaiting(row) for row in connection.execute(query)]

    @of_dag
    def awaiting_count(
        self, dag_id: str | None = None, *, run_key: int | None = None, asking: bool | None = None
    ) -> int:
        """How many there are."""
        which = _which(dag_id, run_key, None, None, asking)
        query = select(func.count()).select_from(activities).join(runs, _OPEN)
        with reading(self._engine) as connection:
            found = connection.execute(query.where(_awaits, self._visible(runs.c.dag_id), *which))
            return int(found.scalar_one())

    @of_dag
    def answers(
        self,
        dag_id: str | None = None,
        *,
        run_id: str | None = None,
        before_id: int | None = None,
        limit: int = 100,
    ) -> list[AnswerRow]:
        """What people have answered, and said of outcomes that were unknown; newest first, below ``before_id``."""
        query = _ANSWERS.where(self._visible(audit.c.dag_id)).limit(limit)
        equal = {audit.c.dag_id: dag_id, audit.c.run_id: run_id}
        query = query.where(*(column == value for column, value in equal.items() if value is not None))
        if before_id is not None:
            query = query.where(audit.c.id < before_id)
        with reading(self._engine) as connection:
            rows = [(row, decode_request(row.body)) for row in connection.execute(query)]
            places = [(row.run_key, asked.asked) for row, asked in rows if isinstance(asked, AnswerTask)]
            facts = connection.execute(_FACTS.where(tuple_(history.c.run_key, history.c.seq).in_(places))).all()
        forms = {(row.run_key, row.seq): _form(row) for row in facts}
        return [_answer(row, asked, forms) for row, asked in rows if isinstance(asked, AnswerTask | ResolveTask)]


def _which(
    dag_id: str | None, run_key: int | None, task_id: str | None, map_index: int | None, asking: bool | None
) -> Iterator[ColumnElement[bool]]:
    equal = {
        runs.c.dag_id: dag_id,
        activities.c.run_key: run_key,
        activities.c.task_id: task_id,
        activities.c.map_index: map_index,
    }
    yield from (column == value for column, value in equal.items() if value is not None)
    if asking is not None:
        yield activities.c.asked_seq.is_not(None) if asking else activities.c.asked_seq.is_(None)


def _answer(row: AnyRow, said: AnswerTask | ResolveTask, forms: dict[tuple[int, int], Form | None]) -> AnswerRow:
    found = AnswerRow(
        id=row.id,
        at=row.at,
        by=row.by,
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=said.task_id,
        map_index=said.map_index,
    )
    if isinstance(said, ResolveTask):
        return msgspec.structs.replace(found, state=said.state)
    form = forms.get((row.run_key, said.asked))
    subject = form.subject if form else ""
    return msgspec.structs.replace(found, subject=subject, options=said.options, params=said.params)


def _form(row: AnyRow) -> Form | None:
    event = recorded(row.seq, row.at, row.type, row.version, row.body).event
    return form_of(event.trigger) if isinstance(event, ActivityDeferred) else None


def _awaiting(row: AnyRow) -> AwaitingRow:
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
        form=None if row.seq is None else _form(row),
    )
