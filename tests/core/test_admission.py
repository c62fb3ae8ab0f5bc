"""Admission: what may be handed out now, over all runs."""

import weakref
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.admission import Admission, Admitted
from orchestrator.core.events import Recorded, RunCreated, TaskExpanded
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.spec import DagSpec, TaskSpec, mapping_over
from orchestrator.names import RunType
from orchestrator.testing.clock import EPOCH


def new_run(run_key: int, *tasks: TaskSpec, max_active_tasks: int = 1000) -> Run:
    spec = DagSpec(dag_id="d", tasks=tasks, max_active_tasks=max_active_tasks)
    created = RunCreated(
        dag_id="d", run_id=f"r{run_key}", run_uid="u", run_type=RunType.MANUAL, version_id=1, fingerprint=""
    )
    run = Run(run_key, Plan(spec), Recorded(1, EPOCH, created))
    for task in tasks:
        run.nodes[task.task_id].released = True
    return run


def offer_all(admission: Admission, run: Run) -> None:
    for task in run.plan.spec.tasks:
        admission.offer(run, task, -1, 1)


def names(admitted: list[Admitted]) -> list[str]:
    return [one.task_id for one in admitted]


def test_a_freed_slot_goes_to_the_heaviest_that_waits():
    run = new_run(1, *(TaskSpec(task_id=f"w{weight}", weight=weight) for weight in (3, 1, 2)))
    admission = Admission(parallelism=1, pools={"default_pool": 9})
    offer_all(admission, run)
    order = []
    for _ in range(3):
        (one,) = admission.admit()
        order.append(one.task_id)
        admission.release(1, one.task_id, -1)
    assert order == ["w3", "w2", "w1"]


def test_of_two_equally_heavy_tasks_the_older_run_goes_first():
    admission = Admission(parallelism=1, pools={"default_pool": 9})
    for run_key in (7, 3, 5):
        offer_all(admission, new_run(run_key, TaskSpec(task_id="a")))
    order = []
    for _ in range(3):
        (one,) = admission.admit()
        order.append(one.run.run_key)
        admission.release(one.run.run_key, "a", -1)
    assert order == [3, 5, 7]


def test_a_full_pool_does_not_hold_up_tasks_of_another():
    run = new_run(
        1, TaskSpec(task_id="a", pool="p", weight=9), TaskSpec(task_id="b", pool="p", weight=8), TaskSpec(task_id="c")
    )
    admission = Admission(parallelism=9, pools={"p": 1, "default_pool": 1})
    offer_all(admission, run)
    assert names(list(admission.admit())) == ["a", "c"]


def test_a_range_of_a_mapped_task_is_admitted_in_pieces_as_room_comes():
    task = TaskSpec(task_id="m", mapping=mapping_over(10))
    run = new_run(1, task)
    run.apply(Recorded(2, EPOCH, TaskExpanded(task_id="m", shape=(10,))))
    admission = Admission(parallelism=4, pools={"default_pool": 9})
    admission.offer(run, task, 0, 10)
    assert [(one.map_index, one.count) for one in admission.admit()] == [(0, 4)]
    admission.release(1, "m", 2)
    assert [(one.map_index, one.count) for one in admission.admit()] == [(4, 1)]


def test_a_candidate_that_may_not_start_any_more_takes_no_room():
    run = new_run(1, TaskSpec(task_id="a"), TaskSpec(task_id="b"))
    admission = Admission(parallelism=1, pools={"default_pool": 9})
    offer_all(admission, run)
    run.nodes["a"].released = False
    assert names(list(admission.admit())) == ["b"]


def test_a_run_that_is_forgotten_waits_no_more():
    admission = Admission(parallelism=9, pools={"default_pool": 9})
    offer_all(admission, new_run(1, TaskSpec(task_id="a")))
    admission.forget(1)
    assert not list(admission.admit())


@pytest.mark.parametrize("slots", [-1, 0, 1, 3])
def test_a_pool_of_minus_one_has_no_limit_and_one_of_nought_admits_nothing(slots: int):
    run = new_run(1, *(TaskSpec(task_id=f"t{i}", pool="p") for i in range(5)))
    admission = Admission(parallelism=99, pools={"p": slots})
    offer_all(admission, run)
    assert len(list(admission.admit())) == (5 if slots == -1 else slots)


TASKS = st.builds(
    TaskSpec,
    task_id=st.uuids().map(str),
    weight=st.integers(1, 3),
    pool=st.sampled_from(["p", "q"]),
    pool_slots=st.integers(1, 2),
    max_active_tis_per_dag=st.none() | st.integers(1, 2),
)


@given(
    st.lists(st.tuples(st.lists(TASKS, max_size=6), st.integers(1, 3)), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(2, 4),
    st.integers(2, 3),
    st.randoms(use_true_random=False),
)
def test_no_limit_is_ever_exceeded_and_everything_is_admitted_in_the_end(worlds, parallelism, p, q, dice):
    admission = Admission(parallelism=parallelism, pools={"p": p, "q": q})
    runs = [new_run(key, *tasks, max_active_tasks=most) for key, (tasks, most) in enumerate(worlds, 1)]
    for run in runs:
        offer_all(admission, run)
    left = sum(len(tasks) for tasks, _ in worlds)
    waiting = {run.run_key: list(run.nodes) for run in runs}
    open_: list[Admitted] = []
    while left:
        admitted = list(admission.admit())
        left -= len(admitted)
        open_ += admitted
        for one in admitted:
            waiting[one.run.run_key].remove(one.task_id)
        assert open_, "something waits although nothing is open"
        assert len(open_) <= parallelism
        slots = Counter()
        for one in open_:
            task = one.run.plan.tasks[one.task_id]
            slots[task.pool] += task.pool_slots
        assert slots["p"] <= p
        assert slots["q"] <= q
        for run in runs:
            assert sum(one.run is run for one in open_) <= run.plan.spec.max_active_tasks
            for task_id in waiting[run.run_key]:
                assert is_held_up(run, run.plan.tasks[task_id], open_, slots, parallelism, {"p": p, "q": q})
        done = open_.pop(dice.randrange(len(open_)))
        admission.release(done.run.run_key, done.task_id, -1)


def is_held_up(run: Run, task: TaskSpec, open_: list[Admitted], slots: Counter, parallelism: int, pools: dict) -> bool:
    """Whether a limit is full for a task that waits."""
    return (
        len(open_) == parallelism
        or slots[task.pool] + task.pool_slots > pools[task.pool]
        or sum(one.run is run for one in open_) == run.plan.spec.max_active_tasks
        or sum(one.task_id == task.task_id for one in open_) == task.max_active_tis_per_dag
    )


def test_a_task_that_wants_more_than_its_pool_has_does_not_hold_up_the_others():
    big = TaskSpec(task_id="big", pool="p", pool_slots=5, weight=9)
    run = new_run(1, big, TaskSpec(task_id="first", pool="p"), TaskSpec(task_id="second", pool="p"))
    admission = Admission(parallelism=9, pools={"p": 1})
    offer_all(admission, run)
    assert names(list(admission.admit())) == ["first"]
    admission.release(1, "first", -1)
    assert names(list(admission.admit())) == ["second"]
    admission.release(1, "second", -1)
    admission.set_pools({"p": 5})
    assert names(list(admission.admit())) == ["big"]


def test_the_slots_that_one_attempt_gives_back_are_taken_by_as_many_runs_as_they_are_enough_for():
    big, small = TaskSpec(task_id="big", pool="p", pool_slots=3, weight=9), TaskSpec(task_id="small", pool="p")
    admission = Admission(parallelism=9, pools={"p": 3})
    for run in (new_run(1, big), *(new_run(key, small) for key in (2, 3, 4))):
        offer_all(admission, run)
    assert names(list(admission.admit())) == ["big"]
    admission.release(1, "big", -1)
    assert [one.run.run_key for one in admission.admit()] == [2, 3, 4]


def test_a_range_ends_where_an_attempt_number_would_be_used_twice():
    task = TaskSpec(task_id="m", mapping=mapping_over(4))
    run = new_run(1, task)
    run.apply(Recorded(2, EPOCH, TaskExpanded(task_id="m", shape=(4,))))
    run.nodes["m"].activity(2).attempt = 3
    admission = Admission(parallelism=9, pools={"default_pool": 9})
    admission.offer(run, task, 0, 4)
    assert [(one.map_index, one.count) for one in admission.admit()] == [(0, 2), (2, 1), (3, 1)]


def test_runs_that_come_and_go_while_a_pool_is_closed_leave_nothing_behind():
    admission = Admission(parallelism=9, pools={"p": 0})
    runs = []
    for key in range(1, 300):
        run = new_run(key, TaskSpec(task_id="a", pool="p"))
        runs.append(weakref.ref(run))
        offer_all(admission, run)
        assert not list(admission.admit())
        admission.forget(key)
        del run
    assert not any(run() for run in runs)


def test_room_that_was_offered_to_a_run_that_is_forgotten_goes_to_the_next():
    task = TaskSpec(task_id="a", pool="p")
    admission = Admission(parallelism=9, pools={"p": 1})
    for run_key in (1, 2, 3):
        offer_all(admission, new_run(run_key, task))
    assert [one.run.run_key for one in admission.admit()] == [1]
    admission.release(1, "a", -1)
    admission.forget(2)
    assert [one.run.run_key for one in admission.admit()] == [3]
