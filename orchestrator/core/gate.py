"""RunGate: max_active_runs. A run waits here, as queued, until its DAG has room for it."""

from bisect import insort
from collections import Counter

import msgspec


class Load(msgspec.Struct, frozen=True):
    """The runs of one DAG that have begun, and those that wait."""

    active: int
    waiting: int


class RunGate:
    """Counts the active runs of each DAG and keeps the others in order of their run key."""

    def __init__(self) -> None:
        self._active: dict[int, str] = {}
        self._count: Counter[str] = Counter()
        self._waiting: dict[str, list[int]] = {}
        self._dag_of: dict[int, str] = {}

    def enter(self, run_key: int, dag_id: str) -> None:
        """This run begins, or has begun: it counts."""
        self._unqueue(run_key)
        if run_key not in self._active:
            self._active[run_key] = dag_id
            self._count[dag_id] += 1

    def queue(self, run_key: int, dag_id: str) -> None:
        """This run waits its turn."""
        self._dag_of[run_key] = dag_id
        insort(self._waiting.setdefault(dag_id, []), run_key)

    def leave(self, run_key: int) -> str | None:
        """This run has ended or is gone; its DAG, if that has room for another now."""
        self._unqueue(run_key)
        dag_id = self._active.pop(run_key, None)
        if dag_id is not None:
            self._count[dag_id] -= 1
        return dag_id

    def is_active(self, run_key: int) -> bool:
        return run_key in self._active

    def head(self, dag_id: str) -> int | None:
        """The run of that DAG whose turn is next."""
        waiting = self._waiting.get(dag_id)
        return waiting[0] if waiting else None

    def load(self, dag_id: str) -> Load:
        return Load(self._count[dag_id], len(self._waiting.get(dag_id, ())))

    def _unqueue(self, run_key: int) -> None:
        dag_id = self._dag_of.pop(run_key, None)
        if dag_id is not None:
            self._waiting[dag_id].remove(run_key)
