"""Transactional delivery: a body's effect and the record of its result commit as one.

The target database holds ``orchestrator_completions``. The attempt's row is inserted first, so that a rival attempt
waits, and then finds the row; the body works in the same transaction; the result is put into the row; one commit.
"""

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import (
    URL,
    Column,
    Connection,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, NoSuchModuleError, OperationalError

from orchestrator.core.orders import Order
from orchestrator.exceptions import ConfigError, UsageError
from orchestrator.hooks.databases import Connections

_SQLITE_PATIENCE = 1_000  # milliseconds; SQLite's own waiting cannot be interrupted, so it is short and repeated
_SQLITE_COMMIT_PATIENCE = 60_000  # milliseconds that readers have to let go
_ENDING = re.compile(r"\s*(COMMIT|END|ROLLBACK(?!.*\bTO\b)|BEGIN\s*($|;|TRAN|WORK|DEF|IMM|EXC))", re.IGNORECASE)

_metadata = MetaData()
COMPLETIONS = Table(
    "orchestrator_completions",
    _metadata,
    Column("run_uid", String(64), primary_key=True),
    Column("task_id", String(250), primary_key=True),
    Column("map_index", Integer, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("result", Text),
    Column("completed_at", DateTime(timezone=True)),
)


class Place(NamedTuple):
    """The key of a completion: the same for every attempt until the task is cleared."""

    run_uid: str
    task_id: str
    map_index: int
    generation: int


def place_of(order: Order) -> Place:
    generation = order.idempotency_key.rpartition("/")[2]
    return Place(order.run_uid, order.key.task_id, order.key.map_index, int(generation))


class BodyConnection(Connection):
    """What a transactional body is given: a SQLAlchemy connection whose transaction is not its own to end.

    ``begin_nested()`` is: its savepoint may be rolled back.
    """

    is_lent = False

    def commit(self) -> None:
        self._refuse_if_lent("commit()")
        super().commit()

    def rollback(self) -> None:
        self._refuse_if_lent("rollback()")
        super().rollback()

    def close(self) -> None:
        self._refuse_if_lent("close()")
        super().close()

    def _refuse_if_lent(self, what: str) -> None:
        if self.is_lent:
            _refuse(what)


def _refuse(what: str) -> NoReturn:
    raise UsageError(
        f"{what} on the connection of a transactional task; leave the transaction open: it is committed together "
        f"with the task's result when the body returns, and rolled back when it raises"
    )


def _refuse_endings(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
    if _is_lent(connection) and _ENDING.match(statement):
        _refuse(statement.strip())


def _refuse_commit(connection: Connection) -> None:
    if _is_lent(connection):
        _refuse("commit()")


def _refuse_rollback(connection: Connection) -> None:
    if _is_lent(connection):
        _refuse("rollback()")


def _is_lent(connection: Connection) -> bool:
    return isinstance(connection, BodyConnection) and connection.is_lent


def _guard(engine: Engine) -> None:
    """Refuse what reaches the transaction by another way than the connection's own methods."""
    event.listen(engine, "before_cursor_execute", _refuse_endings)
    event.listen(engine, "commit", _refuse_commit)
    event.listen(engine, "rollback", _refuse_rollback)


class Transactions:
    """Delivers results in the databases that the connections name; never in the home database."""

    def __init__(self, connections: Connections, home_database: str) -> None:
        self._connections = connections
        self._home = make_url(home_database) if home_database else None
        self._engines: dict[str, Engine] = {}

    def deliver(self, order: Order, body: Callable[[Connection], bytes], seal: Callable[[], None]) -> bytes:
        """The JSON that the body gave and that is committed now, or that an earlier attempt committed.

        ``seal`` is called right before the commit; what it raises, or the body, undoes everything.
        """
        engine = self._engine(order)
        connection = BodyConnection(engine)
        try:
            found = _claim(connection, place_of(order))
            if found is not None:
                return found
            data = _lend(connection, body)
            seal()
            _commit(connection, place_of(order), data)
        finally:
            connection.close()
        return data

    def close(self) -> None:
        """Hang up on every database."""
        while self._engines:
            self._engines.popitem()[1].dispose()

    def _engine(self, order: Order) -> Engine:
        name = order.connection
        if name is None:
            raise ConfigError(
                f"task {order.key.task_id!r} is transactional and names no connection; give it connection="
            )
        if name not in self._engines:
            self._engines[name] = self._connect(name)
        return self._engines[name]

    def _connect(self, name: str) -> Engine:
        url = self._target(name)
        try:
            engine = create_engine(url, pool_size=1, max_overflow=1, pool_pre_ping=True)
            _guard(engine)
            _make_table(engine)
        except (ImportError, NoSuchModuleError) as error:
            raise ConfigError(f"connection {name!r} needs a database driver that is not installed: {error}") from None
        except OperationalError as error:
            raise ConfigError(f"connection {name!r} cannot be opened: {error.orig}") from None
        return engine

    def _target(self, name: str) -> URL:
        url = self._connections.url(name)
        if self._home is not None and _is_same(url, self._home):
            raise ConfigError(
                f"connection {name!r} is the orchestrator's own database; give transactional tasks another one"
            )
        return url


def _is_same(url: URL, home: URL) -> bool:
    if url.get_backend_name() != home.get_backend_name():
        return False
    if url.get_backend_name() == "sqlite":
        return Path(url.database or "").resolve() == Path(home.database or "").resolve()
    return (url.host, url.port, url.database) == (home.host, home.port, home.database)


def _make_table(engine: Engine) -> None:
    """Make the table where it is missing; another worker may do so at the same moment."""
    while True:
        try:
            _metadata.create_all(engine)
        except DBAPIError as error:
            if _is_busy(error):
                continue
            if not inspect(engine).has_table(COMPLETIONS.name):
                raise
        return


def _claim(connection: Connection, place: Place) -> bytes | None:
    """Insert the row and hold it; or what a committed row says. Waits while a rival holds it."""
    _wait_for_locks(connection, _SQLITE_PATIENCE)
    while True:
        try:
            connection.execute(COMPLETIONS.insert().values(place._asdict()))
        except IntegrityError:
            connection.rollback()
            found = _read(connection, place)
            if found is not None:
                return found
        except OperationalError as error:
            connection.rollback()
            if not _is_busy(error):
                raise
        else:
            return None


def _wait_for_locks(connection: Connection, milliseconds: int) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")


def _is_busy(error: DBAPIError) -> bool:
    """Whether SQLite says that somebody else is writing."""
    return isinstance(error.orig, sqlite3.OperationalError) and error.orig.sqlite_errorcode == sqlite3.SQLITE_BUSY


def _read(connection: Connection, place: Place) -> bytes | None:
    row = connection.execute(select(COMPLETIONS.c.result).where(*_at(place))).one_or_none()
    connection.rollback()
    return None if row is None else (row.result or "null").encode()


def _at(place: Place) -> list[Any]:
    return [COMPLETIONS.c[name] == value for name, value in place._asdict().items()]


def _lend(connection: BodyConnection, body: Callable[[Connection], bytes]) -> bytes:
    connection.is_lent = True
    try:
        return body(connection)
    finally:
        connection.is_lent = False


def _commit(connection: Connection, place: Place, data: bytes) -> None:
    row = {"result": data.decode(), "completed_at": datetime.now(UTC)}
    connection.execute(COMPLETIONS.update().where(*_at(place)).values(row))
    _wait_for_locks(connection, _SQLITE_COMMIT_PATIENCE)
    try:
        connection.commit()
    except DBAPIError:
        if not _is_committed(connection.engine, place):
            raise


def _is_committed(engine: Engine, place: Place) -> bool:
    """Whether a commit went through whose answer did not arrive."""
    with engine.connect() as other:
        return _read(other, place) is not None
