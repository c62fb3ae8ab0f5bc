from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ActivityStarted,
    ActivityUpstreamFailed,
    RunEnded,
)
from orchestrator.core.particulars import Failure
from orchestrator.names import RunState
from tests.cli.homes import FilledHome, order

RUN = "manual__2026-01-31T06:00:00+00:00"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FilledHome]:
    """An empty, migrated home that every command in this process works on."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(tmp_path))
    filled = FilledHome(tmp_path)
    yield filled
    filled.close()


@pytest.fixture
def shop(home: FilledHome) -> FilledHome:
    """A home with ORDER #1001, whose latest run failed at its second task."""
    home.add_dag(order())
    home.begin(
        "order_1001",
        RUN,
        ActivityScheduled(task_id="charge_card"),
        ActivityStarted(task_id="charge_card", worker="here:1"),
        ActivityCompleted(task_id="charge_card", result=msgspec.Raw(b'{"receipt":"ch_1"}')),
        ActivityScheduled(task_id="reserve_inventory"),
        ActivityStarted(task_id="reserve_inventory", worker="here:2"),
        ActivityFailed(task_id="reserve_inventory", failure=Failure(message="sold out")),
        ActivityUpstreamFailed(task_id="ship_package"),
        ActivityUpstreamFailed(task_id="send_email"),
        RunEnded(state=RunState.FAILED, reason="reserve_inventory failed"),
        conf={"amount": 42},
    )
    return home
