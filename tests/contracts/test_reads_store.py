"""Reads: what the CLI and the pages are told."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from orchestrator.core.events import (
    ActivityDeferred,
    ActivityFailed,
    ActivityScheduled,
    ActivityStarted,
    RunCancelRequested,
    RunPaused,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.requests import TriggerRun
from orchestrator.exceptions import NotFoundError
from orchestrator.names import RunState, RunType, TaskState
from orchestrator.ports import Cursor, Group
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.duration_reads import Clock
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import OpenCount, Reads
from orchestrator.storage.records import Records
from orchestrator.storage.requests import RequestBook
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import parsed
from tests.contracts.stories import NOW, SPEC, begin, commit


@pytest.fixture(autouse=True)
def recorded(engine: Engine, tmp_path: Path, clock: StoppedClock) -> None:
    """The DAG `etl`, version 1."""
    SqlCatalog(engine, tmp_path / "versions", clock).record([parsed(SPEC)])


def ask(engine: Engine, clock: StoppedClock, run_id: str, **fields: object) -> int:
    request = TriggerRun(dag_id="etl", run_id=run_id, run_uid=f"uid-{run_id}", by="ada", **fields)
    return RequestBook(engine, clock).submit(request, f"key-{run_id}")


def test_a_dag_is_shown_without_its_tasks_and_with_its_version(reads: Reads) -> None:
    row = reads.dag("etl")
    assert reads.dags() == [row]
    assert (row.task_count, row.version_number, row.header.file, row.header.tasks) == (3, 1, "etl.py", ())
    assert reads.spec(row.version_id) == SPEC


def test_an_unknown_dag_is_not_found_and_the_error_names_what_is_near(reads: Reads) -> None:
    for question in (reads.dag, reads.versions, reads.run):
        with pytest.raises(NotFoundError, match=r"'etk'.*did you mean 'etl'"):
            question("etk")


def test_runs_are_listed_newest_first_in_pages(store: SqlHistoryStore, reads: Reads) -> None:
    told = [begin(store) for _ in range(5)]
    commit(store, *told)
    keys = [story.run_key for story in reversed(told)]
    assert [run.run_key for run in reads.runs("etl")] == keys
    assert [run.run_key for run in reads.runs("etl", limit=2)] == keys[:2]
    assert [run.run_key for run in reads.runs("etl", before_key=keys[1], limit=2)] == keys[2:4]
    assert [run.run_key for run in reads.runs()] == keys
    assert reads.runs("other") == []


def test_runs_are_listed_by_state_and_by_time(store: SqlHistoryStore, reads: Reads) -> None:
    open_, good, bad = (begin(store, logical_date=NOW + timedelta(days=day)) for day in range(3))
    commit(store, open_.works("extract"), good.ends(), bad.ends(RunState.FAILED))
    assert [run.run_key for run in reads.runs(states=[RunState.RUNNING])] == [open_.run_key]
    ended = reads.runs(states=[RunState.SUCCESS, RunState.FAILED])
    assert [run.run_key for run in ended] == [bad.run_key, good.run_key]
    assert [run.run_key for run in reads.runs(since=NOW + timedelta(days=1))] == [bad.run_key, good.run_key]
    assert [run.run_key for run in reads.runs(until=NOW)] == [open_.run_key]
    assert reads.run_counts() == {"etl": {RunState.RUNNING: 1, RunState.SUCCESS: 1, RunState.FAILED: 1}}
    assert reads.run_counts("other") == {}


def test_a_run_is_shown_as_it_stands(store: SqlHistoryStore, reads: Reads) -> None:
    told = begin(
        store, run_id="x", run_type=RunType.SCHEDULED, logical_date=NOW, slot=NOW, note="why", triggered_by="cron"
    )
    commit(store, told.works("extract").tell(RunPaused(), RunCancelRequested()).ends(RunState.FAILED))
    run = reads.run("etl", "x")
    assert (run.run_type, run.state, run.version_number) == (RunType.SCHEDULED, RunState.FAILED, 1)
    assert (run.logical_date, run.slot, run.created_at, run.note, run.triggered_by) == (NOW, NOW, NOW, "why", "cron")
    assert (run.is_paused, run.is_cancelling, run.is_ended, run.last_seq) == (True, True, True, 7)
    assert run.started_at == NOW + timedelta(microseconds=1)
    assert run.duration == pytest.approx(5e-6)
    assert reads.run_by_key(told.run_key) == run == reads.run("etl")


def test_a_run_that_no_scheduler_has_taken_up_is_shown_as_queued(
    store: SqlHistoryStore, engine: Engine, reads: Reads, clock: StoppedClock
) -> None:
    commit(store, begin(store, run_id="older"))
    number = ask(engine, clock, "asked", conf=msgspec.Raw(b'{"a":1}'), logical_date=NOW)
    latest = reads.run("etl")
    assert latest == reads.run("etl", "asked")
    assert (latest.state, latest.is_pending, latest.run_key, latest.request_id) == (RunState.QUEUED, True, 0, number)
    assert (latest.triggered_by, latest.logical_date, latest.created_at) == ("ada", NOW, NOW)
    assert [run.run_id for run in reads.runs("etl")] == ["asked", "older"]
    assert [run.run_id for run in reads.runs(states=[RunState.SUCCESS])] == []
    assert bytes(reads.conf(latest)) == b'{"a":1}'
    assert [row.task_id for row in reads.tasks(latest)] == ["extract", "load", "each"]
    assert reads.pending_requests() == 1


def test_the_conf_of_a_run_is_given_back_as_it_came(store: SqlHistoryStore, reads: Reads) -> None:
    told = begin(store, conf=msgspec.Raw(b'{"b": [1, 2]}'))
    commit(store, told)
    assert bytes(reads.conf(reads.run("etl"))) == b'{"b": [1, 2]}'


def test_an_unknown_run_is_not_found_and_the_error_says_what_to_do(store: SqlHistoryStore, reads: Reads) -> None:
    with pytest.raises(NotFoundError, match="dags trigger etl"):
        reads.run("etl")
    commit(store, begin(store, run_id="manual__one"))
    with pytest.raises(NotFoundError, match="did you mean 'manual__one'"):
        reads.run("etl", "manual_one")
    with pytest.raises(NotFoundError, match="12345"):
        reads.run_by_key(12345)


def test_the_tasks_of_a_run_stand_in_their_order_also_where_nothing_happened_yet(
    store: SqlHistoryStore, reads: Reads
) -> None:
    told = (
        begin(store)
        .works("extract")
        .tell(
            TaskExpanded(task_id="each", shape=(3,)),
            ActivityScheduled(task_id="each", map_index=2),
            ActivityScheduled(task_id="each", map_index=0),
        )
    )
    commit(store, told)
    rows = reads.tasks(reads.run("etl"))
    assert [(row.task_id, row.map_index, row.state) for row in rows] == [
        ("extract", -1, TaskState.SUCCESS),
        ("load", -1, TaskState.NONE),
        ("each", 0, TaskState.QUEUED),
        ("each", 2, TaskState.QUEUED),
    ]
    assert (rows[1].pool, rows[1].pool_slots, rows[1].operator) == ("slow", 2, "BashOperator")


def test_an_activity_is_shown_as_it_stands(store: SqlHistoryStore, reads: Reads) -> None:
    later = NOW + timedelta(minutes=5)
    told = begin(store).tell(
        ActivityScheduled(task_id="extract"),
        ActivityStarted(task_id="extract", worker="host:7"),
        ActivityFailed(task_id="extract", failure=Failure(message="no"), retry_at=later),
    )
    commit(store, told)
    run = reads.run("etl")
    row = reads.activity(run, "extract")
    assert (row.state, row.attempt, row.failures, row.retry_at) == (TaskState.UP_FOR_RETRY, 1, 1, later)
    assert (row.worker, row.scheduled_seq, row.result_seq) == ("host:7", 2, 0)
    assert row.duration == pytest.approx(1e-6)
    assert reads.activity(run, "load").state is TaskState.NONE
    with pytest.raises(NotFoundError, match=r"'laod'.*did you mean 'load'"):
        reads.activity(run, "laod")


def test_activities_are_listed_by_task_by_state_and_in_pages(store: SqlHistoryStore, reads: Reads) -> None:
    told = begin(store).works("extract").tell(TaskExpanded(task_id="each", shape=(4,)))
    told.tell(*(ActivityScheduled(task_id="each", map_index=index) for index in range(4)))
    commit(store, told)
    key = told.run_key
    assert [row.map_index for row in reads.activities(key, task_id="each")] == [0, 1, 2, 3]
    assert [row.map_index for row in reads.activities(key, task_id="each", limit=2, offset=1)] == [1, 2]
    assert [row.task_id for row in reads.activities(key, states=[TaskState.SUCCESS])] == ["extract"]
    assert reads.task_counts(key) == {TaskState.SUCCESS: 1, TaskState.QUEUED: 4}


def test_a_recorded_result_is_given_as_the_json_that_was_recorded(store: SqlHistoryStore, reads: Reads) -> None:
    told = begin(store).works("extract", result=b'{"amount": 42.0, "currency": "USD"}')
    commit(store, told)
    assert reads.result(told.run_key, "extract").value == msgspec.Raw(b'{"amount": 42.0, "currency": "USD"}')
    with pytest.raises(NotFoundError, match=r"load has no recorded result.*none"):
        reads.result(told.run_key, "load")


def test_a_history_is_read_in_pages_for_the_pages(store: SqlHistoryStore, reads: Reads) -> None:
    told = begin(store).works("extract")
    commit(store, told)
    assert [fact.seq for fact in reads.history(told.run_key, after=1, limit=2)] == [2, 3]
    assert reads.last_position() == 4


def test_pools_show_the_slots_that_open_attempts_hold(
    store: SqlHistoryStore, engine: Engine, reads: Reads, clock: StoppedClock
) -> None:
    Records(engine, clock).set_pool("slow", 5, "few", by="ada")
    Records(engine, clock).set_pool("endless", -1, by="ada")
    one = begin(store).works("extract").tell(ActivityScheduled(task_id="load"))
    two = begin(store).tell(ActivityScheduled(task_id="extract"), ActivityStarted(task_id="extract"))
    commit(store, one, two)
    shown = {pool.name: (pool.slots, pool.queued, pool.running, pool.open) for pool in reads.pools()}
    assert shown == {"default_pool": (128, 0, 1, 127), "slow": (5, 2, 0, 3), "endless": (-1, 0, 0, None)}
    assert reads.open_attempts() == [
        OpenCount(dag_id="etl", task_id="extract", pool="default_pool", attempts=1, slots=1),
        OpenCount(dag_id="etl", task_id="load", pool="slow", attempts=1, slots=2),
    ]


def test_a_request_nobody_made_is_not_found(reads: Reads) -> None:
    with pytest.raises(NotFoundError, match="55"):
        reads.request(55)


def test_what_goes_on_and_what_has_ended_lately_is_told_at_a_glance(store: SqlHistoryStore, reads: Reads) -> None:
    going, failed, other = begin(store), begin(store), begin(store)
    failed.ends(RunState.FAILED)
    other.ends()
    commit(store, going, failed, other)
    assert [run.run_key for run in reads.open_runs()] == [going.run_key]
    assert (reads.open_run_count(), reads.dag_count()) == (1, 1)
    assert reads.ended_counts(NOW) == {RunState.FAILED: 1, RunState.SUCCESS: 1}
    (found,) = reads.ended_runs(NOW, states=[RunState.FAILED])
    assert found.run_key == failed.run_key
    assert reads.ended_runs(found.ended_at + timedelta(seconds=1), states=list(RunState)) == []


def test_the_pulse_changes_with_facts_requests_and_switches(
    engine: Engine, store: SqlHistoryStore, reads: Reads, clock: StoppedClock
) -> None:
    seen = {reads.pulse()}
    commit(store, begin(store))
    seen.add(reads.pulse())
    ask(engine, clock, "another")
    seen.add(reads.pulse())
    Records(engine, clock).set_paused("etl", True, by="ada")
    assert reads.pulse() not in seen
    assert len(seen) == 3


def test_the_last_runs_of_many_dags_are_one_question(store: SqlHistoryStore, reads: Reads) -> None:
    told = [begin(store) for _ in range(5)]
    told[-1].ends(RunState.FAILED)
    commit(store, *told)
    found = reads.last_runs(["etl", "unknown"], count=3)
    assert [run.run_key for run in found["etl"]] == [story.run_key for story in told[-3:]]
    assert (list(found), found["etl"][-1].state, found["etl"][0].version_number) == (["etl"], RunState.FAILED, 1)
    assert len(reads.last_runs(["etl"], count=14)["etl"]) == 5
    assert reads.last_states() == {"etl": RunState.FAILED}
    assert reads.last_runs([]) == {}


def test_the_cells_of_many_runs_are_one_question(store: SqlHistoryStore, reads: Reads) -> None:
    mapped, plain = begin(store), begin(store)
    mapped.tell(TaskExpanded(task_id="each", shape=(3,))).works("each", 0).works("each", 2)
    plain.works("extract")
    commit(store, mapped, plain)
    found = {
        (cell.run_key, cell.task_id, cell.state): cell for cell in reads.cells("etl", [mapped.run_key, plain.run_key])
    }
    assert found[mapped.run_key, "each", "success"].number == 2
    assert found[mapped.run_key, "each", "success"].is_mapped
    cell = found[plain.run_key, "extract", "success"]
    assert (cell.number, cell.is_mapped) == (1, False)
    assert cell.started_at is not None
    assert cell.ended_at is not None
    assert reads.cells("etl", [999]) == []
    assert reads.cells("other", [plain.run_key]) == []


def test_facts_about_some_activities_are_found_among_those_of_others(store: SqlHistoryStore, reads: Reads) -> None:
    story = begin(store)
    story.tell(TaskExpanded(task_id="each", shape=(4,)), ActivityScheduled(task_id="each", map_index=0, count=4))
    story.works("extract").tell(
        ActivityStarted(task_id="each", map_index=2), ActivityDeferred(task_id="each", map_index=2)
    )
    commit(store, story)

    def found(*task_ids: str, first: int = -1, last: int = -1) -> list[str]:
        kinds = (ActivityScheduled, ActivityStarted, ActivityDeferred)
        facts = reads.facts_of_tasks(story.run_key, task_ids, kinds, first=first, last=last)
        return [type(fact.event).__name__ for fact in facts]

    assert found("extract") == ["ActivityScheduled", "ActivityStarted"]
    assert found("each", first=2, last=2) == ["ActivityScheduled", "ActivityStarted", "ActivityDeferred"]
    assert found("each", first=3, last=9) == ["ActivityScheduled"]
    assert found("each", first=4, last=9) == []
    assert found() == []
    assert reads.put_off_tasks(story.run_key) == ["each"]
    assert [row.map_index for row in reads.instances(story.run_key, "each", offset=1, limit=2)] == [1, 2]


def test_runs_are_found_by_their_type(
    engine: Engine, store: SqlHistoryStore, reads: Reads, clock: StoppedClock
) -> None:
    commit(store, begin(store), scheduled := begin(store, run_type=RunType.SCHEDULED))
    ask(engine, clock, "asked")
    assert [run.run_key for run in reads.runs("etl", types=[RunType.SCHEDULED])] == [scheduled.run_key]
    assert len(reads.runs("etl", types=[RunType.MANUAL])) == 2


def test_cursors_say_which_slot_of_each_schedule_is_dealt_with(store: SqlHistoryStore, reads: Reads) -> None:
    store.commit(Group(at=NOW, cursors=[Cursor(dag_id="etl", slot=NOW)]))
    assert reads.cursors() == {"etl": NOW}


def test_runs_are_counted_by_the_day_that_clocks_show(store: SqlHistoryStore, reads: Reads) -> None:
    commit(store, begin(store, logical_date=NOW), begin(store, logical_date=NOW).ends(), begin(store))
    day, half = timedelta(days=1), timedelta(hours=12)
    start = NOW - day

    def found(*clocks: Clock) -> dict[tuple[int, str], int]:
        counts = reads.run_counts_by_time("etl", start, NOW + day, clocks, seconds=86_400)
        return {(one.number, one.state): one.runs for one in counts}

    number = int(NOW.timestamp()) // 86_400
    assert sum(found(Clock(start, 0)).values()) == 3
    assert found(Clock(start, 0))[number, "success"] == 1
    assert found(Clock(start, 43_200))[number + 1, "success"] == 1
    assert found(Clock(start, 43_200), Clock(NOW - half, 0))[number, "success"] == 1
    assert reads.run_counts_by_time("etl", start, start, [Clock(start, 0)], seconds=86_400) == []
    assert reads.run_counts_by_time("other", start, NOW + day, [Clock(start, 0)], seconds=86_400) == []


def test_tasks_are_told_by_how_long_they_took(store: SqlHistoryStore, reads: Reads) -> None:
    one, two = begin(store).works("extract"), begin(store).works("extract").works("load")
    commit(store, one, two)
    keys = [one.run_key, two.run_key]
    times = {time.task_id: time for time in reads.task_times("etl", keys, two.run_key)}
    assert (times["extract"].runs, times["load"].runs) == (2, 1)
    assert times["extract"].before > 0
    assert times["load"].before == 0
    each = reads.times_in_runs("etl", keys, ["extract"])
    assert sorted(time.run_key for time in each) == keys
    assert times["extract"].total == pytest.approx(sum(time.seconds for time in each))
    assert reads.task_times("other", keys, 0) == []
