"""The door to the database: ``connect`` opens it, ``reading`` and ``writing`` are its transactions."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from orchestrator.exceptions import ConfigError, StorageCorruptError, StorageUnavailableError
from orchestrator.storage.driver_errors import Translator
from orchestrator.storage.schema import SchemaState, lay_out, require_current, revision, state_of

AnyRow: TypeAlias = Any  # the type parameters of SQLAlchemy's Row differ from release to release

_PATIENCE = 10.0
_RETRY = 0.005
_LOG_SIZE = 4_200_000  # a little more than the 1,000 pages after which SQLite starts its log over
_PIECES = 8
_WEIGH = text("INSERT OR REPLACE INTO blobs VALUES ('ballast', zeroblob(:size))")
_PRAGMAS = ("synchronous=FULL", "foreign_keys=OFF", "temp_store=MEMORY", "cache_size=-16000")


def connect(
    url: str, *, read_only: bool = False, migrated: bool = True, may_create: bool = False, patience: float = _PATIENCE
) -> Engine:
    """Open the database at ``url``: ``sqlite:///path`` or ``postgresql://user@host/name``.

    SchemaVersionError unless its schema is today's (``migrated`` False: it may be anything, and nothing is read yet).
    ``may_create``: a SQLite file that does not exist is made. ``patience``: seconds to wait for another's lock.
    """
    where = parse(url)
    if where.get_backend_name() == "sqlite":
        engine = _sqlite(where, read_only=read_only, may_create=may_create, patience=patience)
    else:
        engine = _postgresql(where, read_only=read_only, patience=patience)
    event.listen(engine, "handle_error", Translator(engine.url))
    if migrated:
        with _closed_on_error(engine):
            require_current(engine)
    return engine


def parse(url: str) -> URL:
    """The URL with the driver that we use; ConfigError for any other database."""
    try:
        where = make_url(url)
    except ArgumentError:
        raise ConfigError(f"{url!r} is no database URL; write sqlite:///path or postgresql://user@host/name") from None
    match where.get_backend_name():
        case "sqlite":
            path = where.database
            return where if path in (None, "", ":memory:") else where.set(database=str(Path(str(path)).absolute()))
        case "postgresql" | "postgres":
            return where.set(drivername="postgresql+psycopg")
        case other:
            raise ConfigError(f"databases of kind {other!r} are not supported; use sqlite:/// or postgresql://")


def check(url: str, *, thorough: bool = False) -> SchemaState:
    """How the schema stands to this program. ``thorough`` also reads a whole SQLite file for damage: slow."""
    if is_absent(url):
        return SchemaState.EMPTY
    engine = connect(url, migrated=False)
    try:
        with reading(engine) as connection:
            found = revision(connection)
            if thorough and connection.dialect.name == "sqlite":
                verdict = connection.execute(text("PRAGMA quick_check(1)")).scalar()
                return state_of(found) if verdict == "ok" else SchemaState.CORRUPT
            return state_of(found)
    except StorageCorruptError:
        return SchemaState.CORRUPT
    finally:
        engine.dispose()


def is_absent(url: str) -> bool:
    """Whether ``url`` is of a SQLite file that does not exist yet."""
    where = parse(url)
    return where.get_backend_name() == "sqlite" and bool(where.database) and not Path(str(where.database)).exists()


def create(url: str) -> Engine:
    """Lay out today's schema where there is none yet, and open the database; safe to call from two processes."""
    make_folder(url)
    engine = connect(url, migrated=False, may_create=True)
    with _closed_on_error(engine):
        with writing(engine) as connection:
            lay_out(connection)
        require_current(engine)
    return engine


@contextlib.contextmanager
def _closed_on_error(engine: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def make_folder(url: str) -> None:
    """Make the folder of a SQLite file; StorageUnavailableError where it cannot be made."""
    where = parse(url)
    if where.get_backend_name() == "sqlite" and where.database:
        folder = Path(where.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailableError(
                f"the folder {folder} of the database cannot be made ({error.strerror}); make it, or set "
                f"[database] sql_alchemy_conn to another place"
            ) from None


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one moment of a SQLite database, and holds nobody up."""
    with engine.connect() as connection:
        yield connection


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is committed at the end, or rolled back by an exception."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def stretch_log(engine: Engine) -> None:
    """Grow SQLite's write-ahead log once to the size at which it starts over, so that commits overwrite it in place.

    A commit that makes the file longer waits for the file system's own journal besides: twice as long on an idle disk,
    many times on a busy one.
    """
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or not Path(path).exists():
        return
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size >= _LOG_SIZE:
        return
    for _ in range(_PIECES):  # one piece after the other, since SQLite keeps in memory what a transaction has written
        with writing(engine) as connection:
            connection.execute(_WEIGH, {"size": _LOG_SIZE // _PIECES})
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM blobs WHERE sha256 = 'ballast'"))
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(PASSIVE)")).close()


def advance(connection: Connection, counter: str, by: int = 1) -> int:
    """Take ``by`` numbers of a counter; the last of them. They rise in the order in which takers commit."""
    taken = connection.execute(_ADVANCE, {"name": counter, "by": by})
    return int(taken.scalar_one())


_ADVANCE = text("UPDATE counters SET value = value + :by WHERE name = :name RETURNING value")


def insert_sql(table: Table, mark: str) -> str:
    """An INSERT of all columns in their order, for the driver itself; ``mark`` is its placeholder."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    marks = ", ".join(mark for _ in table.columns)
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - the names are our own


def upsert_sql(table: Table, mark: str) -> str:
    """The same, taking the place of a row with that primary key."""
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    rest = (column.name for column in table.columns if not column.primary_key)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    return f"{insert_sql(table, mark)} ON CONFLICT ({keys}) DO UPDATE SET {changes}"


def placeholder(engine: Engine) -> str:
    """What the driver writes in place of a value."""
    return "?" if engine.dialect.name == "sqlite" else "%s"


def _sqlite(where: URL, *, read_only: bool, may_create: bool, patience: float) -> Engine:
    in_memory = where.database in (None, "", ":memory:")
    mode = "ro" if read_only else "rwc" if may_create else "rw"
    if in_memory:
        engine = create_engine(where.set(drivername="sqlite+pysqlite"))
    else:
        opener = _opener(Path(str(where.database)), mode, patience)
        engine = create_engine(where.set(drivername="sqlite+pysqlite"), creator=opener)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver's guess
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        if not read_only and not in_memory:
            _log_ahead(connection, patience)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _log_ahead(connection: sqlite3.Connection, patience: float) -> None:
    """Have a file keep a write-ahead log. Two who open a new file at once meet here: for this change alone SQLite does
    not wait for the other's lock, but refuses at once.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY)
        else:
            return


def _opener(path: Path, mode: str, patience: float) -> Callable[[], sqlite3.Connection]:
    address = f"file:{quote(str(path))}?mode={mode}"

    def open_file() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=patience, check_same_thread=False)

    return open_file


def _postgresql(where: URL, *, read_only: bool, patience: float) -> Engine:
    options = f"-c lock_timeout={int(patience * 1000)}"
    if read_only:
        options += " -c default_transaction_read_only=on"
    arguments = {"connect_timeout": 10, "options": options, "application_name": "orchestrator"}
    try:
        return create_engine(where, connect_args=arguments)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise ConfigError(
            "PostgreSQL needs the psycopg driver; install it with `pip install orchestrator[postgres]`"
        ) from None
