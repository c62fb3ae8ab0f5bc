"""The claim: there is one scheduler on a database, and one that lost its claim can't commit.

A row of ``leases`` counts the holders (``epoch``); every commit checks in its own transaction that the epoch is still
its holder's. On SQLite a lock on a file beside the database, which the kernel drops when the process dies, says at
once whether the holder lives; on PostgreSQL an advisory lock of the holder's session does, and a holder whose session
hangs is superseded when its lease runs out by the database's clock: what it holds locked in the middle of a commit is
freed, as the server would wait for it for ever.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, TextClause, text

from orchestrator.exceptions import SchedulerRunningError, StorageUnavailableError
from orchestrator.storage.database import reading, writing
from orchestrator.storage.schema import SCHEDULER
from orchestrator.storage.tables import moment

LEASE = timedelta(seconds=15)
_LEASE_MICROS = LEASE // timedelta(microseconds=1)
_LOCK_CLASS = 704_177

_NOW = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
}


_FREE = text(
    "SELECT pg_terminate_backend(holder.pid) "  # noqa: S608 - all of it is our own
    "FROM leases, pg_locks JOIN pg_stat_activity AS holder USING (pid) "
    f"WHERE leases.name = :name AND leases.expires_at <= {_NOW['postgresql']} "
    "AND relation = 'leases'::regclass AND mode <> 'AccessShareLock' AND holder.datname = current_database() "
    "AND holder.pid <> pg_backend_pid() AND holder.xact_start < clock_timestamp() - interval '5 seconds'"
)


class Liveness(Protocol):
    """How the death of a holder is known. ``trusts_lease``: one whose lease ran out counts as dead, alive or not."""

    trusts_lease: bool

    def free(self) -> None:
        """Take from a holder whose lease ran out what it holds locked."""

    def take(self, epoch: int) -> bool:
        """Whether the holder of ``epoch`` is gone; if so, nobody else is told the same."""

    def keep(self, epoch: int) -> None:
        """Show from now on that the holder of ``epoch`` lives."""

    def drop(self) -> None: ...


class Claim:
    """This process's claim on the scheduler's work; without one nothing may be committed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._epoch = 0
        self._liveness = _liveness(engine)
        now = _NOW[engine.dialect.name]
        share = " FOR SHARE" if engine.dialect.name == "postgresql" else ""
        alone = " FOR UPDATE" if engine.dialect.name == "postgresql" else ""
        self._current = text(f"SELECT epoch, owner FROM leases WHERE name = :name{share}")  # noqa: S608
        self._look = text(
            f"SELECT epoch, owner, acquired_at, expires_at <= {now} AS has_lapsed "  # noqa: S608
            f"FROM leases WHERE name = :name{alone}"
        )
        self._pass_on = text(
            f"UPDATE leases SET epoch = epoch + 1, owner = :owner, acquired_at = {now}, "  # noqa: S608
            f"expires_at = {now} + {_LEASE_MICROS} WHERE name = :name"
        )
        self._extend = self._until(f"{now} + {_LEASE_MICROS}")
        self._end = self._until(now)

    def take(self, owner: str) -> None:
        """Become the holder; SchedulerRunningError while another one lives."""
        try:
            self._liveness.free()
            with writing(self._engine) as connection:
                self._epoch = self._succeed(connection, owner)
        except BaseException:
            self._liveness.drop()
            raise

    def _succeed(self, connection: Connection, owner: str) -> int:
        row = connection.execute(self._look, {"name": SCHEDULER}).one()
        has_lapsed = row.has_lapsed and self._liveness.trusts_lease
        if not self._liveness.take(row.epoch) and not has_lapsed:
            since = moment(row.acquired_at).isoformat(timespec="seconds")
            raise SchedulerRunningError(
                f"a scheduler runs on this database already: {row.owner or 'just starting'}, since {since}; "
                f"stop it first, or give this one a home of its own"
            )
        connection.execute(self._pass_on, {"name": SCHEDULER, "owner": owner})
        epoch = int(row.epoch) + 1
        self._liveness.keep(epoch)
        return epoch

    def renew(self, also: Callable[[Connection], None] = lambda _: None) -> None:
        """Keep the lease; SchedulerRunningError once the claim has passed to another. ``also`` is done in the same
        transaction.
        """
        if self._epoch:
            self._liveness.keep(self._epoch)
        with writing(self._engine) as connection:
            self.require(connection)
            connection.execute(self._extend, {"name": SCHEDULER, "epoch": self._epoch})
            also(connection)

    def require(self, connection: Connection) -> None:
        """SchedulerRunningError unless this claim stands, until the transaction's end."""
        row = connection.execute(self._current, {"name": SCHEDULER}).one()
        if row.epoch == self._epoch != 0:
            return
        if self._epoch == 0:
            raise SchedulerRunningError("nothing is committed without a claim on the database; claim it first")
        raise SchedulerRunningError(
            f"this scheduler's claim on the database has passed to {row.owner}; stop this one, or stop that one and "
            f"start this one again"
        )

    def release(self) -> None:
        """Give the claim back, at once; nothing happens where there is none."""
        epoch, self._epoch = self._epoch, 0
        try:
            if epoch:
                with writing(self._engine) as connection:
                    connection.execute(self._end, {"name": SCHEDULER, "epoch": epoch})
        finally:
            self._liveness.drop()

    def _until(self, expression: str) -> TextClause:
        return text(f"UPDATE leases SET expires_at = {expression} WHERE name = :name AND epoch = :epoch")  # noqa: S608


class FileLock:
    """Liveness by a lock that the kernel drops with the process; ``path`` lies beside the database file."""

    trusts_lease = False
    _held: set[int] = set()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def free(self) -> None:
        pass  # the kernel does

    def take(self, epoch: int) -> bool:  # noqa: ARG002 - the lock is the same for all holders
        if self._file is not None:
            return True
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageUnavailableError(
                f"the lock {self._path} cannot be made ({error.strerror}); give write permission to its folder"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise StorageUnavailableError(
                f"the disk cannot lock {self._path} ({error.strerror}); put the database on a local disk"
            ) from error
        self._file = file
        self._held.add(file)
        return True

    def keep(self, epoch: int) -> None:
        pass  # the kernel does

    def drop(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            self._held.discard(file)
            os.close(file)

    @classmethod
    def forget_in_child(cls) -> None:
        """A forked child closes its copies: otherwise it would hold the lock beyond its parent's death."""
        for file in cls._held:
            with contextlib.suppress(OSError):
                os.close(file)
        cls._held.clear()


os.register_at_fork(after_in_child=FileLock.forget_in_child)


class SessionLock:
    """Liveness by an advisory lock on the holder's epoch, which the server drops with the holder's session."""

    trusts_lease = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._session: Connection | None = None
        self._epoch = 0

    def free(self) -> None:
        """End a session that is still in a transaction that checks the claim."""
        with reading(self._engine) as connection:
            connection.execute(_FREE, {"name": SCHEDULER}).all()

    def take(self, epoch: int) -> bool:
        return self._lock(epoch)

    def keep(self, epoch: int) -> None:
        if self._session is None or self._epoch != epoch:
            self._lock(epoch)
            self._epoch = epoch
            return
        try:
            self._session.execute(text("SELECT 1"))
        except StorageUnavailableError:
            self.drop()
            raise

    def drop(self) -> None:
        session, self._session, self._epoch = self._session, None, 0
        if session is not None:
            session.close()

    def _lock(self, epoch: int) -> bool:
        if self._session is None:
            session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            session.detach()  # so that closing it ends the session, and with it the lock
            self._session = session
        return bool(
            self._session.execute(
                text("SELECT pg_try_advisory_lock(:kind, :epoch)"), {"kind": _LOCK_CLASS, "epoch": epoch}
            ).scalar_one()
        )


class NoRival:
    """Liveness of a database in memory, which no other process sees."""

    trusts_lease = True

    def free(self) -> None:
        pass

    def take(self, epoch: int) -> bool:
        return epoch >= 0

    def keep(self, epoch: int) -> None:
        pass

    def drop(self) -> None:
        pass


def _liveness(engine: Engine) -> Liveness:
    if engine.dialect.name == "postgresql":
        return SessionLock(engine)
    path = engine.url.database
    if path in (None, "", ":memory:"):
        return NoRival()
    return FileLock(Path(f"{path}.lock"))
