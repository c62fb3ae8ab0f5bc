"""SqlWorld: a simulation's world in a real database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, select

from orchestrator.core.events import Recorded
from orchestrator.core.past import RunBefore
from orchestrator.core.requests import AnyRequest
from orchestrator.core.spec import DagSpec, fingerprint
from orchestrator.names import RunState, TaskState
from orchestrator.ports import Clock, DagEntry, Group, ParsedDag, ParsedFile, PendingRequest
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.database import reading
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.projections import SqlProjections
from orchestrator.storage.records import Records
from orchestrator.storage.requests import RequestBook
from orchestrator.storage.tables import history


class SqlWorld:
    """The production storage on the database of ``engine``; versions' code is laid out in ``folder``."""

    def __init__(self, engine: Engine, folder: Path, clock: Clock) -> None:
        self.engine = engine
        self._store = SqlHistoryStore(engine)
        self._projections = SqlProjections(engine)
        self._catalog = SqlCatalog(engine, folder, clock)
        self._requests = RequestBook(engine, clock)
        self._records = Records(engine, clock)
        self._asked = count(1)

    @property
    def histories(self) -> Mapping[int, Sequence[Recorded]]:
        with reading(self.engine) as connection:
            keys = connection.execute(select(history.c.run_key).distinct().order_by(history.c.run_key)).scalars().all()
        return {key: self._store.read(key) for key in keys}

    def add_dag(self, spec: DagSpec) -> int:
        parsed = ParsedDag(spec=spec, fingerprint=fingerprint(spec), code_fingerprint="0" * 64)
        files = {spec.file: b"# simulated\n"}
        self._catalog.record([ParsedFile(file=spec.file, digest=parsed.fingerprint, dags=(parsed,), files=files)])
        return next(entry.version_id for entry in self.changes(0)[1] if entry.dag_id == spec.dag_id)

    def set_paused(self, dag_id: str, paused: bool, at: datetime) -> None:  # noqa: ARG002 - its clock shows that moment
        self._records.set_paused(dag_id, paused, by="a person")

    def set_pool(self, name: str, slots: int) -> None:
        self._records.set_pool(name, slots, by="a person")

    def ask(self, request: AnyRequest) -> int:
        return self._requests.submit(request, f"simulated {next(self._asked)}")

    # ── HistoryStore ─────────────────────────────────────────────────────────────────────────────────────

    def claim(self, owner: str) -> None:
        self._store.claim(owner)

    def renew(self) -> None:
        self._store.renew()

    def release(self) -> None:
        self._store.release()

    def reserve_run_keys(self, count: int) -> range:
        return self._store.reserve_run_keys(count)

    def commit(self, group: Group) -> frozenset[int]:
        return self._store.commit(group)

    def read(self, run_key: int, *, after: int = 0, limit: int | None = None) -> list[Recorded]:
        return self._store.read(run_key, after=after, limit=limit)

    def facts(self, run_key: int, seqs: Sequence[int]) -> dict[int, Recorded]:
        return self._store.facts(run_key, seqs)

    # ── Projections ──────────────────────────────────────────────────────────────────────────────────────

    def open_runs(self) -> list[int]:
        return self._projections.open_runs()

    def run_key(self, dag_id: str, run_id: str) -> int | None:
        return self._projections.run_key(dag_id, run_id)

    def requests(self) -> list[PendingRequest]:
        return self._projections.requests()

    def pools(self) -> dict[str, int]:
        return self._projections.pools()

    def cursors(self) -> dict[str, datetime]:
        return self._projections.cursors()

    def latest_ends(self, dag_id: str, count: int) -> list[tuple[RunState, datetime | None]]:
        return self._projections.latest_ends(dag_id, count)

    def run_before(self, dag_id: str, logical_date: datetime, *, but_manual: bool) -> RunBefore | None:
        return self._projections.run_before(dag_id, logical_date, but_manual=but_manual)

    def task_states(self, run_key: int, task_ids: Collection[str]) -> dict[str, frozenset[TaskState]]:
        return self._projections.task_states(run_key, task_ids)

    def has_had(self, dag_id: str, task_id: str, *, before: datetime) -> bool:
        return self._projections.has_had(dag_id, task_id, before=before)

    # ── DagCatalog ───────────────────────────────────────────────────────────────────────────────────────

    def changes(self, since: int) -> tuple[int, list[DagEntry]]:
        return self._catalog.changes(since)

    def spec(self, version_id: int) -> DagSpec:
        return self._catalog.spec(version_id)

    def number(self, version_id: int) -> int:
        return self._catalog.number(version_id)

    def code(self, version_id: int) -> str:
        return self._catalog.code(version_id)
