"""Cleaning: ended runs go with all that belongs to them; what is open or young stays."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update

from orchestrator.core.events import ActivityCompleted, ActivityScheduled, TaskExpanded, TimerSet
from orchestrator.exceptions import ConflictError, NotFoundError
from orchestrator.ports import Cursor, Group
from orchestrator.storage.audit_chain import verify
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.cleaning import Cleaning
from orchestrator.storage.database import reading, writing
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.payloads import FsspecPayloadStore
from orchestrator.storage.projections import SqlProjections
from orchestrator.storage.reads import Reads
from orchestrator.storage.records import Records
from orchestrator.storage.tables import activities, history, payload_refs, runs, runs_to_delete, timers
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import parsed
from tests.contracts.stories import NOW, SPEC, Story, begin, commit

OLD = NOW - timedelta(days=90)
BEFORE = NOW - timedelta(days=30)


def run_keys_in(engine: Engine) -> dict[str, set[int]]:
    """Which runs the tables still speak of."""
    tables = (history, runs, activities, timers, payload_refs, runs_to_delete)
    with reading(engine) as connection:
        return {table.name: set(connection.execute(select(table.c.run_key)).scalars()) for table in tables}


def old_run(store: SqlHistoryStore) -> Story:
    return begin(store, at=OLD).works("extract").ends()


def test_old_ended_runs_go_and_open_or_young_ones_stay(store: SqlHistoryStore, engine: Engine, reads: Reads) -> None:
    gone = [old_run(store) for _ in range(120)]
    open_ = begin(store, at=OLD).works("extract").tell(TimerSet(timer_id="t", fire_at=NOW))
    young = begin(store).works("extract").ends()
    commit(store, *gone, open_, young)
    heard: list[tuple[int, int]] = []
    cleaned = Cleaning(engine).clean(BEFORE, now=NOW, progress=lambda done, total: heard.append((done, total)))
    assert (cleaned.runs, cleaned.facts) == (120, 120 * 5)
    assert heard[-1] == (120, 120)
    kept = {open_.run_key, young.run_key}
    left = run_keys_in(engine)
    assert left["history"] == left["runs"] == left["activities"] == kept
    assert left["runs_to_delete"] == set()
    assert len(store.read(open_.run_key)) == 5
    assert commit(store, open_.works("load").ends()) == frozenset()


def test_a_dry_run_counts_and_deletes_nothing(store: SqlHistoryStore, engine: Engine) -> None:
    told = old_run(store)
    commit(store, told)
    assert Cleaning(engine).clean(BEFORE, now=NOW, dry_run=True).runs == 1
    assert len(store.read(told.run_key)) == 5


def test_a_run_of_many_activities_goes_entirely(store: SqlHistoryStore, engine: Engine) -> None:
    told = begin(store, at=OLD).tell(TaskExpanded(task_id="each", shape=(2300,)))
    told.tell(*(ActivityScheduled(task_id="each", map_index=index) for index in range(2300))).ends()
    commit(store, told)
    Cleaning(engine).clean(BEFORE, now=NOW)
    assert set().union(*run_keys_in(engine).values()) == set()


def test_a_cleaning_that_was_broken_off_is_finished_by_the_next(store: SqlHistoryStore, engine: Engine) -> None:
    told = old_run(store)
    commit(store, told)
    with writing(engine) as connection:
        connection.execute(insert(runs_to_delete).values(run_key=told.run_key))
        connection.execute(runs.delete().where(runs.c.run_key == told.run_key))
    Cleaning(engine).clean(BEFORE, now=NOW)
    assert set().union(*run_keys_in(engine).values()) == set()


def test_the_audit_is_cleaned_by_age(store: SqlHistoryStore, engine: Engine, reads: Reads, clock: StoppedClock) -> None:
    records = Records(engine, clock)
    clock.advance(-timedelta(days=90))
    records.set_pool("old", 1, by="ada")
    clock.advance(timedelta(days=90))
    records.set_pool("new", 1, by="ada")
    kept = Cleaning(engine).clean(BEFORE, now=NOW, keep_audit=True)
    assert (kept.audit_lines, len(reads.audit())) == (0, 2)
    assert Cleaning(engine).clean(BEFORE, now=NOW, by="cli:bob").audit_lines == 1
    assert [(line.at, line.action, line.by) for line in reads.audit()] == [
        (NOW, "clean_audit", "cli:bob"),
        (NOW, "set_pool", "ada"),
    ]
    assert verify(engine).breaks == ()


def test_payloads_go_with_their_runs_once_they_are_a_day_old(
    store: SqlHistoryStore, engine: Engine, tmp_path: Path
) -> None:
    payloads = FsspecPayloadStore(str(tmp_path / "payloads"))
    refs = [payloads.put(word) for word in (b"of an old run", b"of an open run", b"not recorded yet")]
    gone, open_ = begin(store, at=OLD), begin(store, at=OLD)
    for story, ref in zip((gone, open_), refs, strict=False):
        story.tell(ActivityScheduled(task_id="extract"), ActivityCompleted(task_id="extract", payload=ref))
    commit(store, gone.ends(), open_)
    for ref in refs[:2]:
        os.utime(next(tmp_path.rglob(ref.sha256)), (NOW.timestamp() - 2 * 86400,) * 2)
    os.utime(next(tmp_path.rglob(refs[2].sha256)), (NOW.timestamp() - 3600,) * 2)
    assert Cleaning(engine, payloads).clean(BEFORE, now=NOW).payloads == 1
    assert payloads.get(refs[1]) == b"of an open run"
    assert payloads.get(refs[2]) == b"not recorded yet"
    with pytest.raises(NotFoundError):
        payloads.get(refs[0])


def test_a_dag_is_deleted_with_all_that_is_recorded_of_it(
    store: SqlHistoryStore, engine: Engine, reads: Reads, tmp_path: Path, clock: StoppedClock
) -> None:
    catalog = SqlCatalog(engine, tmp_path / "versions", clock)
    other = parsed(SPEC.__class__(dag_id="other", file="other.py"))
    catalog.record([parsed(SPEC), other])
    commit(store, old_run(store), begin(store).ends())
    store.commit(Group(at=NOW, cursors=[Cursor(dag_id="etl", slot=NOW)]))
    catalog.remove(["etl.py"])
    assert Cleaning(engine).delete_dag("etl") == 2
    assert [row.dag_id for row in reads.dags()] == ["other"]
    assert reads.runs("etl") == []
    assert SqlProjections(engine).cursors() == {}
    with pytest.raises(NotFoundError):
        Cleaning(engine).delete_dag("etl")


def test_a_dag_is_not_deleted_while_it_would_come_back_or_has_open_runs(
    store: SqlHistoryStore, engine: Engine, reads: Reads, tmp_path: Path, clock: StoppedClock
) -> None:
    catalog = SqlCatalog(engine, tmp_path / "versions", clock)
    catalog.record([parsed(SPEC)])
    with pytest.raises(ConflictError, match=r"etl\.py"):
        Cleaning(engine).delete_dag("etl")
    commit(store, begin(store))
    catalog.remove(["etl.py"])
    with pytest.raises(ConflictError, match="1 open"):
        Cleaning(engine).delete_dag("etl")
    assert len(reads.runs("etl")) == 1


def test_an_ended_run_that_is_opened_again_is_not_cleaned(store: SqlHistoryStore, engine: Engine) -> None:
    told = old_run(store)
    commit(store, told)
    with writing(engine) as connection:
        connection.execute(update(runs).values(ended_at=None))
    assert Cleaning(engine).clean(BEFORE, now=NOW).runs == 0
    assert len(store.read(told.run_key)) == 5


def test_an_ended_run_whose_callbacks_are_open_is_taken_up_again_and_not_cleaned(
    store: SqlHistoryStore, engine: Engine
) -> None:
    told = old_run(store)
    commit(store, told)
    with writing(engine) as connection:
        connection.execute(update(runs).values(open_callbacks=1))
    assert Cleaning(engine).clean(BEFORE, now=NOW).runs == 0
    assert SqlProjections(engine).open_runs() == [told.run_key]
    with writing(engine) as connection:
        connection.execute(update(runs).values(open_callbacks=0))
    assert SqlProjections(engine).open_runs() == []
    assert Cleaning(engine).clean(BEFORE, now=NOW).runs == 1
