"""The schema's revision: read cheaply, compared with what this program knows, laid out in an empty database."""

from enum import StrEnum

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
    text,
)

from orchestrator.exceptions import SchemaVersionError
from orchestrator.storage.driver_errors import MIGRATE
from orchestrator.storage.tables import audit_seals, counters, metadata, pools

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
REVISION = REVISIONS[-1]
VERSION_TABLE = "orchestrator_schema"

DEFAULT_POOL = "default_pool"
DEFAULT_POOL_SLOTS = 128
COUNTERS = ("position", "run_key", "request", "version", "catalog", "vault")
SCHEDULER = "scheduler"
HEAD, BASE = "head", "base"
"""The audit's seals: of its last line, and of the last that was cleaned away."""

_MIGRATION_LOCK = 7_041_776_001

# The table as Alembic makes it.
_version = Table(
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)


class SchemaState(StrEnum):
    """How a database's schema stands to this program."""

    CURRENT = "current"
    EMPTY = "empty"
    BEHIND = "behind"
    AHEAD = "ahead"
    CORRUPT = "corrupt"


def revision(connection: Connection) -> str | None:
    """The recorded revision; None where there is no schema of ours."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()


def state_of(found: str | None) -> SchemaState:
    """What a recorded revision means."""
    if found is None:
        return SchemaState.EMPTY
    if found == REVISION:
        return SchemaState.CURRENT
    return SchemaState.BEHIND if found in REVISIONS else SchemaState.AHEAD


def require_current(engine: Engine) -> None:
    """SchemaVersionError unless the schema is the one that this program reads and writes."""
    with engine.connect() as connection:
        found = revision(connection)
    place = engine.url.database if engine.dialect.name == "sqlite" else engine.url.render_as_string()
    match state_of(found):
        case SchemaState.EMPTY:
            raise SchemaVersionError(f"the database {place} is empty; {MIGRATE}")
        case SchemaState.BEHIND:
            raise SchemaVersionError(
                f"the database {place} has schema {found} and this program needs {REVISION}; {MIGRATE}"
            )
        case SchemaState.AHEAD:
            raise SchemaVersionError(
                f"the database {place} has schema {found}, which is newer than this program's {REVISION}; "
                f"upgrade the program"
            )
        case _:
            return


def lock_schema(connection: Connection) -> None:
    """Let one process at a time change the schema; SQLite's write transaction does so by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})


def lay_out(connection: Connection) -> None:
    """Create today's schema in an empty database; nothing happens where there is one already."""
    lock_schema(connection)
    if revision(connection) is not None:
        return
    metadata.create_all(connection, checkfirst=False)
    _version.create(connection)
    connection.execute(insert(_version).values(version_num=REVISION))
    insert_first_rows(connection)


def insert_first_rows(connection: Connection) -> None:
    """The rows that the program counts on, in tables that are empty."""
    connection.execute(insert(counters), [{"name": name, "value": 0} for name in COUNTERS])
    connection.execute(insert(audit_seals), [{"name": name, "id": 0, "hash": ""} for name in (HEAD, BASE)])
    connection.execute(insert(pools).values(name=DEFAULT_POOL, slots=DEFAULT_POOL_SLOTS, description="Default pool"))
    connection.execute(
        text("INSERT INTO leases (name, owner, epoch, acquired_at, expires_at) VALUES (:name, '', 0, 0, 0)"),
        {"name": SCHEDULER},
    )
