"""MortalStore: a store whose scheduler dies right after a certain fact of a certain run is recorded."""

from collections.abc import Sequence

from orchestrator.core.events import Recorded
from orchestrator.ports import Group, HistoryStore
from orchestrator.testing.crashes import Crash


class MortalStore:
    """A HistoryStore that is another one; the commit that gives the run ``run_id`` its fact ``seq`` (0: none) is its
    last, and nothing is done that should follow it.
    """

    def __init__(self, store: HistoryStore, run_id: str, seq: int) -> None:
        self._store = store
        self._run_id = run_id
        self._seq = seq

    def claim(self, owner: str) -> None:
        self._store.claim(owner)

    def renew(self) -> None:
        self._store.renew()

    def release(self) -> None:
        self._store.release()

    def reserve_run_keys(self, count: int) -> range:
        return self._store.reserve_run_keys(count)

    def commit(self, group: Group) -> frozenset[int]:
        refused = self._store.commit(group)
        if self._seq and self._has_come(group):
            raise Crash
        return refused

    def read(self, run_key: int, *, after: int = 0, limit: int | None = None) -> list[Recorded]:
        return self._store.read(run_key, after=after, limit=limit)

    def facts(self, run_key: int, seqs: Sequence[int]) -> dict[int, Recorded]:
        return self._store.facts(run_key, seqs)

    def _has_come(self, group: Group) -> bool:
        parts = [part for part in group.parts if part.run.run_id == self._run_id]
        return any(record.seq >= self._seq for part in parts for record in part.records)
