"""Admission: which of all that is ready, over all runs, may be handed out now.

Limits are counted from the attempts that are open, so a slot cannot leak. A candidate that meets a full limit is
parked on it and looked at again when that limit gives: no turn looks at everything that waits.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count
from typing import TypeAlias

import msgspec

from orchestrator.core.run import Run
from orchestrator.core.spec import TaskSpec

UNLIMITED = -1

Limit: TypeAlias = tuple[str, ...]
Rank: TypeAlias = tuple[int, int, int]
_ALL: Limit = ("all",)


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

    __slots__ = ("heap", "limits", "run", "slots", "ticket")

    def __init__(self, run: Run, limits: tuple[tuple[Limit, int], ...], slots: int) -> None:
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
        self._buckets: dict[tuple[object, ...], _Bucket] = {}
        self._names: dict[int, list[tuple[object, ...]]] = {}
        self._active: list[tuple[Rank, int, _Bucket]] = []
        self._parked: dict[Limit, list[tuple[Rank, int, _Bucket]]] = {}
        self._order = count()

    # ── what wants to run ────────────────────────────────────────────────────────────────────────────────

    def offer(self, run: Run, task: TaskSpec, map_index: int, count: int) -> None:
        """These ``count`` activities are ready. Higher weight first, then older runs, then first come."""
        name = (run.run_key, task.pool, task.pool_slots, task.task_id if _has_own_limit(task) else None)
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket(run, _limits(run, task), task.pool_slots)
            self._names.setdefault(run.run_key, []).append(name)
        rank = (-task.weight, run.run_key, next(self._order))
        is_best = not bucket.heap or rank < bucket.heap[0][0]
        heapq.heappush(bucket.heap, (rank, task.task_id, map_index, count))
        if is_best:
            self._activate(bucket)

    def forget(self, run_key: int) -> None:
        """Nothing of that run waits any more."""
        for name in self._names.pop(run_key, ()):
            self._buckets.pop(name).heap.clear()

    # ── what runs ────────────────────────────────────────────────────────────────────────────────────────

    def occupy(self, run: Run, task: TaskSpec, map_index: int) -> None:
        """An attempt is open and takes its slots."""
        place = (run.run_key, task.task_id, map_index)
        if place in self._held:
            return
        limits = tuple(limit for limit, _ in _limits(run, task))
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
            for entry in self._parked.pop(limit):
                heapq.heappush(self._active, entry)

    # ── the choice ───────────────────────────────────────────────────────────────────────────────────────

    def admit(self) -> Iterator[Admitted]:
        """Take as much as there is room for, best first; each counts as open from here on."""
        while self._active and self._used[_ALL] < self._parallelism:
            _, ticket, bucket = heapq.heappop(self._active)
            if ticket != bucket.ticket or not bucket.heap:
                continue
            full = next((limit for limit, size in bucket.limits if not self._has_room(limit, size, bucket.slots)), None)
            if full is not None:
                self._park(bucket, full)
                continue
            yield from self._take(bucket)
            if bucket.heap:
                self._activate(bucket)

    def _take(self, bucket: _Bucket) -> Iterator[Admitted]:
        rank, task_id, first, count = heapq.heappop(bucket.heap)
        run = bucket.run
        task = run.plan.tasks.get(task_id)
        while count and not run.may_start(task_id, first):
            first, count = first + 1, count - 1
        if task is None or not count:
            return
        room = min(count, self._room(bucket))
        taken = next((n for n in range(1, room) if not run.may_start(task_id, first + n)), room)
        if taken < count:
            heapq.heappush(bucket.heap, (rank, task_id, first + taken, count - taken))
        for map_index in range(first, first + taken):
            self.occupy(run, task, map_index)
        yield Admitted(run, task_id, first, taken)

    def _room(self, bucket: _Bucket) -> int:
        """How many activities of this bucket still fit; at least 1 here, as every limit has room."""
        rooms = [self._parallelism - self._used[_ALL]]
        for limit, size in bucket.limits:
            if (most := self._size(limit, size)) != UNLIMITED:
                rooms.append((most - self._used[limit]) // (bucket.slots if limit[0] == "pool" else 1))
        return min(rooms)

    def _has_room(self, limit: Limit, size: int, slots: int) -> bool:
        most = self._size(limit, size)
        return most == UNLIMITED or self._used[limit] + (slots if limit[0] == "pool" else 1) <= most

    def _size(self, limit: Limit, size: int) -> int:
        return self._pools.get(limit[1], 0) if limit[0] == "pool" else size

    # ── parking ──────────────────────────────────────────────────────────────────────────────────────────

    def _activate(self, bucket: _Bucket) -> None:
        heapq.heappush(self._active, self._entry(bucket))

    def _park(self, bucket: _Bucket, full: Limit) -> None:
        heapq.heappush(self._parked.setdefault(full, []), self._entry(bucket))
        # It gave up its turn at the limits that do have room: whoever waits there gets it.
        for limit, size in bucket.limits:
            if limit != full and self._has_room(limit, size, 1):
                self._wake(limit)

    def _entry(self, bucket: _Bucket) -> tuple[Rank, int, _Bucket]:
        bucket.ticket = next(self._order)
        return bucket.heap[0][0], bucket.ticket, bucket

    def _wake(self, limit: Limit) -> None:
        """Give the best that is parked on a limit another try."""
        parked = self._parked.get(limit, [])
        while parked:
            entry = heapq.heappop(parked)
            if entry[1] == entry[2].ticket and entry[2].heap:
                heapq.heappush(self._active, entry)
                return
        self._parked.pop(limit, None)

    def _use(self, limits: tuple[Limit, ...], slots: int, one: int = 1) -> None:
        for limit in (_ALL, *limits):
            self._used[limit] += slots if limit[0] == "pool" else one
            if not self._used[limit]:
                del self._used[limit]


def _has_own_limit(task: TaskSpec) -> bool:
    return task.max_active_tis_per_dag is not None or task.max_active_tis_per_dagrun is not None


def _limits(run: Run, task: TaskSpec) -> tuple[tuple[Limit, int], ...]:
    """The limits that a task of a run is under, each with its size (a pool's is looked up when it is needed)."""
    key = str(run.run_key)
    found: list[tuple[Limit, int]] = [
        (("pool", task.pool), UNLIMITED),
        (("run", key), run.plan.spec.max_active_tasks),
    ]
    if task.max_active_tis_per_dag is not None:
        found.append((("task", run.dag_id, task.task_id), task.max_active_tis_per_dag))
    if task.max_active_tis_per_dagrun is not None:
        found.append((("run task", key, task.task_id), task.max_active_tis_per_dagrun))
    return tuple(found)
