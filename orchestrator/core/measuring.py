"""Measuring: how many instances a mapped task has, and which item of its inputs each of them is given."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from math import prod

import msgspec

from orchestrator.core.activity import Activity, Node
from orchestrator.core.extents import Extents, Levels
from orchestrator.core.plan import Plan
from orchestrator.core.spec import Fixed, Length, LengthOf, Longest, Shortest, producers
from orchestrator.core.spec import Mapping as TaskMapping
from orchestrator.names import FINISHED, UNMAPPED, TaskState

Shape = tuple[int, ...]


class Unmeasured(Exception):  # noqa: N818 - a signal between the modules of the core
    """``task_id`` has no result that could be counted, and ``is_over``: never will have, as things stand."""

    def __init__(self, task_id: str, *, is_over: bool) -> None:
        self.task_id = task_id
        self.is_over = is_over


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """The item at ``position`` of the results of a mapped task is the result of its activity ``map_index``."""

    task_id: str
    position: int
    map_index: int


class Measure:
    """Reads the lengths of results in a run, as they are recorded now."""

    def __init__(self, nodes: Mapping[str, Node], plan: Plan) -> None:
        self._nodes = nodes
        self._plan = plan
        self._given: dict[tuple[str, range], tuple[tuple[int, int], Sequence[int]]] = {}

    def expansion(self, task_id: str) -> tuple[Shape, Levels]:
        """The shape of a mapped task, and its extents where several mappings make it up; Unmeasured."""
        for name in self._plan.producers(task_id):
            if not self._nodes[name].is_over:
                raise Unmeasured(name, is_over=False)  # at once: this is asked whenever one of its instances ends
        mappings = self._plan.levels[task_id]
        levels: list[tuple[int, ...]] = []
        shape: list[int] = []
        for depth, mapping in enumerate(mappings):
            around = Extents(tuple(levels))
            if around.count(depth) == 0:
                levels.append((1,))
            elif depth == 0 or not self._is_inside(mapping, task_id, depth):
                found = self.shape(task_id, depth, 0, around)
                shape += found
                levels.append((max(prod(found), min(depth, 1)),))
            else:
                levels.append(tuple(self._rooms(task_id, depth, around)))
        if len(mappings) == 1:
            return tuple(shape), ()
        extents = Extents(tuple(levels))
        return (tuple(shape) if prod(shape) == extents.size else (extents.size,)), tuple(levels)

    def shape(self, task_id: str, depth: int, instance: int, around: Extents) -> Shape:
        """The lengths of the factors of one of its mappings, in one instance of those around it."""
        return tuple(
            self._length(factor, task_id, depth, instance, around)
            for factor in self._plan.levels[task_id][depth].factors
        )

    def coordinates(self, task_id: str, map_index: int) -> tuple[Shape, ...]:
        """For each of its mappings, which item of each factor an activity is given."""
        extents = self._extents(task_id)
        found = []
        for depth in range(len(extents.levels)):
            around = extents.outer(map_index, depth)
            place = extents.outer(map_index, depth + 1) - extents.inside(around, depth, depth + 1).start
            found.append(_digits(place, self.shape(task_id, depth, around, extents)))
        return tuple(found)

    def picks(self, task_id: str, map_index: int) -> Iterator[Pick]:
        """Which results of mapped tasks an activity is given as items."""
        extents = self._extents(task_id)
        for depth, positions in enumerate(self.coordinates(task_id, map_index)):
            around = extents.outer(map_index, depth)
            for factor, position in zip(self._plan.levels[task_id][depth].factors, positions, strict=True):
                yield from self._picks(factor, position, task_id, depth, around, extents)

    def is_empty(self, task_id: str, map_index: int) -> bool:
        """Whether that activity only keeps the place of an instance that is mapped over nothing; Unmeasured."""
        extents = self._extents(task_id)
        return any(
            0 in self.shape(task_id, depth, extents.outer(map_index, depth), extents)
            for depth in range(1, len(extents.levels))
        )

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────

    def _extents(self, task_id: str) -> Extents:
        extents = self._nodes[task_id].extents
        assert extents is not None
        return extents

    def _is_inside(self, mapping: TaskMapping, task_id: str, depth: int) -> bool:
        """Whether its lengths may differ from one instance of the groups around it to the next."""
        return any(self._plan.shared_depth(name, task_id, depth) for name in producers(mapping))

    def _rooms(self, task_id: str, depth: int, around: Extents) -> Iterator[int]:
        """How many instances there are in each of those around, at least one each: it keeps the place."""
        for instance in range(around.count(depth)):
            try:
                yield max(1, prod(self.shape(task_id, depth, instance, around)))
            except Unmeasured as unmeasured:
                if not unmeasured.is_over:
                    raise
                yield 1

    def _length(self, length: Length, task_id: str, depth: int, instance: int, around: Extents) -> int:
        if isinstance(length, Fixed):
            return length.count
        if isinstance(length, LengthOf):
            return self._length_of(length, task_id, depth, instance, around)
        lengths = [self._length(part, task_id, depth, instance, around) for part in length.parts]
        if isinstance(length, Shortest):
            return min(lengths, default=0)
        return max(lengths, default=0) if isinstance(length, Longest) else sum(lengths)

    def _length_of(self, length: LengthOf, task_id: str, depth: int, instance: int, around: Extents) -> int:
        node = self._nodes[length.task_id]
        places = self._places(length.task_id, task_id, depth, instance, around)
        if places is None:
            raise Unmeasured(length.task_id, is_over=node.is_over)
        if not self._is_one(length.task_id, task_id, depth):
            return self._count_of(node, places)
        activity = node.peek(places.start)
        return _items(length, activity)

    def _is_one(self, producer: str, task_id: str, depth: int) -> bool:
        """Whether the task is mapped over the items of one result, and not over the results of several activities."""
        return self._plan.shared_depth(producer, task_id, depth) == self._plan.tasks[producer].depth

    def _places(self, producer: str, task_id: str, depth: int, instance: int, around: Extents) -> range | None:
        """The activities of a producer that count for one instance; None where there are none yet."""
        node, shared = self._nodes[producer], self._plan.shared_depth(producer, task_id, depth)
        if not node.is_mapped or node.size == 0:
            return range(UNMAPPED, 0)
        if node.extents is None:
            return None
        return node.extents.inside(around.outer(instance, shared, depth), shared)

    def _count_of(self, node: Node, places: range) -> int:
        if len(places) and not node.is_over and any(not _is_over(node.peek(index)) for index in places):
            raise Unmeasured(node.task.task_id, is_over=False)
        return len(self._results(node, places))

    def _results(self, node: Node, places: range) -> Sequence[int]:
        """The activities whose results are items: those that succeeded, and returned something."""
        key, stand = (node.task.task_id, places), (node.result_seq, node.done)
        known = self._given.get(key)
        if known is None or known[0] != stand:
            found: Sequence[int] = array("q", _given(node, places))
            known = self._given[key] = stand, places if len(found) == len(places) else found
        return known[1]

    def _picks(
        self, length: Length, position: int, task_id: str, depth: int, instance: int, around: Extents
    ) -> Iterator[Pick]:
        if isinstance(length, Fixed):
            return
        if isinstance(length, LengthOf):
            yield from self._pick(length.task_id, position, task_id, depth, instance, around)
        elif isinstance(length, Shortest | Longest):
            for part in length.parts:
                if position < self._length(part, task_id, depth, instance, around):
                    yield from self._picks(part, position, task_id, depth, instance, around)
        else:
            for part in length.parts:
                count = self._length(part, task_id, depth, instance, around)
                if position < count:
                    yield from self._picks(part, position, task_id, depth, instance, around)
                    return
                position -= count

    def _pick(
        self, producer: str, position: int, task_id: str, depth: int, instance: int, around: Extents
    ) -> Iterator[Pick]:
        node = self._nodes[producer]
        places = self._places(producer, task_id, depth, instance, around)
        if places is None or self._is_one(producer, task_id, depth):
            return
        yield Pick(task_id=producer, position=position, map_index=self._results(node, places)[position])


def _given(node: Node, places: range) -> Iterator[int]:
    for map_index in places:
        activity = node.peek(map_index)
        if activity is not None and activity.state is TaskState.SUCCESS and activity.gave:
            yield map_index


def _items(length: LengthOf, activity: Activity | None) -> int:
    if activity is None or not _is_over(activity):
        raise Unmeasured(length.task_id, is_over=False)
    found = activity.length if length.key is None else (activity.lengths or {}).get(length.key)
    if activity.state is not TaskState.SUCCESS or found is None:
        raise Unmeasured(length.task_id, is_over=True)
    return found


def _is_over(activity: Activity | None) -> bool:
    return activity is not None and activity.state in FINISHED


def _digits(place: int, shape: Shape) -> Shape:
    """The place in a row-major array of that shape, as an index for each of its dimensions."""
    found = []
    for size in reversed(shape):
        place, digit = divmod(place, max(size, 1))
        found.append(digit)
    return tuple(reversed(found))
