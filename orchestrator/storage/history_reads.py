"""Questions about one run's history that may be long: it is read a page at a time."""

from collections.abc import Collection, Iterator
from datetime import datetime

import msgspec
from sqlalchemy import func, select

from orchestrator.core.events import AnyEvent, Recorded
from orchestrator.core.transcript import Fact
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, of_run, visible
from orchestrator.storage.history import read_facts, recorded
from orchestrator.storage.tables import history, runs

_PAGE = 1_000
_MANY = 500
_COLUMNS = (history.c.seq, history.c.at, history.c.type, history.c.version, history.c.body)


class HistoryReads(Guarded):
    """Histories of any length, in memory of a page."""

    @of_run
    def facts(self, run_key: int, *, after: int = 0, until: int | None = None) -> Iterator[Recorded]:
        """The facts with a seq above ``after``, up to and including ``until``."""
        while until is None or after < until:
            limit = _PAGE if until is None else min(_PAGE, until - after)
            with reading(self._engine) as connection:
                page = read_facts(connection, run_key, after=after, limit=limit)
            yield from page
            if len(page) < limit:
                return
            after = page[-1].seq

    @of_run
    def facts_of(
        self, run_key: int, kinds: Collection[type[AnyEvent]], *, after: int = 0, until: int
    ) -> list[Recorded]:
        """The facts of these kinds with a seq above ``after``, up to and including ``until``, in order."""
        names = [kind.__name__ for kind in kinds]
        query = select(*_COLUMNS).where(history.c.run_key == run_key, history.c.seq > after, history.c.seq <= until)
        with reading(self._engine) as connection:
            rows = connection.execute(query.where(history.c.type.in_(names)).order_by(history.c.seq))
            return [recorded(*row) for row in rows]

    @of_run
    def last_of(self, run_key: int, kinds: Collection[type[AnyEvent]], *, until: int) -> int:
        """The seq of the last fact of these kinds, up to and including ``until``; 0 if there is none."""
        names = [kind.__name__ for kind in kinds]
        query = select(history.c.seq).where(history.c.run_key == run_key, history.c.seq <= until)
        with reading(self._engine) as connection:
            found = connection.execute(query.where(history.c.type.in_(names)).order_by(history.c.seq.desc()).limit(1))
            return found.scalar() or 0

    @of_run
    def stored_facts(self, run_key: int, *, until: int) -> Iterator[Fact]:
        """The facts up to ``until`` as they are stored, in whatever version they were written."""
        query = select(*_COLUMNS).where(history.c.run_key == run_key).order_by(history.c.seq).limit(_PAGE)
        after = 0
        while after < until:
            with reading(self._engine) as connection:
                page = connection.execute(query.where(history.c.seq > after, history.c.seq <= until)).all()
            if not page:
                return
            for seq, at, kind, version, body in page:
                yield Fact(seq=seq, at=at, type=kind, version=version, body=msgspec.Raw(body.encode()))
            after = page[-1].seq

    @of_run
    def facts_at(self, run_key: int, seqs: list[int]) -> dict[int, Recorded]:
        """Single facts, by seq."""
        found: dict[int, Recorded] = {}
        query = select(*_COLUMNS).where(history.c.run_key == run_key)
        with reading(self._engine) as connection:
            for start in range(0, len(seqs), _MANY):
                some = query.where(history.c.seq.in_(seqs[start : start + _MANY]))
                found.update((row[0], recorded(*row)) for row in connection.execute(some))
        return found

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
