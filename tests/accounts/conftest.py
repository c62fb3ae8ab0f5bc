"""A home with accounts, on SQLite; the contracts of what keeps them are tested on both databases."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from orchestrator.assembly.accounts import Accounts, make_accounts
from orchestrator.assembly.passwords import Passwords
from orchestrator.config import load_config
from orchestrator.storage.database import connect, create
from orchestrator.storage.reads import Reads
from tests.contracts.conftest import StoppedClock


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("laid_out") / "orchestrator.db"
    create(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def open_engine(empty_database: Path, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Opens the database once more, as another server would; closed at the end."""
    shutil.copy(empty_database, tmp_path / "orchestrator.db")
    opened: list[Engine] = []

    def open_once_more() -> Engine:
        opened.append(connect(f"sqlite:///{tmp_path}/orchestrator.db"))
        return opened[-1]

    yield open_once_more
    for engine in opened:
        engine.dispose()


@pytest.fixture
def engine(open_engine: Callable[[], Engine]) -> Engine:
    return open_engine()


@pytest.fixture
def reads(engine: Engine) -> Reads:
    return Reads(engine)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost little."""
    cheap = Passwords.__init__.__kwdefaults__ | {"memory": 64, "passes": 1}
    monkeypatch.setattr(Passwords.__init__, "__kwdefaults__", cheap)


@pytest.fixture
def accounts(engine: Engine, tmp_path: Path, clock: StoppedClock) -> Accounts:
    return opened(engine, tmp_path, clock)


def opened(engine: Engine, folder: Path, clock: StoppedClock) -> Accounts:
    """The accounts of that home, as another server opens them."""
    return make_accounts(load_config({"ORCHESTRATOR_HOME": str(folder)}, folder), engine, clock)
