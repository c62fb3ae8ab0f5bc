"""What tasks left for others, read from the projections and the facts that they point to: no history is scanned."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityScheduled,
    AnyEvent,
    OutcomeResolved,
)
from orchestrator.core.particulars import NULL, XCom
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, of_dag, of_run
from orchestrator.storage.history import recorded
from orchestrator.storage.projected import Pushing
from orchestrator.storage.tables import activities, history, runs, xcoms

_PAGE = 500
_FACT = (history.c.seq, history.c.at, history.c.type, history.c.version, history.c.body)
_SAME_PLACE = (
    (xcoms.c.run_key == activities.c.run_key)
    & (xcoms.c.task_id == activities.c.task_id)
    & (xcoms.c.map_index == activities.c.map_index)
)
_PUSHED = select(
    xcoms.c.map_index,
    xcoms.c.key,
    xcoms.c.attempt,
    xcoms.c.seq,
    activities.c.attempt.label("last"),
    activities.c.scheduled_seq,
).join(activities, _SAME_PLACE)


class XComReads(Guarded):
    """Pulls, for whoever asks: a worker, or a person."""

    @of_dag
    def run_key(self, dag_id: str, run_id: str) -> int | None:
        with reading(self._engine) as connection:
            query = select(runs.c.run_key).where(runs.c.dag_id == dag_id, runs.c.run_id == run_id)
            found = connection.execute(query).scalar()
        return None if found is None else int(found)

    @of_run
    def earlier_runs(self, run_key: int) -> Iterator[int]:
        """Runs of the same DAG with a logical date before that run's, the latest first."""
        with reading(self._engine) as connection:
            row = connection.execute(
                select(runs.c.dag_id, runs.c.logical_date).where(runs.c.run_key == run_key)
            ).first()
        if row is None or row.logical_date is None:
            return
        date = row.logical_date
        query = select(runs.c.run_key, runs.c.logical_date).where(runs.c.dag_id == row.dag_id)
        while date is not None:
            some = query.where(runs.c.logical_date < date).order_by(runs.c.logical_date.desc()).limit(_PAGE)
            with reading(self._engine) as connection:
                page = connection.execute(some).all()
            yield from (int(found.run_key) for found in page)
            date = page[-1].logical_date if len(page) == _PAGE else None

    @of_run
    def pushed(self, run_key: int, task_id: str, key: str, map_index: int | None) -> list[tuple[int, XCom]]:
        """What the last attempts of a task's activities pushed under ``key``, or of one activity; by map_index."""
        query = _PUSHED.where(xcoms.c.run_key == run_key, xcoms.c.task_id == task_id, xcoms.c.key == key)
        found = self._that_count(run_key, _of(query, xcoms.c.map_index, map_index))
        return [(index, event.xcoms[key]) for index, _, event in found]

    @of_run
    def pushed_by(self, run_key: int, task_id: str, map_index: int) -> dict[str, XCom]:
        """What the last attempt of one activity pushed, by key."""
        query = _PUSHED.where(xcoms.c.run_key == run_key, xcoms.c.task_id == task_id, xcoms.c.map_index == map_index)
        found = self._that_count(run_key, query.order_by(xcoms.c.key))
        return {key: event.xcoms[key] for _, key, event in found}

    def _that_count(self, run_key: int, query: Select[Any]) -> list[tuple[int, str, Pushing]]:
        """map_index, key and fact of the rows that are of the attempt that counts."""
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
            wanted = {row.seq for row in rows} | {row.scheduled_seq for row in rows if row.attempt != row.last}
            facts = self._facts_at(connection, run_key, sorted(wanted))
        found: list[tuple[int, str, Pushing]] = []
        for row in rows:
            event = facts[row.seq]
            if row.attempt == row.last or _attempt(facts.get(row.scheduled_seq)) == row.attempt:
                assert isinstance(event, Pushing)
                found.append((int(row.map_index), row.key, event))
        return found

    @of_run
    def returned(self, run_key: int, task_id: str, map_index: int | None) -> list[tuple[int, XCom]]:
        """The recorded results of a task's activities, but for those that are none; by map_index."""
        return self._returned(_of(_returned(run_key, task_id), activities.c.map_index, map_index))

    @of_run
    def returned_by(self, run_key: int, task_id: str, indexes: range) -> list[tuple[int, XCom]]:
        """The same of activities side by side."""
        query = _returned(run_key, task_id).order_by(activities.c.map_index)
        return self._returned(query.where(activities.c.map_index.between(indexes.start, indexes.stop - 1)))

    def _returned(self, query: Select[Any]) -> list[tuple[int, XCom]]:
        results: list[tuple[int, XCom]] = []
        for index, event in self._facts(query):
            assert isinstance(event, ActivityCompleted | OutcomeResolved)
            if event.payload is not None or event.result != NULL:
                results.append((index, XCom(value=event.result, payload=event.payload, length=event.length)))
        return results

    @staticmethod
    def _facts_at(connection: Connection, run_key: int, seqs: Sequence[int]) -> dict[int, AnyEvent]:
        found: dict[int, AnyEvent] = {}
        for start in range(0, len(seqs), _PAGE):
            query = select(*_FACT).where(history.c.run_key == run_key, history.c.seq.in_(seqs[start : start + _PAGE]))
            found.update((fact.seq, recorded(*fact).event) for fact in connection.execute(query))
        return found

    def _facts(self, query: Select[Any]) -> list[tuple[int, AnyEvent]]:
        with reading(self._engine) as connection:
            return [(int(index), recorded(*fact).event) for index, *fact in connection.execute(query)]


def _returned(run_key: int, task_id: str) -> Select[Any]:
    return (
        select(activities.c.map_index, *_FACT)
        .join(history, (history.c.run_key == activities.c.run_key) & (history.c.seq == activities.c.result_seq))
        .where(activities.c.run_key == run_key, activities.c.task_id == task_id)
    )


def _attempt(event: AnyEvent | None) -> int:
    """Which attempt counts, where a reset took later ones back: the one that was scheduled last before it."""
    return event.attempt if isinstance(event, ActivityScheduled) else 0


def _of(query: Select[Any], column: Any, map_index: int | None) -> Select[Any]:
    return query.order_by(column) if map_index is None else query.where(column == map_index)
