"""Projections: what the scheduler reads at its edges, and that they can be made anew from the histories."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from orchestrator.core.events import ActivityCleared, RunMoved, TimerFired, TimerSet
from orchestrator.core.plan import Plan
from orchestrator.core.runs import replay
from orchestrator.exceptions import SchedulerRunningError
from orchestrator.names import RunState, RunType, TaskState
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.database import reading, writing
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.projections import SqlProjections
from orchestrator.storage.rebuild import rebuild
from orchestrator.storage.tables import activities, payload_refs, runs, timers
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import parsed
from tests.contracts.stories import NOW, begin, commit
from tests.contracts.wander import MOVED, SPEC, VERSIONS, Wanderer

PROJECTIONS = (runs, activities, timers, payload_refs)


@pytest.fixture(autouse=True)
def versions(engine: Engine, tmp_path: Path, clock: StoppedClock) -> None:
    """The versions that the runs here have: 1 and 2."""
    catalog = SqlCatalog(engine, tmp_path / "versions", clock)
    for spec in (SPEC, MOVED):
        catalog.record([parsed(spec)])


def projected(engine: Engine) -> dict[str, list[Any]]:
    """Everything that is a projection, in order."""
    with reading(engine) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in PROJECTIONS
        }


def quiet(_done: int, _total: int) -> None:
    """A rebuild nobody watches."""


def test_open_runs_are_those_that_have_not_ended_oldest_first(store: SqlHistoryStore, engine: Engine) -> None:
    told = [begin(store) for _ in range(4)]
    commit(store, *reversed(told))
    commit(store, told[1].works("extract").ends(), told[2].ends(RunState.FAILED))
    commit(store, told[2].tell(ActivityCleared(task_id="extract")))
    assert SqlProjections(engine).open_runs() == [told[0].run_key, told[2].run_key, told[3].run_key]


def test_a_run_is_found_by_its_name(store: SqlHistoryStore, engine: Engine) -> None:
    told = begin(store, run_id="x")
    commit(store, told)
    assert SqlProjections(engine).run_key("etl", "x") == told.run_key
    assert SqlProjections(engine).run_key("etl", "y") is None


def test_there_is_a_default_pool_from_the_start(engine: Engine) -> None:
    assert SqlProjections(engine).pools() == {"default_pool": 128}


@pytest.mark.parametrize("seed", range(6))
def test_rebuilt_projections_equal_the_live_ones_after_any_history(
    store: SqlHistoryStore, engine: Engine, seed: int
) -> None:
    told = [begin(store, versions=VERSIONS) for _ in range(3)]
    wanderers = [Wanderer(story, seed * 10 + number) for number, story in enumerate(told)]
    for length in (1, 3, 40, 7, 90):
        for wanderer in wanderers:
            wanderer.wander(length)
        assert commit(store, *told) == frozenset()
    store.release()
    live = projected(engine)
    with writing(engine) as connection:
        connection.execute(update(activities).values(state="removed", attempt=99))
        connection.execute(update(runs).values(state="failed"))
        connection.execute(delete(timers))
        connection.execute(insert(payload_refs).values(run_key=told[0].run_key, seq=9999, sha256="00"))
    assert rebuild(engine, "db rebuild", quiet) == 3
    assert projected(engine) == live


def test_a_run_that_is_replayed_from_the_store_is_the_run_that_was_told(store: SqlHistoryStore) -> None:
    told = begin(store, versions=VERSIONS)
    Wanderer(told, 5).wander(120)
    commit(store, told)
    again = replay(told.run_key, store.read(told.run_key), lambda number: Plan(VERSIONS[number], number))
    assert (again.seq, again.state, again.open, again.unfinished) == (
        told.run.seq,
        told.run.state,
        told.run.open,
        told.run.unfinished,
    )


def test_a_run_that_moves_keeps_rows_of_the_tasks_that_it_has_now(store: SqlHistoryStore, engine: Engine) -> None:
    told = begin(store, versions=VERSIONS).works("extract").works("load")
    commit(store, told)
    commit(store, told.tell(RunMoved(version_id=2, fingerprint="2" * 64)))
    with reading(engine) as connection:
        rows = connection.execute(select(activities.c.task_id, activities.c.operator)).all()
    assert [tuple(row) for row in rows] == [("extract", "BashOperator")]


def test_a_timer_is_there_until_it_fires_or_its_run_ends(store: SqlHistoryStore, engine: Engine) -> None:
    told, other = begin(store), begin(store)
    for story in (told, other):
        story.tell(TimerSet(timer_id="a", fire_at=NOW), TimerSet(timer_id="b", fire_at=NOW))
    commit(store, told, other)
    commit(store, told.tell(TimerFired(timer_id="a")), other.ends())
    assert [row[:2] for row in projected(engine)["timers"]] == [(told.run_key, "b")]


def test_a_rebuild_refuses_while_a_scheduler_works(store: SqlHistoryStore, open_engine: Callable[..., Engine]) -> None:
    with pytest.raises(SchedulerRunningError, match="test:1"):
        rebuild(open_engine(), "db rebuild", quiet)


def test_a_rebuild_drops_what_has_no_history_and_says_how_far_it_is(engine: Engine) -> None:
    store = SqlHistoryStore(engine)
    store.claim("test:1")
    kept, gone = begin(store).works("extract"), begin(store).works("extract")
    commit(store, kept)
    store.release()
    heard: list[tuple[int, int]] = []
    with writing(engine) as connection:
        connection.execute(insert(timers).values(run_key=gone.run_key, timer_id="t", fire_at=NOW))
    rebuild(engine, "db rebuild", lambda done, total: heard.append((done, total)))
    assert heard == [(1, 1)]
    assert projected(engine)["timers"] == []
    assert [row[0] for row in projected(engine)["runs"]] == [kept.run_key]


def test_the_run_before_is_the_last_one_of_an_earlier_date_that_can_go_on(
    store: SqlHistoryStore, engine: Engine
) -> None:
    days = [NOW + timedelta(days=day) for day in range(4)]
    first = begin(store, run_id="first", logical_date=days[0], run_type=RunType.SCHEDULED)
    by_hand = begin(store, run_id="by hand", logical_date=days[1])
    kept = begin(store, run_id="kept", logical_date=days[2], run_type=RunType.SCHEDULED, imported=True)
    commit(store, first.works("extract").ends(), by_hand, kept)
    asked = SqlProjections(engine)
    found = [asked.run_before(SPEC.dag_id, days[3], but_manual=flag) for flag in (False, True)]
    assert [one and one.run_id for one in found] == ["by hand", "first"]
    assert asked.run_before(SPEC.dag_id, days[0], but_manual=False) is None
    assert asked.task_states(first.run_key, ["extract", "gone"]) == {"extract": frozenset({TaskState.SUCCESS})}
    assert [asked.has_had(SPEC.dag_id, "extract", before=day) for day in days[:2]] == [False, True]


def test_the_latest_ends_are_those_of_the_latest_dates_whether_they_ended_or_not(
    store: SqlHistoryStore, engine: Engine
) -> None:
    days = [NOW + timedelta(days=day) for day in range(3)]
    late = begin(store, run_id="late", logical_date=days[2])
    early = begin(store, run_id="early", logical_date=days[0])
    middle = begin(store, run_id="middle", logical_date=days[1])
    commit(store, late, early.works("extract").ends(), middle.works("extract").ends())
    asked = SqlProjections(engine).latest_ends(SPEC.dag_id, 2)
    assert [(state, ended is None) for state, ended in asked] == [(RunState.QUEUED, True), (RunState.SUCCESS, False)]
    assert SqlProjections(engine).latest_ends("nowhere", 2) == []
