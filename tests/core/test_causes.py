"""Causes down to the root: which facts say so, since when, by way of what, and where the time went."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityScheduled,
    ActivityStarted,
    ActivityUpstreamFailed,
    ChildStarted,
    RunEnded,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.reasons import Cause, Reason, Usage
from orchestrator.core.spec import mapping_over
from orchestrator.core.story import why
from orchestrator.core.timing import Leg, longest_way, together
from orchestrator.core.words import Words
from orchestrator.names import RunState
from tests.core.ledger import Ledger, at, tasks

ORDER = tasks("charge", "reserve: charge", "ship: reserve", "mail: ship")
ROOM = Usage(pools={"default_pool": (0, 128)})


def tell(ledger: Ledger, task_id: str | None = None, *, usage: Usage = ROOM) -> list[Reason]:
    words = Words()
    for fact in ledger.facts:
        words.hear(fact)
    return why(ledger.run, task_id, now=at(100), usage=usage, failure_of=words.of)


def failed(name: str = "charge", **more: Any) -> ActivityFailed:
    failure = Failure(message="CardError: declined", where="dags/order.py:14")
    return ActivityFailed(task_id=name, failure=failure, **more)


def broken() -> Ledger:
    ledger = Ledger(ORDER)
    ledger.add(ActivityScheduled(task_id="charge"), failed())
    ledger.add(*(ActivityUpstreamFailed(task_id=name) for name in ("reserve", "ship", "mail")))
    ledger.add(RunEnded(state=RunState.FAILED, reason="failed at its end: mail"))
    return ledger


def test_a_root_cause_names_its_fact_its_moment_its_line_and_the_way_to_it() -> None:
    root = tell(broken(), "mail")[-1]
    assert root.cause is Cause.FAILED
    assert (root.seq, root.since, root.where) == (3, at(2), "dags/order.py:14")
    assert root.chain == ("mail", "ship", "reserve", "charge")
    assert tell(broken())[-1].chain == ("mail", "ship", "reserve", "charge")


def test_what_is_its_own_cause_has_no_way_to_it() -> None:
    assert tell(broken(), "charge")[0].chain == ()


def test_the_way_is_one_by_which_the_blame_went() -> None:
    ledger = Ledger(tasks("a", "b: a", "c", "end: b c"))
    ledger.succeed("c")
    assert [reason.chain for reason in tell(ledger, "end")] == [(), ("end", "b", "a")]


def test_a_full_pool_names_who_has_its_slots() -> None:
    usage = Usage(pools={"default_pool": (3, 3)}, holders={"default_pool": ("etl.load (2)", "etl.clean (1)")})
    (reason,) = tell(Ledger(ORDER), "charge", usage=usage)
    assert reason.sentence.endswith("3 of 3 slots of pool 'default_pool' are taken by etl.load (2), etl.clean (1)")


def test_a_run_that_waits_its_turn_names_the_runs_ahead() -> None:
    usage = Usage(active_runs=2, ahead=("monday", "tuesday"), pools={"default_pool": (0, 9)})
    (reason,) = tell(Ledger(ORDER, max_active_runs=2), usage=usage)
    assert reason.sentence.endswith("max_active_runs is 2: monday, tuesday")


def test_a_task_that_depends_on_the_past_names_the_task_that_it_waits_for() -> None:
    usage = Usage(past={"charge": "task charge of run monday, which failed"})
    (reason,) = tell(Ledger(ORDER), "charge", usage=usage)
    assert reason.cause is Cause.PAST
    assert reason.sentence.endswith("waits for task charge of run monday, which failed")


def test_a_task_that_stands_for_a_run_names_it_and_how_to_ask_that() -> None:
    ledger = Ledger(ORDER)
    child = ChildStarted(child_id="charge/-1/1", dag_id="billing", run_id="bill__1", child_run_key=9)
    ledger.add(ActivityScheduled(task_id="charge"), ActivityStarted(task_id="charge"))
    ledger.add(ActivityDeferred(task_id="charge"), child)
    (reason,) = tell(ledger)
    assert reason.cause is Cause.CHILD
    assert "waits for run bill__1 of billing (`orchestrator runs why billing 'bill__1'`)" in reason.sentence


# ── where the time went ──────────────────────────────────────────────────────────────────────────────────


def timed(**seconds: int) -> Ledger:
    """a, then b and c beside each other, then d."""
    ledger = Ledger(tasks("a", "b: a", "c: a", "d: b c"))
    for name, (start, end) in {"a": (0, 1), "b": (1, 30), "c": (1, 5), "d": (30, 34)}.items():
        add_at(ledger, start, ActivityScheduled(task_id=name), ActivityStarted(task_id=name))
        add_at(ledger, end, ActivityCompleted(task_id=name))
    ledger.add(RunEnded(state=RunState.SUCCESS))
    return ledger


def add_at(ledger: Ledger, second: float, *events: Any) -> None:
    for event in events:
        ledger.add(event)
        moved = msgspec.structs.replace(ledger.facts.pop(), at=at(second))
        ledger.facts.append(moved)


def test_the_longest_way_is_that_of_the_tasks_that_took_longest_one_after_the_other() -> None:
    ledger = timed()
    ledger.run = ledger.replayed()
    assert [(leg.task_id, leg.took) for leg in longest_way(ledger.run)] == [
        ("a", timedelta(seconds=1)),
        ("b", timedelta(seconds=29)),
        ("d", timedelta(seconds=4)),
    ]
    slowest = tell(ledger)[1]
    assert slowest.cause is Cause.SLOWEST
    assert slowest.sentence == "the longest way through it took 34 s: a 1 s, then b 29 s, then d 4 s"


def test_a_mapped_task_takes_from_its_first_start_to_its_last_end() -> None:
    ledger = Ledger(tasks("sew", "end: sew", sew={"mapping": mapping_over(2)}))
    ledger.add(TaskExpanded(task_id="sew", shape=(2,)), ActivityScheduled(task_id="sew", map_index=0, count=2))
    ledger.add(*(ActivityCompleted(task_id="sew", map_index=index) for index in (0, 1)))
    ledger.succeed("end")
    assert [(leg.task_id, leg.took.total_seconds()) for leg in longest_way(ledger.run)] == [("sew", 2), ("end", 1)]


def test_time_in_which_instances_of_several_tasks_ran_side_by_side_counts_once() -> None:
    began = datetime(2026, 1, 31, tzinfo=UTC)
    spans = {"up": (0, 4), "work": (1, 9), "down": (6, 10), "end": (12, 13)}
    way = [
        Leg(name, -1, began + timedelta(seconds=start), timedelta(seconds=end - start))
        for name, (start, end) in spans.items()
    ]
    assert together(way) == timedelta(seconds=11)


@pytest.mark.parametrize("tasks_", [tasks("a"), ()])
def test_a_run_of_one_task_or_none_has_no_way_worth_telling(tasks_: Any) -> None:
    ledger = Ledger(tasks_)
    ledger.succeed(*(task.task_id for task in tasks_))
    ledger.add(RunEnded(state=RunState.SUCCESS))
    assert [reason.cause for reason in tell(ledger)] == [Cause.SUCCESS]
