"""What has changed since somebody looked last."""

from pathlib import Path

from sqlalchemy import Engine

from orchestrator.core.rights import Grant, Principal, Role
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import Reads
from orchestrator.storage.records import Records
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import parsed
from tests.contracts.stories import SPEC, begin, commit

FOREIGNER = Principal(name="ada", grants=(Grant(Role.VIEWER, "other*"),))


def test_a_commit_moves_the_standing_and_is_told_once_for_each_run(store: SqlHistoryStore, reads: Reads) -> None:
    before = reads.standing()
    story = begin(store, run_id="first").works("extract")
    commit(store, story)
    after = reads.standing()
    (change,) = reads.changes(before.position, after.position) or []
    assert (change.run_id, change.run_key, change.position) == ("first", story.run_key, after.position)
    assert (change.is_new, change.of_run, change.of_tasks) == (True, True, True)
    assert reads.changes(after.position, after.position) == []


def test_more_facts_than_asked_for_are_not_told(store: SqlHistoryStore, reads: Reads) -> None:
    before = reads.standing()
    commit(store, begin(store, run_id="first").works("extract"))
    assert reads.changes(before.position, reads.standing().position, limit=1) is None


def test_a_pause_is_a_change_of_its_dag(engine: Engine, reads: Reads, tmp_path: Path, clock: StoppedClock) -> None:
    SqlCatalog(engine, tmp_path / "versions", clock).record([parsed(SPEC)])
    before = reads.standing()
    Records(engine, clock).set_paused("etl", True, by="ada")
    after = reads.standing()
    assert after.revision > before.revision
    assert reads.changed_dags(before.revision, after.revision) == ["etl"]


def test_changes_of_what_may_not_be_seen_are_not_told(
    engine: Engine, store: SqlHistoryStore, reads: Reads, tmp_path: Path, clock: StoppedClock
) -> None:
    before = reads.standing()
    SqlCatalog(engine, tmp_path / "versions", clock).record([parsed(SPEC)])
    commit(store, begin(store, run_id="first"))
    after = reads.standing()
    foreign = Reads(engine, FOREIGNER)
    assert foreign.changes(before.position, after.position) == []
    assert foreign.changed_dags(before.revision, after.revision) == []
