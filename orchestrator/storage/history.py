"""SqlHistoryStore: the append-only histories, and the group commit."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, bindparam, select
from sqlalchemy.exc import IntegrityError

from orchestrator.core.events import Recorded
from orchestrator.exceptions import HistoryConflictError
from orchestrator.ports import Answer, Cursor, Group, Part
from orchestrator.storage.claims import Claim
from orchestrator.storage.codec import CODEC
from orchestrator.storage.database import advance, placeholder, reading, stretch_log, upsert_sql, writing
from orchestrator.storage.pausing import pause
from orchestrator.storage.requests import take_down
from orchestrator.storage.signs import Sign, give
from orchestrator.storage.tables import cursors, history, micros
from orchestrator.storage.writer import RunWriter

_MANY = 500

_FACTS = select(history.c.seq, history.c.at, history.c.type, history.c.version, history.c.body).order_by(history.c.seq)
_AFTER = _FACTS.where(history.c.run_key == bindparam("run"), history.c.seq > bindparam("after"))
_SINGLE = _FACTS.where(history.c.run_key == bindparam("run"), history.c.seq.in_(bindparam("seqs", expanding=True)))


class SqlHistoryStore:
    """The HistoryStore of SQLite and PostgreSQL."""

    def __init__(self, engine: Engine, signs: Callable[[], Sequence[Sign]] = tuple) -> None:
        """``signs`` are those of life that are written with a renewal of the claim."""
        self._engine = engine
        self._signs = signs
        self._claim = Claim(engine)
        self._writer = RunWriter(engine)
        self._cursors = upsert_sql(cursors, placeholder(engine))

    def claim(self, owner: str) -> None:
        """Become the one scheduler of this database, or raise SchedulerRunningError; ``owner`` is host:pid."""
        self._claim.take(owner)
        stretch_log(self._engine)

    def renew(self) -> None:
        self._claim.renew(lambda connection: give(connection, self._signs(), datetime.now(UTC)))

    def release(self) -> None:
        self._claim.release()

    def reserve_run_keys(self, count: int) -> range:
        with writing(self._engine) as connection:
            last = advance(connection, "run_key", count)
        return range(last - count + 1, last + 1)

    def commit(self, group: Group) -> frozenset[int]:
        """Write the group in one transaction; the run keys of the parts that were refused."""
        try:
            with writing(self._engine) as connection:
                self._claim.require(connection)
                if group.parts:
                    self._writer.append(connection, group.parts)
                self._answer(connection, group, group.answers)
                self._move_cursors(connection, group.cursors)
                pause(connection, group.pauses, group.at)
            return frozenset()
        except (IntegrityError, HistoryConflictError):
            return self._commit_one_by_one(group)

    def read(self, run_key: int, *, after: int = 0, limit: int | None = None) -> list[Recorded]:
        with reading(self._engine) as connection:
            return read_facts(connection, run_key, after=after, limit=limit)

    def facts(self, run_key: int, seqs: Sequence[int]) -> dict[int, Recorded]:
        found: dict[int, Recorded] = {}
        with reading(self._engine) as connection:
            for start in range(0, len(seqs), _MANY):
                wanted = {"run": run_key, "seqs": list(seqs[start : start + _MANY])}
                found.update((row[0], recorded(*row)) for row in connection.execute(_SINGLE, wanted))
        return found

    def _commit_one_by_one(self, group: Group) -> frozenset[int]:
        """The same, with a savepoint around each part: left out are those out of place, and what is tied to them."""
        with writing(self._engine) as connection:
            self._claim.require(connection)
            refused = self._write_what_fits(connection, group, frozenset())
            self._answer(connection, group, [a for a in group.answers if a.run_key not in refused])
            self._move_cursors(connection, group.cursors)
            pause(connection, group.pauses, group.at)
        return refused

    def _write_what_fits(self, connection: Connection, group: Group, refused: frozenset[int]) -> frozenset[int]:
        """Write the parts that can be written; those that are not, ``refused`` among them."""
        left_out = set(refused)
        with connection.begin_nested() as attempt:
            for part in group.parts:
                if part.run.run_key in left_out or not self._has_taken(connection, part):
                    left_out.add(part.run.run_key)
            tied = group.and_tied(left_out)
            if tied == left_out:
                return tied
            attempt.rollback()
        return self._write_what_fits(connection, group, tied)

    def _has_taken(self, connection: Connection, part: Part) -> bool:
        try:
            with connection.begin_nested():
                self._writer.append(connection, [part])
        except (IntegrityError, HistoryConflictError):
            return False
        return True

    def _answer(self, connection: Connection, group: Group, answers: Sequence[Answer]) -> None:
        if answers:
            take_down(connection, group.at, answers)

    def _move_cursors(self, connection: Connection, moved: Iterable[Cursor]) -> None:
        rows = [(cursor.dag_id, micros(cursor.slot)) for cursor in moved]
        if rows:
            connection.exec_driver_sql(self._cursors, rows)


def recorded(seq: int, at: datetime, kind: str, version: int, body: str) -> Recorded:
    """The fact that a row of the history holds."""
    return Recorded(seq, at, CODEC.decode(kind, version, body))


def read_facts(connection: Connection, run_key: int, *, after: int = 0, limit: int | None = None) -> list[Recorded]:
    """The run's facts above ``after`` in order of seq, at most ``limit``."""
    return [recorded(*row) for row in connection.execute(_AFTER.limit(limit), {"run": run_key, "after": after})]
