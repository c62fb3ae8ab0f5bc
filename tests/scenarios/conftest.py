"""Real homes with real processes; every process ends with the test, or with the module that shares it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from orchestrator.testing.home import LiveHome
from tests.postgres_server import PostgresServer, running_server

EXAMPLES = Path(__file__).parents[2] / "dags"
ALL = {
    "nightly_backup",
    "order_1001",
    "order_approval",
    "order_workflow",
    "orders_of_the_day",
    "stock_take",
    "weather_report",
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[LiveHome]:
    """A home of the test's own, with nothing started."""
    with LiveHome(tmp_path) as home:
        yield home


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    """A running orchestrator on the project's own dags/, shared by a module's tests."""
    folder = tmp_path_factory.mktemp("examples")
    environment = {"ORCHESTRATOR_CONN_WEATHER": f"sqlite:///{folder / 'weather.db'}"}
    with LiveHome(folder, settings={"core.dags_folder": EXAMPLES}, environment=environment) as home:
        home.start()
        home.wait_for("the examples are listed", lambda: listed(home) >= ALL)
        yield home


def listed(home: LiveHome) -> set[str]:
    done = home.run("dags", "list", "-o", "json")
    return {dag["dag_id"] for dag in msgspec.json.decode(done.stdout)} if done.returncode == 0 else set()
