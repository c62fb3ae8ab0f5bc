"""Cutting: a page of a list that is short enough to be in memory."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from orchestrator.exceptions import UsageError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.listing import Paging

R = TypeVar("R")
Keys: TypeAlias = Mapping[str, Callable[[R], Any]]


def cut(rows: Sequence[R], paging: Paging, keys: Keys[R]) -> list[R]:
    """The page of the rows, in its order and, where that leaves it open, in theirs. UsageError for a field that nothing
    is ordered by; what has no value comes last."""
    found = list(rows)
    for field in reversed(paging.order_by):
        name = field.removeprefix("-")
        if name not in keys:
            known = ", ".join(keys)
            raise UsageError(f"nothing is ordered by {name!r}{did_you_mean(name, keys)}; it can be by {known}")
        key = keys[name]
        there = [row for row in found if key(row) is not None]
        there.sort(key=key, reverse=field.startswith("-"))
        found = [*there, *(row for row in found if key(row) is None)]
    return found[paging.offset : paging.offset + paging.limit]
