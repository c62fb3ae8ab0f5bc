"""Home: the database of one home, opened for somebody who reads and asks."""

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Engine

from orchestrator import doorbell
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.core.rights import LOCAL, Principal
from orchestrator.ports import Clock
from orchestrator.storage.database import connect
from orchestrator.storage.reads import Reads
from orchestrator.storage.records import Records
from orchestrator.storage.requests import RequestBook
from orchestrator.storage.xcoms import XComReads

P = TypeVar("P")


class Home:
    """What everyone but the scheduler works with: questions, requests, and the tables of record.

    All of it is asked in the name of ``who``: it answers with what that principal may see, and raises NotFoundError or
    ForbiddenError.
    """

    def __init__(self, config: Config, engine: Engine, clock: Clock | None = None, who: Principal = LOCAL) -> None:
        clock = clock or SystemClock()
        self.who = who
        self.config = config
        self._engine = engine
        self.reads = Reads(engine, who)
        self.xcoms = XComReads(engine, who)
        self.requests = RequestBook(engine, clock, who)
        self.records = Records(engine, clock, who)

    @property
    def engine(self) -> Engine:
        """The open database, for what works below the questions: nothing that has to ask whether it may."""
        return self._engine

    def seen_by(self, who: Principal) -> "Home":
        """The same home, asked by somebody else; it is open for as long as this one."""
        return Home(self.config, self.engine, who=who)

    def part(self, kind: Callable[["Home"], P]) -> P:
        """Another part of the home, asked in the same name: ``RunLogs``, ``RunPayloads``."""
        return kind(self)

    def ring(self) -> bool:
        """Wake the scheduler of this home; False where none listens."""
        return doorbell.ring(self.config.doorbell)

    def be_patient(self, remark: Callable[[str], None]) -> None:
        """Wait for a server that is away for a while, for who only looks on; a database of this machine is there."""

    def close(self) -> None:
        self._engine.dispose()

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
