"""What reaches the scheduler twice, too late, out of order, for the wrong run, or not at all."""

from datetime import datetime, timedelta

import msgspec
import pytest

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ActivitySkipped,
    Recorded,
    RunCancelRequested,
    RunEnded,
    RunMoved,
)
from orchestrator.core.orders import Completed, Lost, Order, Report, Started
from orchestrator.core.requests import CancelRun, ClearTasks, MarkTask, PauseRun, ResolveTask, TriggerRun
from orchestrator.core.spec import Every, RetrySpec, mapping_over
from orchestrator.engine import settling
from orchestrator.engine.alarms import Alarms
from orchestrator.exceptions import NotFoundError, StorageUnavailableError
from orchestrator.names import AttemptKey, Delivery, FailureKind, RunState, TaskState
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.sim_executor import Script, always
from orchestrator.testing.simulation import SETTINGS, Simulation
from tests.engine.dags import chain, dag, task

ONCE = Delivery.AT_MOST_ONCE


def events(sim: Simulation, kind: type, run_key: int = 1) -> list:
    return [fact.event for fact in sim.history(run_key) if isinstance(fact.event, kind)]


def outcome(sim: Simulation, run_key: int = 1) -> RunState | None:
    ends = events(sim, RunEnded, run_key)
    return ends[-1].state if ends else None


def seconds(number: float) -> datetime:
    return EPOCH + timedelta(seconds=number)


def say(sim: Simulation, *reports: Report) -> None:
    sim.executor._unread.extend(reports)
    sim.turn()


def held(sim: Simulation) -> int:
    return len(sim._scheduler._memory.roster)


# ── reports ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("crash", [False, True])
def test_a_start_that_is_reported_twice_ends_no_body_that_runs_at_most_once(crash: bool):
    sim = Simulation(script=always(Script(work=20)), outlives=True)
    sim.store.add_dag(dag(task("a", delivery=ONCE)))
    sim.trigger("d")
    sim.run(until=seconds(5))
    if crash:
        sim.crash()
        sim.turn()
    else:
        say(sim, Started(key=AttemptKey(1, "a", -1, 1), at=sim.clock.now()))
    sim.run()
    (run_key,) = sim.store.histories
    assert outcome(sim, run_key) is RunState.SUCCESS
    assert list(sim.executor.bodies.values()) == [1]


def test_a_start_of_a_run_that_nobody_knows_is_told_to_stop():
    sim = Simulation()
    sim.store.add_dag(chain(1))
    sim.turn()
    stopped: list[AttemptKey] = []
    sim.executor.cancel = stopped.extend
    key = AttemptKey(99, "a", -1, 1)
    say(sim, Started(key=key, at=sim.clock.now()))
    assert stopped == [key]


def test_a_report_on_a_map_index_or_task_that_the_run_does_not_have_is_no_fact():
    sim = Simulation(script=always(Script(work=5)))
    sim.store.add_dag(chain(1))
    sim.trigger("d")
    sim.run(until=seconds(2))
    before = len(sim.history())
    say(sim, *(Completed(key=AttemptKey(1, name, 7, 1), at=sim.clock.now()) for name in ("t0", "unheard_of")))
    assert len(sim.history()) == before


def test_an_end_that_is_reported_before_its_start_and_twice_counts_once():
    sim = Simulation(script=always(Script(wait=50)))
    sim.store.add_dag(chain(2))
    sim.trigger("d")
    sim.run(until=seconds(1))
    key, now = AttemptKey(1, "t0", -1, 1), sim.clock.now()
    say(
        sim,
        Completed(key=key, at=now),
        Started(key=key, at=now),
        Completed(key=key, at=now),
        Lost(key=key, at=now, reason=""),
    )
    sim.run()
    assert outcome(sim) is RunState.SUCCESS
    assert [event.task_id for event in events(sim, ActivityScheduled)] == ["t0", "t1"]


def test_runs_that_ended_are_not_kept_in_memory_for_a_late_report_or_a_request_about_them():
    sim = Simulation()
    sim.store.add_dag(chain(1))
    sim.trigger("d")
    sim.run()
    say(sim, Started(key=AttemptKey(1, "t0", -1, 1), at=sim.clock.now()))
    assert held(sim) == 0
    refused = sim.store.ask(CancelRun(dag_id="d", run_id="manual__1"))
    sim.turn()
    assert "has ended" in sim.store.refusals[refused]
    assert held(sim) == 0


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_that_cannot_be_looked_up_is_refused_and_the_next_is_carried_out():
    sim = Simulation()
    sim.store.add_dag(chain(1))
    sim.trigger("d")
    sim.run()
    bad = sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("t0", None),), version_id=99))
    sim.trigger("d", "manual__2")
    sim.run()
    assert sim.store.refusals[bad] == "there is no DAG version 99"
    assert outcome(sim, 2) is RunState.SUCCESS


def test_a_clear_that_is_refused_leaves_the_run_on_its_version():
    sim = Simulation(script=always(Script(work=30)))
    sim.store.add_dag(chain(2))
    sim.trigger("d")
    sim.run(until=seconds(1))
    newer = sim.store.add_dag(chain(3))
    wrong_index = ClearTasks(dag_id="d", run_id="manual__1", tasks=(("t0", 4),), version_id=newer)
    refused = [sim.store.ask(wrong_index)]
    sim.turn()
    sim.store.ask(CancelRun(dag_id="d", run_id="manual__1"))
    refused.append(sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("t0", None),), version_id=newer)))
    sim.turn()
    assert [sim.store.refusals[number].partition(";")[0] for number in refused] == [
        "task 't0' has no map index 4 in the version to run",
        "run 'manual__1' is being cancelled",
    ]
    assert events(sim, RunMoved) == []


def test_a_clear_may_name_a_task_that_only_the_newer_version_has():
    sim = Simulation()
    sim.store.add_dag(chain(1))
    sim.trigger("d")
    sim.run()
    newer = sim.store.add_dag(chain(2))
    sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("t1", -1),), version_id=newer))
    sim.run()
    assert [event.task_id for event in events(sim, ActivityCompleted)] == ["t0", "t1"]
    assert outcome(sim) is RunState.SUCCESS


@pytest.mark.parametrize(
    "request_",
    [
        MarkTask(dag_id="d", run_id="manual__1", task_id="t0", state=TaskState.QUEUED),
        ResolveTask(dag_id="d", run_id="manual__1", task_id="t0", state=TaskState.RUNNING),
    ],
)
def test_a_state_that_would_hold_a_task_for_ever_is_refused(request_):
    sim = Simulation(script=always(Script(work=30)))
    sim.store.add_dag(chain(1))
    sim.trigger("d")
    sim.run(until=seconds(5))
    refused = sim.store.ask(request_)
    sim.run()
    assert refused in sim.store.refusals
    assert outcome(sim) is RunState.SUCCESS


def test_a_thousand_runs_that_are_asked_for_at_once_are_made_in_one_turn():
    sim = Simulation()
    sim.store.add_dag(chain(1, max_active_runs=2000))
    asked = [TriggerRun(dag_id="d", run_id=f"r{i}", run_uid=f"u{i}") for i in range(1000)]
    for request in asked:
        sim.store.ask(request)
    sim.store.ask(asked[0])
    sim.run()
    assert len(sim.store.histories) == 1000
    assert [refusal.partition(" has ")[2] for refusal in sim.store.refusals.values()] == ["a run 'r0' already"]


# ── cancelling and clearing ──────────────────────────────────────────────────────────────────────────────


def test_a_run_that_is_cancelled_ends_although_an_outcome_turns_out_to_be_unknown():
    sim = Simulation(script=always(Script(work=30)))
    sim.store.add_dag(dag(task("a", delivery=ONCE), task("b", "a")))
    sim.trigger("d")
    sim.run(until=seconds(5))
    sim.executor.cancel = lambda keys: say_lost(sim, keys)
    sim.store.ask(CancelRun(dag_id="d", run_id="manual__1"))
    sim.run()
    assert outcome(sim) is RunState.FAILED


def say_lost(sim: Simulation, keys: list[AttemptKey]) -> None:
    sim.executor._unread.extend(Lost(key=key, at=sim.clock.now(), reason="killed") for key in keys)


def test_a_run_that_is_being_cancelled_is_not_turned_to_over_and_over_while_an_attempt_is_slow_to_end():
    slow_to_end = Script(work=100)
    sim = Simulation(script=lambda order: slow_to_end if order.key.task_id == "slow" else Script(outcome="fail"))
    sim.store.add_dag(dag(task("slow"), task("again", retry=RetrySpec(retries=3, delay=timedelta(seconds=5)))))
    sim.trigger("d")
    sim.run(until=seconds(2))
    sim.executor.cancel = lambda keys: None
    sim.store.ask(CancelRun(dag_id="d", run_id="manual__1"))
    sim.run(most_turns=50)
    assert outcome(sim) is RunState.FAILED


def test_what_a_cancel_skips_of_a_mapped_task_is_one_fact():
    sim = Simulation(script=always(Script(work=30)))
    sim.store.add_dag(dag(task("m", mapping=mapping_over(1000))))
    sim.trigger("d")
    sim.run(until=seconds(5))
    sim.store.ask(CancelRun(dag_id="d", run_id="manual__1"))
    sim.run()
    assert outcome(sim) is RunState.FAILED
    assert len(events(sim, ActivitySkipped)) <= 1 + SETTINGS.parallelism


def test_runs_that_are_cleared_wait_their_turn_at_max_active_runs():
    sim = Simulation(script=always(Script(work=10)))
    sim.store.add_dag(chain(1, max_active_runs=1))
    for number in range(3):
        sim.trigger("d", f"r{number}")
    sim.run()
    for number in range(3):
        sim.store.ask(ClearTasks(dag_id="d", run_id=f"r{number}", tasks=(("t0", None),)))
    sim.run()
    again = sorted(
        (fact.at, type(fact.event).__name__)
        for key in (1, 2, 3)
        for fact in sim.history(key)
        if isinstance(fact.event, ActivityCompleted | ActivityScheduled) and getattr(fact.event, "attempt", 0) == 2
    )
    assert [name for _, name in again] == ["ActivityScheduled", "ActivityCompleted"] * 3


# ── runs that wait their turn ────────────────────────────────────────────────────────────────────────────


def test_a_run_whose_name_turns_out_to_be_taken_gives_its_turn_to_those_that_wait():
    sim = Simulation(script=always(Script(work=600)))
    sim.store.add_dag(chain(1, max_active_runs=1))
    sim.turn()
    sim.trigger("d", "taken")
    sim.trigger("d", "waits")
    sim.store._names["d", "taken"] = 99
    sim.store.run_key = lambda dag_id, run_id: None
    sim.turn()
    del sim.store.run_key
    sim.run(until=seconds(90))
    assert [sim.history(key)[0].event.run_id for key in sim.store.histories] == ["waits"]
    assert len(events(sim, ActivityScheduled, 2)) == 1
    assert sim.notices == ["DAG 'd' has a run 'taken', or one of that slot, already; no other is made"]
    assert list(sim.store.refusals.values()) == ["DAG 'd' has a run 'taken' already"]


def test_more_room_for_runs_is_used_although_none_of_them_ends():
    sim = Simulation(script=always(Script(work=600)))
    sim.store.add_dag(chain(1, max_active_runs=1))
    sim.trigger("d", "first")
    sim.trigger("d", "second")
    sim.run(until=seconds(5))
    assert events(sim, ActivityScheduled, 2) == []
    sim.store.add_dag(chain(1, max_active_runs=2))
    sim.run(until=seconds(10))
    assert len(events(sim, ActivityScheduled, 2)) == 1


# ── the database, the code and the clock ─────────────────────────────────────────────────────────────────


def test_a_task_whose_version_has_no_code_fails_with_a_sentence_and_the_rest_goes_on():
    sim = Simulation()
    sim.store.add_dag(chain(1, dag_id="bad"))
    sim.store.add_dag(chain(1, dag_id="good"))
    code = sim.store.code

    def lost(version_id: int) -> str:
        if version_id == 1:
            raise NotFoundError("version 1 is not recorded, so its code is not either")
        return code(version_id)

    sim.store.code = lost
    sim.trigger("bad")
    sim.trigger("good")
    sim.run()
    (failed,) = events(sim, ActivityFailed, 1)
    assert (failed.kind, failed.failure.message) == (
        FailureKind.LOADING,
        "version 1 is not recorded, so its code is not either",
    )
    assert (outcome(sim, 1), outcome(sim, 2)) == (RunState.FAILED, RunState.SUCCESS)


def test_a_run_that_cannot_be_read_does_not_keep_the_others_from_going_on():
    sim = Simulation(script=always(Script(work=5)))
    for name in ("bad", "good"):
        sim.store.add_dag(chain(2, dag_id=name))
        sim.trigger(name)
    sim.run(until=seconds(2))
    sim.store.histories[1].insert(1, Recorded(2, EPOCH, RunCancelRequested(reason="a gap")))
    sim.crash()
    sim.run()
    assert outcome(sim, 2) is RunState.SUCCESS
    assert sim.notices[0].startswith("run 1 is left as it is, since it cannot be read: ")


def test_a_result_whose_part_was_refused_is_recorded_once_the_run_is_read_again():
    sim = Simulation(script=always(Script(work=5, result=b"42")))
    sim.store.add_dag(dag(task("a"), task("b", "a", inputs=("a",))))
    sim.trigger("d")
    sim.run(until=seconds(3))
    sim.store.histories[1].append(Recorded(len(sim.history()) + 1, seconds(3), RunCancelRequested(reason="a rival")))
    sim.run()
    assert [event.task_id for event in events(sim, ActivityCompleted)] == ["a"]
    assert outcome(sim) is RunState.FAILED


def test_a_start_whose_record_was_refused_lets_no_body_begin():
    sim = Simulation(script=always(Script(wait=5)))
    sim.store.add_dag(dag(task("a", delivery=ONCE)))
    sim.trigger("d")
    sim.run(until=seconds(3))
    sim.store.histories[1].append(Recorded(len(sim.history()) + 1, seconds(3), RunCancelRequested(reason="a rival")))
    sim.run()
    assert not sim.executor.bodies
    assert outcome(sim) is RunState.FAILED


def test_a_clock_that_is_set_back_delays_neither_the_claim_nor_another_try_at_the_database():
    sim = Simulation(script=always(Script(work=5)))
    sim.store.add_dag(chain(1))
    sim.trigger("d")
    sim.turn()
    renewed: list[datetime] = []
    sim.store.renew = lambda: renewed.append(sim.clock.now())
    sim.clock._now -= timedelta(hours=1)
    sim.turn()
    assert renewed == [sim.clock.now()]
    commit = sim.store.commit

    def unavailable(group):
        raise StorageUnavailableError("away")

    sim.store.commit = unavailable
    sim.trigger("d", "manual__2")
    sim.turn()
    sim.store.commit = commit
    sim.clock._now -= timedelta(hours=1)
    sim.turn()
    assert len(sim.store.histories) == 2


def test_a_request_that_is_rung_for_while_the_database_is_away_is_taken_at_the_first_turn_after():
    sim = Simulation()
    sim.store.add_dag(chain(1))
    sim.turn()
    commit, sim.store.commit = sim.store.commit, away
    sim.trigger("d")
    sim._scheduler.tick(rung=True)
    sim.store.commit = commit
    sim.clock.advance(2)
    sim._scheduler.tick(rung=False)
    assert len(sim.store.histories) == 1


def away(_group):
    raise StorageUnavailableError("the database is away")


def test_a_dag_that_appears_between_two_looks_is_known_to_the_request_that_speaks_of_it():
    sim = Simulation()
    sim.turn()
    requests = sim.store.requests

    def others_are_quick():
        if not sim.store._entries:
            sim.store.add_dag(chain(1))
            sim.trigger("d")
        return requests()

    sim.store.requests = others_are_quick
    sim.run()
    assert outcome(sim) is RunState.SUCCESS


def test_a_claim_that_cannot_be_given_back_does_not_break_a_stop():
    sim = Simulation()
    sim.store.add_dag(chain(1))
    sim.turn()
    sim.store.release = lambda: away(None)
    sim._scheduler.stop()
    assert sim.notices == ["the database is away; the claim on it lapses by itself"]


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────


def test_alarms_that_are_set_anew_for_ever_take_no_more_room():
    alarms: Alarms[int] = Alarms()
    for minute in range(10_000):
        alarms.set(1, seconds(60 * minute))
        alarms.set(1, seconds(10**6))
    assert len(alarms._heap) < 200
    assert alarms.next_due() == seconds(10**6)


def test_ten_thousand_open_runs_that_wait_are_not_visited_in_a_turn(monkeypatch: pytest.MonkeyPatch):
    sim = Simulation(settings=msgspec.structs.replace(SETTINGS, parallelism=20_000))
    sim.store.set_pool("default_pool", 20_000)
    sim.store.add_dag(chain(1, dag_id="idle", max_active_runs=20_000))
    sim.store.add_dag(chain(1))
    for number in range(10_000):
        sim.store.ask(TriggerRun(dag_id="idle", run_id=f"r{number}", run_uid=f"u{number}"))
        sim.store.ask(PauseRun(dag_id="idle", run_id=f"r{number}"))
    sim.turn()
    assert held(sim) == 10_000
    visited: list[str] = []

    def decide(run, now):
        visited.append(run.dag_id)
        return real(run, now)

    real = settling.decide
    monkeypatch.setattr(settling, "decide", decide)
    sim.trigger("d")
    sim.run()
    assert "d" in visited
    assert "idle" not in visited


def test_an_order_is_made_for_each_of_a_range(monkeypatch: pytest.MonkeyPatch):
    seen: list[Order] = []

    def script(order: Order) -> Script:
        seen.append(order)
        return Script()

    sim = Simulation(script=script)
    sim.store.add_dag(dag(task("m", mapping=mapping_over(5))))
    sim.trigger("d")
    sim.run()
    assert [order.key.map_index for order in seen] == list(range(5))


def test_what_waits_for_room_is_judged_again_when_an_upstream_is_cleared():
    sim = Simulation(script=always(Script(work=20)))
    sim.store.set_pool("p", 0)
    sim.store.add_dag(dag(task("a"), task("b", "a", pool="p")))
    sim.trigger("d")
    sim.run()
    sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("a", None),)))
    sim.store.set_pool("p", 1)
    sim.run()
    story = [
        (fact.event.task_id, type(fact.event))
        for fact in sim.history()
        if isinstance(fact.event, ActivityScheduled | ActivityCompleted)
    ]
    assert [name for name, _ in story] == ["a", "a", "a", "a", "b", "b"]
    assert outcome(sim) is RunState.SUCCESS


def test_a_task_that_leaves_a_run_and_comes_back_uses_no_attempt_number_twice_and_keeps_its_result():
    sim = Simulation(script=lambda order: Script(work=5 if order.key.task_id == "t0" else 50))
    sim.store.add_dag(chain(3))
    sim.trigger("d")
    sim.run(until=seconds(10))
    shorter = sim.store.add_dag(chain(1))
    longer = sim.store.add_dag(chain(3, description="again"))
    for version in (shorter, longer):
        sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("t0", None),), version_id=version))
        sim.run(until=sim.clock.now() + timedelta(seconds=1))
    sim.run()
    attempts = [(event.task_id, event.attempt) for event in events(sim, ActivityScheduled)]
    assert len(attempts) == len(set(attempts))
    assert ("t1", 2) in attempts
    assert outcome(sim) is RunState.SUCCESS


def test_a_mark_on_a_run_that_waits_its_turn_does_not_begin_it():
    sim = Simulation(script=always(Script(work=60)))
    sim.store.add_dag(chain(2, max_active_runs=1))
    sim.trigger("d", "first")
    sim.trigger("d", "second")
    sim.turn()
    sim.store.ask(MarkTask(dag_id="d", run_id="second", task_id="t0", state=TaskState.SUCCESS))
    sim.run(until=seconds(5))
    sim.crash()
    sim.run(until=seconds(20))
    assert events(sim, ActivityScheduled, 2) == []
    sim.run()
    assert [event.task_id for event in events(sim, ActivityScheduled, 2)] == ["t1"]


def test_a_dag_that_was_deleted_and_comes_back_catches_up_from_its_start():
    every = dag(task("a"), schedule=Every(period=timedelta(seconds=10)), start_date=EPOCH, catchup=True)
    sim = Simulation()
    sim.store.add_dag(every)
    sim.run(until=seconds(25))
    assert len(sim.store.histories) == 3
    sim.store.set_stale("d")
    sim.run(until=seconds(26))
    for forgotten in (sim.store._cursors, sim.store._slots, sim.store._names, sim.store.histories):
        forgotten.clear()
    sim.store.add_dag(every)
    sim.run(until=seconds(27))
    assert sorted(facts[0].event.slot for _, facts in sim.histories()) == [EPOCH, seconds(10), seconds(20)]
