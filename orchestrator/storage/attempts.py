"""SqlAttemptStore: how often sign-in has failed; rows that several servers share."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, bindparam, delete, select, text, update

from orchestrator.core.sign_in import Limit
from orchestrator.storage.database import writing
from orchestrator.storage.tables import Moment, sign_in_attempts

_KEPT = select(sign_in_attempts).order_by(sign_in_attempts.c.key).with_for_update()
_COUNT = text(
    "INSERT INTO sign_in_attempts (key, failures, last_at) VALUES (:key, 1, :now) "
    "ON CONFLICT (key) DO UPDATE SET failures = sign_in_attempts.failures + 1, last_at = excluded.last_at"
).bindparams(bindparam("now", type_=Moment))


class SqlAttemptStore:
    """The AttemptStore of SQLite and PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, limits: Mapping[str, Limit], now: datetime) -> datetime | None:
        longest = max(limit.memory for limit in limits.values())
        with writing(self._engine) as connection:
            connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.last_at < now - longest))
            rows = connection.execute(_KEPT.where(sign_in_attempts.c.key.in_(limits))).all()
            free_at = max((limits[row.key].free_at(row.failures, row.last_at) for row in rows), default=now)
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
