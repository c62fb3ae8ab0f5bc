"""Signs of life: each process that works for a home says now and then that it does, in a row of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, text, update

from orchestrator.storage.database import AnyRow, reading
from orchestrator.storage.guard import Guarded, visible
from orchestrator.storage.schema import REVISION
from orchestrator.storage.tables import parts

EVERY = timedelta(seconds=10)
"""How often a part gives one."""
MISSED = timedelta(seconds=30)
"""After how long without any it is taken for dead."""
_FORGOTTEN = timedelta(days=1)


class Role(StrEnum):
    """What a part of the program does."""

    SCHEDULER = "scheduler"
    DAG_PROCESSOR = "dag_processor"
    EXECUTOR = "executor"
    TRIGGERER = "triggerer"


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """A part says that it works: who it is, and some facts about itself, which are shown as they are."""

    role: Role
    host: str
    pid: int
    started_at: datetime
    facts: Mapping[str, Any] = {}


class PartRow(Sign, frozen=True, kw_only=True):
    """The last sign of a part."""

    seen_at: datetime

    def is_alive(self, now: datetime) -> bool:
        return now - self.seen_at < MISSED


def give(connection: Connection, signs: Sequence[Sign], now: datetime) -> None:
    """Write signs in the caller's transaction; parts that gave none for a day are forgotten."""
    for sign in signs:
        same = (parts.c.role == sign.role.value) & (parts.c.host == sign.host) & (parts.c.pid == sign.pid)
        values = {"started_at": sign.started_at, "seen_at": now, "facts": msgspec.json.encode(sign.facts).decode()}
        if not connection.execute(update(parts).where(same).values(values)).rowcount:
            connection.execute(delete(parts).where(parts.c.seen_at < now - _FORGOTTEN))
            key = {"role": sign.role.value, "host": sign.host, "pid": sign.pid}
            connection.execute(insert(parts).values(key | values))


class DatabaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the home is kept in; ``size`` in bytes, ``revision`` that of its schema."""

    kind: str
    size: int
    revision: str


_SIZES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}
_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class PartReads(Guarded):
    """Which parts have given signs of life, and what they work on."""

    @visible
    def database(self) -> DatabaseRow:
        """How large the database is, and of which revision."""
        name = self._engine.dialect.name
        with reading(self._engine) as connection:
            size = connection.execute(text(_SIZES[name])).scalar_one()
        return DatabaseRow(kind=_KINDS[name], size=int(size), revision=REVISION)

    @visible
    def parts(self) -> list[PartRow]:
        """Those of the last day, by role, the one that was seen last first."""
        query = select(parts).order_by(parts.c.role, parts.c.seen_at.desc(), parts.c.host, parts.c.pid).limit(1_000)
        with reading(self._engine) as connection:
            return [_row(row) for row in connection.execute(query)]


def _row(row: AnyRow) -> PartRow:
    return PartRow(
        role=Role(row.role),
        host=row.host,
        pid=row.pid,
        started_at=row.started_at,
        seen_at=row.seen_at,
        facts=msgspec.json.decode(row.facts),
    )
