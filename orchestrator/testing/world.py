"""World: what a simulation needs of a store, and a store at whose commits a crash can strike."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from orchestrator.core.events import Recorded
from orchestrator.core.requests import AnyRequest
from orchestrator.core.spec import DagSpec
from orchestrator.ports import DagCatalog, Group, HistoryStore, Projections
from orchestrator.testing.crashes import Crashes


class World(HistoryStore, Projections, DagCatalog, Protocol):
    """Every storage port, and what the people around a scheduler do. It survives the scheduler that uses it."""

    @property
    def histories(self) -> Mapping[int, Sequence[Recorded]]:
        """Every history there is, by run key."""

    def add_dag(self, spec: DagSpec) -> int:
        """Record a version of a DAG, as the dag processor would; its version id."""

    def set_paused(self, dag_id: str, paused: bool, at: datetime) -> None:
        """Pause or unpause a DAG."""

    def set_pool(self, name: str, slots: int) -> None:
        """Make a pool, or give it another size."""

    def ask(self, request: AnyRequest) -> int:
        """File a request, as the CLI would; its id."""


class CrashingStore:
    """A HistoryStore that is another one, with a chance to crash before and after each commit."""

    def __init__(self, store: HistoryStore, crashes: Crashes) -> None:
        self._store = store
        self._crashes = crashes

    def claim(self, owner: str) -> None:
        self._store.claim(owner)

    def renew(self) -> None:
        self._store.renew()

    def release(self) -> None:
        self._store.release()

    def reserve_run_keys(self, count: int) -> range:
        return self._store.reserve_run_keys(count)

    def commit(self, group: Group) -> frozenset[int]:
        self._crashes.step()  # nothing is recorded yet
        refused = self._store.commit(group)
        self._crashes.step()  # recorded, and not yet acted upon
        return refused

    def read(self, run_key: int, *, after: int = 0, limit: int | None = None) -> list[Recorded]:
        return self._store.read(run_key, after=after, limit=limit)

    def facts(self, run_key: int, seqs: Sequence[int]) -> dict[int, Recorded]:
        return self._store.facts(run_key, seqs)
