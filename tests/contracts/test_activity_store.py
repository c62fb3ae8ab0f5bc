"""The activities of a run where they are many, as every database tells them."""

import pytest
from sqlalchemy import Engine

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ActivitySkipped,
    ActivityStarted,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure
from orchestrator.names import TaskState
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import Reads
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import parsed
from tests.contracts.stories import SPEC, Story, begin, commit


@pytest.fixture
def story(engine: Engine, tmp_path, clock: StoppedClock, store: SqlHistoryStore) -> Story:
    """A task that has failed once, and one of twelve instances."""
    SqlCatalog(engine, tmp_path / "versions", clock).record([parsed(SPEC)])
    story = begin(store)
    first = {"task_id": "extract"}
    story.tell(ActivityScheduled(**first), ActivityStarted(**first))
    story.tell(ActivityFailed(**first, failure=Failure(message="no"), retry_at=story.at))
    story.tell(ActivityScheduled(**first, attempt=2), ActivityStarted(**first, attempt=2))
    story.tell(TaskExpanded(task_id="each", shape=(12,)), ActivityScheduled(task_id="each", map_index=0, count=6))
    for index in (1, 0, 5):
        place = {"task_id": "each", "map_index": index}
        story.tell(ActivityStarted(**place), ActivityCompleted(**place))
    story.tell(ActivitySkipped(task_id="each", map_index=6, count=6))
    commit(store, story)
    return story


def test_activities_are_counted_by_task_and_state(story: Story, reads: Reads) -> None:
    found = {(part.task_id, part.state): part for part in reads.task_parts(story.run_key)}
    assert found["extract", TaskState.RUNNING].number == 1
    assert found["extract", TaskState.RUNNING].tries == 2
    assert not found["extract", TaskState.RUNNING].is_mapped
    each = {state: part.number for (task_id, state), part in found.items() if task_id == "each"}
    assert each == {TaskState.SUCCESS: 3, TaskState.QUEUED: 3, TaskState.SKIPPED: 6}
    done = found["each", TaskState.SUCCESS]
    assert done.is_mapped
    rows = [row for row in reads.activities(story.run_key, task_id="each") if row.state is TaskState.SUCCESS]
    assert done.started_at == min(row.started_at for row in rows if row.started_at)
    assert done.ended_at == max(row.ended_at for row in rows if row.ended_at)
    assert {part.task_id for part in reads.task_parts(story.run_key, ["each"])} == {"each"}
    assert reads.state_counts(story.run_key, "each") == each
    assert reads.state_counts(story.run_key, "nothing") == {}


def test_activities_are_tallied_by_task(story: Story, reads: Reads) -> None:
    found = reads.task_tallies(story.run_key)
    assert found["extract"].counts == {TaskState.RUNNING: 1}
    assert (found["extract"].tries, found["extract"].attempts, found["extract"].ended) == (2, 2, 0)
    assert not found["extract"].is_mapped
    each = found["each"]
    assert each.counts == {TaskState.SUCCESS: 3, TaskState.QUEUED: 3, TaskState.SKIPPED: 6}
    assert each.is_mapped
    rows = reads.activities(story.run_key, task_id="each")
    assert each.started_at == min(row.started_at for row in rows if row.started_at)
    assert each.ended_at == max(row.ended_at for row in rows if row.ended_at)
    assert each.ended == sum(row.ended_at is not None for row in rows)
    assert list(reads.task_tallies(story.run_key, ["each"])) == ["each"]
    assert reads.state_counts(story.run_key, "each") == each.counts
    assert reads.state_counts(story.run_key, "nothing") == {}


def test_the_facts_about_one_activity_are_found_among_all(story: Story, reads: Reads) -> None:
    kinds = [fact.type for fact in reads.facts_about(story.run_key, "extract", -1)]
    assert kinds == [
        "ActivityScheduled",
        "ActivityStarted",
        "ActivityFailed",
        "ActivityScheduled",
        "ActivityStarted",
    ]
    assert [fact.type for fact in reads.facts_about(story.run_key, "extract", -1, limit=1)] == ["ActivityStarted"]
    one = [fact.type for fact in reads.facts_about(story.run_key, "each", 1)]
    assert one == ["ActivityScheduled", "ActivityStarted", "ActivityCompleted", "ActivitySkipped"]
    assert "ActivityStarted" not in [fact.type for fact in reads.facts_about(story.run_key, "each", 10)]
    assert reads.facts_about(story.run_key, "ext_act", -1) == []


def test_the_runs_that_have_had_a_task_are_found_newest_first(
    story: Story, store: SqlHistoryStore, reads: Reads
) -> None:
    second, third = begin(store), begin(store)
    second.tell(ActivityScheduled(task_id="extract"))
    commit(store, second, third)
    assert [run.run_key for run in reads.runs_of_task("etl", "extract")] == [second.run_key, story.run_key]
    assert [run.run_key for run in reads.runs_of_task("etl", "extract", limit=1)] == [second.run_key]
    before = reads.runs_of_task("etl", "extract", before_key=second.run_key)
    assert [run.run_key for run in before] == [story.run_key]
    running = reads.runs_of_task("etl", "extract", state=TaskState.RUNNING)
    assert [run.run_key for run in running] == [story.run_key]
    cells = reads.cells("etl", [story.run_key, second.run_key], task_id="extract")
    assert {cell.task_id for cell in cells} == {"extract"}
    assert reads.runs_of_task("other", "extract") == []
