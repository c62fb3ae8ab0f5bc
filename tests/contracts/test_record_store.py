"""Tables of record that people change: pause flags and pools, each change with a line of the audit."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.projections import SqlProjections
from orchestrator.storage.reads import Reads
from orchestrator.storage.records import Records
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import parsed
from tests.contracts.stories import NOW, SPEC


@pytest.fixture
def records(engine: Engine, clock: StoppedClock) -> Records:
    return Records(engine, clock)


@pytest.fixture
def catalog(engine: Engine, tmp_path: Path, clock: StoppedClock) -> SqlCatalog:
    catalog = SqlCatalog(engine, tmp_path / "versions", clock)
    catalog.record([parsed(SPEC)])
    return catalog


def test_a_pause_reaches_the_scheduler_and_remembers_since_when_a_dag_runs(
    records: Records, catalog: SqlCatalog, clock: StoppedClock
) -> None:
    cursor = catalog.changes(0)[0]
    assert records.set_paused("etl", True, by="ada")
    cursor, entries = catalog.changes(cursor)
    assert [(entry.is_paused, entry.unpaused_at) for entry in entries] == [(True, NOW)]
    clock.advance(timedelta(hours=1))
    assert records.set_paused("etl", False, by="ada")
    entries = catalog.changes(cursor)[1]
    assert [(entry.is_paused, entry.unpaused_at) for entry in entries] == [(False, NOW + timedelta(hours=1))]


def test_pausing_a_paused_dag_changes_nothing(records: Records, catalog: SqlCatalog, clock: StoppedClock) -> None:
    clock.advance(timedelta(hours=1))
    assert not records.set_paused("etl", False, by="ada")
    assert catalog.changes(0)[1][0].unpaused_at == NOW


def test_a_pause_outlives_a_new_version(records: Records, catalog: SqlCatalog, reads: Reads) -> None:
    records.set_paused("etl", True, by="ada")
    catalog.record([parsed(SPEC, code=b"x = 2\n")])
    assert reads.dag("etl").is_paused


def test_an_unknown_dag_cannot_be_paused_and_the_error_names_what_is_near(
    records: Records, catalog: SqlCatalog
) -> None:
    with pytest.raises(NotFoundError, match=r"'elt'.*'etl'"):
        records.set_paused("elt", True, by="ada")


def test_a_pool_is_made_changed_and_deleted(records: Records, engine: Engine) -> None:
    records.set_pool("slow", 2, "for the old database", by="ada")
    records.set_pool("slow", 3, by="ada")
    records.set_pool("endless", -1, by="ada")
    assert SqlProjections(engine).pools() == {"default_pool": 128, "slow": 3, "endless": -1}
    assert records.pool_slots("slow") == 3
    records.delete_pool("slow", by="ada")
    with pytest.raises(NotFoundError, match="'slow'"):
        records.delete_pool("slow", by="ada")
    with pytest.raises(NotFoundError, match="'slow'"):
        records.pool_slots("slow")


def test_the_default_pool_can_be_resized_but_not_deleted(records: Records, engine: Engine) -> None:
    records.set_pool("default_pool", 4, by="ada")
    with pytest.raises(ConflictError, match="resize"):
        records.delete_pool("default_pool", by="ada")
    assert SqlProjections(engine).pools() == {"default_pool": 4}


@pytest.mark.parametrize(("name", "slots"), [("", 3), ("x", -2)])
def test_an_impossible_pool_is_refused(records: Records, name: str, slots: int) -> None:
    with pytest.raises(UsageError, match="pool"):
        records.set_pool(name, slots, by="ada")


def test_who_changed_what_is_kept(records: Records, catalog: SqlCatalog, reads: Reads) -> None:
    records.set_paused("etl", True, by="ada")
    records.set_pool("slow", 2, by="bob")
    records.delete_pool("slow", by="ada")
    lines = reads.audit(limit=2)
    assert [(line.action, line.by) for line in lines] == [("delete_pool", "ada"), ("set_pool", "bob")]
    older = reads.audit(before_id=lines[-1].id)
    assert [(line.action, line.dag_id, line.at) for line in older] == [("pause_dag", "etl", NOW)]
