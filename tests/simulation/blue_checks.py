"""What must hold of every history of a workflow that was in turmoil, read anew."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from orchestrator.core import values
from orchestrator.core.activations import Activation, Block, Raise, Return
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivityRequested,
    ActivityScheduled,
    ChildEnded,
    ChildStarted,
    Recorded,
    RunBlocked,
    RunCancelRequested,
    RunContinued,
    RunCreated,
    RunEnded,
    RunMoved,
    RunReset,
    SignalReceived,
    TimerFired,
    TimerSet,
)
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.runs import replay
from orchestrator.core.taking_over import counting
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.engine.hearing import matters
from orchestrator.names import Delivery, RunState
from orchestrator.replay import Machine
from orchestrator.testing.invariants import check_order
from tests.simulation.blue_turmoil import SINK, BlueTurmoil, Unrest

_FOLDED = (
    *("state", "reason", "open", "unended", "timers", "children", "updates", "update_ids", "asked_until", "news_at"),
    *("began_at", "renewed_at", "letter_at", "paused", "cancelling", "version_id", "unfinished", "shielded"),
)


def survive(turmoil: BlueTurmoil) -> Unrest:
    """Live through it and check all; AssertionError, with the line that reproduces it, where a promise is broken."""
    try:
        unrest = Unrest(turmoil)
        unrest.check = lambda: check_memory(unrest)
        unrest.live()
        check_all(unrest)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\nrun it again with: {turmoil.command()}") from error
    return unrest


def check_all(unrest: Unrest) -> None:
    """Every invariant, on every run of a world that has come to rest."""
    sim, runs = unrest.sim, {}
    for run_key, facts in sim.histories():
        run = runs[run_key] = replay(run_key, facts, lambda one: Plan(sim.store.spec(one), one))
        try:
            check_order(facts)
            assert run.is_ended, f"it never ended: {run.state}, last came {facts[-3:]}"
            assert not run.open, f"it has ended with open attempts: {run.open}"
            if isinstance(run, WorkflowRun):
                _check_workflow(unrest, run, facts)
        except AssertionError as error:
            raise AssertionError(f"run {run_key}, {run.run_id} of {run.dag_id}: {error}") from error
    _check_families(runs, dict(sim.histories()))
    _check_deliveries(unrest, runs)
    left = [key for key, work in sim.executor._work.items() if work.began or not _waits_in_vain(unrest)]
    assert not left, f"nobody ended {left}"


def _waits_in_vain(unrest: Unrest) -> bool:
    """Whether a body may wait for the leave of a scheduler that died before it could say that the run is over."""
    return unrest.given.outlives and unrest.sim.restarts > 0


def check_memory(unrest: Unrest) -> None:
    """What the scheduler holds of its runs is what a replay of their histories gives."""
    sim = unrest.sim
    scheduler = sim._scheduler
    if scheduler is None or scheduler._outage.lasts:
        return
    histories = dict(sim.histories())
    for held in scheduler._memory.roster:
        if held.run_key not in histories or not isinstance(held, WorkflowRun):
            continue
        again = replay(held.run_key, histories[held.run_key], lambda one: Plan(sim.store.spec(one), one), lean=True)
        for name in _FOLDED:
            mine, theirs = getattr(held, name), getattr(again, name)
            assert mine == theirs, f"run {held.run_key}: {name} is {mine} in memory and {theirs} by its history"


def _check_workflow(unrest: Unrest, run: WorkflowRun, facts: Sequence[Recorded]) -> None:
    blocks = [fact for fact in facts if isinstance(fact.event, RunBlocked)]
    assert not blocks, f"it was blocked: {blocks[0]}"
    _check_calls(facts)
    _check_timers(facts)
    _check_code(unrest, run, facts)
    if run.dag_id == SINK and run.state is RunState.SUCCESS:
        _check_signals(facts)


def _check_calls(facts: Sequence[Recorded]) -> None:
    done: set[tuple[str, int]] = set()
    is_open: dict[tuple[str, int], int] = {}
    asked: Counter[tuple[str, int]] = Counter()
    for fact in facts:
        event = fact.event
        if isinstance(event, RunReset):
            done.clear()
            is_open.clear()
        elif isinstance(event, ActivityRequested):
            asked[event.task_id, event.map_index] += 1
        elif isinstance(event, ActivityScheduled):
            places = [(event.task_id, event.map_index + n) for n in range(event.count)]
            assert done.isdisjoint(places), f"{places} is run again at seq {fact.seq}, although it is done"
            is_open |= dict.fromkeys(places, event.attempt)
        elif isinstance(event, ActivityLost | ActivityFailed):
            if is_open.get((event.task_id, event.map_index)) == event.attempt:
                del is_open[event.task_id, event.map_index]
        elif isinstance(event, ActivityCompleted) and is_open.get((event.task_id, event.map_index)) == event.attempt:
            done.add((event.task_id, event.map_index))
    assert all(times == 1 for times in asked.values()), f"a call was recorded twice: {asked.most_common(1)}"


def _check_timers(facts: Sequence[Recorded]) -> None:
    due: dict[str, Any] = {}
    for fact in facts:
        if isinstance(fact.event, RunReset):  # the timers of then are waited for again, of those with the same ids
            past = (one.event for one in counting(facts, fact.event.seq))
            due = {event.timer_id: event.fire_at for event in past if isinstance(event, TimerSet)}
        elif isinstance(fact.event, TimerSet):
            due[fact.event.timer_id] = fact.event.fire_at
        elif isinstance(fact.event, TimerFired):
            assert fact.at >= due[fact.event.timer_id], f"{fact.event.timer_id} fired at {fact.at}, too early"


def _check_signals(facts: Sequence[Recorded]) -> None:
    sent = [values.decode(fact.event.payload) for fact in facts if _is_word(fact)]
    ended = next(fact.event for fact in reversed(facts) if isinstance(fact.event, RunEnded))
    taken = values.decode(ended.result)
    assert taken == sent[: len(taken)], f"sent {sent}, taken {taken}"


def _is_word(fact: Recorded) -> bool:
    return isinstance(fact.event, SignalReceived) and fact.event.name == "word"


def _check_code(unrest: Unrest, run: WorkflowRun, facts: Sequence[Recorded]) -> None:
    """Its code, told the whole history in one go, asks for nothing more and ends as it did."""
    ended = [fact for fact in facts if isinstance(fact.event, RunEnded)][-1]
    told = [fact for fact in facts if matters(fact) and run.counts(fact) and fact.seq >= run.began_at]
    told = [fact for fact in told if fact.seq < ended.seq]
    machine = Machine(_header(run), unrest.code[run.version_id], unrest.sim.replayer._load, unrest.sim.replayer._store)
    machine.asked_until = run.asked_until
    machine.tell(told)
    commands = machine.advance()
    machine.close()
    blocks = [command for command in commands if isinstance(command, Block)]
    assert not blocks, f"a replay is blocked: {blocks[0].message}"
    if "cancelled again" in ended.event.reason:
        return
    (end,) = [command for command in commands if isinstance(command, Return | Raise)] or [None]
    assert end is not None, f"its code had not ended, and asks for {commands}"
    if isinstance(end, Return):
        assert bytes(end.result) == bytes(ended.event.result), f"{end.result} and not {ended.event.result}"
    else:
        assert end.failure.message == ended.event.failure.message, f"{end.failure} and not {ended.event.failure}"


def _header(run: Run) -> Activation:
    created = run.created
    return Activation(
        run_key=run.run_key,
        dag_id=run.dag_id,
        run_id=run.run_id,
        run_uid=created.run_uid,
        run_type=created.run_type,
        version_id=run.version_id,
        code="",
        file="",
    )


def _check_families(runs: dict[int, Run], histories: dict[int, Sequence[Recorded]]) -> None:
    """Each child that is on record is there, and its end is what its parent has of it; nobody is an orphan."""
    for run_key, facts in histories.items():
        started: dict[str, ChildStarted] = {}
        keys = [fact.event.child_run_key for fact in facts if isinstance(fact.event, ChildStarted)]
        keys = [key for key in keys if key]
        assert len(set(keys)) == len(keys), f"run {run_key} has a child twice: {keys}"
        assert set(keys) <= set(histories), f"run {run_key} has children that are not there"
        for fact in facts:
            if isinstance(fact.event, RunReset):  # the children of then are waited for again
                past = (one.event for one in counting(facts, fact.event.seq))
                started |= {event.child_id: event for event in past if isinstance(event, ChildStarted)}
            elif isinstance(fact.event, ChildStarted):
                started[fact.event.child_id] = fact.event
            elif isinstance(fact.event, ChildEnded):
                child = started.get(fact.event.child_id)
                is_taken = fact.seq <= facts[0].event.taken + 1  # a fork takes over the ends of what it asks for again
                assert child is not None or is_taken, f"run {run_key}: {fact.event.child_id} ended and never began"
                if child is not None and child.child_run_key:
                    ends = [one.event for one in histories[child.child_run_key] if isinstance(one.event, RunEnded)]
                    states = [end.state for end in ends]
                    assert fact.event.state in states, f"run {run_key}: {fact.event} of {states}"
        _check_parent(run_key, facts, histories)
    assert len(runs) == len(histories)


def _check_parent(run_key: int, facts: Sequence[Recorded], histories: dict[int, Sequence[Recorded]]) -> None:
    created = facts[0].event
    assert isinstance(created, RunCreated)
    if created.parent is None or created.taken:
        return
    begun = histories[created.parent.run_key][created.parent.seq - 1].event
    assert isinstance(begun, ChildStarted), f"run {run_key} is an orphan: {begun}"
    assert begun.child_run_key == run_key, f"run {run_key} is not the child of {begun}"


def _check_deliveries(unrest: Unrest, runs: dict[int, Run]) -> None:
    sim = unrest.sim
    by_uid = {run.created.run_uid: run for run in runs.values()}
    for key, times in sim.executor.bodies.items():
        run_uid, task_id, _, _ = key.rsplit("/", 3)
        delivery = by_uid[run_uid].plan.tasks[task_id].delivery
        if delivery is Delivery.AT_MOST_ONCE:
            allowed = 1 + sim.retried_by_a_person[key]
            assert times <= allowed, f"{key} promises at most one execution and began {times} times"
        if delivery is Delivery.TRANSACTIONAL:
            assert sim.executor.effects[key] <= 1, f"{key} had its effect {sim.executor.effects[key]} times"


__all__ = ["RunCancelRequested", "RunContinued", "RunMoved", "check_all", "check_memory", "survive"]
