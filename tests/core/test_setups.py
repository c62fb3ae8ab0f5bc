"""Setups and teardowns: what a setup decides from afar, what is cleared together, and what a cancellation leaves."""

from collections.abc import Iterable

import hypothesis.strategies as st
import networkx as nx
from hypothesis import given

from orchestrator.core.asks import facts_of
from orchestrator.core.commands import CancelAttempt, Command, EndRun, FailUpstream, ScheduleActivity, SkipActivity
from orchestrator.core.decide import decide
from orchestrator.core.events import (
    ActivityFailed,
    ActivityScheduled,
    ActivitySkipped,
    ActivityStarted,
    ActivityUpstreamFailed,
    RunCancelRequested,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.requests import CancelRun
from orchestrator.core.setups import cleared_with, far_setups
from orchestrator.core.spec import DagSpec
from orchestrator.names import RunState, TriggerRule
from tests.core.ledger import Ledger, at, tasks

SETUP = {"is_setup": True}
TEARDOWN = {"is_teardown": True, "trigger_rule": TriggerRule.ALL_DONE_SETUP_SUCCESS}
ALWAYS_LAST = {"trigger_rule": TriggerRule.ALL_DONE}
SHOP = tasks(
    *("up", "work: up", "other", "last: work other", "down: up last", "after: last"),
    up=SETUP,
    down=TEARDOWN,
    last=ALWAYS_LAST,
)
FAILED = Failure(message="no")


def named(commands: Iterable[Command]) -> dict[str, str]:
    """What is commanded, by task."""
    kinds = (ScheduleActivity, SkipActivity, FailUpstream)
    return {one.task_id: type(one).__name__ for one in commands if isinstance(one, kinds)}


def fail(ledger: Ledger, name: str) -> None:
    ledger.add(ActivityScheduled(task_id=name, attempt=1), ActivityFailed(task_id=name, attempt=1, failure=FAILED))


def test_a_setup_that_failed_fails_tasks_far_behind_it_whatever_their_rule() -> None:
    ledger = Ledger(SHOP)
    fail(ledger, "up")
    assert named(decide(ledger.run, at(9)))["last"] == "FailUpstream"


def test_a_setup_that_was_skipped_skips_tasks_far_behind_it() -> None:
    ledger = Ledger(SHOP)
    ledger.add(ActivitySkipped(task_id="up"))
    assert named(decide(ledger.run, at(9)))["last"] == "SkipActivity"


def test_a_task_waits_for_a_setup_far_ahead_even_where_its_rule_would_not() -> None:
    one = {"trigger_rule": TriggerRule.ONE_SUCCESS}
    ledger = Ledger(tasks("up", "work: up", "other", "last: work other", up=SETUP, last=one))
    ledger.succeed("other")
    assert "last" not in named(decide(ledger.run, at(9)))
    ledger.succeed("up")
    assert named(decide(ledger.run, at(9)))["last"] == "ScheduleActivity"


def test_setups_look_far_only_at_tasks_that_they_are_for() -> None:
    assert far_setups(DagSpec(dag_id="shop", tasks=SHOP)) == {"last": ("up",)}
    beyond = tasks("up", "down: up", "last: down", up=SETUP, down=TEARDOWN, last=ALWAYS_LAST)
    assert far_setups(DagSpec(dag_id="shop", tasks=beyond)) == {}


# ── clearing ─────────────────────────────────────────────────────────────────────────────────────────────


def cleared(*names: str) -> set[str]:
    spec = DagSpec(
        dag_id="shop",
        tasks=tasks(
            *("up", "up2: up", "a: up2", "b: a", "down2: up2 a", "down: up down2 b", "aside", "beyond: down", "c: up3"),
            "up3",
            **dict.fromkeys(("up", "up2", "up3"), SETUP),
            **dict.fromkeys(("down", "down2"), TEARDOWN),
        ),
    )
    return cleared_with(spec, names)


def test_a_task_is_cleared_with_the_setups_that_it_needs_and_their_teardowns() -> None:
    assert cleared("a") == {"up", "up2", "down", "down2"}
    assert cleared("b") == {"up", "down"}
    assert cleared("aside") == cleared("beyond") == cleared("down") == set()


def test_a_setup_is_cleared_with_its_teardowns_and_one_without_any_with_all_behind_it() -> None:
    assert cleared("up") == {"down"}
    assert cleared("up2") == {"down2", "up", "down"}
    assert cleared("c") == {"up3"}


@given(
    st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14),
    st.lists(st.integers(0, 2), min_size=7, max_size=7),
)
def test_who_is_served_by_a_setup_is_what_lies_between_it_and_its_teardowns(
    pairs: set[tuple[int, int]], roles: list[int]
) -> None:
    edges = {(a, b) for a, b in pairs if a < b}
    lines = (f"{n}:{' '.join(str(a) for a, b in edges if b == n)}" for n in range(7))
    fields = {str(n): ({}, SETUP, TEARDOWN)[role] for n, role in enumerate(roles)}
    graph = nx.DiGraph(sorted(edges))
    graph.add_nodes_from(range(7))
    spec = DagSpec(dag_id="shop", tasks=tasks(*lines, **fields))
    for name in range(7):
        expected = {name}
        for setup in nx.ancestors(graph, name) | {name}:
            downs = {after for after in graph.successors(setup) if roles[after] == 2}
            if roles[setup] == 1 and (setup == name or not downs or downs & nx.descendants(graph, name)):
                expected |= {setup} | downs
        assert cleared_with(spec, [str(name)]) | {str(name)} == {str(one) for one in expected}


# ── cancelling ───────────────────────────────────────────────────────────────────────────────────────────


def cancelled_at_work() -> Ledger:
    """The setup has succeeded, and the run is cancelled while the work is done."""
    ledger = Ledger(SHOP)
    ledger.succeed("up")
    ledger.add(ActivityScheduled(task_id="work", attempt=1), ActivityStarted(task_id="work", attempt=1))
    ledger.add(RunCancelRequested(reason="enough"))
    return ledger


def test_a_cancelled_run_takes_down_what_it_had_set_up() -> None:
    ledger = cancelled_at_work()
    commands = decide(ledger.run, at(20))
    assert [one.key.task_id for one in commands if isinstance(one, CancelAttempt)] == ["work"]
    assert named(commands) == {"other": "SkipActivity", "last": "SkipActivity", "after": "SkipActivity"}
    ledger.add(*(ActivitySkipped(task_id=name) for name in ("other", "last", "after")))
    ledger.add(ActivityFailed(task_id="work", attempt=1, failure=FAILED))
    assert named(decide(ledger.run, at(21))) == {"down": "ScheduleActivity"}
    assert ledger.run.may_start("down", -1)
    ledger.succeed("down")
    assert decide(ledger.run, at(22)) == [EndRun(state=RunState.FAILED, reason="enough")]


def test_a_teardown_that_fails_in_a_cancelled_run_is_tried_again() -> None:
    ledger = cancelled_at_work()
    ledger.add(*(ActivitySkipped(task_id=name) for name in ("other", "last", "after")))
    ledger.add(ActivityFailed(task_id="work", attempt=1, failure=FAILED))
    assert ledger.run.tries_again(("down", -1))
    assert not ledger.run.tries_again(("work", -1))
    ledger.add(ActivityScheduled(task_id="down", attempt=1))
    ledger.add(ActivityFailed(task_id="down", attempt=1, failure=FAILED, retry_at=at(60)))
    decide(ledger.run, at(30))
    assert ledger.run.next_due() == at(60)
    assert named(decide(ledger.run, at(60))) == {"down": "ScheduleActivity"}


def test_a_second_cancel_ends_the_teardowns_too() -> None:
    ledger = cancelled_at_work()
    ledger.add(*(ActivitySkipped(task_id=name) for name in ("other", "last", "after")))
    ledger.add(ActivityFailed(task_id="work", attempt=1, failure=FAILED))
    ledger.add(ActivityScheduled(task_id="down", attempt=1))
    again = facts_of(ledger.run, CancelRun(dag_id="shop", run_id="r1"))
    assert isinstance(again, list)
    assert [type(fact) for fact in again] == [RunCancelRequested]
    ledger.add(*again)
    commands = decide(ledger.run, at(30))
    assert [one.key.task_id for one in commands if isinstance(one, CancelAttempt)] == ["down"]
    assert facts_of(ledger.run, CancelRun(dag_id="shop", run_id="r1")) == []


def test_a_run_that_had_not_begun_takes_nothing_down() -> None:
    ledger = Ledger(SHOP)
    ledger.add(RunCancelRequested(reason="never mind"))
    assert set(named(decide(ledger.run, at(9))).values()) == {"SkipActivity"}


def test_a_teardown_whose_setup_failed_does_not_run() -> None:
    ledger = Ledger(SHOP)
    fail(ledger, "up")
    ledger.add(ActivityUpstreamFailed(task_id="work"), ActivityUpstreamFailed(task_id="last"))
    ledger.succeed("other")
    assert named(decide(ledger.run, at(9)))["down"] == "FailUpstream"


def test_a_failed_teardown_fails_the_run_only_where_it_is_said_to() -> None:
    for strict, state in ((False, RunState.SUCCESS), (True, RunState.FAILED)):
        down = {**TEARDOWN, "on_failure_fail_dagrun": strict}
        ledger = Ledger(tasks("up", "work: up", "down: up work", up=SETUP, down=down))
        ledger.succeed("up", "work")
        fail(ledger, "down")
        assert [one.state for one in decide(ledger.run, at(9)) if isinstance(one, EndRun)] == [state]
