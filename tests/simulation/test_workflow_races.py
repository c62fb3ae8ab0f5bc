"""What meets in one moment: signals and the end of a round, resets and children, ends and open attempts."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from orchestrator.core import values
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityRequested,
    ActivityScheduled,
    ChildEnded,
    ChildStarted,
    Recorded,
    RunContinued,
    RunEnded,
    SignalReceived,
    UpdateAnswered,
)
from orchestrator.core.orders import Completed, Lost, Order
from orchestrator.core.plan import Plan
from orchestrator.core.requests import CancelRun, ForkRun, PauseRun, ResetRun, ResumeRun, SendSignal, SendUpdate
from orchestrator.core.runs import replay
from orchestrator.exceptions import StorageUnavailableError
from orchestrator.names import AttemptKey, Delivery, RunState
from orchestrator.ports import Group, HistoryStore
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.simulation import Simulation
from tests.simulation.blue_world import SPECS, act, ends, raw, world

NAME = {"run_id": "manual__1"}


def after(sim: Simulation, seconds: float) -> None:
    sim.run(until=EPOCH + timedelta(seconds=seconds))


def say(sim: Simulation, *words: str) -> None:
    for word in words:
        sim.store.ask(SendSignal(dag_id="collector", name="word", payload=raw(word), **NAME))


def collected(sim: Simulation) -> list[str]:
    after(sim, 10)
    state, result = ends(sim, "collector")["collector", "manual__1"]
    assert state == "success"
    return result


def test_signals_that_come_together_are_taken_by_one_round_after_the_other():
    sim = world()
    sim.trigger("collector")
    after(sim, 1)
    say(sim, "a", "b", "c", "d", "e")
    assert collected(sim) == ["a", "b", "c", "d"]


def test_signals_that_come_while_a_run_is_paused_are_all_taken_when_it_goes_on():
    sim = world()
    sim.trigger("collector")
    after(sim, 1)
    sim.store.ask(PauseRun(dag_id="collector", **NAME))
    say(sim, "a", "b")
    after(sim, 2)
    say(sim, "c", "d")
    sim.store.ask(ResumeRun(dag_id="collector", **NAME))
    assert collected(sim) == ["a", "b", "c", "d"]


def test_an_update_that_comes_with_the_end_of_a_round_is_answered_by_the_next():
    sim = world()
    sim.trigger("collector")
    after(sim, 1)
    say(sim, "a")
    sim.store.ask(SendUpdate(dag_id="collector", update_id="u", name="shout", payload=raw({"what": "b"}), **NAME))
    after(sim, 2)
    (answer,) = [fact.event for fact in sim.history() if isinstance(fact.event, UpdateAnswered)]
    assert (values.decode(answer.result), answer.failure) == ("B", None)
    say(sim, "c", "d")
    assert collected(sim) == ["a", "B", "c", "d"]


def test_an_update_that_comes_with_the_end_of_the_run_is_refused_by_the_code_and_fits_its_replay():
    sim = world()
    sim.trigger("collector")
    after(sim, 1)
    say(sim, "a", "b", "c")
    after(sim, 2)
    say(sim, "d")
    sim.store.ask(CancelRun(dag_id="collector", **NAME))
    sim.store.ask(SendUpdate(dag_id="collector", update_id="u", name="shout", payload=raw({"what": "x"}), **NAME))
    after(sim, 3)
    (answer,) = [fact for fact in sim.history() if isinstance(fact.event, UpdateAnswered)]
    assert answer.event.failure is not None
    sim.store.ask(ResetRun(dag_id="collector", seq=answer.seq, **NAME))
    after(sim, 4)
    assert ends_of(sim)[-1].state == "success"


def test_a_cancellation_that_comes_with_the_end_of_a_round_is_heard_by_the_next():
    sim = world()
    sim.trigger("collector")
    after(sim, 1)
    say(sim, "a")
    sim.store.ask(CancelRun(dag_id="collector", **NAME))
    after(sim, 2)
    assert [end.reason for end in ends_of(sim)] == ["cancelled"]


def test_a_cancellation_that_comes_while_the_end_of_a_round_is_under_way_is_heard_by_the_next():
    sim = world(replaying={"pace": lambda _: 1.0})
    sim.trigger("collector")
    after(sim, 5)
    say(sim, "a")
    after(sim, 5.5)
    sim.store.ask(CancelRun(dag_id="collector", **NAME))
    after(sim, 30)
    assert [end.reason for end in ends_of(sim)] == ["cancelled"]


def ends_of(sim: Simulation) -> list[RunEnded]:
    return [fact.event for fact in sim.history() if isinstance(fact.event, RunEnded)]


def test_code_whose_process_is_lost_with_each_answer_begins_every_round():
    sim = world(replaying={"evicts": lambda _: True})
    sim.trigger("collector")
    for number, word in enumerate("abcd", 1):
        after(sim, number)
        say(sim, word)
    assert collected(sim) == ["a", "b", "c", "d"]
    assert sum(isinstance(fact.event, RunContinued) for fact in sim.history()) == 4


def seqs(sim: Simulation, kind: type) -> list[int]:
    return [fact.seq for fact in sim.history() if isinstance(fact.event, kind)]


def test_a_run_that_is_reset_to_where_it_waited_for_a_child_hears_of_the_end_that_the_child_has_had():
    sim = world()
    sim.trigger("family")
    sim.run()
    done = ends_of(sim)[0]
    for begun in seqs(sim, ChildStarted):
        sim.store.ask(ResetRun(dag_id="family", seq=begun, **NAME))
        sim.run()
        again = ends_of(sim)[-1]
        assert (again.state, bytes(again.result)) == (done.state, bytes(done.result))


def test_a_fork_of_a_run_that_was_reset_starts_the_children_that_it_has_anew():
    sim = world()
    sim.trigger("family")
    sim.run()
    sim.store.ask(ResetRun(dag_id="family", seq=2, **NAME))
    sim.run()
    last = seqs(sim, ChildEnded)[-1]
    sim.store.ask(ForkRun(dag_id="family", run_id="forked", source="manual__1", run_uid="other", seq=last))
    sim.run()
    *_, (_, forked) = (one for one in sim.histories() if getattr(one[1][0].event, "run_id", "") == "forked")
    end = forked[-1].event
    assert (end.state, values.decode(end.result)) == ("success", [3, 6, "nowhere"])


def test_a_workflow_that_has_ended_has_nothing_open_whatever_its_activities_do():
    sim = world(script=lambda order: msgspec.structs.replace(act(order), work=600.0))
    sim.trigger("sequential")
    after(sim, 5)
    for _ in range(2):
        sim.store.ask(CancelRun(dag_id="sequential", **NAME))
    after(sim, 6)
    run = replay(1, sim.history(), lambda one: Plan(sim.store.spec(one), one))
    assert run.is_ended
    assert not run.open
    assert not sim.executor._work, "its body goes on"
    sim.store.ask(ResetRun(dag_id="sequential", seq=2, **NAME))
    sim.run()
    assert ends_of(sim)[-1].state == "success"


def paying(order: Order) -> Script:
    return act(order) if order.key.task_id != "add" else msgspec.structs.replace(act(order), work=5.0)


def test_a_result_from_before_a_reset_that_is_reported_again_is_not_told_to_the_code():
    """Also not where it is of a transaction, which counts at any epoch otherwise."""
    spec = SPECS["sequential"]
    tasks = tuple(msgspec.structs.replace(task, delivery=Delivery.TRANSACTIONAL) for task in spec.tasks)
    sim = world(script=paying, specs=[msgspec.structs.replace(spec, tasks=tasks)])
    sim.trigger("sequential")
    after(sim, 7)
    (first, *_) = [fact for fact in sim.history() if isinstance(fact.event, ActivityScheduled)]
    sim.store.ask(ResetRun(dag_id="sequential", seq=first.seq, **NAME))
    after(sim, 7.5)
    late = Completed(key=AttemptKey(1, "add", 0, 1), at=sim.clock.now(), result=raw(1000))
    sim.executor._unread.append(late)
    sim.run()
    assert values.decode(ends_of(sim)[-1].result) == 6


def test_a_call_of_an_earlier_round_is_done_anew_by_a_reset_though_old_news_of_it_came_after_that_round():
    sim = world()
    sim.trigger("rounds")
    sim.run()
    facts = sim.history()
    seq = next(fact.seq for fact in facts if isinstance(fact.event, ActivityScheduled))
    sim.executor._unread.append(Lost(key=AttemptKey(1, "add", 0, 1), at=sim.clock.now(), reason="late", started=True))
    sim.run()
    sim.store.ask(ResetRun(dag_id="rounds", seq=seq, **NAME))
    sim.run()
    again = [fact.event for fact in sim.history() if isinstance(fact.event, ActivityScheduled)]
    assert [(one.map_index, one.attempt) for one in again if one.map_index == 0] == [(0, 1), (0, 2)]
    assert ends_of(sim)[-1].state == "success"


def test_a_workflow_is_not_reset_to_where_it_had_ended():
    sim = world()
    sim.trigger("sequential")
    sim.run()
    asked = sim.store.ask(ResetRun(dag_id="sequential", seq=len(sim.history()), **NAME))
    sim.run()
    assert "had ended at seq" in sim.store.refusals[asked]


def test_a_fork_of_a_run_that_was_taken_back_to_its_first_fact_sees_the_same_clock():
    sim = world()
    sim.trigger("patient")
    after(sim, 10)
    sim.store.ask(ResetRun(dag_id="patient", seq=1, **NAME))
    sim.run()
    sim.store.ask(
        ForkRun(dag_id="patient", run_id="forked", source="manual__1", run_uid="other", seq=len(sim.history()) - 1)
    )
    sim.run()
    assert ends(sim, "patient")["patient", "forked"][0] == "success"


def test_a_workflow_that_starts_itself_for_ever_is_refused_the_child_that_could_never_begin():
    sim = world()
    sim.trigger("endless")
    sim.run()
    most = SPECS["endless"].max_active_runs
    assert ends(sim, "endless")["endless", "manual__1"] == ("success", most)


def test_a_fork_does_not_take_over_what_is_said_of_an_attempt_that_a_reset_has_taken_back():
    sim = world(script=paying)
    sim.trigger("sequential")
    after(sim, 2)
    sim.store.ask(ResetRun(dag_id="sequential", seq=3, **NAME))
    sim.run()
    done = next(fact.seq for fact in sim.history() if isinstance(fact.event, ActivityCompleted))
    sim.store.ask(ForkRun(dag_id="sequential", run_id="forked", source="manual__1", run_uid="other", seq=done))
    sim.run()
    assert ends(sim, "sequential")["sequential", "forked"] == ("success", 6)


def test_a_run_is_reset_to_its_second_cancellation_and_cleans_up_all_the_same():
    sim = world()
    sim.trigger("order")
    after(sim, 10)
    sim.store.ask(CancelRun(dag_id="order", **NAME))
    after(sim, 10.5)
    sim.store.ask(CancelRun(dag_id="order", **NAME))
    after(sim, 20)
    sim.store.ask(ResetRun(dag_id="order", seq=len(sim.history()) - 2, **NAME))
    sim.run()
    assert ends_of(sim)[-1].reason == "cancelled"


def test_a_fork_that_waits_for_its_turn_does_not_keep_the_engine_busy_with_a_timer_that_has_come():
    sim = world(specs=[msgspec.structs.replace(SPECS["patient"], max_active_runs=1)])
    sim.trigger("patient")
    after(sim, 10)
    sim.store.ask(PauseRun(dag_id="patient", **NAME))
    sim.store.ask(
        ForkRun(dag_id="patient", run_id="forked", source="manual__1", run_uid="other", seq=len(sim.history()))
    )
    sim.run(until=EPOCH + timedelta(days=4), most_turns=100)
    sim.store.ask(ResumeRun(dag_id="patient", **NAME))
    sim.run(most_turns=100)
    assert [state for state, _ in ends(sim, "patient").values()] == ["success", "success"]


def test_of_two_children_of_one_name_that_are_started_in_one_go_the_second_is_refused():
    sim = world()
    sim.trigger("twins")
    sim.run()
    assert ends(sim, "twins")["twins", "manual__1"] == ("success", ["NoneType", "ChildError"])
    reasons = [fact.event.reason for fact in sim.history() if isinstance(fact.event, ChildEnded)]
    assert reasons == ["DAG 'sequential' has a run 'same' already", ""]


def test_runs_that_nobody_waits_for_may_follow_one_another_beyond_max_active_runs():
    sim = world(specs=[msgspec.structs.replace(SPECS["relay"], max_active_runs=2)])
    sim.trigger("relay")
    sim.run()
    assert list(ends(sim).values()) == [("success", left) for left in (3, 2, 1, 0)]


def test_a_child_of_a_dag_whose_file_is_gone_is_refused():
    sim = world()
    sim.store.set_stale("sequential")
    sim.trigger("twins")
    sim.run()
    assert ends(sim)["twins", "manual__1"] == ("success", ["ChildError", "ChildError"])
    assert len(ends(sim)) == 1


def test_a_fact_says_that_the_code_had_not_heard_what_came_of_what_it_asked_for_just_before():
    sim = world()
    sim.trigger("hasty")
    sim.run()
    (ended,) = [fact for fact in sim.history() if isinstance(fact.event, ChildEnded)]
    (asked,) = [fact for fact in sim.history() if isinstance(fact.event, ActivityRequested)]
    assert ended.seq < asked.seq
    assert 0 < asked.event.heard < ended.seq
    assert ends(sim, "hasty")["hasty", "manual__1"] == ("success", ["ChildError", "here"])


def test_a_run_that_is_reset_is_told_again_of_the_children_that_have_ended_since():
    sim = world()
    sim.trigger("family")
    sim.run()
    started = [fact.seq for fact in sim.history() if isinstance(fact.event, ChildStarted) and fact.event.child_run_key]
    sim.store.ask(ResetRun(dag_id="family", seq=max(started), **NAME))
    sim.run()
    first, again = ends_of(sim)
    assert bytes(first.result) == bytes(again.result)
    assert (again.state, values.decode(again.result)) == (RunState.SUCCESS, [3, 6, "nowhere"])
    assert len(sim.run_names()) == 3, "none of them has begun again"


def test_code_does_not_hear_how_an_attempt_ended_that_one_reset_took_back_and_the_next_was_aimed_at():
    sim = world(script=lambda order: msgspec.structs.replace(act(order), work=5))
    sim.trigger("sequential")
    after(sim, 2)
    (handed_out,) = [fact.seq for fact in sim.history() if isinstance(fact.event, ActivityScheduled)]
    for seq in (2, handed_out):
        sim.store.ask(ResetRun(dag_id="sequential", seq=seq, **NAME))
    sim.run()
    assert ends(sim, "sequential")["sequential", "manual__1"] == ("success", 6)


def test_code_that_is_replayed_is_told_of_its_own_round_only(monkeypatch: pytest.MonkeyPatch):
    sim = world()
    sim.trigger("collector")
    after(sim, 1)
    say(sim, "a", "b")
    after(sim, 2)
    sim.crash()
    supply, told = sim.replayer.supply, []

    def and_remember(run_key: int, facts: list[Recorded], *, is_all: bool) -> None:
        told.extend(facts)
        supply(run_key, facts, is_all=is_all)

    monkeypatch.setattr(sim.replayer, "supply", and_remember)
    say(sim, "c", "d")
    assert collected(sim) == ["a", "b", "c", "d"]
    rounds = [fact.seq for fact in sim.history() if isinstance(fact.event, RunContinued)]
    assert told[0].seq == rounds[1]


class Unconfirmed:
    """A HistoryStore that takes in one group, the first with a fact of this kind, and is away before it says so."""

    def __init__(self, store: HistoryStore, kind: type) -> None:
        self._store = store
        self._kinds = [kind]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, group: Group) -> frozenset[int]:
        refused = self._store.commit(group)
        kinds = {type(record.event) for part in group.parts for record in part.records}
        if kinds.intersection(self._kinds):
            self._kinds.clear()
            raise StorageUnavailableError("the database is away")
        return refused


def test_what_code_asked_for_is_recorded_once_though_the_database_did_not_confirm_it():
    sim = world(make_store=lambda store: Unconfirmed(store, ActivityRequested))
    sim.trigger("sequential")
    sim.run()
    assert sim.notices, "there was an outage"
    assert ends(sim, "sequential")["sequential", "manual__1"] == ("success", 6)
    assert len([fact for fact in sim.history() if isinstance(fact.event, ActivityRequested)]) == 4


def test_code_that_is_being_told_while_the_database_is_away_is_not_told_twice():
    sim = world(make_store=lambda store: Unconfirmed(store, SignalReceived), replaying={"pace": lambda _: 3.0})
    sim.trigger("collector")
    after(sim, 1)
    say(sim, "a", "b", "c", "d")
    sim.run()
    assert sim.notices, "there was an outage"
    assert ends(sim, "collector")["collector", "manual__1"] == ("success", ["a", "b", "c", "d"])


def test_losses_of_code_with_an_answer_between_them_are_not_counted_together():
    sim = world(replaying={"loses": lambda number: number in (1, 2, 4, 5)})
    sim.trigger("sequential")
    sim.run()
    assert ends(sim, "sequential")["sequential", "manual__1"] == ("success", 6)
    assert sim.notices == []


def test_a_cancellation_that_comes_while_a_saga_is_undone_stops_none_of_it():
    sim = world(script=lambda order: msgspec.structs.replace(act(order), work=5))
    sim.trigger("undone")
    after(sim, 12)
    sim.store.ask(CancelRun(dag_id="undone", **NAME))
    sim.run()
    done = [values.decode(fact.event.result) for fact in sim.history() if isinstance(fact.event, ActivityCompleted)]
    assert done == ["charge", "release", "refund"]
    assert ends(sim, "undone")["undone", "manual__1"][0] == "failed"
