"""SqlAttemptStore: how often sign-in has failed; rows that several servers share."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine, bindparam, delete, select, text, update

from orchestrator.core.sign_in import Limit
from orchestrator.storage.database import AnyRow, reading, writing
from orchestrator.storage.tables import Moment, sign_in_attempts

_KEPT = select(sign_in_attempts).order_by(sign_in_attempts.c.key)
_COUNT = text(
    "INSERT INTO sign_in_attempts (key, failures, last_at) VALUES (:key, 1, :now) "
    "ON CONFLICT (key) DO UPDATE SET failures = sign_in_attempts.failures + 1, last_at = excluded.last_at"
).bindparams(bindparam("now", type_=Moment))


class SqlAttemptStore:
    """The AttemptStore of SQLite and PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, limits: Mapping[str, Limit], now: datetime) -> datetime | None:
        with reading(self._engine) as connection:  # whoever has to wait takes nobody's turn to write
            free_at = _free_at(connection, limits, now)
        if free_at > now:
            return free_at
        longest = max(limit.memory for limit in limits.values())
        with writing(self._engine) as connection:
            connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.last_at < now - longest))
            free_at = _free_at(connection, limits, now, lock=True)
            if free_at > now:
                return free_at
            connection.execute(_COUNT, [{"key": key, "now": now} for key in sorted(limits)])
            return None

    def forget(self, key: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.key == key))

    def forgive(self, key: str) -> None:
        with writing(self._engine) as connection:
            one_less = update(sign_in_attempts).where(sign_in_attempts.c.key == key)
            connection.execute(one_less.values(failures=sign_in_attempts.c.failures - 1))


def _free_at(connection: Connection, limits: Mapping[str, Limit], now: datetime, *, lock: bool = False) -> datetime:
    """When the next attempt may be made; ``now`` if it may be at once."""
    query = _KEPT.where(sign_in_attempts.c.key.in_(limits))
    rows = connection.execute(query.with_for_update() if lock else query).all()
    return max((_wait(limits[row.key], row, now) for row in rows), default=now)


def _wait(limit: Limit, row: AnyRow, now: datetime) -> datetime:
    forgotten = row.last_at < now - limit.memory
    return now if forgotten else limit.free_at(row.failures, row.last_at)
