"""Guests: runs of another home are written beside a scheduler that works, and belong to nobody."""

from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import Engine, select

from orchestrator.core.events import ActivityScheduled, ActivityStarted, Recorded
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.exceptions import ConflictError
from orchestrator.storage.database import reading
from orchestrator.storage.guests import Guests
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.projections import SqlProjections
from orchestrator.storage.reads import Reads
from orchestrator.storage.tables import history, runs_to_delete
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import parsed
from tests.contracts.stories import SPEC, Story, begin, commit


def told(run_id: str = "guest") -> list[Recorded]:
    """A run that is open, as an import hands it over."""
    story = Story(0, run_id=run_id, imported=True).tell(
        ActivityScheduled(task_id="extract"), ActivityStarted(task_id="extract", worker="there:1")
    )
    return list(story.part().records)


@pytest.fixture
def guests(engine: Engine, clock: StoppedClock) -> Guests:
    return Guests(engine, clock)


def take(guests: Guests, facts: list[Recorded]) -> Run:
    return guests.take("etl", "guest", lambda: iter(facts), lambda _: Plan(SPEC, 1), by="test")


def test_a_guest_is_there_with_all_that_is_recorded_of_it(guests: Guests, reads: Reads) -> None:
    facts = told()
    run = take(guests, facts)
    row = reads.run("etl", "guest")
    assert (row.run_key, row.state, row.last_seq) == (run.run_key, "running", 3)
    assert row.ended_at == facts[-1].at
    assert reads.history(run.run_key) == facts
    assert [one.state for one in reads.activities(run.run_key)] == ["running"]


def test_a_guest_is_open_for_nobody_and_holds_nothing(guests: Guests, engine: Engine, reads: Reads) -> None:
    take(guests, told())
    assert SqlProjections(engine).open_runs() == []
    assert reads.open_attempts() == []
    assert [(pool.running, pool.queued) for pool in reads.pools()] == [(0, 0)]


def test_the_scheduler_commits_while_a_guest_is_written(
    guests: Guests, store: SqlHistoryStore, engine: Engine, reads: Reads
) -> None:
    own = begin(store)
    facts = told()

    def slowly() -> Iterator[Recorded]:
        yield facts[0]
        commit(store, own)
        assert [row.run_id for row in reads.runs("etl")] == [own.run.run_id], "the guest is out of sight"
        yield from facts[1:]

    guests.take("etl", "guest", slowly, lambda _: Plan(SPEC, 1), by="test")
    commit(store, own.works("extract"))
    with reading(engine) as connection:
        positions = list(connection.execute(select(history.c.position).order_by(history.c.position)).scalars())
        assert list(connection.execute(select(runs_to_delete)).all()) == []
    assert len(positions) == len(set(positions)) == own.run.seq + len(facts)


def test_a_name_that_is_taken_meanwhile_is_a_conflict_and_the_guest_stays_out_of_sight(
    guests: Guests, store: SqlHistoryStore, reads: Reads
) -> None:
    facts = told()
    rival = begin(store, run_id="guest")

    def slowly() -> Iterator[Recorded]:
        commit(store, rival)
        yield from facts

    with pytest.raises(ConflictError, match="--run-id"):
        guests.take("etl", "guest", slowly, lambda _: Plan(SPEC, 1), by="test")
    assert reads.run("etl", "guest").run_key == rival.run.run_key
    with pytest.raises(ConflictError, match="--run-id"):
        guests.require_free("etl", "guest")


def test_a_version_is_kept_once_and_a_dag_without_a_file_is_stale(guests: Guests, reads: Reads) -> None:
    file = parsed(SPEC)
    first = guests.keep_versions([(file, file.dags[0])])
    assert guests.keep_versions([(file, file.dags[0])]) == first
    dag = reads.dag("etl")
    assert (dag.is_stale, dag.version_id) == (True, first[0])
    changed = msgspec.structs.replace(file.dags[0], code_fingerprint="other")
    assert guests.keep_versions([(file, changed)]) != first
    assert reads.dag("etl").version_id == first[0], "the DAG stays as it is"
