"""What tasks push, as the database keeps it: of the attempt that counts, whatever became of others."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select

from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityResumed,
    ActivityScheduled,
    RunEnded,
    RunReset,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure, PayloadRef, XCom
from orchestrator.names import RunState
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.cleaning import Cleaning
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.rebuild import rebuild
from orchestrator.storage.tables import payload_refs, xcoms
from orchestrator.storage.xcoms import XComReads
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import parsed
from tests.contracts.stories import NOW, SPEC, Story, begin, commit

LARGE = PayloadRef(sha256="ab" * 32, size=70_000)
LARGER = PayloadRef(sha256="cd" * 32, size=80_000)


@pytest.fixture
def pulls(engine: Engine) -> XComReads:
    return XComReads(engine)


@pytest.fixture
def catalog_of_etl(engine: Engine, tmp_path: Path, clock: StoppedClock) -> None:
    SqlCatalog(engine, tmp_path / "versions", clock).record([parsed(SPEC)])


def pushes(**values: Any) -> dict[str, XCom]:
    return {key: XCom(value=msgspec.Raw(msgspec.json.encode(value))) for key, value in values.items()}


def pushed(pulls: XComReads, story: Story, key: str) -> list[Any]:
    return [msgspec.json.decode(one.value) for _, one in pulls.pushed(story.run_key, "extract", key, None)]


def fails(story: Story, attempt: int, **values: Any) -> Story:
    failed = ActivityFailed(
        task_id="extract", attempt=attempt, failure=Failure(message="no"), retry_at=NOW, xcoms=pushes(**values)
    )
    return story.tell(ActivityScheduled(task_id="extract", attempt=attempt), failed)


def completes(story: Story, attempt: int, **values: Any) -> Story:
    done = ActivityCompleted(task_id="extract", attempt=attempt, xcoms=pushes(**values))
    return story.tell(ActivityScheduled(task_id="extract", attempt=attempt), done)


def test_what_an_attempt_pushed_is_there_also_if_it_failed_until_the_next_one(
    store: SqlHistoryStore, pulls: XComReads
) -> None:
    story = fails(begin(store), 1, rows=[1, 2], seen=True)
    commit(store, story)
    assert (pushed(pulls, story, "rows"), pushed(pulls, story, "seen")) == ([[1, 2]], [True])
    completes(story, 2, rows=[3])
    commit(store, story)
    assert (pushed(pulls, story, "rows"), pushed(pulls, story, "seen")) == ([[3]], [])
    assert list(pulls.pushed_by(story.run_key, "extract", -1)) == ["rows"]


def test_a_late_word_of_an_attempt_that_is_over_counts_for_nothing(store: SqlHistoryStore, pulls: XComReads) -> None:
    story = completes(fails(begin(store), 1, rows=1), 2, rows=2)
    story.tell(ActivityCompleted(task_id="extract", attempt=1, xcoms=pushes(rows=9, late=9)))
    commit(store, story)
    assert (pushed(pulls, story, "rows"), pushed(pulls, story, "late")) == ([2], [])


def test_a_deferred_attempt_keeps_what_it_pushed_before(store: SqlHistoryStore, pulls: XComReads) -> None:
    story = begin(store).tell(
        ActivityScheduled(task_id="extract"),
        ActivityDeferred(task_id="extract", trigger=msgspec.Raw(b"{}"), xcoms=pushes(asked="here")),
        ActivityResumed(task_id="extract"),
    )
    completes(story, 1, answer=42)
    commit(store, story)
    assert (pushed(pulls, story, "asked"), pushed(pulls, story, "answer")) == (["here"], [42])


def test_a_reset_brings_back_what_was_pushed_by_then(store: SqlHistoryStore, pulls: XComReads) -> None:
    story = completes(begin(store), 1, rows=1).ends()
    commit(store, story)
    before = story.run.seq
    story.tell(ActivityCleared(task_id="extract"))
    completes(story, 2, rows=2, more=2)
    commit(store, story)
    assert (pushed(pulls, story, "rows"), pushed(pulls, story, "more")) == ([2], [2])
    story.tell(RunReset(seq=before))
    commit(store, story)
    assert (pushed(pulls, story, "rows"), pushed(pulls, story, "more")) == ([1], [])


def test_a_rebuild_finds_the_same(store: SqlHistoryStore, engine: Engine, catalog_of_etl: None) -> None:
    story = completes(fails(begin(store), 1, rows=1), 2, rows=2).ends()
    commit(store, story)
    since = story.run.seq
    story.tell(ActivityCleared(task_id="extract"))
    completes(story, 3, rows=3).tell(RunReset(seq=since))
    commit(store, story)
    store.release()
    before = kept(engine)
    assert before[0]
    rebuild(engine, "db rebuild", lambda _done, _total: None)
    assert kept(engine) == before


def test_one_fact_may_refer_to_many_payloads_and_each_is_held(store: SqlHistoryStore, engine: Engine) -> None:
    story = begin(store).tell(ActivityScheduled(task_id="extract"))
    many = {"a": XCom(payload=LARGE), "b": XCom(payload=LARGE), "c": XCom(payload=LARGER)}
    story.tell(ActivityCompleted(task_id="extract", payload=LARGER, xcoms=many))
    commit(store, story)
    assert [row.sha256 for row in kept(engine)[1]] == [LARGE.sha256, LARGER.sha256]


def test_a_run_that_is_cleaned_away_takes_what_it_pushed_along(store: SqlHistoryStore, engine: Engine) -> None:
    story = completes(begin(store), 1, rows=1).tell(RunEnded(state=RunState.SUCCESS))
    commit(store, story)
    Cleaning(engine).clean(NOW + timedelta(days=1), now=NOW + timedelta(days=2))
    assert kept(engine) == ([], [])


def test_runs_before_a_run_are_those_of_its_dag_with_an_earlier_date_the_latest_first(
    store: SqlHistoryStore, pulls: XComReads
) -> None:
    days = [NOW + timedelta(days=day) for day in (2, 0, 1, 3)]
    stories = [begin(store, run_id=str(day), logical_date=day) for day in days]
    undated = begin(store, run_id="undated")
    commit(store, *stories, undated)
    later, first, second, last = (story.run_key for story in stories)
    assert list(pulls.earlier_runs(last)) == [later, second, first]
    assert list(pulls.earlier_runs(undated.run_key)) == []
    assert pulls.run_key("etl", "undated") == undated.run_key
    assert pulls.run_key("etl", "nowhere") is None


def test_results_that_are_none_are_not_there(store: SqlHistoryStore, pulls: XComReads) -> None:
    story = begin(store).works("extract").works("load", result=b"null")
    commit(store, story)
    assert [one.value for _, one in pulls.returned(story.run_key, "extract", None)] == [msgspec.Raw(b'{"rows":3}')]
    assert pulls.returned(story.run_key, "load", -1) == []


def squares(store: SqlHistoryStore, width: int) -> Story:
    """A run with a mapped task of which each instance but every third has returned its index."""
    story = begin(store).works("extract").tell(TaskExpanded(task_id="each", shape=(width,)))
    for index in range(width):
        story.works("each", index, result=b"null" if index % 3 == 2 else str(index).encode())
    commit(store, story)
    return story


def page(pulls: XComReads, story: Story, indexes: range) -> list[tuple[int, Any]]:
    found = pulls.returned_by(story.run_key, "each", indexes)
    return [(index, msgspec.json.decode(one.value)) for index, one in found]


def test_the_results_of_a_mapped_task_are_read_page_by_page_in_order_without_those_that_are_none(
    store: SqlHistoryStore, pulls: XComReads
) -> None:
    other, story = squares(store, 12), squares(store, 12)
    wanted = [(index, index) for index in range(12) if index % 3 != 2]
    assert [*page(pulls, story, range(5)), *page(pulls, story, range(5, 12))] == wanted
    assert page(pulls, story, range(3, 6)) == [(3, 3), (4, 4)]
    assert page(pulls, story, range(5, 6)) == []
    assert page(pulls, story, range(12, 100)) == []
    assert page(pulls, story, range(0)) == []
    assert page(pulls, other, range(2)) == [(0, 0), (1, 1)]


def test_a_page_tells_where_large_results_lie_and_what_the_last_attempt_gave(
    store: SqlHistoryStore, pulls: XComReads
) -> None:
    story = squares(store, 4)
    again = {"task_id": "each", "map_index": 1, "attempt": 2}
    story.tell(
        ActivityCleared(task_id="each", map_index=1),
        ActivityScheduled(**again),
        ActivityCompleted(**again, payload=LARGE, length=7),
    )
    commit(store, story)
    found = dict(pulls.returned_by(story.run_key, "each", range(4)))
    assert sorted(found) == [0, 1, 3]
    assert (found[1].payload, found[1].length) == (LARGE, 7)


def kept(engine: Engine) -> tuple[list[Any], list[Any]]:
    """The rows of both tables."""
    with engine.connect() as connection:
        rows = connection.execute(select(xcoms).order_by(xcoms.c.seq, xcoms.c.key)).all()
        return rows, connection.execute(select(payload_refs).order_by(payload_refs.c.sha256)).all()
