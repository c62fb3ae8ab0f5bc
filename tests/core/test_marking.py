"""What marking a task means to what comes after it, also where the run has ended."""

import pytest

from orchestrator.core.asks import facts_of
from orchestrator.core.commands import ScheduleActivity
from orchestrator.core.decide import decide
from orchestrator.core.events import (
    ActivityCleared,
    ActivityFailed,
    ActivityMarked,
    ActivityScheduled,
    ActivityUpstreamFailed,
    RunEnded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.requests import MarkTask
from orchestrator.names import RunState, TaskState
from tests.core.ledger import Ledger, at, tasks


def failed(*, ended: bool) -> Ledger:
    """``a`` is done and ``b`` has failed, so ``c`` and ``d`` could not run; ``e`` has nothing to do with it."""
    ledger = Ledger(tasks("a", "b: a", "c: b", "d: c", "e"))
    ledger.succeed("a", "e")
    ledger.add(ActivityScheduled(task_id="b"), ActivityFailed(task_id="b", failure=Failure(message="no")))
    ledger.add(ActivityUpstreamFailed(task_id="c"), ActivityUpstreamFailed(task_id="d"))
    if ended:
        ledger.add(RunEnded(state=RunState.FAILED))
    return ledger


def mark(ledger: Ledger, task_id: str, state: TaskState = TaskState.SUCCESS) -> list[str]:
    """Do it; the names of the facts, and of what they are about."""
    ask = MarkTask(dag_id="shop", run_id="r1", task_id=task_id, state=state, by="ada")
    facts = facts_of(ledger.run, ask)
    assert not isinstance(facts, str)
    ledger.add(*facts)
    told = [fact for fact in facts if isinstance(fact, ActivityCleared | ActivityMarked)]
    return [f"{type(fact).__name__.removeprefix('Activity')} {fact.task_id}" for fact in told]


def offered(ledger: Ledger) -> list[str]:
    return [one.task_id for one in decide(ledger.run, at(100)) if isinstance(one, ScheduleActivity)]


def test_a_run_that_has_ended_goes_on_behind_a_task_that_is_marked() -> None:
    ledger = failed(ended=True)
    assert mark(ledger, "b") == ["Cleared b", "Cleared c", "Cleared d", "Marked b"]
    assert not ledger.run.is_ended
    assert ledger.activity("b").state is TaskState.SUCCESS
    assert offered(ledger) == ["c"]
    ledger.succeed("c", "d")
    (end,) = [fact for fact in decide(ledger.run, at(100)) if hasattr(fact, "state")]
    assert end.state is RunState.SUCCESS
    assert ledger.replayed().nodes["b"].activity(-1).state is TaskState.SUCCESS


def test_what_could_not_run_in_an_open_run_is_judged_anew() -> None:
    ledger = failed(ended=False)
    assert mark(ledger, "b") == ["Cleared c", "Cleared d", "Marked b"]
    assert offered(ledger) == ["c"]


def test_what_has_run_is_not_run_again_because_a_task_before_it_is_marked() -> None:
    ledger = failed(ended=True)
    assert mark(ledger, "a", TaskState.SKIPPED) == ["Cleared a", "Cleared c", "Cleared d", "Marked a"]
    assert ledger.activity("b").state is TaskState.FAILED
    assert "b" not in offered(ledger)
    assert "e" not in offered(ledger)


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.SUCCESS])
def test_the_last_task_of_a_run_that_has_ended_decides_it_anew(state: TaskState) -> None:
    ledger = Ledger(tasks("a"))
    ledger.add(ActivityScheduled(task_id="a"), ActivityFailed(task_id="a", failure=Failure(message="no")))
    ledger.add(RunEnded(state=RunState.FAILED))
    mark(ledger, "a", state)
    (end,) = decide(ledger.run, at(100))
    assert getattr(end, "state", None) == RunState(state.value)
