"""What Alembic runs: the steps that are missing, in the transaction that ``migrate`` has begun."""

from alembic import context

from orchestrator.storage.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
