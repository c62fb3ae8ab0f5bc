"""Callbacks under a simulated clock: what calls for them, that each is called, and that nothing is held up by them."""

from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from orchestrator.core.callback_events import CallbackEnded, CallbackLost, CallbackScheduled
from orchestrator.core.events import ActivityCompleted, ActivityFailed, ActivityScheduled, RunEnded
from orchestrator.core.orders import Order
from orchestrator.core.requests import CancelRun, ClearTasks, ForkRun, MarkTask, ResetRun, ResolveTask
from orchestrator.core.spec import DagSpec, mapping_over
from orchestrator.names import CallbackKind, Delivery, RunState, TaskState
from orchestrator.testing.sim_executor import SUCCEEDS, Script
from orchestrator.testing.simulation import SETTINGS, Simulation
from tests.engine.dags import RETRY_ONCE, dag, task

ALL = tuple(CallbackKind)
SUCCESS, FAILURE, RETRY, SKIPPED = ALL
OF_RUN = (SUCCESS, FAILURE)


def of_bodies(**scripts: Script):
    """Bodies by task; every callback succeeds."""
    return lambda order: Script() if order.outcome else scripts.get(order.key.task_id, Script())


def of_callbacks(script: Script, **bodies: Script):
    return lambda order: script if order.outcome else bodies.get(order.key.task_id, Script())


def facts(sim: Simulation, kind: type, run_key: int = 1) -> list:
    return [fact.event for fact in sim.history(run_key) if isinstance(fact.event, kind)]


def called(sim: Simulation, run_key: int = 1) -> list[tuple[str, str, int]]:
    """The callbacks that have ended: kind, task and attempt."""
    return [(one.kind, one.task_id, one.attempt) for one in facts(sim, CallbackEnded, run_key)]


def kinds_called(sim: Simulation, run_key: int) -> list[tuple[str, str]]:
    """The same without the numbers of attempts, of which a crash uses some up."""
    return sorted((kind, task_id) for kind, task_id, _ in called(sim, run_key))


def ran(spec: DagSpec, script=SUCCEEDS, **arguments) -> Simulation:
    sim = Simulation(script=script, **arguments)
    sim.store.add_dag(spec)
    sim.trigger("d")
    sim.run()
    return sim


def test_a_success_calls_the_callbacks_of_the_task_and_the_end_those_of_the_run():
    sim = ran(dag(task("a", callbacks=ALL), task("b", "a"), callbacks=OF_RUN))
    assert sorted(called(sim)) == [(SUCCESS, "", 1), (SUCCESS, "a", 1)]
    assert [one.failure for one in facts(sim, CallbackEnded)] == [None, None]


def test_a_failure_calls_on_retry_until_no_try_is_left_and_on_failure_then():
    spec = dag(task("a", callbacks=ALL, retry=RETRY_ONCE), callbacks=OF_RUN)
    sim = ran(spec, of_bodies(a=Script(outcome="fail")))
    assert sorted(called(sim)) == [(FAILURE, "", 1), (FAILURE, "a", 2), (RETRY, "a", 1)]


def test_a_body_that_skips_itself_calls_on_skipped_and_what_is_skipped_by_its_rule_calls_nothing():
    spec = dag(task("a", callbacks=ALL), task("b", "a", callbacks=ALL))
    sim = ran(spec, of_bodies(a=Script(outcome="skip")))
    assert called(sim) == [(SKIPPED, "a", 1)]


def test_a_task_whose_upstream_failed_calls_nothing():
    spec = dag(task("a"), task("b", "a", callbacks=ALL))
    assert called(ran(spec, of_bodies(a=Script(outcome="fail")))) == []


def test_a_worker_that_died_too_often_calls_on_failure():
    sim = ran(dag(task("a", callbacks=ALL)), of_bodies(a=Script(outcome="lost")))
    assert called(sim) == [(FAILURE, "a", 3)]


def test_the_callback_is_handed_out_only_after_the_fact_that_calls_for_it():
    sim = ran(dag(task("a", callbacks=ALL)))
    kinds = [type(fact.event) for fact in sim.history()]
    assert kinds.index(ActivityCompleted) < kinds.index(CallbackScheduled) < kinds.index(CallbackEnded)


def test_the_order_of_a_callback_tells_how_the_attempt_ended():
    orders: list[Order] = []

    def script(order: Order) -> Script:
        if order.outcome:
            orders.append(order)
            return Script()
        return Script(outcome="fail")

    ran(dag(task("a", callbacks=ALL), callbacks=OF_RUN), script)
    of_task, of_run = orders
    assert of_task.outcome is not None
    assert of_run.outcome is not None
    assert (of_task.outcome.state, of_task.try_number) == ("failed", 1)
    assert of_task.outcome.failure is not None
    assert of_task.outcome.failure.message == "RuntimeError: it failed"
    assert (of_run.outcome.state, of_run.outcome.reason, of_run.outcome.task_id) == ("failed", "task_failure", "a")
    assert of_task.execution_timeout == SETTINGS.callback_timeout.total_seconds()
    assert of_task.idempotency_key != of_run.idempotency_key


def test_a_callback_that_raises_changes_no_state_and_its_failure_is_recorded():
    spec = dag(task("a", callbacks=ALL), task("b", "a"), callbacks=OF_RUN)
    sim = ran(spec, of_callbacks(Script(outcome="fail")))
    assert facts(sim, RunEnded)[-1].state is RunState.SUCCESS
    assert [one.failure.message for one in facts(sim, CallbackEnded)] == ["RuntimeError: it failed"] * 2


def test_a_callback_whose_worker_dies_is_tried_again_and_given_up_at_max_lost_attempts():
    sim = ran(dag(task("a", callbacks=ALL)), of_callbacks(Script(outcome="lost")))
    assert len(facts(sim, CallbackScheduled)) == 3
    assert len(facts(sim, CallbackLost)) == 2
    (ended,) = facts(sim, CallbackEnded)
    assert "lost 3 times" in ended.failure.message


def test_a_crash_wherever_it_is_leaves_each_callback_called_and_recorded_once():
    spec = dag(task("a", callbacks=ALL, retry=RETRY_ONCE), task("b", callbacks=ALL), callbacks=OF_RUN)
    bodies = of_bodies(a=Script(outcome="fail"))
    expected = kinds_called(ran(spec, bodies), 1)
    steps = 0
    for outlives in (False, True):
        for step in range(1, 200):
            sim = ran(spec, bodies, crash_when=lambda n, step=step: n == step, outlives=outlives)
            ((run_key, _),) = sim.histories()  # the crash may have cost the first key
            assert kinds_called(sim, run_key) == expected, f"after a crash at step {step}"
            of_callbacks_ = [key for key in sim.executor.effects if not key.rsplit("/", 1)[1].isdigit()]
            assert len(of_callbacks_) == len(expected)
            if not sim.restarts:
                break
            steps += 1
    assert steps > 40


def test_a_run_that_has_ended_is_held_until_its_callbacks_have_and_no_longer():
    sim = Simulation(script=of_callbacks(Script(work=60.0)))
    sim.store.add_dag(dag(task("a"), callbacks=OF_RUN))
    sim.trigger("d")
    sim.run(until=sim.clock.now() + timedelta(seconds=20))
    assert facts(sim, RunEnded)
    assert sim.store.open_runs() == [1]
    assert len(sim._scheduler._memory.roster) == 1
    sim.run()
    assert sim.store.open_runs() == []
    assert len(sim._scheduler._memory.roster) == 0
    assert sim._scheduler._memory.admission.free == SETTINGS.parallelism


def test_a_run_with_open_callbacks_leaves_its_turn_at_max_active_runs_to_the_next():
    sim = Simulation(script=of_callbacks(Script(work=1000.0)))
    sim.store.add_dag(dag(task("a"), callbacks=OF_RUN, max_active_runs=1))
    sim.trigger("d")
    sim.trigger("d", "manual__2")
    sim.run(until=sim.clock.now() + timedelta(seconds=30))
    assert facts(sim, RunEnded, 2)


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.SUCCESS, TaskState.SKIPPED])
def test_what_a_person_marks_calls_nothing_for_the_task(state: TaskState):
    sim = Simulation(script=of_bodies(a=Script(work=1000.0)))
    sim.store.add_dag(dag(task("a", callbacks=ALL)))
    sim.trigger("d")
    sim.run(until=sim.clock.now() + timedelta(seconds=5))
    sim.store.ask(MarkTask(dag_id="d", run_id="manual__1", task_id="a", state=state))
    sim.run()
    assert called(sim) == []


def test_a_run_that_a_person_cancels_calls_nothing_and_one_that_takes_too_long_calls_on_failure():
    sim = Simulation(script=of_bodies(a=Script(work=1000.0)))
    sim.store.add_dag(dag(task("a", callbacks=ALL), callbacks=OF_RUN, dagrun_timeout=timedelta(seconds=100)))
    sim.trigger("d")
    sim.trigger("d", "manual__2")
    sim.run(until=sim.clock.now() + timedelta(seconds=5))
    sim.store.ask(CancelRun(dag_id="d", run_id="manual__1", by="ann"))
    sim.run()
    assert called(sim) == []
    assert called(sim, 2) == [(FAILURE, "", 1)]


def test_an_outcome_that_a_person_gives_calls_nothing():
    spec = dag(task("a", callbacks=ALL, delivery=Delivery.AT_MOST_ONCE))
    sim = ran(spec, of_bodies(a=Script(outcome="lost")))
    sim.store.ask(ResolveTask(dag_id="d", run_id="manual__1", task_id="a", state=TaskState.FAILED))
    sim.run()
    assert called(sim) == []


def test_a_task_that_is_cleared_and_ends_again_calls_again():
    sim = ran(dag(task("a", callbacks=ALL), callbacks=OF_RUN))
    sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("a", None),)))
    sim.run()
    assert sorted(called(sim)) == [(SUCCESS, "", 1), (SUCCESS, "", 2), (SUCCESS, "a", 1), (SUCCESS, "a", 2)]


def test_a_run_that_is_reset_does_not_call_again_for_what_stands():
    sim = ran(dag(task("a", callbacks=ALL), task("b", "a", callbacks=ALL)))
    (done,) = (f.seq for f in sim.history() if isinstance(f.event, ActivityCompleted) and f.event.task_id == "a")
    sim.store.ask(ResetRun(dag_id="d", run_id="manual__1", seq=done))
    sim.run()
    assert Counter(name for _, name, _ in called(sim)) == {"a": 1, "b": 2}


def test_a_fork_does_not_call_for_what_it_takes_over():
    sim = ran(dag(task("a", callbacks=ALL), task("b", "a", callbacks=ALL), callbacks=OF_RUN))
    (done,) = (f.seq for f in sim.history() if isinstance(f.event, ActivityCompleted) and f.event.task_id == "a")
    sim.store.ask(ForkRun(dag_id="d", run_id="fork__1", source="manual__1", run_uid="uid-2", seq=done))
    sim.run()
    assert sorted(called(sim, 2)) == [(SUCCESS, "", 1), (SUCCESS, "b", 1)]


def test_a_fork_of_a_run_that_has_ended_takes_no_callback_over():
    sim = ran(dag(task("a", callbacks=ALL), task("b", "a"), callbacks=OF_RUN))
    last = sim.history()[-1].seq
    sim.store.ask(ForkRun(dag_id="d", run_id="fork__1", source="manual__1", run_uid="uid-2", seq=last))
    sim.run()
    assert called(sim, 2) == [(SUCCESS, "", 1)]


def test_the_code_is_that_of_the_version_that_the_outcome_had():
    versions: list[int] = []

    def script(order: Order) -> Script:
        if order.outcome:
            versions.append(order.version_id)
        return Script()

    sim = ran(dag(task("a", callbacks=ALL)), script)
    newer = sim.store.add_dag(dag(task("a", callbacks=ALL), task("b", "a", callbacks=ALL)))
    sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("a", None),), version_id=newer))
    sim.run()
    assert versions == [1, newer, newer]


def test_callbacks_and_attempts_take_turns_at_the_slots():
    one = msgspec.structs.replace(SETTINGS, parallelism=1)
    spec = dag(task("a", callbacks=ALL, mapping=mapping_over(20)), max_active_tasks=16)
    sim = ran(spec, settings=one)
    order = [type(f.event) for f in sim.history() if isinstance(f.event, ActivityScheduled | CallbackScheduled)]
    half = order[: len(order) // 2]
    assert min(Counter(half).values()) >= 8
    assert len(called(sim)) == 20


def test_attempts_of_other_runs_are_not_held_up_by_many_slow_callbacks():
    few = msgspec.structs.replace(SETTINGS, parallelism=2)
    sim = Simulation(script=of_callbacks(Script(work=10.0)), settings=few)
    sim.store.add_dag(dag(task("a", callbacks=ALL, mapping=mapping_over(50))))
    sim.store.add_dag(dag(task("x", weight=9), dag_id="e"))
    sim.trigger("d")
    sim.run(until=sim.clock.now() + timedelta(seconds=40))
    sim.trigger("e")
    sim.run(until=sim.clock.now() + timedelta(seconds=40))
    assert facts(sim, RunEnded, 2)


def test_callbacks_of_a_mapped_task_are_called_for_each_instance():
    sim = ran(dag(task("a", callbacks=(FAILURE,), mapping=mapping_over(5))), of_bodies(a=Script(outcome="fail")))
    assert sorted(one.map_index for one in facts(sim, CallbackEnded)) == list(range(5))
    assert len(facts(sim, ActivityFailed)) == 5
