"""The schema of a home's database: how it stands, and laying it out in a new one. Without Alembic, which is slow."""

from sqlalchemy import Engine

from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.storage import database
from orchestrator.storage.records import Records
from orchestrator.storage.schema import DEFAULT_POOL, SchemaState


def check(config: Config, *, thorough: bool = False) -> SchemaState:
    """How the schema stands to this program; ``thorough`` reads a whole SQLite file for damage."""
    return database.check(config.database.sql_alchemy_conn, thorough=thorough)


def lay_out(config: Config) -> bool:
    """Create the database where there is none yet; whether there was none. SchemaVersionError where it is old."""
    if check(config) is not SchemaState.EMPTY:
        return False
    engine = database.create(config.database.sql_alchemy_conn)
    try:
        size_default_pool(config, engine)
    finally:
        engine.dispose()
    return True


def size_default_pool(config: Config, engine: Engine) -> None:
    """Give the default pool of a new database the slots that the settings say."""
    records = Records(engine, SystemClock())
    if records.pool_slots(DEFAULT_POOL) != config.core.default_pool_task_slot_count:
        records.set_pool(DEFAULT_POOL, config.core.default_pool_task_slot_count, "Default pool", by="config")
