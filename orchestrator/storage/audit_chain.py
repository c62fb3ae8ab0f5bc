"""The audit's chain, walked from its first line to its last: what was changed, taken out, moved or added is named."""

import contextlib
from collections.abc import Iterator
from itertools import islice

import msgspec
from sqlalchemy import Connection, Engine, select

from orchestrator.storage.audit import Seal, digest, line_of, seal
from orchestrator.storage.database import AnyRow
from orchestrator.storage.schema import BASE, HEAD
from orchestrator.storage.tables import audit

_PAGE = 2_000
_NAMED = 20
_NONE = Seal(id=0, hash="")


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """A place where the chain does not hold: the line's id, and one sentence."""

    id: int
    what: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What a walk found: how many lines, the last one's seal, and the first breaks."""

    lines: int
    seal: Seal
    breaks: tuple[Break, ...] = ()


def verify(engine: Engine, *, known: Seal | None = None) -> Verification:
    """Walk the whole chain, as it stands at one moment. ``known``: the seal of an earlier walk, kept elsewhere; without
    one, a chain that was written anew from some line to its end is not told from the true one.
    """
    with _one_moment(engine) as connection:
        return _Walk(connection, known).to_the_end()


def verify_piece(engine: Engine, start: Seal | None, lines: int) -> Verification:
    """Walk over so many lines after that of ``start``, which an earlier walk has come to, or over the first ones."""
    with _one_moment(engine) as connection:
        return _Walk(connection, None, start).a_piece(lines)


@contextlib.contextmanager
def _one_moment(engine: Engine) -> Iterator[Connection]:
    """A transaction in which the log stays as it is."""
    level = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**level) as connection, connection.begin():
        yield connection


class _Walk:
    """One walk. ``last`` is the line before the one that is looked at."""

    def __init__(self, connection: Connection, known: Seal | None, start: Seal | None = None) -> None:
        self._connection = connection
        self._known = known
        self._base = seal(connection, BASE) or _NONE
        self._last = start or self._base
        self._lines = 0
        self._breaks: list[Break] = []

    def to_the_end(self) -> Verification:
        for row in _rows(self._connection):
            self._look_at(row)
            self._lines += 1
        self._look_at_end()
        if self._known is not None:
            self._look_for(self._known)
        return Verification(lines=self._lines, seal=self._last, breaks=tuple(self._breaks[:_NAMED]))

    def a_piece(self, lines: int) -> Verification:
        """Over so many lines after the start, which has to be as it was."""
        start = self._last
        if start.id > self._base.id:
            self._look_for(start)
        for row in islice(_rows(self._connection, start.id), lines):
            self._look_at(row)
            self._lines += 1
        if self._lines < lines:
            self._look_at_end()
        return Verification(lines=self._lines, seal=self._last, breaks=tuple(self._breaks[:_NAMED]))

    def _look_at(self, row: AnyRow) -> None:
        if digest(row.prev, line_of(row)) != row.hash:
            self._tell(row.id, f"line {row.id} was changed after it was written")
        if row.prev != self._last.hash:
            self._tell(row.id, self._out_of_place(row))
        self._last = Seal(id=row.id, hash=row.hash)

    def _out_of_place(self, row: AnyRow) -> str:
        owner = self._connection.execute(select(audit.c.id).where(audit.c.hash == row.prev)).scalar()
        if owner is not None and row.prev:
            return (
                f"line {row.id} is out of its place: it was written right after line {owner}, not line {self._last.id}"
            )
        return f"the line that line {row.id} was written after is gone, or was written anew"

    def _look_at_end(self) -> None:
        head = seal(self._connection, HEAD)
        if head is None:
            self._tell(self._last.id, "the seal of the last line is gone")
        elif head.id > self._last.id:
            self._tell(head.id, f"the lines after line {self._last.id} are gone, up to line {head.id}")
        elif head != self._last:
            self._tell(self._last.id, f"line {self._last.id} is not the last one that was written, line {head.id}")

    def _look_for(self, known: Seal) -> None:
        """A seal from before a cleaning is of a line that may be gone: the last of those is known."""
        row = self._connection.execute(select(audit.c.hash).where(audit.c.id == known.id)).first()
        found = row.hash if row is not None else self._base.hash if known.id == self._base.id else None
        if found is None and known.id < self._base.id:
            self._tell(
                known.id, f"line {known.id} of the seal was cleaned away, as were all up to line {self._base.id}"
            )
        elif found != known.hash:
            self._tell(known.id, f"line {known.id} is not the one of the seal: the log was written anew")

    def _tell(self, number: int, what: str) -> None:
        if len(self._breaks) < _NAMED:
            self._breaks.append(Break(id=number, what=what))


def _rows(connection: Connection, last: int | None = None) -> Iterator[AnyRow]:
    """In order; those after ``last``, where one is given."""
    while True:
        query = select(audit).order_by(audit.c.id).limit(_PAGE)
        page = connection.execute(query if last is None else query.where(audit.c.id > last)).all()
        if not page:
            return
        yield from page
        last = page[-1].id
