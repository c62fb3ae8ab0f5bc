"""Columns of a picture: in which order their slots stand, so that few edges cross, and at which height."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

_SWEEPS = 8


@dataclass(eq=False)
class Slot:
    """A task, a group, or, with ``ends``, the lane of an edge. ``middle`` is its height in the picture."""

    name: str = ""
    width: float = 0.0
    height: float = 0.0
    ends: tuple[str, str] | None = None
    middle: float = 0.0
    before: list["Slot"] = field(default_factory=list)
    after: list["Slot"] = field(default_factory=list)

    @property
    def top(self) -> float:
        return self.middle - self.height / 2

    @property
    def bottom(self) -> float:
        return self.middle + self.height / 2

    def join(self, other: "Slot") -> None:
        """An edge leads from here to the other one."""
        self.after.append(other)
        other.before.append(self)


Column: TypeAlias = list[Slot]
_Beside: TypeAlias = Callable[[Slot], Sequence[Slot]]


def settle(columns: Sequence[Column], gap: float) -> None:
    """Order each column and give its slots their heights: near what they are joined with, and ``gap`` apart."""
    for column in columns:
        stack(column, gap)
    for _ in range(_SWEEPS):
        for column in columns[1:]:
            _sort(column, _before, gap)
        for column in columns[-2::-1]:
            _sort(column, _after, gap)
    for _ in range(_SWEEPS):
        for column in (*columns[1:], *columns[-2::-1]):
            _pull(column, gap)


def _before(slot: Slot) -> Sequence[Slot]:
    return slot.before


def _after(slot: Slot) -> Sequence[Slot]:
    return slot.after


def stack(column: Column, gap: float, top: float | None = None) -> None:
    """One below the other, around the middle unless there is a ``top``."""
    y = -(sum(slot.height for slot in column) + gap * (len(column) - 1)) / 2 if top is None else top
    for slot in column:
        slot.middle = y + slot.height / 2
        y += slot.height + gap


def _sort(column: Column, beside: _Beside, gap: float) -> None:
    """By where they are joined to."""
    wanted = {id(slot): _mean(beside(slot), slot.middle) for slot in column}
    column.sort(key=lambda slot: wanted[id(slot)])
    stack(column, gap)


def _pull(column: Column, gap: float) -> None:
    """Each to the mean of what it is joined with, as far as the others leave room; their order stays."""
    wanted = [_mean([*slot.before, *slot.after], slot.middle) for slot in column]
    blocks: list[tuple[float, float, list[Slot]]] = []  # top, height, slots that stand close together
    for slot, middle in zip(column, wanted, strict=True):
        block = (middle - slot.height / 2, slot.height, [slot])
        while blocks and blocks[-1][0] + blocks[-1][1] + gap > block[0]:
            block = _merged(blocks.pop(), block, gap)
        blocks.append(block)
    for top, _, slots in blocks:
        y = top
        for slot in slots:
            slot.middle = y + slot.height / 2
            y += slot.height + gap


def _merged(
    first: tuple[float, float, list[Slot]], second: tuple[float, float, list[Slot]], gap: float
) -> tuple[float, float, list[Slot]]:
    """Both one below the other, each moved by what the other one weighs."""
    height = first[1] + gap + second[1]
    one, other = len(first[2]), len(second[2])
    top = (first[0] * one + (second[0] - first[1] - gap) * other) / (one + other)
    return top, height, [*first[2], *second[2]]


def _mean(slots: Sequence[Slot], default: float) -> float:
    return sum(slot.middle for slot in slots) / len(slots) if slots else default
