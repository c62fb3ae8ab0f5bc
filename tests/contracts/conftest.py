"""The databases that every storage contract is tested on: SQLite, and PostgreSQL where a server can be started."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from orchestrator.storage.database import connect, create, writing
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import Reads
from orchestrator.storage.schema import insert_first_rows
from orchestrator.storage.tables import metadata
from tests.postgres_server import PostgresServer, running_server

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


class StoppedClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> None:
        self.moment += by


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_engine(postgres: PostgresServer) -> Iterator[Engine]:
    """A database with today's schema; one for all tests, since making one takes longer than a test does."""
    engine = create(postgres.database())
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/orchestrator.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with today's schema and nothing in it."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/orchestrator.db"
        create(address).dispose()
        return address
    shared: Engine = request.getfixturevalue("postgres_engine")
    with writing(shared) as connection:
        for table in metadata.tables.values():
            connection.execute(delete(table))
        insert_first_rows(connection)
    shared.dispose()
    return shared.url.render_as_string(hide_password=False)


@pytest.fixture
def open_engine(url: str) -> Iterator[Callable[..., Engine]]:
    """Opens the database once more, as another process would; closed at the end."""
    opened: list[Engine] = []

    def open_once_more(**options: float) -> Engine:
        opened.append(connect(url, **options))
        return opened[-1]

    yield open_once_more
    for engine in opened:
        engine.dispose()


@pytest.fixture
def engine(open_engine: Callable[..., Engine]) -> Engine:
    return open_engine()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def store(engine: Engine) -> Iterator[SqlHistoryStore]:
    """A store that holds the claim."""
    held = SqlHistoryStore(engine)
    held.claim("test:1")
    yield held
    held.release()


@pytest.fixture
def reads(engine: Engine) -> Reads:
    return Reads(engine)
