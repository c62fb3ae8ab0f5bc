"""Runs of workflows in the database: their projections, and that they can be made anew from the histories."""

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from orchestrator.core.events import (
    ActivityRequested,
    RunBlocked,
    RunCancelRequested,
    RunContinued,
    RunReset,
    RunResumed,
    RunStarted,
    TimerCancelled,
    TimerSet,
)
from orchestrator.core.plan import Plan
from orchestrator.core.runs import replay
from orchestrator.exceptions import NotFoundError
from orchestrator.names import BlockKind, RunState, TaskState
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import Reads
from orchestrator.storage.rebuild import rebuild
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import parsed
from tests.contracts.stories import NOW, Story, begin, commit
from tests.contracts.test_projection_store import projected, quiet
from tests.contracts.wander_workflow import WORKFLOWS, WorkflowWanderer, states

CALL = {"digest": "d", "input": msgspec.Raw(b'{"args":[],"kwargs":{}}')}


@pytest.fixture(autouse=True)
def versions(engine: Engine, tmp_path: Path, clock: StoppedClock) -> None:
    """The versions that the runs here have: 1 and 2."""
    catalog = SqlCatalog(engine, tmp_path / "versions", clock)
    for spec in WORKFLOWS.values():
        catalog.record([parsed(spec)])


def started(store: SqlHistoryStore) -> Story:
    return begin(store, spec=WORKFLOWS[1], versions=WORKFLOWS).tell(RunStarted())


@pytest.mark.parametrize("seed", range(8))
def test_rebuilt_projections_of_workflows_are_the_live_ones(engine: Engine, seed: int) -> None:
    store = SqlHistoryStore(engine)
    store.claim("test:1")
    told = [started(store) for _ in range(3)]
    for number, story in enumerate(told):
        wanderer = WorkflowWanderer(story, 100 * seed + number)
        for _ in range(25):
            wanderer.wander(4)
            assert commit(store, story) == frozenset()
    store.release()
    live = projected(engine)
    rebuild(engine, "db rebuild", quiet)
    assert projected(engine) == live


def test_a_workflow_that_is_replayed_from_the_store_is_the_one_that_was_told(store: SqlHistoryStore) -> None:
    told = started(store)
    WorkflowWanderer(told, 5).wander(150)
    commit(store, told)
    again = replay(told.run_key, store.read(told.run_key), lambda number: Plan(WORKFLOWS[number], number))
    assert (again.seq, again.state, again.open, again.unfinished) == (
        told.run.seq,
        told.run.state,
        told.run.open,
        told.run.unfinished,
    )
    now = states(told)
    assert {(n, i): a.state for n, node in again.nodes.items() for i, a in (node.many or {}).items()} == now


def test_calls_that_a_reset_has_taken_back_are_not_listed_whatever_had_become_of_them(
    engine: Engine, store: SqlHistoryStore, reads: Reads
) -> None:
    told = started(store)
    told.tell(*(ActivityRequested(task_id="ship", map_index=index, **CALL) for index in (0, 1, 2)))
    commit(store, told.works("ship", 0))
    seq = told.run.seq
    told.works("ship", 1)
    told.tell(ActivityRequested(task_id="ship", map_index=3, **CALL))
    commit(store, told.works("ship", 3))
    commit(store, told.tell(RunReset(seq=seq)))
    listed = [(0, TaskState.SUCCESS), (1, TaskState.NONE), (2, TaskState.NONE)]
    assert [(row.map_index, row.state) for row in reads.tasks(reads.run("order"))] == listed
    store.release()
    rebuild(engine, "db rebuild", quiet)
    assert [(row.map_index, row.state) for row in reads.tasks(reads.run("order"))] == listed


def test_calls_are_listed_at_their_occurrences_also_before_they_are_handed_out(
    store: SqlHistoryStore, reads: Reads
) -> None:
    told = started(store)
    told.tell(*(ActivityRequested(task_id="ship", map_index=index, **CALL) for index in (0, 1)))
    commit(store, told.works("ship", 0))
    run = reads.run("order")
    assert [(row.task_id, row.map_index, row.state) for row in reads.tasks(run)] == [
        ("ship", 0, TaskState.SUCCESS),
        ("ship", 1, TaskState.NONE),
    ]


def test_the_only_call_of_an_activity_is_found_without_its_index(store: SqlHistoryStore, reads: Reads) -> None:
    told = started(store).tell(ActivityRequested(task_id="ship", map_index=0, **CALL))
    commit(store, told.works("ship", 0))
    run = reads.run("order")
    assert reads.activity(run, "ship").map_index == 0
    with pytest.raises(NotFoundError, match="has not called 'charge'"):
        reads.activity(run, "charge")
    commit(store, told.tell(ActivityRequested(task_id="ship", map_index=1, **CALL)))
    with pytest.raises(NotFoundError, match="more than once; say which call with --map-index"):
        reads.activity(run, "ship")


def test_a_blocked_run_runs_and_says_why_it_does_not_go_on(store: SqlHistoryStore, reads: Reads) -> None:
    told = started(store).tell(RunBlocked(kind=BlockKind.NON_DETERMINISM, message="recorded is A, the code asks for B"))
    commit(store, told)
    run = reads.run("order")
    assert (run.state, run.blocked, run.reason) == (
        RunState.RUNNING,
        BlockKind.NON_DETERMINISM,
        "recorded is A, the code asks for B",
    )
    commit(store, told.tell(RunResumed()))
    run = reads.run("order")
    assert (run.blocked, run.reason) == (None, "")


def test_timers_are_there_as_long_as_the_run_waits_for_them(store: SqlHistoryStore, engine: Engine) -> None:
    told = started(store)
    told.tell(*(TimerSet(timer_id=name, fire_at=NOW, shielded=name == "c") for name in "abcd"))
    commit(store, told.tell(TimerCancelled(timer_id="a")))

    def waiting() -> list[str]:
        return [row[1] for row in projected(engine)["timers"]]

    assert waiting() == ["b", "c", "d"]
    before = told.run.seq
    commit(store, told.tell(RunCancelRequested()))
    assert waiting() == ["c"]
    commit(store, told.tell(RunContinued()))
    assert waiting() == []
    commit(store, told.ends())
    commit(store, told.tell(RunReset(seq=before)))
    assert waiting() == ["b", "c", "d"]


def test_a_run_that_is_reset_is_open_again(store: SqlHistoryStore, reads: Reads) -> None:
    told = started(store)
    commit(store, told.ends())
    commit(store, told.tell(RunReset(seq=2)))
    run = reads.run("order")
    assert (run.state, run.is_ended) == (RunState.QUEUED, False)
