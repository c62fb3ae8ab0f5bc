"""Pulling: what a body asks for by ``xcom_pull``, from what its order brought along or from the exchange."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from orchestrator.authoring.exchange import Exchange, NoExchange
from orchestrator.authoring.references import RETURN_VALUE
from orchestrator.names import UNMAPPED

EVERY: Any = object()
"""What ``map_indexes`` is where nobody says which: all that there are."""


class Found(NamedTuple):
    """What one task has; of a mapped one, all of its activities'."""

    values: list[Any]
    is_mapped: bool = False

    @property
    def alone(self) -> Any:
        """As it is pulled where only one task is asked for."""
        return self.values if self.is_mapped else self.values[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One question. ``results`` are those that the order brought along, of this run; None of ids means its own."""

    exchange: Exchange
    results: Mapping[str, Any]
    key: str
    dag_id: str | None
    run_id: str | None
    prior_dates: bool
    default: Any

    def every(self, task_id: str) -> Found:
        """What all activities of a task have; the default where none has anything."""
        if self._is_sent(task_id) and self.key == RETURN_VALUE:
            sent = self.results[task_id]
            return Found([self.default if sent is None else sent])
        if self._is_sent(task_id) and isinstance(self.exchange, NoExchange):
            return Found([self._part(self.results[task_id])])
        found = self._asked(task_id, None)
        if not found:
            return Found([self.default])
        return Found([value for _, value in found], is_mapped=found[-1][0] != UNMAPPED)

    def one(self, task_id: str, map_index: int | None) -> Any:
        """What one activity has, else the default; None is the index of a task that is not mapped."""
        found = self._asked(task_id, UNMAPPED if map_index is None else map_index)
        return found[0][1] if found else self.default

    def _is_sent(self, task_id: str) -> bool:
        is_here = self.dag_id is None and self.run_id is None and not self.prior_dates
        return is_here and task_id in self.results

    def _part(self, result: Any) -> Any:
        return result.get(self.key, self.default) if isinstance(result, dict) else self.default

    def _asked(self, task_id: str, map_index: int | None) -> list[tuple[int, Any]]:
        return self.exchange.pull(
            task_id,
            self.key,
            dag_id=self.dag_id,
            run_id=self.run_id,
            map_index=map_index,
            prior_dates=self.prior_dates,
        )
