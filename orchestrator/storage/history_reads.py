"""Questions about one run's history that may be long: it is read a page at a time."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Select, func, select

from orchestrator.core.transcript import Fact
from orchestrator.storage.database import AnyRow, reading
from orchestrator.storage.guard import Guarded, of_run, visible
from orchestrator.storage.tables import history, runs

_MANY = 500
_COLUMNS = (history.c.seq, history.c.at, history.c.type, history.c.version, history.c.body)


class Share(NamedTuple):
    """``number`` facts of a type in a part of a history, counted from 0."""

    part: int
    type: str
    number: int


class HistoryReads(Guarded):
    """Facts as they are stored, in whatever version they were written."""

    @of_run
    def stored(
        self,
        run_key: int,
        *,
        after: int = 0,
        until: int | None = None,
        types: tuple[str, ...] = (),
        limit: int | None = None,
    ) -> list[Fact]:
        """Those with a seq above ``after``, up to and including ``until``, in order; of all types, or of some."""
        query = facts_of_run(run_key, types).where(history.c.seq > after).order_by(history.c.seq).limit(limit)
        if until is not None:
            query = query.where(history.c.seq <= until)
        with reading(self._engine) as connection:
            return [fact_of(row) for row in connection.execute(query)]

    @of_run
    def shares(self, run_key: int, *, parts: int, last: int) -> list[Share]:
        """How many facts of each type are in each of ``parts`` equal parts of the facts 1 to ``last``."""
        part = ((history.c.seq - 1) * parts) // last
        query = (
            select(part.label("part"), history.c.type, func.count())
            .where(history.c.run_key == run_key, history.c.seq <= last)
            .group_by("part", history.c.type)
        )
        with reading(self._engine) as connection:
            return [Share(*row) for row in connection.execute(query)]

    @of_run
    def stored_at(self, run_key: int, seqs: list[int]) -> list[Fact]:
        """Single ones, by seq; those that there are."""
        found: list[Fact] = []
        query = facts_of_run(run_key, ())
        with reading(self._engine) as connection:
            for start in range(0, len(seqs), _MANY):
                some = query.where(history.c.seq.in_(seqs[start : start + _MANY]))
                found.extend(fact_of(row) for row in connection.execute(some))
        return found

    @of_run
    def last_seq_of(self, run_key: int, types: tuple[str, ...], *, until: int) -> int:
        """The seq of the last fact of these types, up to and including ``until``; 0 if there is none."""
        query = facts_of_run(run_key, types).with_only_columns(history.c.seq).where(history.c.seq <= until)
        with reading(self._engine) as connection:
            return connection.execute(query.order_by(history.c.seq.desc()).limit(1)).scalar() or 0

    @visible
    def dags_with_run(self, run_id: str) -> list[str]:
        """The DAGs that have a run of that name."""
        query = select(runs.c.dag_id).where(runs.c.run_id == run_id, self._visible(runs.c.dag_id))
        with reading(self._engine) as connection:
            return list(connection.execute(query.order_by(runs.c.dag_id).limit(_MANY)).scalars())

    @of_run
    def seq_at(self, run_key: int, moment: datetime) -> int:
        """The seq of the last fact that was recorded up to that moment; 0 if there was none."""
        query = select(func.max(history.c.seq)).where(history.c.run_key == run_key, history.c.at <= moment)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar() or 0


def facts_of_run(run_key: int, types: tuple[str, ...]) -> Select[tuple[int, datetime, str, int, str]]:
    query = select(*_COLUMNS).where(history.c.run_key == run_key)
    return query.where(history.c.type.in_(types)) if types else query


def fact_of(row: AnyRow) -> Fact:
    seq, at, kind, version, body = row
    return Fact(seq=seq, at=at, type=kind, version=version, body=msgspec.Raw(body.encode()))
