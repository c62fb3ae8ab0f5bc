"""Lists of runs and activities: filters, order, pages and their number."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from orchestrator.core.rights import Grant, Principal, Role
from orchestrator.exceptions import UsageError
from orchestrator.names import RunState, TaskState
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.list_reads import RunFilter, TaskFilter
from orchestrator.storage.listing import Paging, Span
from orchestrator.storage.reads import Reads
from tests.contracts.stories import begin, commit


@pytest.fixture(autouse=True)
def runs(store: SqlHistoryStore) -> None:
    """Three, of which the last has ended."""
    commit(store, begin(store, run_id="one").works("extract"))
    commit(store, begin(store, run_id="two"))
    commit(store, begin(store, run_id="three").works("extract").ends())


def _ids(reads: Reads, which: RunFilter, paging: Paging | None = None) -> list[str]:
    return [row.run_id for row in reads.list_runs("etl", which, paging or Paging()).rows]


def test_pages_are_cut_and_counted(reads: Reads) -> None:
    page = reads.list_runs(None, RunFilter(), Paging(limit=1, offset=1))
    assert ([row.run_id for row in page.rows], page.total) == (["two"], 3)


def test_an_order_may_go_up_and_down_and_what_has_no_value_is_last(reads: Reads) -> None:
    assert _ids(reads, RunFilter(), Paging(order_by=("run_id",))) == ["one", "three", "two"]
    assert _ids(reads, RunFilter(), Paging(order_by=("-run_id",))) == ["two", "three", "one"]
    assert _ids(reads, RunFilter(), Paging(order_by=("end_date",)))[0] == "three"
    assert _ids(reads, RunFilter(), Paging(order_by=("-duration",)))[0] == "three"


def test_an_order_by_nothing_known_is_refused(reads: Reads) -> None:
    with pytest.raises(UsageError, match=r"nothing is ordered by 'stat'; did you mean 'state'\?; it can be by id"):
        reads.list_runs("etl", RunFilter(), Paging(order_by=("stat",)))


def test_runs_are_filtered(reads: Reads) -> None:
    ended = next(row for row in reads.runs("etl") if row.is_ended)
    assert ended.ended_at is not None
    second = timedelta(seconds=1)
    assert _ids(reads, RunFilter(states=(RunState.SUCCESS,))) == ["three"]
    assert _ids(reads, RunFilter(run_id_pattern="T%")) == ["three", "two"]
    assert _ids(reads, RunFilter(spans={"end_date": Span(gte=ended.ended_at, lt=ended.ended_at + second)})) == ["three"]
    assert _ids(reads, RunFilter(spans={"end_date": Span(gt=ended.ended_at)})) == []
    assert _ids(reads, RunFilter(spans={"duration": Span(gte=0.0)})) == ["three"]
    assert _ids(reads, RunFilter(spans={"duration": Span(gt=10_000_000.0)})) == []


def test_activities_of_all_runs_are_filtered_with_their_runs(reads: Reads) -> None:
    page = reads.list_activities(None, TaskFilter(states=(TaskState.SUCCESS,), task_id_pattern="ext%"), Paging())
    assert [(one.run.run_id, one.activity.task_id) for one in page.rows] == [("three", "extract"), ("one", "extract")]
    assert reads.list_activities("etl", TaskFilter(runs=RunFilter(run_id="one")), Paging(limit=0)).total >= 1
    assert reads.list_activities("etl", TaskFilter(try_numbers=(7,)), Paging()).total == 0


def test_lists_hold_and_count_what_may_be_seen(engine: Engine) -> None:
    foreign = Reads(engine, Principal(name="ada", grants=(Grant(Role.VIEWER, "other*"),)))
    assert foreign.list_runs().total == 0
    assert foreign.list_activities().total == 0


def test_confs_are_told_of_many_runs_at_once_and_of_those_only_that_may_be_seen(engine: Engine, reads: Reads) -> None:
    keys = [row.run_key for row in reads.list_runs().rows]
    assert reads.confs(keys) == {row.run_key: reads.conf(row) for row in reads.list_runs().rows}
    assert reads.confs([]) == {}
    foreign = Reads(engine, Principal(name="ada", grants=(Grant(Role.VIEWER, "other*"),)))
    assert foreign.confs(keys) == {}
