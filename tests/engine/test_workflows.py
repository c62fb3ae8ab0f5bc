"""What the scheduler does for workflows: what it tells their code, when, and what it takes from it."""

from datetime import timedelta
from itertools import count, pairwise
from typing import Any

import msgspec
import pytest

from orchestrator import workflow
from orchestrator.core import values
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityRequested,
    ActivityScheduled,
    RunBlocked,
    RunCreated,
    RunMoved,
    RunReset,
    RunStarted,
    SignalReceived,
    TimerFired,
    UpdateAnswered,
)
from orchestrator.core.orders import Completed, Order
from orchestrator.core.requests import (
    CancelRun,
    ForkRun,
    MoveRun,
    PauseRun,
    Request,
    ResetRun,
    ResumeRun,
    SendSignal,
    SendUpdate,
)
from orchestrator.engine import conversations
from orchestrator.exceptions import ChildError, StorageCorruptError, StorageUnavailableError
from orchestrator.names import BlockKind, NewVersion
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.simulation import Simulation
from orchestrator.workflow import saga, set_update, sleep, wait_condition
from tests.engine.dags import chain, task
from tests.engine.dags import dag as static
from tests.simulation.blue_world import SPECS, act, calls, ends, load, raw, world
from tests.simulation.flows import add, approval, refund, step

RUN: dict[str, Any] = {"run_id": "manual__1"}


def events(sim: Simulation, kind: type, run_key: int = 1) -> list:
    return [fact.event for fact in sim.history(run_key) if isinstance(fact.event, kind)]


def arguments(sim: Simulation) -> list[list[Any]]:
    """What each call was made with, in order."""
    return [values.decode(event.input)["args"] for event in events(sim, ActivityRequested)]


def of(function: Any, version: int = 1, **settings: Any) -> Any:
    """The spec of a workflow ``flow``, whose code this is in that version."""
    return load(workflow(dag_id="flow", **settings)(function).dag, version)


def sim_of(function: Any, **settings: Any) -> Simulation:
    """A world in which ``flow`` is version 1, and has a run."""
    sim = world(specs=[], **settings)
    sim.store.add_dag(of(function))
    sim.trigger("flow")
    return sim


def ask(sim: Simulation, request: type[Request], dag_id: str = "flow", **fields: Any) -> int:
    return sim.store.ask(request(dag_id=dag_id, **RUN, **fields))


def heard(sim: Simulation) -> list[type]:
    """The kinds of facts that the code is told, as they are told."""
    told: list[type] = []
    activate, supply = sim.replayer.activate, sim.replayer.supply

    def tell(news: Any) -> None:
        told.extend(type(fact.event) for one in news for fact in one.facts)
        activate(news)

    def give(run_key: int, facts: Any, *, is_all: bool) -> None:
        told.extend(type(fact.event) for fact in facts)
        supply(run_key, facts, is_all=is_all)

    sim.replayer.activate, sim.replayer.supply = tell, give
    return told


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_is_recorded_with_its_input_before_a_worker_is_given_it():
    seen: list[tuple[bytes, bool]] = []

    def script(order: Order) -> Script:
        recorded = events(sim, ActivityRequested)
        seen.append((bytes(order.call), any(event.input == order.call for event in recorded)))
        return act(order)

    sim = world(script=script)
    sim.trigger("sequential")
    sim.run()
    assert seen[0] == (b'{"args":[0,0],"kwargs":{}}', True)
    assert all(was_recorded for _, was_recorded in seen)


def test_the_code_is_told_only_what_matters_to_it():
    sim = world()
    told = heard(sim)
    sim.trigger("stubborn")
    sim.run()
    assert set(told) == {
        RunCreated,
        RunStarted,
        ActivityRequested,
        ActivityScheduled,
        ActivityCompleted,
        ActivityFailed,
    }


def test_a_result_that_comes_too_late_is_not_handed_to_the_code():
    """Its attempt was lost with the scheduler, and went on all the same."""
    sim = world(script=lambda order: Script(result=str(order.key.attempt).encode()))
    sim.trigger("asks_leave")
    sim.run(until=EPOCH + timedelta(seconds=0.5))
    late = sim.executor.submitted[0]
    sim.crash()
    sim.run(until=EPOCH + timedelta(seconds=1))
    sim.executor._unread.append(Completed(key=late, at=sim.clock.now(), result=raw("too late")))
    ask(sim, SendSignal, "asks_leave", name="approval", payload=raw("yes"))
    sim.run()
    assert len(events(sim, ActivityCompleted)) == 3
    assert ends(sim)["asks_leave", "manual__1"] == ("success", ["yes", 1])


def test_a_run_without_news_is_not_replayed_after_a_restart():
    def flow() -> None:
        sleep(timedelta(days=3))

    sim = sim_of(flow)
    sim.run(until=EPOCH + timedelta(hours=1))
    sim.crash()
    before = sim.replayer.activations.total()
    sim.run(until=EPOCH + timedelta(hours=2))
    assert sim.replayer.activations.total() == before
    sim.run()
    assert ends(sim)["flow", "manual__1"] == ("success", None)


def test_a_long_history_is_supplied_in_segments(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conversations, "SEGMENT", 10)
    calm, sim = world(), world(replaying={"evicts": lambda _: True})
    supplied: list[int] = []
    supply = sim.replayer.supply
    sim.replayer.supply = lambda key, facts, is_all: (supplied.append(len(facts)), supply(key, facts, is_all=is_all))
    for one in (calm, sim):
        for number in range(3):
            one.trigger("sequential", f"manual__{number}", conf=b'{"length": 20}')
        one.run()
    assert ends(sim) == ends(calm)
    assert max(supplied) <= 10
    assert len(supplied) > 40


def test_code_that_is_far_behind_is_not_told_more_than_a_segment_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conversations, "SEGMENT", 10)

    def flow() -> int:
        found: list[str] = []
        while len(found) < 50:
            found.append(approval.wait())
        return len(found)

    sim = sim_of(flow, replaying={"pace": lambda number: 0.0 if number else 5.0})
    sim.run(until=EPOCH + timedelta(seconds=1))
    for number in range(50):
        ask(sim, SendSignal, name="approval", payload=raw(str(number)))
        sim.run(until=sim.clock.now() + timedelta(seconds=0.01))
    sim.run()
    assert ends(sim)["flow", "manual__1"] == ("success", 50)


def test_code_whose_process_is_lost_is_told_again_less_and_less_often():
    lost: list[Any] = []

    def loses(number: int) -> bool:
        lost.append(sim.clock.now())
        return number <= 5

    sim = world(replaying={"loses": loses})
    sim.trigger("sequential")
    sim.run()
    assert ends(sim)["sequential", "manual__1"] == ("success", 6)
    pauses = [later - earlier for earlier, later in pairwise(lost[:6])]
    assert pauses == [timedelta(seconds=s) for s in (0, 1, 2, 4, 8)]
    assert len([notice for notice in sim.notices if "lost 3 times" in notice]) == 1


def test_a_workflow_that_nobody_replays_holds_up_nobody():
    sim = Simulation()
    sim.store.add_dag(of(first))
    sim.store.add_dag(chain(3))
    sim.trigger("flow")
    sim.trigger("d")
    sim.run()
    assert ends(sim, "d") == {("d", "manual__1"): ("success", None)}


# ── what people ask ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_signal_that_comes_before_the_run_has_begun_is_kept():
    sim = world()
    sim.trigger("asks_leave")
    ask(sim, SendSignal, "asks_leave", name="approval", payload=raw("early"))
    sim.run()
    assert ends(sim)["asks_leave", "manual__1"] == ("success", ["early", "end"])


def test_a_run_does_not_end_before_its_code_has_been_told_of_every_signal():
    def flow() -> str:
        return step("work")

    sim = sim_of(flow, replaying={"pace": lambda _: 2.0})
    told = heard(sim)
    sim.run(until=EPOCH + timedelta(seconds=4))  # it has heard that its call is done, and is about to return
    ask(sim, SendSignal, name="approval", payload=raw("late"))
    sim.run()
    assert SignalReceived in told
    assert ends(sim)["flow", "manual__1"] == ("success", "work")


def test_an_update_is_answered():
    def flow() -> int:
        total = 0

        def raise_it(by: int) -> int:
            nonlocal total
            total = add(total, by)
            return total

        set_update("raise", raise_it)
        wait_condition(lambda: total >= 5)
        return total

    sim = sim_of(flow)
    sim.run()
    ask(sim, SendUpdate, update_id="u1", name="raise", payload=raw({"by": 2}))
    sim.run()
    ask(sim, SendUpdate, update_id="u1", name="raise", payload=raw({"by": 2}))
    ask(sim, SendUpdate, update_id="u2", name="raise", payload=raw({"by": 3}))
    sim.run()
    answers = {event.update_id: values.decode(event.result) for event in events(sim, UpdateAnswered)}
    assert answers == {"u1": 2, "u2": 5}
    assert ends(sim)["flow", "manual__1"] == ("success", 5)


def test_a_paused_run_is_told_nothing_until_it_is_resumed():
    sim = world()
    sim.trigger("sequential")
    sim.run(until=EPOCH + timedelta(seconds=0.5))
    ask(sim, PauseRun, "sequential")
    sim.run()
    before = sim.replayer.activations.total()
    assert len(events(sim, ActivityRequested)) == 1
    ask(sim, ResumeRun, "sequential")
    sim.run()
    assert sim.replayer.activations.total() > before
    assert ends(sim)["sequential", "manual__1"] == ("success", 6)


def test_a_cancelled_workflow_undoes_what_it_has_done():
    sim = world()
    sim.trigger("order")
    sim.run(until=EPOCH + timedelta(seconds=10))
    ask(sim, CancelRun, "order", reason="changed my mind")
    sim.run()
    assert ends(sim)["order", "manual__1"] == ("failed", "changed my mind")
    asked = arguments(sim)
    assert asked[-2:] == [["release"], ["refund"]]


def test_what_undoes_a_step_may_promise_to_run_at_most_once():
    def flow() -> None:
        with saga() as undo:
            step("charge")
            undo.add(refund, "order")
            sleep(60)

    sim = sim_of(flow)
    sim.run(until=EPOCH + timedelta(seconds=10))
    ask(sim, CancelRun)
    sim.run()
    assert ends(sim)["flow", "manual__1"] == ("failed", "cancelled")
    assert [event.task_id for event in events(sim, ActivityCompleted)] == ["step", "refund"]


def test_a_workflow_that_is_cancelled_while_it_waits_its_turn_runs_nothing():
    def flow() -> str:
        sleep(60)
        return step("done")

    sim = world(specs=[])
    sim.store.add_dag(of(flow, max_active_runs=1))
    sim.trigger("flow", "manual__0")
    sim.trigger("flow")
    sim.run(until=EPOCH + timedelta(seconds=10))
    ask(sim, CancelRun)
    sim.run()
    assert ends(sim) == {("flow", "manual__0"): ("success", "done"), ("flow", "manual__1"): ("failed", "cancelled")}
    assert len(sim.executor.submitted) == 1


def test_signals_between_runs_say_what_came_of_them():
    sim = world()
    sim.trigger("talkative")
    sim.run()
    (end,) = ends(sim).values()
    assert end[0] == "failed"
    assert "DAG 'listener' has no run 'listens'" in end[1]


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────


def first() -> str:
    step("first")
    sleep(60)
    return step("last")


def changed() -> str:
    add(1, 2)
    sleep(60)
    return step("last")


def longer() -> str:
    step("first")
    sleep(60)
    step("new")
    return step("last")


def test_code_that_does_not_fit_the_history_blocks_the_run_and_mended_code_goes_on():
    sim = sim_of(first)
    sim.run(until=EPOCH + timedelta(seconds=10))
    version = sim.store.add_dag(of(changed, 2))
    ask(sim, MoveRun, version_id=version)
    sim.run()
    (blocked,) = events(sim, RunBlocked)
    assert blocked.kind is BlockKind.NON_DETERMINISM
    assert len(events(sim, ActivityRequested)) == 1
    sim.store.add_dag(of(longer, 3))
    sim.run()
    assert [event.version_id for event in events(sim, RunMoved)] == [2, 3]
    assert ends(sim)["flow", "manual__1"] == ("success", "last")
    assert arguments(sim) == [
        ["first"],
        ["new"],
        ["last"],
    ]


def test_a_blocked_run_tries_the_version_that_came_while_no_scheduler_ran():
    sim = sim_of(first)
    sim.run(until=EPOCH + timedelta(seconds=10))
    ask(sim, MoveRun, version_id=sim.store.add_dag(of(changed, 2)))
    sim.run()
    sim.crash()
    sim.store.add_dag(of(longer, 3))
    sim.run()
    assert ends(sim)["flow", "manual__1"] == ("success", "last")


def test_open_runs_stay_on_their_version_unless_the_dag_says_that_they_move():
    sim = sim_of(first)
    sim.run(until=EPOCH + timedelta(seconds=10))
    sim.store.add_dag(of(longer, 2))
    sim.run()
    assert not events(sim, RunMoved)
    assert arguments(sim) == [["first"], ["last"]]


def test_open_runs_of_a_workflow_that_moves_go_over_to_its_new_version():
    sim = sim_of(first)
    sim.run(until=EPOCH + timedelta(seconds=10))
    sim.store.add_dag(of(longer, 2, on_new_version="move"))
    sim.run()
    assert len(events(sim, RunMoved)) == 1
    assert ends(sim)["flow", "manual__1"] == ("success", "last")
    assert len(events(sim, ActivityRequested)) == 3


def put_back() -> tuple[Simulation, list[int]]:
    """A run of a workflow that moves: it followed to version 2, and a person has put it back on version 1."""
    sim = world(specs=[])
    versions = [sim.store.add_dag(of(first, 1, on_new_version="move"))]
    sim.trigger("flow")
    sim.run(until=EPOCH + timedelta(seconds=10))
    versions.append(sim.store.add_dag(of(longer, 2, on_new_version="move")))
    sim.run(until=EPOCH + timedelta(seconds=15))
    ask(sim, MoveRun, version_id=versions[0])
    sim.run(until=EPOCH + timedelta(seconds=20))
    return sim, versions


def test_a_run_stays_on_the_version_that_a_person_put_it_on_however_often_all_is_killed():
    sim, versions = put_back()
    for second in (25, 30):
        sim.crash()
        sim.run(until=EPOCH + timedelta(seconds=second))
    sim.run()
    assert [event.version_id for event in events(sim, RunMoved)] == [versions[1], versions[0]]
    assert arguments(sim) == [["first"], ["last"]]


@pytest.mark.parametrize("while_down", [False, True])
def test_a_run_that_a_person_moved_follows_its_dag_again_to_the_next_version(*, while_down: bool):
    sim, versions = put_back()
    if while_down:
        sim.crash()
    versions.append(sim.store.add_dag(of(longer, 3, on_new_version="move")))
    sim.run()
    assert [event.version_id for event in events(sim, RunMoved)] == [versions[1], versions[0], versions[2]]
    assert ends(sim)["flow", "manual__1"] == ("success", "last")


def test_a_run_that_is_blocked_where_a_person_put_it_stays_there_until_there_is_another_version():
    sim = sim_of(longer)
    sim.store.add_dag(of(changed, 2))
    sim.store.add_dag(of(first, 3))
    sim.run(until=EPOCH + timedelta(seconds=10))
    ask(sim, MoveRun, version_id=2)
    sim.run()
    sim.crash()
    sim.run()
    assert [event.version_id for event in events(sim, RunMoved)] == [2]
    sim.store.add_dag(of(longer, 4))
    sim.run()
    assert ends(sim)["flow", "manual__1"] == ("success", "last")


def test_a_fork_stays_on_the_version_that_was_chosen_for_it():
    sim, versions = put_back()
    fork = ForkRun(dag_id="flow", run_id="fork", source="manual__1", run_uid="f", seq=3, version_id=versions[0])
    sim.store.ask(fork)
    sim.run(until=sim.clock.now() + timedelta(seconds=5))
    sim.crash()
    sim.run()
    assert not events(sim, RunMoved, sim.store.run_key("flow", "fork"))


def test_open_runs_of_a_dag_that_moves_go_over_where_nothing_recorded_is_touched():
    sim = Simulation(script=lambda _: Script(work=10))
    sim.store.add_dag(static(task("a"), task("b", "a"), on_new_version=NewVersion.MOVE))
    sim.trigger("d")
    sim.run(until=EPOCH + timedelta(seconds=5))
    sim.store.add_dag(static(task("a"), task("b", "a"), task("c", "b"), on_new_version=NewVersion.MOVE))
    sim.run()
    assert len(events(sim, RunMoved)) == 1
    assert [key.task_id for key in sim.executor.submitted] == ["a", "b", "c"]


def test_open_runs_of_a_dag_that_moves_stay_where_that_would_lose_something():
    sim = Simulation(script=lambda _: Script(work=10))
    sim.store.add_dag(static(task("a"), task("b", "a"), on_new_version=NewVersion.MOVE))
    sim.trigger("d")
    sim.run(until=EPOCH + timedelta(seconds=5))
    sim.store.add_dag(static(task("b"), task("c", "b"), on_new_version=NewVersion.MOVE))
    sim.run()
    assert not events(sim, RunMoved)
    assert any("stays on its version" in notice for notice in sim.notices)


def test_a_run_whose_code_cannot_be_had_is_blocked_and_goes_on_with_the_next_version(monkeypatch: pytest.MonkeyPatch):
    sim = sim_of(first)
    code = sim.store.code

    def broken(version_id: int) -> str:
        if version_id == 1:
            raise StorageCorruptError("the snapshot of version 1 is damaged")
        return code(version_id)

    monkeypatch.setattr(sim.store, "code", broken)
    sim.run()
    (blocked,) = events(sim, RunBlocked)
    assert (blocked.kind, blocked.message) == (BlockKind.LOADING, "the snapshot of version 1 is damaged")
    sim.store.add_dag(of(longer, 2))
    sim.run()
    assert ends(sim)["flow", "manual__1"] == ("success", "last")


def test_an_outage_while_the_code_is_put_in_its_place_leaves_nobody_untold(monkeypatch: pytest.MonkeyPatch):
    sim = sim_of(first)
    sim.trigger("flow", "manual__2")
    code, tries = sim.store.code, iter(range(10))

    def away(version_id: int) -> str:
        if next(tries) < 3:
            raise StorageUnavailableError("the disk is full")
        return code(version_id)

    monkeypatch.setattr(sim.store, "code", away)
    sim.run()
    assert set(ends(sim).values()) == {("success", "last")}


# ── from run to run ──────────────────────────────────────────────────────────────────────────────────────────────


def starts_and_tells() -> list[str]:
    beside = workflow.start_child("listener", run_id="mine")
    workflow.signal_run("listener", "mine", "word", "hello")
    try:
        return [beside.result()]
    except ChildError as error:
        return [error.reason]


def test_a_signal_to_a_run_that_could_not_be_recorded_is_sent_again(monkeypatch: pytest.MonkeyPatch):
    """As where somebody else has made a run of that name since it was looked for."""
    sim = world(specs=[SPECS["listener"]])
    sim.store.add_dag(of(starts_and_tells, 2))
    sim.trigger("listener", "mine")
    sim.run(until=EPOCH + timedelta(seconds=1))
    look_up, looks = sim.store.run_key, count()
    monkeypatch.setattr(
        sim.store, "run_key", lambda *name: None if name[1] == "mine" and not next(looks) else look_up(*name)
    )
    sim.trigger("flow")
    sim.run()
    assert ends(sim)["listener", "mine"] == ("success", "hello")
    assert ends(sim)["flow", "manual__1"] == ("success", ["DAG 'listener' has a run 'mine' already"])


# ── going back ───────────────────────────────────────────────────────────────────────────────────────────────


def seq_of(sim: Simulation, kind: type) -> int:
    return next(fact.seq for fact in sim.history() if isinstance(fact.event, kind))


def test_a_run_that_is_reset_does_again_what_came_after_and_nothing_before():
    sim = sim_of(first)
    sim.run()
    ask(sim, ResetRun, seq=seq_of(sim, TimerFired), reason="the last step was wrong")
    sim.run()
    assert len(events(sim, RunReset)) == 1
    asked = [(event.map_index, values.decode(event.input)["args"]) for event in events(sim, ActivityRequested)]
    assert asked == [(0, ["first"]), (1, ["last"]), (2, ["last"])]
    assert sorted(sim.executor.effects.values()) == [1, 1, 1]


def test_a_run_that_is_reset_can_go_over_to_mended_code():
    sim = sim_of(first)
    sim.run()
    version = sim.store.add_dag(of(longer, 2))
    ask(sim, ResetRun, seq=seq_of(sim, TimerFired), version_id=version)
    sim.run()
    asked = arguments(sim)
    assert asked == [["first"], ["last"], ["new"], ["last"]]


def test_a_static_run_that_is_reset_runs_its_later_tasks_again():
    sim = Simulation()
    sim.store.add_dag(chain(3))
    sim.trigger("d")
    sim.run()
    ask(sim, ResetRun, "d", seq=seq_of(sim, ActivityCompleted))
    sim.run()
    assert [key.task_id for key in sim.executor.submitted] == ["t0", "t1", "t2", "t1", "t2"]


def test_the_retry_of_a_call_is_not_hurried_by_a_restart():
    sim = world()
    sim.trigger("stubborn")
    sim.run(until=EPOCH + timedelta(seconds=3))
    (failed,) = events(sim, ActivityFailed)
    sim.crash()
    sim.run(until=EPOCH + timedelta(seconds=5))
    assert len(sim.executor.submitted) == 1
    sim.run()
    assert calls(sim.history()) == calls(_calm("stubborn"))
    assert failed.retry_at is not None


def _calm(dag_id: str) -> list:
    sim = world()
    sim.trigger(dag_id)
    sim.run()
    return sim.history()


def test_two_commits_make_a_hop():
    """One records what the code asks for and hands it out, the other its result."""
    sim = world(script=lambda order: msgspec.structs.replace(act(order), work=0.0))
    sim.trigger("sequential", conf=b'{"length": 50}')
    sim.run()
    assert sim.store.commits <= 2 * 50 + 3
