"""The DAGs of a home: for the scheduler, which reads them, and the dag processor, which records them."""

from sqlalchemy import Engine

from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.storage.catalog import SqlCatalog


def make_catalog(config: Config, engine: Engine) -> SqlCatalog:
    """The catalog in an open database; the code of versions is laid out below the home."""
    return SqlCatalog(
        engine,
        config.home / "versions",
        SystemClock(),
        paused_at_creation=config.core.dags_are_paused_at_creation,
    )
