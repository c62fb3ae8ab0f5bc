"""What waits for people, as every database tells it."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Engine, text

from orchestrator.core.events import (
    ActivityCleared,
    ActivityDeferred,
    ActivityLost,
    ActivityResumed,
    ActivityScheduled,
    ActivityStarted,
    TaskExpanded,
)
from orchestrator.core.forms import Form
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import AwaitingRow, Reads
from orchestrator.storage.rebuild import rebuild
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import parsed
from tests.contracts.stories import NOW, SPEC, Story, begin, commit

FORM = Form(subject="Load it?", options=("yes", "no"), body="It is *much*.")
UNTIL = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def recorded(engine: Engine, tmp_path, clock: StoppedClock) -> None:
    SqlCatalog(engine, tmp_path / "versions", clock).record([parsed(SPEC)])


def asks(story: Story, task_id: str = "extract", map_index: int = -1) -> Story:
    place = {"task_id": task_id, "map_index": map_index}
    trigger = msgspec.Raw(msgspec.json.encode({"input": FORM}))
    story.tell(ActivityScheduled(**place), ActivityStarted(**place))
    return story.tell(ActivityDeferred(**place, trigger=trigger, until=UNTIL))


def test_a_question_is_listed_with_its_form_from_when_on_and_until_when(store: SqlHistoryStore, reads: Reads) -> None:
    story = asks(begin(store))
    commit(store, story)
    (row,) = reads.awaiting()
    assert row == AwaitingRow(
        run_key=story.run_key,
        dag_id="etl",
        run_id=story.run.run_id,
        task_id="extract",
        map_index=-1,
        attempt=1,
        since=story.at,
        until=UNTIL,
        seq=story.run.seq,
        form=FORM,
    )
    assert reads.activity(reads.run("etl"), "extract").asked_seq == story.run.seq


@pytest.mark.parametrize("event", [ActivityResumed(task_id="extract"), ActivityCleared(task_id="extract")])
def test_what_is_answered_or_cleared_is_listed_no_more(store: SqlHistoryStore, reads: Reads, event) -> None:
    story = asks(begin(store))
    commit(store, story)
    story.tell(event)
    commit(store, story)
    assert reads.awaiting() == []
    assert reads.activity(reads.run("etl"), "extract").asked_seq is None


def test_an_unknown_outcome_is_listed_without_a_form(store: SqlHistoryStore, reads: Reads) -> None:
    story = begin(store)
    story.tell(ActivityScheduled(task_id="extract"), ActivityStarted(task_id="extract"))
    story.tell(ActivityLost(task_id="extract", reason="its worker died", unknown=True))
    commit(store, story)
    (row,) = reads.awaiting()
    assert (row.form, row.seq, row.task_id) == (None, 0, "extract")


def test_questions_are_found_by_dag_run_task_and_index_and_come_in_pages(store: SqlHistoryStore, reads: Reads) -> None:
    first, second = asks(begin(store)), begin(store)
    second.tell(TaskExpanded(task_id="each", shape=(3,)))
    for index in range(3):
        asks(second, "each", index)
    commit(store, first, second)
    assert [row.run_key for row in reads.awaiting("etl", limit=2)] == [first.run_key, second.run_key]
    assert [row.map_index for row in reads.awaiting(limit=2, offset=2)] == [1, 2]
    assert [row.map_index for row in reads.awaiting(run_key=second.run_key, task_id="each", map_index=1)] == [1]
    assert reads.awaiting("other") == []


def test_questions_are_rebuilt_from_the_history(engine: Engine, store: SqlHistoryStore, reads: Reads) -> None:
    commit(store, asks(begin(store)))
    before = reads.awaiting()
    store.release()
    rebuild(engine, "test", lambda done, total: None)
    assert reads.awaiting() == before != []


def test_questions_are_found_by_an_index_however_many_activities_there_are(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        explain = "EXPLAIN SELECT * FROM activities WHERE activities.state = 'awaiting_input'"
        prepare = "SET enable_seqscan = off"
    else:
        explain = "EXPLAIN QUERY PLAN SELECT * FROM activities WHERE activities.state = 'awaiting_input'"
        prepare = "SELECT 1"
    with engine.begin() as connection:
        connection.execute(text(prepare))
        plan = " ".join(str(row) for row in connection.execute(text(explain)))
    assert "ix_activities_awaiting" in plan
