"""Admission: which of all that is ready, over all runs, may be handed out now.

Limits are counted from the attempts that are open, so a slot cannot leak. Candidates that meet a full limit are parked
on it, and the best that fits is looked at again when there is room: no turn looks at everything that waits.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count
from typing import TypeAlias

import msgspec

from orchestrator.core.run import Run
from orchestrator.core.spec import TaskSpec
from orchestrator.core.turns import Turns

UNLIMITED = -1

Limit: TypeAlias = tuple[str, ...]
Rank: TypeAlias = tuple[int, int]
Place: TypeAlias = tuple[int, int, int, int]
Name: TypeAlias = tuple[int, str, int, str | None]
Entry: TypeAlias = tuple[Place, int, Name]
_ALL: Limit = ("all",)
_SPARE = 64


class Admitted(msgspec.Struct, frozen=True):
    """These may start now."""

    run: Run
    task_id: str
    map_index: int
    count: int


class _Bucket:
    """Candidates that share every limit, best first: (rank, task_id, first map_index, count).

    It stands in one queue at a time: the entry there whose number is ``ticket``; others of it are left-overs.
    """

    __slots__ = ("heap", "limits", "name", "run", "slots", "ticket")

    def __init__(self, name: Name, run: Run, limits: dict[Limit, int], slots: int) -> None:
        self.name = name
        self.run = run
        self.limits = limits
        self.slots = slots
        self.ticket = 0
        self.heap: list[tuple[Rank, str, int, int]] = []


class Admission:
    """The ready activities of all open runs, and the room that is left for them."""

    def __init__(self, *, parallelism: int, pools: Mapping[str, int]) -> None:
        self._parallelism = parallelism
        self._pools = dict(pools)
        self._used: Counter[Limit] = Counter()
        self._held: dict[tuple[int, str, int], tuple[tuple[Limit, ...], int]] = {}
        self._buckets: dict[Name, _Bucket] = {}
        self._names: dict[int, list[Name]] = {}
        self._active: list[Entry] = []
        self._parked: dict[Limit, dict[int, list[Entry]]] = {}  # by limit and the slots of it that are wanted
        self._order = count()
        self._turns = Turns()

    # ── what wants to run ────────────────────────────────────────────────────────────────────────────────

    def offer(self, run: Run, task: TaskSpec, map_index: int, count: int) -> None:
        """These ``count`` activities are ready. Higher weight first; of equal weight runs take turns, older ones first,
        and in a run what came first.
        """
        name: Name = (run.run_key, task.pool, task.pool_slots, task.task_id if _has_own_limit(task) else None)
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket(name, run, _limits(run, task), task.pool_slots)
            self._names.setdefault(run.run_key, []).append(name)
        rank = (-task.weight, next(self._order))
        is_best = not bucket.heap or rank < bucket.heap[0][0]
        heapq.heappush(bucket.heap, (rank, task.task_id, map_index, count))
        if is_best:
            self._turns.join(task.weight, run.run_key)
            self._activate(bucket)

    def forget(self, run_key: int) -> None:
        """Nothing of that run waits any more; the room that it was about to look at goes to others."""
        self._turns.forget(run_key)
        for name in self._names.pop(run_key, ()):
            for limit in self._buckets.pop(name).limits:
                self._wake(limit)

    # ── what runs ────────────────────────────────────────────────────────────────────────────────────────

    def occupy(self, run: Run, task: TaskSpec, map_index: int) -> None:
        """An attempt is open and takes its slots."""
        place = (run.run_key, task.task_id, map_index)
        if place in self._held:
            return
        limits = tuple(_limits(run, task))
        self._held[place] = (limits, task.pool_slots)
        self._use(limits, task.pool_slots)

    def release(self, run_key: int, task_id: str, map_index: int) -> None:
        """An attempt is closed and gives its slots back; no matter if it held none."""
        held = self._held.pop((run_key, task_id, map_index), None)
        if held is None:
            return
        limits, slots = held
        self._use(limits, -slots, -1)
        for limit in limits:
            self._wake(limit)

    def used(self, limit: Limit) -> int:
        """Slots in use under a limit: ("all",), ("pool", name), ("run", run_key)…"""
        return self._used[limit]

    def set_pools(self, pools: Mapping[str, int]) -> None:
        """The pools as they are now; what was parked on one is looked at again."""
        self._pools = dict(pools)
        for limit in [limit for limit in self._parked if limit[0] == "pool"]:
            for group in self._parked.pop(limit).values():
                for entry in group:
                    heapq.heappush(self._active, entry)

    # ── slots for other than attempts ────────────────────────────────────────────────────────────────────

    @property
    def free(self) -> int:
        """How many may start over all limits."""
        return max(0, self._parallelism - self._used[_ALL])

    @property
    def is_contested(self) -> bool:
        """Whether an attempt may be waiting for nothing but a free slot."""
        return bool(self._active)

    def take_slots(self, count: int) -> None:
        """Something else takes as many slots, or gives them back where it is negative."""
        self._use((), 0, count)

    # ── the choice ───────────────────────────────────────────────────────────────────────────────────────

    def admit(self) -> Iterator[Admitted]:
        """Take as much as there is room for, best first; each counts as open from here on."""
        while self._active and self._used[_ALL] < self._parallelism:
            entry = heapq.heappop(self._active)
            bucket = self._standing(entry)
            if bucket is None:
                continue
            if entry[0][1] < self._turns.round(
                -entry[0][0], bucket.run.run_key
            ):  # its run has had a turn since, by another bucket
                self._activate(bucket)
                continue
            full = next((limit for limit in bucket.limits if not self._has_room(bucket, limit)), None)
            if full is not None:
                self._park(bucket, full)
            else:
                yield from self._take(bucket)
                if bucket.heap:
                    self._activate(bucket)
            # What it left, or could not take, goes to whoever waits there.
            for limit in bucket.limits:
                self._wake(limit)

    def _take(self, bucket: _Bucket) -> Iterator[Admitted]:
        rank, task_id, first, count = heapq.heappop(bucket.heap)
        run = bucket.run
        task = run.plan.tasks.get(task_id)
        while count and not run.may_start(task_id, first):
            first, count = first + 1, count - 1
        if task is None or not count:
            return
        room, attempt = min(count, self._share(bucket, rank)), run.next_attempt(task_id, first)
        taken = next((n for n in range(1, room) if not _goes_along(run, task_id, first + n, attempt)), room)
        if taken < count:
            heapq.heappush(bucket.heap, (rank, task_id, first + taken, count - taken))
        for map_index in range(first, first + taken):
            self.occupy(run, task, map_index)
        self._turns.took(-rank[0], run.run_key, taken)
        yield Admitted(run, task_id, first, taken)

    def _share(self, bucket: _Bucket, rank: Rank) -> int:
        """How many it may take now: what fits, and no more than its turn while others of that weight stand in line."""
        room = self._room(bucket)
        is_alone = not self._active or self._active[0][0][0] != rank[0]
        return room if is_alone else min(room, self._turns.left(-rank[0], bucket.run.run_key))

    def _room(self, bucket: _Bucket) -> int:
        """How many activities of this bucket still fit; at least 1 here, as every limit has room."""
        rooms = [
            (most - self._used[limit]) // (bucket.slots if limit[0] == "pool" else 1)
            for limit in bucket.limits
            if (most := self._size(bucket, limit)) != UNLIMITED
        ]
        return min([self._parallelism - self._used[_ALL], *rooms])

    def _has_room(self, bucket: _Bucket, limit: Limit) -> bool:
        most = self._size(bucket, limit)
        return most == UNLIMITED or self._used[limit] + (bucket.slots if limit[0] == "pool" else 1) <= most

    def _size(self, bucket: _Bucket, limit: Limit) -> int:
        return self._pools.get(limit[1], 0) if limit[0] == "pool" else bucket.limits[limit]

    # ── parking ──────────────────────────────────────────────────────────────────────────────────────────

    def _activate(self, bucket: _Bucket) -> None:
        self._stand(bucket, self._active)

    def _park(self, bucket: _Bucket, full: Limit) -> None:
        slots = bucket.slots if full[0] == "pool" else 1
        self._stand(bucket, self._parked.setdefault(full, {}).setdefault(slots, []))

    def _stand(self, bucket: _Bucket, queue: list[Entry]) -> None:
        """Put it into a queue, which also throws out the left-overs when most of it is such."""
        bucket.ticket = next(self._order)
        heapq.heappush(queue, (self._place(bucket), bucket.ticket, bucket.name))
        if len(queue) > 2 * len(self._buckets) + _SPARE:
            queue[:] = [entry for entry in queue if self._standing(entry) is not None]
            heapq.heapify(queue)

    def _place(self, bucket: _Bucket) -> Place:
        """Where it stands in a queue: by weight, by its run's turn, by age, first come."""
        weight, order = bucket.heap[0][0]
        run_key = bucket.run.run_key
        return (weight, self._turns.round(-weight, run_key), run_key, order)

    def _standing(self, entry: Entry) -> _Bucket | None:
        """The bucket of an entry, unless that is a left-over."""
        bucket = self._buckets.get(entry[2])
        return bucket if bucket is not None and bucket.ticket == entry[1] and bucket.heap else None

    def _wake(self, limit: Limit) -> None:
        """Give the best of those that are parked on a limit, and that it has room for, another try."""
        groups = self._parked.get(limit)
        if groups is None:
            return
        fitting = [group for slots, group in list(groups.items()) if self._fits(groups, slots, limit)]
        if fitting:
            heapq.heappush(self._active, heapq.heappop(min(fitting)))
        if not groups:
            del self._parked[limit]

    def _fits(self, groups: dict[int, list[Entry]], slots: int, limit: Limit) -> bool:
        """Whether there is room for the best that wants that many slots; a group of left-overs goes."""
        group = groups[slots]
        while group:
            bucket = self._standing(group[0])
            if bucket is not None:
                return self._has_room(bucket, limit)
            heapq.heappop(group)
        del groups[slots]
        return False

    def _use(self, limits: tuple[Limit, ...], slots: int, one: int = 1) -> None:
        for limit in (_ALL, *limits):
            self._used[limit] += slots if limit[0] == "pool" else one
            if not self._used[limit]:
                del self._used[limit]


def _has_own_limit(task: TaskSpec) -> bool:
    return task.max_active_tis_per_dag is not None or task.max_active_tis_per_dagrun is not None


def _goes_along(run: Run, task_id: str, map_index: int, attempt: int) -> bool:
    """Whether this one may start under the attempt number of those before it: a number is never used twice."""
    return run.may_start(task_id, map_index) and run.next_attempt(task_id, map_index) == attempt


def _limits(run: Run, task: TaskSpec) -> dict[Limit, int]:
    """The limits that a task of a run is under, each with its size (a pool's is looked up when it is needed)."""
    key = str(run.run_key)
    found: dict[Limit, int] = {("pool", task.pool): UNLIMITED, ("run", key): run.plan.spec.max_active_tasks}
    if task.max_active_tis_per_dag is not None:
        found["task", run.dag_id, task.task_id] = task.max_active_tis_per_dag
    if task.max_active_tis_per_dagrun is not None:
        found["run task", key, task.task_id] = task.max_active_tis_per_dagrun
    return found
