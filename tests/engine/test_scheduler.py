"""The scheduler under a simulated clock: what a user relies on, turn by turn."""

from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivityScheduled,
    ActivitySkipped,
    ActivityStarted,
    ActivityUpstreamFailed,
    RunEnded,
)
from orchestrator.core.orders import Lost, Order
from orchestrator.core.requests import CancelRun, ClearTasks, PauseRun, ResolveTask, ResumeRun
from orchestrator.core.spec import Cron, Planned, PlannedSlot
from orchestrator.engine.settings import Settings
from orchestrator.exceptions import StorageUnavailableError
from orchestrator.names import Delivery, FailureKind, RunState, TaskState, TriggerRule
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.sim_executor import Script, always
from orchestrator.testing.simulation import SETTINGS, Simulation
from tests.engine.dags import RETRY_ONCE, chain, dag, task


def names(sim: Simulation, run_key: int = 1) -> list[str]:
    return [type(fact.event).__name__ for fact in sim.history(run_key)]


def events(sim: Simulation, kind: type, run_key: int = 1) -> list:
    return [fact.event for fact in sim.history(run_key) if isinstance(fact.event, kind)]


def outcome(sim: Simulation, run_key: int = 1) -> RunState:
    (end,) = events(sim, RunEnded, run_key)[-1:]
    return end.state


def by_task(**scripts: Script):
    return lambda order: scripts.get(order.key.task_id, Script())


def test_a_chain_runs_in_order_and_each_result_is_recorded_before_the_next_starts():
    sim = Simulation()
    sim.store.add_dag(chain(3))
    sim.trigger("d")
    sim.run()
    assert outcome(sim) is RunState.SUCCESS
    story = [(type(f.event).__name__, f.event.task_id) for f in sim.history() if hasattr(f.event, "task_id")]
    assert story == [
        (name, f"t{i}") for i in range(3) for name in ("ActivityScheduled", "ActivityStarted", "ActivityCompleted")
    ]


def test_the_history_is_numbered_from_one_without_gaps():
    sim = Simulation()
    sim.store.add_dag(chain(5))
    sim.trigger("d")
    sim.run()
    assert [fact.seq for fact in sim.history()] == list(range(1, len(sim.history()) + 1))


def test_a_failure_is_retried_after_its_delay_and_then_fails_the_downstream():
    sim = Simulation(script=by_task(a=Script(outcome="fail")))
    sim.store.add_dag(dag(task("a", retry=RETRY_ONCE), task("b", "a")))
    sim.trigger("d")
    sim.run()
    first, last = events(sim, ActivityFailed)
    assert first.retry_at is not None
    assert last.retry_at is None
    second_try = [f.at for f in sim.history() if isinstance(f.event, ActivityScheduled) and f.event.attempt == 2]
    assert second_try == [first.retry_at]
    assert [e.task_id for e in events(sim, ActivityUpstreamFailed)] == ["b"]
    assert outcome(sim) is RunState.FAILED


def test_a_leaf_that_succeeds_makes_the_run_a_success_although_a_task_before_it_failed():
    sim = Simulation(script=by_task(a=Script(outcome="fail")))
    sim.store.add_dag(dag(task("a"), task("b", "a", trigger_rule=TriggerRule.ALL_DONE)))
    sim.trigger("d")
    sim.run()
    assert outcome(sim) is RunState.SUCCESS


def test_a_task_with_nothing_to_do_needs_no_worker():
    sim = Simulation()
    sim.store.add_dag(dag(task("a", does_nothing=True), task("b", "a")))
    sim.trigger("d")
    sim.run()
    assert [key.task_id for key in sim.executor.submitted] == ["b"]
    assert outcome(sim) is RunState.SUCCESS


def test_a_dag_without_tasks_succeeds():
    sim = Simulation()
    sim.store.add_dag(dag())
    sim.trigger("d")
    sim.run()
    assert names(sim) == ["RunCreated", "RunEnded"]
    assert outcome(sim) is RunState.SUCCESS


def test_a_result_is_given_to_the_task_that_takes_it():
    seen: list[Order] = []

    def script(order: Order) -> Script:
        seen.append(order)
        return Script(result=b'{"amount":42}')

    sim = Simulation(script=script)
    sim.store.add_dag(dag(task("a"), task("b", "a", inputs=("a",))))
    sim.trigger("d")
    sim.run()
    assert bytes(seen[1].inputs["a"]) == b'{"amount":42}'


def test_no_more_attempts_are_open_than_parallelism_allows():
    settings = msgspec.structs.replace(SETTINGS, parallelism=3)
    sim = Simulation(settings=settings)
    sim.store.add_dag(dag(*(task(f"t{i}") for i in range(10)), max_active_tasks=100))
    sim.trigger("d")
    sim.run()
    assert most_open(sim) == 3
    assert outcome(sim) is RunState.SUCCESS


def most_open(sim: Simulation) -> int:
    most = now = 0
    for _, facts in sim.histories():
        for fact in facts:
            if isinstance(fact.event, ActivityScheduled):
                now += fact.event.count
            elif isinstance(fact.event, ActivityCompleted | ActivityFailed | ActivityLost):
                now -= 1
            most = max(most, now)
    return most


def test_max_active_tasks_holds_within_a_run():
    sim = Simulation()
    sim.store.add_dag(dag(*(task(f"t{i}") for i in range(6)), max_active_tasks=2))
    sim.trigger("d")
    sim.run()
    assert most_open(sim) == 2


def test_a_pool_gives_as_many_slots_as_it_has():
    sim = Simulation()
    sim.store.set_pool("db", 3)
    sim.store.add_dag(dag(*(task(f"t{i}", pool="db", pool_slots=2) for i in range(4))))
    sim.trigger("d")
    sim.run()
    assert most_open(sim) == 1
    assert outcome(sim) is RunState.SUCCESS


def test_a_task_in_an_unknown_pool_waits_until_the_pool_is_made():
    sim = Simulation()
    sim.store.add_dag(dag(task("a", pool="late")))
    sim.trigger("d")
    sim.run()
    assert names(sim) == ["RunCreated"]
    sim.store.set_pool("late", 1)
    sim.run()
    assert outcome(sim) is RunState.SUCCESS


def test_the_heavier_task_goes_first():
    sim = Simulation(settings=msgspec.structs.replace(SETTINGS, parallelism=1))
    sim.store.add_dag(dag(task("light", weight=1), task("heavy", weight=9), task("middle", weight=5)))
    sim.trigger("d")
    sim.run()
    assert [key.task_id for key in sim.executor.submitted] == ["heavy", "middle", "light"]


def test_max_active_tis_per_dag_counts_over_all_runs_of_the_dag():
    sim = Simulation()
    sim.store.add_dag(dag(task("a", max_active_tis_per_dag=1)))
    for number in range(3):
        sim.trigger("d", f"manual__{number}")
    sim.run()
    starts = sorted(f.at for _, facts in sim.histories() for f in facts if isinstance(f.event, ActivityStarted))
    assert [later - earlier for earlier, later in pairwise(starts)] == [timedelta(seconds=1)] * 2


def test_runs_beyond_max_active_runs_wait_and_begin_in_order():
    sim = Simulation()
    sim.store.add_dag(dag(task("a"), max_active_runs=1))
    for number in range(3):
        sim.trigger("d", f"manual__{number}")
    sim.run()
    begun = {key: next(f.at for f in facts if isinstance(f.event, ActivityStarted)) for key, facts in sim.histories()}
    assert [begun[key] - EPOCH for key in sorted(begun)] == [timedelta(seconds=s) for s in range(3)]


def test_a_cron_dag_runs_at_each_tick_and_not_before():
    sim = Simulation()
    sim.store.add_dag(dag(task("a"), schedule=Cron(expression="0 * * * *"), start_date=EPOCH - timedelta(days=9)))
    sim.run(until=EPOCH + timedelta(hours=3, minutes=1))
    created = [facts[0].at for _, facts in sim.histories()]
    assert created == [EPOCH + timedelta(hours=n) for n in (1, 2, 3)]


def test_a_dag_runs_at_the_slots_that_are_planned_and_then_at_those_of_the_next_plan():
    sim = Simulation()
    hours = [EPOCH + timedelta(hours=n) for n in range(7)]
    slots = tuple(PlannedSlot(end, start, end) for start, end in pairwise(hours))
    plans = [Planned(timetable="Mine", slots=part) for part in (slots[:3], slots[2:5])]
    sim.store.add_dag(dag(task("a"), schedule=plans[0], start_date=EPOCH))
    sim.run(until=hours[5])
    assert [facts[0].event.slot for _, facts in sim.histories()] == hours[1:4]
    sim.store.add_dag(dag(task("a"), schedule=plans[1], start_date=EPOCH))
    sim.run(until=hours[5] + timedelta(minutes=1))
    created = [facts[0].event for _, facts in sim.histories()]
    assert [event.slot for event in created] == hours[1:4] + hours[5:6]
    assert created[-1].logical_date == hours[4]


def test_a_paused_dag_starts_no_scheduled_run_but_a_manual_one():
    sim = Simulation()
    spec = dag(task("a"), schedule=Cron(expression="0 * * * *"), start_date=EPOCH)
    sim.store.add_dag(spec, paused=True)
    sim.trigger("d")
    sim.run(until=EPOCH + timedelta(hours=3))
    assert [facts[0].event.run_id for _, facts in sim.histories()] == ["manual__1"]


def test_catchup_makes_every_run_since_the_start_but_never_more_than_max_active_runs_at_once():
    sim = Simulation()
    schedule = Cron(expression="0 0 * * *")
    start = EPOCH - timedelta(days=9)
    sim.store.add_dag(dag(task("a"), schedule=schedule, start_date=start, catchup=True, max_active_runs=2))
    sim.run(until=EPOCH + timedelta(hours=1))
    assert len(list(sim.histories())) == 10
    assert all(outcome(sim, key) is RunState.SUCCESS for key, _ in sim.histories())


def test_a_lost_worker_costs_that_attempt_alone():
    scripts = iter([Script(outcome="lost"), Script()])
    sim = Simulation(script=lambda _: next(scripts))
    sim.store.add_dag(dag(task("a")))
    sim.trigger("d")
    sim.run()
    assert [key.attempt for key in sim.executor.submitted] == [1, 2]
    assert outcome(sim) is RunState.SUCCESS
    assert len(sim.executor.bodies) == 1, "the idempotency key is the same for both attempts"


def test_a_body_that_kills_its_worker_again_and_again_fails_in_the_end():
    sim = Simulation(script=always(Script(outcome="lost")))
    sim.store.add_dag(dag(task("a")))
    sim.trigger("d")
    sim.run()
    assert len(sim.executor.submitted) == SETTINGS.max_lost_attempts
    assert events(sim, ActivityFailed)[-1].kind is FailureKind.LOST
    assert outcome(sim) is RunState.FAILED


def test_an_at_most_once_task_whose_worker_dies_waits_for_a_persons_answer():
    sim = Simulation(script=by_task(a=Script(outcome="lost")))
    sim.store.add_dag(dag(task("a", delivery=Delivery.AT_MOST_ONCE), task("b", "a", inputs=("a",))))
    sim.trigger("d")
    sim.run()
    assert events(sim, ActivityLost)[-1].unknown
    assert len(sim.executor.submitted) == 1
    sim.store.ask(
        ResolveTask(dag_id="d", run_id="manual__1", task_id="a", state=TaskState.SUCCESS, result=msgspec.Raw(b"7"))
    )
    sim.run()
    assert [key.task_id for key in sim.executor.submitted] == ["a", "b"]


def test_an_at_most_once_body_begins_only_after_its_start_is_committed(monkeypatch: pytest.MonkeyPatch):
    sim = Simulation()
    sim.store.add_dag(dag(task("a", delivery=Delivery.AT_MOST_ONCE)))
    sim.trigger("d")
    bodies_before_each_commit = []
    commit = sim.store.commit

    def watched(group):
        bodies_before_each_commit.append(sim.executor.bodies.total())
        return commit(group)

    monkeypatch.setattr(sim.store, "commit", watched)
    sim.run()
    assert bodies_before_each_commit == [0, 0, 1], "scheduled, started, and only then a body and its completion"


def test_cancelling_a_run_ends_what_runs_skips_the_rest_and_fails_the_run():
    sim = Simulation(script=always(Script(work=60)))
    sim.store.add_dag(chain(3))
    sim.trigger("d")
    sim.run(until=EPOCH + timedelta(seconds=5))
    sim.store.ask(CancelRun(dag_id="d", run_id="manual__1", by="ann"))
    sim.run()
    assert events(sim, ActivityFailed)[-1].kind is FailureKind.CANCELLED
    assert [e.task_id for e in events(sim, ActivitySkipped)] == ["t1", "t2"]
    assert outcome(sim) is RunState.FAILED


def test_a_queued_run_can_be_cancelled_before_it_begins():
    sim = Simulation(script=always(Script(work=60)))
    sim.store.add_dag(dag(task("a"), max_active_runs=1))
    sim.trigger("d", "manual__1")
    sim.trigger("d", "manual__2")
    sim.run(until=EPOCH + timedelta(seconds=5))
    sim.store.ask(CancelRun(dag_id="d", run_id="manual__2"))
    sim.run(until=EPOCH + timedelta(seconds=6))
    assert outcome(sim, 2) is RunState.FAILED
    assert len(sim.executor.submitted) == 1


def test_a_paused_run_finishes_what_runs_and_goes_on_when_resumed():
    sim = Simulation(script=always(Script(work=10)))
    sim.store.add_dag(chain(2))
    sim.trigger("d")
    sim.run(until=EPOCH + timedelta(seconds=5))
    sim.store.ask(PauseRun(dag_id="d", run_id="manual__1"))
    sim.run()
    assert names(sim)[-1] == "ActivityCompleted"
    sim.store.ask(ResumeRun(dag_id="d", run_id="manual__1"))
    sim.run()
    assert outcome(sim) is RunState.SUCCESS


def test_dagrun_timeout_ends_the_run():
    sim = Simulation(script=always(Script(work=600)))
    sim.store.add_dag(chain(2, dagrun_timeout=timedelta(seconds=30)))
    sim.trigger("d")
    sim.run()
    assert outcome(sim) is RunState.FAILED
    assert sim.clock.now() - EPOCH < timedelta(seconds=60)


def test_fail_fast_stops_the_others():
    sim = Simulation(script=by_task(a=Script(outcome="fail"), b=Script(work=600)))
    sim.store.add_dag(dag(task("a"), task("b"), task("c", "b"), fail_fast=True))
    sim.trigger("d")
    sim.run()
    assert outcome(sim) is RunState.FAILED
    assert sim.clock.now() - EPOCH < timedelta(seconds=60)


def test_clearing_a_task_runs_it_again_with_a_new_idempotency_key():
    sim = Simulation()
    sim.store.add_dag(chain(2))
    sim.trigger("d")
    sim.run()
    sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("t1", None),)))
    sim.run()
    assert [key.task_id for key in sim.executor.submitted] == ["t0", "t1", "t1"]
    assert len(sim.executor.bodies) == 3
    assert [e.state for e in events(sim, RunEnded)] == [RunState.SUCCESS, RunState.SUCCESS]


def test_a_run_that_is_being_cancelled_cannot_be_cleared_before_it_has_ended():
    sim = Simulation(script=always(Script(work=60)))
    sim.store.add_dag(chain(2))
    sim.trigger("d")
    sim.run(until=EPOCH + timedelta(seconds=5))
    sim.store.ask(CancelRun(dag_id="d", run_id="manual__1"))
    number = sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("t0", None),)))
    sim.run()
    assert "is being cancelled" in sim.store.refusals[number]
    assert outcome(sim) is RunState.FAILED


def test_moving_a_run_to_a_version_without_a_running_task_ends_that_task():
    sim = Simulation(script=by_task(old=Script(work=600)))
    sim.store.add_dag(dag(task("old"), task("kept")))
    sim.trigger("d")
    sim.run(until=EPOCH + timedelta(seconds=5))
    newer = sim.store.add_dag(dag(task("kept"), task("new", "kept")))
    sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("kept", None),), version_id=newer))
    sim.run()
    assert outcome(sim) is RunState.SUCCESS
    assert sim.clock.now() - EPOCH < timedelta(seconds=60), "nobody waits for the task that is gone"
    assert not sim.executor.next_due(), "and it does not go on behind everybody's back"


def test_clearing_a_running_task_starts_it_afresh_and_drops_the_old_result():
    sim = Simulation(script=always(Script(work=60)))
    sim.store.add_dag(dag(task("a")))
    sim.trigger("d")
    sim.run(until=EPOCH + timedelta(seconds=5))
    sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("a", None),)))
    sim.run()
    assert outcome(sim) is RunState.SUCCESS
    assert [key.attempt for key in sim.executor.submitted] == [1, 2]


def test_a_task_that_no_worker_begins_in_time_fails_and_is_retried():
    settings = Settings(owner="simulation", queued_timeout=timedelta(seconds=20))
    scripts = iter([Script(wait=3600), Script()])
    sim = Simulation(script=lambda _: next(scripts), settings=settings)
    sim.store.add_dag(dag(task("a", retry=RETRY_ONCE)))
    sim.trigger("d")
    sim.run()
    assert events(sim, ActivityFailed)[0].kind is FailureKind.QUEUED_TIMEOUT
    assert outcome(sim) is RunState.SUCCESS


def test_a_request_for_a_run_that_does_not_exist_is_refused_with_a_sentence():
    sim = Simulation()
    number = sim.store.ask(CancelRun(dag_id="d", run_id="nowhere"))
    sim.run()
    assert sim.store.refusals == {number: "DAG 'd' has no run 'nowhere'"}


def test_results_reported_while_the_database_is_away_are_recorded_when_it_is_back(monkeypatch: pytest.MonkeyPatch):
    sim = Simulation(script=always(Script(work=5)))
    sim.store.add_dag(chain(2))
    sim.trigger("d")
    sim.run(until=EPOCH + timedelta(seconds=4))
    away = EPOCH + timedelta(seconds=30)
    commit = sim.store.commit

    def refuse_for_a_while(group):
        if sim.clock.now() < away:
            raise StorageUnavailableError("the disk is full")
        return commit(group)

    monkeypatch.setattr(sim.store, "commit", refuse_for_a_while)
    sim.run()
    assert outcome(sim) is RunState.SUCCESS
    assert [key.attempt for key in sim.executor.submitted] == [1, 1], "nothing ran twice"
    assert sim.notices[0].startswith("the disk is full")
    assert "answers again" in sim.notices[1]


def away_until(sim: Simulation, monkeypatch: pytest.MonkeyPatch, method: str, seconds: float) -> None:
    """That method of the store fails, as on a full disk, until so many seconds have passed."""
    real, back_at = getattr(sim.store, method), EPOCH + timedelta(seconds=seconds)

    def refuse_for_a_while(*given):
        if sim.clock.now() < back_at:
            raise StorageUnavailableError("the disk is full")
        return real(*given)

    monkeypatch.setattr(sim.store, method, refuse_for_a_while)


def test_no_attempt_is_recorded_while_the_code_of_its_version_cannot_be_laid_out(monkeypatch: pytest.MonkeyPatch):
    sim = Simulation()
    sim.store.add_dag(chain(2))
    away_until(sim, monkeypatch, "code", 30)
    sim.trigger("d")
    sim.run()
    (run_key,) = sim.store.histories
    assert outcome(sim, run_key) is RunState.SUCCESS
    assert [event.attempt for event in events(sim, ActivityScheduled, run_key)] == [1, 1]
    assert [words.partition(";")[0] for words in sim.notices] == [
        "the disk is full",
        "the database answers again, after 0:00:30",
    ]


def test_an_attempt_whose_inputs_cannot_be_read_is_handed_out_when_the_database_is_back(
    monkeypatch: pytest.MonkeyPatch,
):
    sim = Simulation(script=always(Script(work=5)))
    sim.store.add_dag(dag(task("a"), task("b", "a", inputs=("a",))))
    monkeypatch.setattr("orchestrator.engine.dispatch.Results.keep", lambda *_: None)
    away_until(sim, monkeypatch, "facts", 30)
    sim.trigger("d")
    sim.run()
    assert outcome(sim) is RunState.SUCCESS
    assert all(lost.free for lost in events(sim, ActivityLost))
    assert [key.task_id for key in sim.executor.submitted].count("a") == 1


def test_an_at_most_once_body_that_certainly_never_began_is_handed_out_again(monkeypatch: pytest.MonkeyPatch):
    sim = Simulation()
    sim.store.add_dag(dag(task("a", delivery=Delivery.AT_MOST_ONCE)))
    sim.trigger("d")
    unheard = sim.executor.go

    def die_before_the_first_body(keys):
        monkeypatch.setattr(sim.executor, "go", unheard)
        for key in keys:
            del sim.executor._work[key]
            lost = Lost(key=key, at=sim.clock.now(), reason="its worker was killed", started=False)
            sim.executor._unread.append(lost)

    monkeypatch.setattr(sim.executor, "go", die_before_the_first_body)
    sim.run()
    assert [key.attempt for key in sim.executor.submitted] == [1, 2]
    assert sim.executor.bodies.total() == 1
    assert outcome(sim) is RunState.SUCCESS
