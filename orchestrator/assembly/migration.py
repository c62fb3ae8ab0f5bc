"""Bringing a home's database up to date, with Alembic."""

from orchestrator.assembly.schema import size_default_pool
from orchestrator.config import Config
from orchestrator.storage.database import connect
from orchestrator.storage.migrate import migrate as migrate_schema


def migrate(config: Config) -> str | None:
    """Bring the schema to what this program needs; the revision before, None where there was no database.

    SchemaVersionError where it is newer than this program.
    """
    url = config.database.sql_alchemy_conn
    before = migrate_schema(url)
    if before is None:
        engine = connect(url)
        try:
            size_default_pool(config, engine)
        finally:
            engine.dispose()
    return before
