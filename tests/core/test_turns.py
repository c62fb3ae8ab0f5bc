"""Fairness: a run with much that is ready does not keep the others from their turn, nor they it."""

from collections import Counter, deque
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.admission import Admission
from orchestrator.core.events import Recorded, TaskExpanded
from orchestrator.core.run import Run
from orchestrator.core.spec import TaskSpec, mapping_over
from orchestrator.core.turns import TURN
from orchestrator.testing.clock import EPOCH
from tests.core.test_admission import new_run, offer_all

MANY = TaskSpec(task_id="m", mapping=mapping_over(1_000))


class Slots:
    """An admission whose activities end one after another, the oldest first; ``taken`` counts them by run."""

    def __init__(self, parallelism: int) -> None:
        self.parallelism = parallelism
        self.admission = Admission(parallelism=parallelism, pools={"default_pool": -1})
        self.open: deque[tuple[int, str, int]] = deque()
        self.taken: Counter[int] = Counter()

    def add_map(self, run_key: int, width: int, weight: int = 1) -> None:
        task = TaskSpec(task_id="m", mapping=mapping_over(width), weight=weight)
        run = new_run(run_key, task)
        run.apply(Recorded(2, EPOCH, TaskExpanded(task_id="m", shape=(width,))))
        self.admission.offer(run, task, 0, width)

    def add_single(self, run_key: int, weight: int = 1) -> Run:
        run = new_run(run_key, TaskSpec(task_id="a", weight=weight))
        offer_all(self.admission, run)
        return run

    def admit(self) -> list[int]:
        """The runs whose activities begin now, in order."""
        fresh = list(self._fresh())
        assert len(self.open) <= self.parallelism
        self.taken.update(fresh)
        return fresh

    def _fresh(self) -> Iterator[int]:
        for one in self.admission.admit():
            for map_index in range(one.map_index, one.map_index + one.count):
                self.open.append((one.run.run_key, one.task_id, map_index))
                yield one.run.run_key

    def end_one(self) -> list[int]:
        """One ends; those that begin in its place."""
        self.admission.release(*self.open.popleft())
        return self.admit()


@given(parallelism=st.integers(1, 40), ended=st.integers(0, 200), others=st.integers(1, 3))
def test_a_newcomer_waits_for_no_more_than_one_turn_of_each_run(parallelism: int, ended: int, others: int) -> None:
    slots = Slots(parallelism)
    for run_key in range(1, others + 1):
        slots.add_map(run_key, 2_000)
    slots.admit()
    for _ in range(ended):
        slots.end_one()
    slots.add_single(99)
    begun: list[int] = []
    while 99 not in begun:
        begun += slots.end_one()
        assert len(begun) <= TURN * others + 1


@given(st.integers(1, 40))
def test_small_runs_that_keep_coming_do_not_starve_a_large_one(parallelism: int) -> None:
    slots = Slots(parallelism)
    slots.add_map(1, 2_000)
    slots.admit()
    for run_key in range(2, 302):
        slots.add_single(run_key)
        slots.end_one()
    assert slots.taken[1] >= 300 // 5


@given(parallelism=st.integers(1, 40), ended=st.integers(0, 300))
def test_runs_that_want_as_much_get_as_much_within_one_turn(parallelism: int, ended: int) -> None:
    slots = Slots(parallelism)
    for run_key in (1, 2, 3):
        slots.add_map(run_key, 1_000)
    slots.admit()
    for _ in range(ended):
        slots.end_one()
    counts = [slots.taken[run_key] for run_key in (1, 2, 3)]
    assert max(counts) - min(counts) <= TURN


@given(
    runs=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 40)), min_size=1, max_size=5),
    parallelism=st.integers(1, 9),
)
def test_what_is_heavier_always_goes_first_and_everything_goes_in_the_end(
    runs: list[tuple[int, int]], parallelism: int
) -> None:
    slots = Slots(parallelism)
    weights = {run_key: weight for run_key, (weight, _) in enumerate(runs, 1)}
    for run_key, (weight, width) in enumerate(runs, 1):
        slots.add_map(run_key, width, weight)
    order = slots.admit()
    while slots.open:
        order += slots.end_one()
    assert slots.taken == {run_key: width for run_key, (_, width) in enumerate(runs, 1)}
    assert [weights[run_key] for run_key in order] == sorted((weights[one] for one in order), reverse=True)


def test_a_run_that_has_waited_for_nothing_meanwhile_has_no_claim_on_what_others_took() -> None:
    slots = Slots(4)
    run = new_run(1, MANY)
    run.apply(Recorded(2, EPOCH, TaskExpanded(task_id="m", shape=(1_000,))))
    slots.admission.offer(run, MANY, 999, 1)
    slots.add_map(2, 1_000)
    slots.add_map(3, 1_000)
    slots.admit()
    for _ in range(400):
        slots.end_one()
    slots.admission.offer(run, MANY, 0, 999)
    before = slots.taken.copy()
    for _ in range(300):
        slots.end_one()
    shares = [slots.taken[run_key] - before[run_key] for run_key in (1, 2, 3)]
    assert max(shares) - min(shares) <= 2 * TURN


def test_a_run_takes_all_room_at_once_where_nobody_else_waits() -> None:
    slots = Slots(40)
    slots.add_map(1, 100)
    assert [(one.map_index, one.count) for one in slots.admission.admit()] == [(0, 40)]


def test_room_for_many_goes_to_several_runs_at_once() -> None:
    slots = Slots(2 * TURN + 1)
    slots.add_map(1, 100)
    slots.add_single(2)
    assert slots.admit() == [1] * TURN + [2] + [1] * TURN


def test_a_small_run_that_is_older_still_ends_before_a_younger_one_begins() -> None:
    slots = Slots(1)
    for run_key in (2, 1):
        slots.add_map(run_key, TURN)
    order = slots.admit()
    while slots.open:
        order += slots.end_one()
    assert order == [1] * TURN + [2] * TURN
