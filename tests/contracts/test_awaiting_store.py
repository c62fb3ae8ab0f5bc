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
from orchestrator.core.requests import AnswerTask, ResolveTask
from orchestrator.names import TaskState
from orchestrator.ports import Answer, Group
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import AwaitingRow, Reads
from orchestrator.storage.rebuild import rebuild
from orchestrator.storage.requests import RequestBook
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


def test_what_waits_is_counted_and_told_apart(store: SqlHistoryStore, reads: Reads) -> None:
    first, second = asks(begin(store)), begin(store)
    second.tell(ActivityScheduled(task_id="extract"), ActivityStarted(task_id="extract"))
    second.tell(ActivityLost(task_id="extract", reason="its worker died", unknown=True))
    commit(store, first, second)
    assert [reads.awaiting_count(asking=asking) for asking in (None, True, False)] == [2, 1, 1]
    assert [row.run_key for row in reads.awaiting(asking=False)] == [second.run_key]
    assert reads.awaiting_count("other") == reads.awaiting_count("etl", run_key=first.run_key) - 1 == 0


def test_what_people_have_said_is_listed_with_the_question_newest_first(
    engine: Engine, store: SqlHistoryStore, reads: Reads, clock: StoppedClock
) -> None:
    story = asks(begin(store))
    commit(store, story)
    book, place = RequestBook(engine, clock), {"dag_id": "etl", "run_id": story.run.run_id, "task_id": "extract"}
    asked = [
        AnswerTask(**place, options=("yes",), params=msgspec.Raw(b'{"n": 1}'), asked=story.run.seq, by="ada"),
        AnswerTask(**place, options=("no",), by="bob"),
        ResolveTask(**place, state=TaskState.FAILED, by="eve"),
    ]
    ids = [book.submit(request, str(number)) for number, request in enumerate(asked)]
    refused = Answer(request_id=ids[1], refusal="ada was first")
    store.commit(Group(at=NOW, answers=[Answer(request_id=ids[0]), refused, Answer(request_id=ids[2])]))
    resolved, answered = reads.answers("etl", run_id=story.run.run_id)
    assert (resolved.who, resolved.state, resolved.subject) == ("eve", TaskState.FAILED, "")
    assert (answered.who, answered.subject, answered.options, answered.at) == ("ada", "Load it?", ("yes",), NOW)
    assert reads.answers(before_id=answered.id) == reads.answers("other") == []
    assert [row.who for row in reads.answers(limit=1)] == ["eve"]
