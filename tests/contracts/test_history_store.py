"""The HistoryStore: what is committed is there, as one, or not at all."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Engine, select

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    RunCancelRequested,
    RunCreated,
)
from orchestrator.core.particulars import Failure, PayloadRef
from orchestrator.core.requests import CancelRun, TriggerRun
from orchestrator.exceptions import SchedulerRunningError
from orchestrator.names import RunState, TaskState
from orchestrator.ports import Answer, Cursor, Group
from orchestrator.storage.database import create
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.projections import SqlProjections
from orchestrator.storage.reads import Reads, Verdict
from orchestrator.storage.requests import RequestBook
from orchestrator.storage.tables import history
from tests.contracts.conftest import StoppedClock
from tests.contracts.stories import NOW, Story, begin, commit


def test_what_is_committed_is_read_back_as_it_was(store: SqlHistoryStore) -> None:
    told = begin(store, conf=msgspec.Raw(b'{"day": "2026-03-01"}'), logical_date=NOW, note="für José").works("extract")
    part = told.part()
    assert store.commit(Group(at=NOW, parts=[part])) == frozenset()
    assert store.read(told.run_key) == list(part.records)


def test_another_process_sees_a_commit_at_once(store: SqlHistoryStore, open_engine: Callable[..., Engine]) -> None:
    told = begin(store)
    commit(store, told)
    assert len(SqlHistoryStore(open_engine()).read(told.run_key)) == 1


def test_a_history_is_read_in_pages(store: SqlHistoryStore) -> None:
    told = begin(store).works("extract").works("load")
    commit(store, told)
    assert [fact.seq for fact in store.read(told.run_key, after=2, limit=3)] == [3, 4, 5]
    assert [fact.seq for fact in store.read(told.run_key, after=5)] == [6, 7]
    assert store.read(told.run_key, after=7) == []


def test_single_facts_are_read_by_seq(store: SqlHistoryStore) -> None:
    told = begin(store).works("extract")
    commit(store, told)
    found = store.facts(told.run_key, [4, 1, 99])
    assert sorted(found) == [1, 4]
    assert isinstance(found[1].event, RunCreated)
    assert isinstance(found[4].event, ActivityCompleted)


def test_more_facts_than_a_statement_takes_are_read_by_seq(store: SqlHistoryStore) -> None:
    told = begin(store)
    told.tell(*(ActivityScheduled(task_id="each", map_index=index) for index in range(1200)))
    commit(store, told)
    assert len(store.facts(told.run_key, range(1, 1202))) == 1201


def test_run_keys_are_never_given_twice(store: SqlHistoryStore, open_engine: Callable[..., Engine]) -> None:
    other = SqlHistoryStore(open_engine())
    given = [*store.reserve_run_keys(3), *other.reserve_run_keys(2), *store.reserve_run_keys(1)]
    assert len(set(given)) == 6


def test_positions_rise_over_all_runs_in_the_order_of_commits(store: SqlHistoryStore, engine: Engine) -> None:
    first, second = begin(store), begin(store)
    commit(store, second)
    commit(store, first)
    commit(store, second.works("extract"), first.works("extract"))
    with engine.connect() as connection:
        rows = connection.execute(select(history.c.position, history.c.run_key).order_by(history.c.position)).all()
    assert [row.run_key for row in rows] == [second.run_key, first.run_key, *[second.run_key] * 3, *[first.run_key] * 3]
    assert [row.position for row in rows] == sorted({row.position for row in rows})


def test_a_part_whose_place_is_taken_is_refused_and_the_rest_is_committed(store: SqlHistoryStore, reads: Reads) -> None:
    first, rival, other = begin(store), begin(store), begin(store)
    commit(store, first, rival, other)
    stale = Story(first.run_key, run_id=first.run.run_id)
    stale.part()
    commit(store, first.works("extract"))
    refused = commit(store, other.works("extract"), stale.works("load"), rival.works("extract"))
    assert refused == {first.run_key}
    assert len(store.read(first.run_key)) == 4
    assert reads.activities(first.run_key, task_id="load") == []
    for run_key in (other.run_key, rival.run_key):
        assert len(store.read(run_key)) == 4
        assert [row.state for row in reads.activities(run_key)] == [TaskState.SUCCESS]


def test_parts_that_are_tied_are_written_all_or_not_at_all(store: SqlHistoryStore) -> None:
    first, sender, above, other = begin(store), begin(store), begin(store), begin(store)
    commit(store, first, sender, above, other)
    stale = Story(first.run_key, run_id=first.run.run_id)
    stale.part()
    commit(store, first.works("extract"))
    told = [other.works("extract"), above.works("extract"), sender.works("extract"), stale.works("load")]
    ties = [(above.run_key, sender.run_key), (sender.run_key, first.run_key)]
    refused = store.commit(Group(at=NOW, parts=[story.part() for story in told], ties=ties))
    assert refused == {first.run_key, sender.run_key, above.run_key}
    assert [len(store.read(story.run_key)) for story in (first, sender, above, other)] == [4, 1, 1, 4]


def test_a_part_that_leaves_a_gap_is_refused(store: SqlHistoryStore) -> None:
    told = begin(store)
    commit(store, told)
    told.works("extract").part()
    assert commit(store, told.works("load")) == {told.run_key}
    assert len(store.read(told.run_key)) == 1


def test_two_parts_of_one_run_in_a_group_follow_each_other(store: SqlHistoryStore) -> None:
    told = begin(store)
    parts = [told.part(), told.works("extract").part(), told.works("load").part()]
    assert store.commit(Group(at=NOW, parts=parts)) == frozenset()
    assert [fact.seq for fact in store.read(told.run_key)] == list(range(1, 8))


def test_a_run_id_is_taken_once_within_its_dag(store: SqlHistoryStore) -> None:
    first, second, other = begin(store, run_id="x"), begin(store, run_id="x"), begin(store, run_id="y")
    commit(store, first)
    assert commit(store, second, other) == {second.run_key}
    assert store.read(second.run_key) == []
    assert store.read(other.run_key) != []


def test_a_slot_of_a_schedule_is_taken_once_within_its_dag(store: SqlHistoryStore) -> None:
    first, second = begin(store, slot=NOW), begin(store, slot=NOW)
    later, manual, manual2 = begin(store, slot=NOW + timedelta(days=1)), begin(store), begin(store)
    assert commit(store, first, second, later, manual, manual2) == {second.run_key}


def test_nothing_is_committed_without_a_claim(engine: Engine) -> None:
    store = SqlHistoryStore(engine)
    told = begin(store)
    with pytest.raises(SchedulerRunningError, match="claim"):
        commit(store, told)
    assert store.read(told.run_key) == []


def test_an_answered_request_goes_with_the_commit_that_carries_it_out(
    store: SqlHistoryStore, engine: Engine, reads: Reads, clock: StoppedClock
) -> None:
    book = RequestBook(engine, clock)
    done = book.submit(TriggerRun(dag_id="etl", run_id="a", run_uid="u", by="ada"), "k1")
    refused = book.submit(CancelRun(dag_id="etl", run_id="zzz", by="ada"), "k2")
    waits = book.submit(CancelRun(dag_id="etl", run_id="a", by="ada"), "k3")
    told = begin(store, run_id="a")
    answers = [Answer(request_id=done), Answer(request_id=refused, refusal="there is no run zzz")]
    store.commit(Group(at=NOW, parts=[told.part()], answers=answers))
    assert [pending.id for pending in SqlProjections(engine).requests()] == [waits]
    assert reads.request(done).verdict is Verdict.CARRIED_OUT
    assert reads.request(refused).refusal == "there is no run zzz"
    assert reads.request(waits).verdict is Verdict.PENDING
    assert [(line.action, line.by, line.refusal) for line in reads.audit()] == [
        ("cancel_run", "ada", "there is no run zzz"),
        ("trigger_run", "ada", None),
    ]


def test_a_request_stays_where_the_part_that_carries_it_out_is_refused(
    store: SqlHistoryStore, engine: Engine, clock: StoppedClock
) -> None:
    told = begin(store)
    commit(store, told)
    number = RequestBook(engine, clock).submit(CancelRun(dag_id="etl", run_id=told.run.run_id), "k")
    told.works("extract").part()
    part = told.tell(RunCancelRequested(by="ada")).part()
    group = Group(at=NOW, parts=[part], answers=[Answer(request_id=number, run_key=told.run_key)])
    assert store.commit(group) == {told.run_key}
    assert [pending.id for pending in SqlProjections(engine).requests()] == [number]


def test_an_answer_to_a_request_that_is_gone_does_no_harm(
    store: SqlHistoryStore, engine: Engine, clock: StoppedClock
) -> None:
    number = RequestBook(engine, clock).submit(CancelRun(dag_id="etl", run_id="a"), "k")
    answer = Answer(request_id=number)
    store.commit(Group(at=NOW, answers=[answer, answer]))
    store.commit(Group(at=NOW, answers=[answer, Answer(request_id=999)]))
    assert SqlProjections(engine).requests() == []


def test_a_schedule_goes_on_after_its_cursor(store: SqlHistoryStore, engine: Engine) -> None:
    later = NOW + timedelta(hours=1)
    store.commit(Group(at=NOW, cursors=[Cursor(dag_id="etl", slot=NOW), Cursor(dag_id="other", slot=NOW)]))
    store.commit(Group(at=NOW, cursors=[Cursor(dag_id="etl", slot=later)]))
    assert SqlProjections(engine).cursors() == {"etl": later, "other": NOW}


def test_an_empty_group_changes_nothing(store: SqlHistoryStore, reads: Reads) -> None:
    assert store.commit(Group(at=NOW)) == frozenset()
    assert reads.last_position() == 0


def test_awkward_words_are_recorded_in_every_database(store: SqlHistoryStore, reads: Reads) -> None:
    told = begin(store, note="NUL \x00 and \U0001f4b3")
    failure = Failure(message="it said \x00 \u2028 'quoted' \U0001f600", types=("builtins.ValueError",))
    told.tell(ActivityScheduled(task_id="extract"), ActivityFailed(task_id="extract", failure=failure))
    commit(store, told.ends(RunState.FAILED))
    assert store.read(told.run_key)[2].event == ActivityFailed(task_id="extract", failure=failure)
    assert "\U0001f4b3" in (reads.run_by_key(told.run_key).note or "")


def test_a_payload_reference_is_kept_in_place_of_the_value(store: SqlHistoryStore, reads: Reads) -> None:
    ref = PayloadRef(sha256="ab" * 32, size=70_000)
    told = begin(store).tell(
        ActivityScheduled(task_id="extract"), ActivityCompleted(task_id="extract", payload=ref, length=9)
    )
    commit(store, told)
    assert reads.result(told.run_key, "extract").payload == ref


def test_a_database_in_memory_serves_one_process_as_a_file_does() -> None:
    engine = create("sqlite://")
    store = SqlHistoryStore(engine)
    store.claim("test:1")
    told = begin(store).works("extract")
    assert commit(store, told) == frozenset()
    assert len(store.read(told.run_key)) == 4
    store.release()
    engine.dispose()
