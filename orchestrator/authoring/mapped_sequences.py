"""Sequences that are made of others when they are looked at: mapped, zipped, one after another."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

NOTHING: Any = object()
"""The fillvalue of a zip that is not filled up."""


class View(Sequence[Any]):
    """Reads one item at a time; a slice is a list."""

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self.at(place) for place in range(*index.indices(len(self)))]
        return self.at(index + len(self) if index < 0 else index)

    @abstractmethod
    def at(self, index: int) -> Any:
        """The item at a place that is not negative; IndexError if there is none."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        return len(self) == len(other) and all(one == another for one, another in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}([{len(self)} items])"

    def __str__(self) -> str:
        return str(list(self))


class Mapped(View):
    """``function`` of each item."""

    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any]) -> None:
        self._function = function
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def at(self, index: int) -> Any:
        return self._function(self._items[index])


class Zipped(View):
    """Tuples of one item of each; as many as the shortest has, or with a fillvalue as the longest has."""

    def __init__(self, parts: Sequence[Sequence[Any]], fillvalue: Any = NOTHING) -> None:
        self._parts = parts
        self._fillvalue = fillvalue

    def __len__(self) -> int:
        lengths = [len(part) for part in self._parts]
        return min(lengths) if self._fillvalue is NOTHING else max(lengths)

    def at(self, index: int) -> Any:
        return tuple(self._of(part, index) for part in self._parts)

    def _of(self, part: Sequence[Any], index: int) -> Any:
        try:
            return part[index]
        except IndexError:
            if self._fillvalue is NOTHING:
                raise
            return self._fillvalue


class Chained(View):
    """One after another."""

    def __init__(self, parts: Sequence[Sequence[Any]]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def at(self, index: int) -> Any:
        for part in self._parts:
            if index < len(part):
                return part[index]
            index -= len(part)
        raise IndexError("there are not so many items")
