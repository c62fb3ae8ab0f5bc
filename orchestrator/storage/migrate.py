"""Migrate: bring a database's schema to what this program needs. Imports Alembic, which takes its time."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from orchestrator.storage.database import connect, make_folder, writing
from orchestrator.storage.schema import REVISION, SchemaState, lock_schema, require_current, revision, state_of

SCRIPTS = Path(__file__).with_name("migrations")


def migrate(url: str) -> str | None:
    """Take the steps that are missing, all or none; the revision from which it came, None from an empty database.

    SchemaVersionError where the schema is newer than this program; nothing happens where it is current.
    """
    make_folder(url)
    engine = connect(url, migrated=False, may_create=True)
    try:
        with writing(engine) as connection:
            lock_schema(connection)
            found = revision(connection)
            if state_of(found) in (SchemaState.EMPTY, SchemaState.BEHIND):
                config = Config(attributes={"connection": connection})
                config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
                command.upgrade(config, REVISION)
        require_current(engine)
    finally:
        engine.dispose()
    return found
