"""Rebuild: fold every history again and write its projections anew; one run at a time is held in memory."""

from collections.abc import Callable, Iterator
from functools import lru_cache

from sqlalchemy import Connection, Engine, delete, func, select

from orchestrator.core.events import Recorded, RunCreated, RunMoved
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.exceptions import StorageCorruptError
from orchestrator.storage.catalog_reads import spec_of
from orchestrator.storage.claims import Claim
from orchestrator.storage.database import reading, writing
from orchestrator.storage.history import read_facts
from orchestrator.storage.projected import Notes
from orchestrator.storage.tables import activities, history, payload_refs, runs, runs_to_delete, timers
from orchestrator.storage.writer import RunWriter

_PAGE = 5_000
_RUNS_A_COMMIT = 100
_PLANS = 64

_doomed = select(runs_to_delete.c.run_key)


def rebuild(engine: Engine, owner: str, progress: Callable[[int, int], None]) -> int:
    """Write runs, activities, timers and payload_refs anew; how many runs that were.

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
        while keys := self._next_keys(after=last):
            last = keys[-1]
            self._claim.renew()
            with writing(self._engine) as connection:
                self._claim.require(connection)
                for run_key in keys:
                    self._rewrite(connection, run_key)
            done += len(keys)
            progress(done, total)
        self._forget_rest()
        return done

    def _next_keys(self, *, after: int) -> list[int]:
        """The next run keys, found one by one in the index: no scan of all facts."""
        keys: list[int] = []
        with reading(self._engine) as connection:
            while len(keys) < _RUNS_A_COMMIT:
                query = select(func.min(history.c.run_key)).where(
                    history.c.run_key > (keys[-1] if keys else after), history.c.run_key.not_in(_doomed)
                )
                found = connection.execute(query).scalar()
                if found is None:
                    break
                keys.append(int(found))
        return keys

    def _rewrite(self, connection: Connection, run_key: int) -> None:
        notes = Notes()
        run: Run | None = None
        for facts in _pages(connection, run_key):
            notes.take(run_key, facts)
            if run is None:
                run, facts = self._begin(run_key, facts[0]), facts[1:]
            for fact in facts:
                self._apply(run, fact)
        if run is not None:
            self._writer.rewrite(connection, run, notes)

    def _begin(self, run_key: int, first: Recorded) -> Run:
        if not isinstance(first.event, RunCreated):
            raise StorageCorruptError(
                f"the history of run {run_key} does not begin with RunCreated; restore the database from a backup"
            )
        return Run(run_key, self._plan(first.event.version_id), first)

    def _apply(self, run: Run, fact: Recorded) -> None:
        run.apply(fact)
        if isinstance(fact.event, RunMoved):
            run.move(self._plan(fact.event.version_id))

    def _load_plan(self, version_id: int) -> Plan:
        with reading(self._engine) as connection:
            return Plan(spec_of(connection, version_id), version_id)

    def _forget_rest(self) -> None:
        """Projections of runs that have no history."""
        known = select(history.c.run_key).distinct()
        with writing(self._engine) as connection:
            for table in (runs, activities, timers, payload_refs):
                connection.execute(delete(table).where(table.c.run_key.not_in(known)))


def _pages(connection: Connection, run_key: int) -> Iterator[list[Recorded]]:
    after = 0
    while facts := read_facts(connection, run_key, after=after, limit=_PAGE):
        after = facts[-1].seq
        yield facts
