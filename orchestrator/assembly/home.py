"""Home: the database of one home, opened for those who read and ask."""

from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from orchestrator import doorbell
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.ports import Clock
from orchestrator.storage.database import connect
from orchestrator.storage.reads import Reads
from orchestrator.storage.records import Records
from orchestrator.storage.requests import RequestBook


class Home:
    """What everyone but the scheduler works with: questions, requests, and the tables of record."""

    def __init__(self, config: Config, engine: Engine, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        self.config = config
        self.reads = Reads(engine)
        self.requests = RequestBook(engine, clock)
        self.records = Records(engine, clock)
        self.engine = engine

    def ring(self) -> bool:
        """Wake the scheduler of this home; False where none listens."""
        return doorbell.ring(self.config.doorbell)

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_home(config: Config) -> Home:
    """Open the home's database; SchemaVersionError unless it is there with today's schema."""
    url = config.database.sql_alchemy_conn
    return Home(config, connect(url, patience=config.database.busy_timeout.total_seconds()))
