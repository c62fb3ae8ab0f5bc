"""Slots of authors' timetables: planned when a file is parsed, kept with the DAG, planned again as they are used up."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from orchestrator.core.spec import Planned, PlannedSlot
from orchestrator.ports import DagEntry
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.database import create
from orchestrator.storage.tables import cursors, dag_versions, import_errors
from orchestrator.testing.clock import FakeClock
from tests.dagbag.folders import DagsFolder

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
TIMETABLE = """
from airflow.timetables.base import DagRunInfo, Timetable
from datetime import timedelta

class Days(Timetable):
    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        start = last_automated_data_interval.end if last_automated_data_interval else restriction.earliest
        return DagRunInfo.interval(start, start.add(days=1))
"""
FILE = """
import pendulum
from orchestrator import DAG
from orchestrator.operators import EmptyOperator
from days import Days

with DAG("d", schedule=Days(), start_date=pendulum.datetime(2026, 3, 2), catchup=True):
    EmptyOperator(task_id="only")
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(BEGIN)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create(f"sqlite:///{tmp_path}/orchestrator.db")
    yield made
    made.dispose()


@pytest.fixture
def catalog(engine: Engine, tmp_path: Path, clock: FakeClock) -> SqlCatalog:
    return SqlCatalog(engine, tmp_path / "code", clock)


def entry(catalog: SqlCatalog, since: int = 0) -> DagEntry:
    [found] = catalog.changes(since)[1]
    return found


def slots(found: DagEntry) -> tuple[PlannedSlot, ...]:
    assert isinstance(found.spec.schedule, Planned)
    return found.spec.schedule.slots


def written(folder: DagsFolder) -> None:
    folder.write("d.py", FILE)
    (folder.plugins / "days.py").write_text(TIMETABLE, encoding="utf-8")


def test_slots_are_planned_again_when_half_are_used_up_in_the_same_version(
    folder: DagsFolder, catalog: SqlCatalog, clock: FakeClock, engine: Engine
) -> None:
    written(folder)
    assert folder.processor(writer=catalog, clock=clock).scan().parsed == 1
    first, revision = entry(catalog), catalog.changes(0)[0]
    assert slots(first)[0] == PlannedSlot(BEGIN + DAY, BEGIN, BEGIN + DAY)
    assert len(slots(first)) == 30
    with engine.begin() as connection:
        connection.execute(insert(cursors).values(dag_id="d", slot=BEGIN + 15 * DAY))
        assert "slots" not in json.loads(connection.execute(select(dag_versions.c.spec)).scalar_one())["schedule"]
    clock.advance(14 * DAY)
    again = folder.processor(writer=catalog, clock=clock)  # another process, after a restart
    assert again.scan().parsed == 0
    clock.advance(2 * DAY)
    again.close()
    assert folder.processor(writer=catalog, clock=clock).scan().parsed == 1
    second = entry(catalog, revision)
    assert second.version_id == first.version_id
    assert slots(second)[0].fire_at == BEGIN + 15 * DAY
    assert slots(second)[-1].fire_at == BEGIN + 46 * DAY


def test_a_timetable_that_raises_is_an_import_error_with_its_line(
    folder: DagsFolder, catalog: SqlCatalog, clock: FakeClock, engine: Engine
) -> None:
    written(folder)
    (folder.plugins / "days.py").write_text(TIMETABLE.replace("days=1", "days=1 // 0"), encoding="utf-8")
    folder.processor(writer=catalog, clock=clock).scan()
    with engine.connect() as connection:
        failure = json.loads(connection.execute(select(import_errors.c.failure)).scalar_one())
    assert "ZeroDivisionError" in failure["message"]
    assert (failure["file"].rpartition("/")[2], failure["line"]) == ("days.py", 8)


def test_a_timetable_that_does_not_end_is_an_import_error_with_its_line(folder: DagsFolder, clock: FakeClock) -> None:
    written(folder)
    (folder.plugins / "days.py").write_text(TIMETABLE.replace("return", "while True: pass\n        return"), "utf-8")
    failure = folder.processor(clock=clock, timeout=1).parse("d.py").failure
    assert failure is not None
    assert "parsing took longer than 1 s" in failure.message
    assert (failure.file.rpartition("/")[2], failure.line) == ("days.py", 8)


def test_an_answer_that_is_no_run_is_told_at_the_dag(folder: DagsFolder, clock: FakeClock) -> None:
    written(folder)
    (folder.plugins / "days.py").write_text(TIMETABLE.replace("return DagRunInfo.interval", "return max"), "utf-8")
    failure = folder.processor(clock=clock).parse("d.py").failure
    assert failure is not None
    assert "next_dagrun_info of Days must give a DagRunInfo or None" in failure.message
    assert (failure.file, failure.line) == ("d.py", 6)
