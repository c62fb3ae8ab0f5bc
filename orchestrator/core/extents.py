"""Extents: where the instances of a mapped task lie, and which of them belong to the same instance of a group."""

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

Levels = tuple[tuple[int, ...], ...]


class Extents:
    """``levels`` are the mapped groups around a task, outermost first, then its own mapping: for each, how many
    instances there are in each instance of the level around it, as one number where they all have as many.

    Instances are numbered row-major, so those that share an instance of a level lie side by side.
    """

    def __init__(self, levels: Levels) -> None:
        self.levels = levels

    @cached_property
    def size(self) -> int:
        """How many instances there are in all."""
        return self.count(len(self.levels))

    @cached_property
    def _starts(self) -> tuple[list[int] | None, ...]:
        """Where the instances of each level begin that are not equally many everywhere."""
        return tuple(None if len(level) == 1 else [0, *accumulate(level)] for level in self.levels)

    def count(self, depth: int) -> int:
        """How many instances the outermost ``depth`` levels have."""
        found = 1
        for level in self.levels[:depth]:
            found = found * level[0] if len(level) == 1 else sum(level)
        return found

    def outer(self, index: int, depth: int, of: int | None = None) -> int:
        """In which instance of the outermost ``depth`` levels an instance of the first ``of`` levels lies."""
        for place in range((len(self.levels) if of is None else of) - 1, depth - 1, -1):
            starts = self._starts[place]
            index = index // self.levels[place][0] if starts is None else bisect_right(starts, index) - 1
        return index

    def inside(self, instance: int, depth: int, of: int | None = None) -> range:
        """The instances of the first ``of`` levels that lie in one instance of the outermost ``depth`` levels; none
        where there is no such instance.
        """
        if instance >= self.count(depth):
            return range(0)
        first, stop = instance, instance + 1
        for place in range(depth, len(self.levels) if of is None else of):
            starts = self._starts[place]
            if starts is None:
                first, stop = first * self.levels[place][0], stop * self.levels[place][0]
            else:
                first, stop = starts[first], starts[stop]
        return range(first, stop)
