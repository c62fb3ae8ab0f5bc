"""Guests: runs that were recorded in another home, written into this one.

Nobody owns a guest: its history is complete when it appears and no fact is ever added to it. So no scheduler is asked,
and none is held up: the facts go in a few at a time, out of sight because the run is marked as one to be deleted, and
the last transaction takes that mark away. What an interrupted import leaves is swept by the next `db clean`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Engine, delete, insert
from sqlalchemy.exc import IntegrityError

from orchestrator.core.events import Recorded
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.runs import replay
from orchestrator.exceptions import ConflictError
from orchestrator.ports import Clock, ParsedDag, ParsedFile
from orchestrator.storage.audit import note
from orchestrator.storage.database import advance, writing
from orchestrator.storage.projected import Notes, all_places
from orchestrator.storage.recording import Recording
from orchestrator.storage.requests import is_taken
from orchestrator.storage.tables import runs_to_delete
from orchestrator.storage.writer import RunWriter

T = TypeVar("T")

_ROWS_A_COMMIT = 2_000


class Guests:
    """Takes runs in. ``by`` is who asked."""

    def __init__(self, engine: Engine, clock: Clock, *, paused_at_creation: bool = False) -> None:
        self._engine = engine
        self._clock = clock
        self._writer = RunWriter(engine)
        self._paused_at_creation = paused_at_creation

    def require_free(self, dag_id: str, run_id: str) -> None:
        """ConflictError if there is such a run here, or one is asked for."""
        with writing(self._engine) as connection:
            _require_free(connection, dag_id, run_id)

    def keep_versions(self, versions: Sequence[tuple[ParsedFile, ParsedDag]]) -> list[int]:
        """Record these versions, in order; the ids that they have here. A DAG that has no file here is listed as
        stale, until one gives it."""
        with writing(self._engine) as connection:
            recording = Recording(connection, at=self._clock.now(), paused_at_creation=self._paused_at_creation)
            return [recording.keep_version(parsed, dag) for parsed, dag in versions]

    def take(
        self,
        dag_id: str,
        run_id: str,
        facts: Callable[[], Iterable[Recorded]],
        plans: Callable[[int], Plan],
        *,
        by: str,
    ) -> Run:
        """Write a run whose facts name this home's versions; ConflictError where that run is here meanwhile.

        ``facts`` gives them from the first on each time that it is called.
        """
        with writing(self._engine) as connection:
            _require_free(connection, dag_id, run_id)
            run_key = advance(connection, "run_key")
            connection.execute(insert(runs_to_delete).values(run_key=run_key))
        notes = Notes()
        run = replay(run_key, self._written(run_key, facts(), notes), plans, again=facts)
        notes.timers.clear()  # none of them is waited for here
        for places in _batches(all_places(run)):
            with writing(self._engine) as connection:
                self._writer.write_places(connection, run, places)
        self._show(run, notes, by)
        return run

    def _written(self, run_key: int, facts: Iterable[Recorded], notes: Notes) -> Iterator[Recorded]:
        for page in _batches(facts):
            with writing(self._engine) as connection:
                self._writer.write_facts(connection, run_key, page)
            notes.take(run_key, page)
            yield from page

    def _show(self, run: Run, notes: Notes, by: str) -> None:
        try:
            with writing(self._engine) as connection:
                mark = delete(runs_to_delete).where(runs_to_delete.c.run_key == run.run_key)
                if connection.execute(mark).rowcount == 0:
                    raise ConflictError("the database was cleaned while the run was imported; import it again")
                self._writer.write_run(connection, run, notes)
                self._note(connection, run, by)
        except IntegrityError as error:
            raise _taken(run.dag_id, run.run_id) from error

    def _note(self, connection: Connection, run: Run, by: str) -> None:
        now, uid = self._clock.now(), run.created.run_uid
        note(connection, now, by, "import_run", dag_id=run.dag_id, run_id=run.run_id, facts=run.seq, run_uid=uid)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, _ROWS_A_COMMIT)):
        yield batch


def _require_free(connection: Connection, dag_id: str, run_id: str) -> None:
    if is_taken(connection, dag_id, run_id):
        raise _taken(dag_id, run_id)


def _taken(dag_id: str, run_id: str) -> ConflictError:
    return ConflictError(f"the DAG {dag_id!r} has a run {run_id!r} already; give the imported one another --run-id")
