"""Given: what an attempt was given to begin with, as the references of its task look into it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.core.orders import item_name
from orchestrator.exceptions import UsageError

Positions = tuple[int, ...]


class Given(Mapping[str, Any]):
    """Results by task_id; single results of mapped tasks by ``item_name``.

    ``coordinates`` say, for each mapped group around the task and for its own mapping, which item of each factor it is
    given.
    """

    def __init__(self, results: Mapping[str, Any], coordinates: Sequence[Positions] = ()) -> None:
        self._results = results
        self.coordinates = coordinates

    @classmethod
    def of(cls, results: Mapping[str, Any]) -> "Given":
        return results if isinstance(results, Given) else Given(results)

    def __getitem__(self, name: str) -> Any:
        return self._results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def items_of(self, task_id: str, key: str | None = None) -> Sequence[Any]:
        """The items of one result, or of the part of it under ``key``; those of a dict are pairs. UsageError if it has
        none.
        """
        value = self[task_id] if key is None else self[task_id][key]
        if isinstance(value, Mapping):
            return list(value.items())
        if not isinstance(value, list | tuple):
            raise UsageError(f"the result of {task_id!r} has no items to map over, it is {value!r:.80}")
        return value

    def positions(self, level: int, task_id: str) -> Positions:
        """Which item of each factor of one of its mappings; UsageError where nobody has said."""
        if level >= len(self.coordinates):
            raise UsageError(f"task {task_id!r} is mapped, and nothing says which of its instances is meant")
        return self.coordinates[level]


class Picks(Sequence[Any]):
    """The results of a mapped task as one of those that are mapped over them sees it: one of them is there."""

    def __init__(self, given: Given, task_id: str) -> None:
        self._given = given
        self._task_id = task_id

    def __len__(self) -> int:
        return len(self._given[self._task_id])

    def __getitem__(self, position: Any) -> Any:
        name = item_name(self._task_id, position)
        if name in self._given:
            return self._given[name]
        raise IndexError(f"task {self._task_id!r} has no result at {position}")
