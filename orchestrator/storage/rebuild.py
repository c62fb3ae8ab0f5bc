"""Rebuild: fold every history again and write its projections anew; a few runs at a time are held in memory."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain

from sqlalchemy import Connection, Engine, delete, func, select

from orchestrator.core.events import Recorded
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.runs import replay
from orchestrator.storage.catalog_reads import spec_of
from orchestrator.storage.claims import Claim
from orchestrator.storage.database import reading, writing
from orchestrator.storage.history import read_facts
from orchestrator.storage.projected import Notes
from orchestrator.storage.tables import activities, history, payload_refs, runs, runs_to_delete, timers, xcoms
from orchestrator.storage.writer import RunWriter

_PAGE = 5_000
_FACTS_A_COMMIT = 5_000
_PLANS = 64

_NEXT = select(func.min(history.c.run_key)).where(history.c.run_key.not_in(select(runs_to_delete.c.run_key)))


def rebuild(engine: Engine, owner: str, progress: Callable[[int, int], None]) -> int:
    """Write runs, activities, xcoms, timers and payload_refs anew; how many runs that were.

    SchedulerRunningError while a scheduler holds the claim, which this holds itself meanwhile, as ``owner``.
    ``progress`` is told how many runs are done, of how many.
    """
    claim = Claim(engine)
    claim.take(owner)
    try:
        return _Rebuild(engine, claim).run(progress)
    finally:
        claim.release()


class _Rebuild:
    def __init__(self, engine: Engine, claim: Claim) -> None:
        self._engine = engine
        self._claim = claim
        self._writer = RunWriter(engine)
        self._plan = lru_cache(maxsize=_PLANS)(self._load_plan)

    def run(self, progress: Callable[[int, int], None]) -> int:
        with reading(self._engine) as connection:
            total = int(connection.execute(select(func.count(func.distinct(history.c.run_key)))).scalar_one())
        done, last = 0, 0
        while batch := self._fold_some(after=last):
            self._claim.renew()
            with writing(self._engine) as connection:
                self._claim.require(connection)
                for run, notes in batch:
                    self._writer.rewrite(connection, run, notes)
            last = batch[-1][0].run_key
            done += len(batch)
            progress(done, total)
        self._forget_rest()
        return done

    def _fold_some(self, *, after: int) -> list[tuple[Run, Notes]]:
        """The next runs, as many as are written in a moment; found one by one in the index, without a scan."""
        batch: list[tuple[Run, Notes]] = []
        facts = 0
        with reading(self._engine) as connection:
            while facts < _FACTS_A_COMMIT:
                query = _NEXT.where(history.c.run_key > (batch[-1][0].run_key if batch else after))
                run_key = connection.execute(query).scalar()
                if run_key is None:
                    break
                batch.append(self._fold(connection, int(run_key)))
                facts += batch[-1][0].seq
        return batch

    def _fold(self, connection: Connection, run_key: int) -> tuple[Run, Notes]:
        notes = Notes()

        def history() -> Iterator[Recorded]:
            return chain.from_iterable(_pages(connection, run_key))

        def noted() -> Iterator[Recorded]:
            for page in _pages(connection, run_key):
                notes.take(run_key, page)
                yield from page

        return replay(run_key, noted(), self._plan, again=history), notes

    def _load_plan(self, version_id: int) -> Plan:
        with reading(self._engine) as connection:
            return Plan(spec_of(connection, version_id), version_id)

    def _forget_rest(self) -> None:
        """Projections of runs that have no history."""
        known = select(history.c.run_key).distinct()
        with writing(self._engine) as connection:
            for table in (runs, activities, xcoms, timers, payload_refs):
                connection.execute(delete(table).where(table.c.run_key.not_in(known)))


def _pages(connection: Connection, run_key: int) -> Iterator[list[Recorded]]:
    after = 0
    while facts := read_facts(connection, run_key, after=after, limit=_PAGE):
        after = facts[-1].seq
        yield facts
