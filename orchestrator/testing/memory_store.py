"""MemoryStore: every storage port in memory, for tests. It survives the scheduler that uses it, as a database does."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import msgspec

from orchestrator.core.events import Recorded, RunCreated, RunEnded
from orchestrator.core.past import RunBefore, states_of
from orchestrator.core.plan import Plan
from orchestrator.core.requests import AnyRequest, TriggerRun
from orchestrator.core.runs import replay
from orchestrator.core.spec import DagSpec, fingerprint
from orchestrator.exceptions import ConflictError, NotFoundError, SchedulerRunningError
from orchestrator.names import RunState, RunType, TaskState
from orchestrator.ports import DagEntry, Group, Part, PendingRequest
from orchestrator.testing.clock import EPOCH


class MemoryStore:
    """HistoryStore, Projections and DagCatalog in one. ``commits`` counts the groups that were written."""

    def __init__(self) -> None:
        self.histories: dict[int, list[Recorded]] = {}
        self.refusals: dict[int, str] = {}
        self.commits = 0
        self._owner: str | None = None
        self._next_key = 1
        self._names: dict[tuple[str, str], int] = {}
        self._slots: set[tuple[str, datetime]] = set()
        self._calling: set[int] = set()
        self._requests: dict[int, AnyRequest] = {}
        self._next_request = 1
        self._pools = {"default_pool": 128}
        self._cursors: dict[str, datetime] = {}
        self._specs: list[DagSpec] = []
        self._entries: dict[str, tuple[int, DagEntry]] = {}
        self._revision = 0

    # ── what a person does ───────────────────────────────────────────────────────────────────────────────

    def add_dag(self, spec: DagSpec, *, paused: bool = False, at: datetime = EPOCH) -> int:
        """Record a version of a DAG, as the dag processor would; its version id."""
        self._specs.append(spec)
        version_id = len(self._specs)
        self._put(
            DagEntry(
                dag_id=spec.dag_id,
                version_id=version_id,
                fingerprint=fingerprint(spec),
                spec=spec,
                is_paused=paused,
                is_stale=False,
                unpaused_at=at,
            )
        )
        return version_id

    def set_paused(self, dag_id: str, paused: bool, at: datetime) -> None:
        entry = self._entries[dag_id][1]
        since = entry.unpaused_at if paused else at
        self._put(msgspec.structs.replace(entry, is_paused=paused, unpaused_at=since))

    def set_stale(self, dag_id: str) -> None:
        self._put(msgspec.structs.replace(self._entries[dag_id][1], is_stale=True))

    def set_pool(self, name: str, slots: int) -> None:
        self._pools[name] = slots

    def ask(self, request: AnyRequest) -> int:
        """File a request, as the CLI would."""
        if isinstance(request, TriggerRun) and (request.dag_id, request.run_id) in self._names:
            raise ConflictError(f"DAG {request.dag_id!r} has a run {request.run_id!r} already")
        self._requests[self._next_request] = request
        self._next_request += 1
        return self._next_request - 1

    def _put(self, entry: DagEntry) -> None:
        self._revision += 1
        self._entries[entry.dag_id] = (self._revision, entry)

    # ── HistoryStore ─────────────────────────────────────────────────────────────────────────────────────

    def claim(self, owner: str) -> None:
        if self._owner not in (None, owner):
            raise SchedulerRunningError(f"{self._owner} is the scheduler of this database")
        self._owner = owner

    def renew(self) -> None:
        """Nobody takes it away."""

    def release(self) -> None:
        self._owner = None

    def reserve_run_keys(self, count: int) -> range:
        first, self._next_key = self._next_key, self._next_key + count
        return range(first, self._next_key)

    def commit(self, group: Group) -> frozenset[int]:
        refused = group.and_tied(part.run.run_key for part in group.parts if not self._fits(part))
        kept = [part for part in group.parts if part.run.run_key not in refused]
        refused |= {part.run.run_key for part in kept if not self._write(part)}
        for answer in group.answers:
            if answer.run_key in refused:
                continue
            del self._requests[answer.request_id]
            if answer.refusal is not None:
                self.refusals[answer.request_id] = answer.refusal
        for cursor in group.cursors:
            self._cursors[cursor.dag_id] = cursor.slot
        for one in group.pauses:
            self.set_paused(one.dag_id, True, group.at)
        self.commits += 1
        return refused

    def _fits(self, part: Part) -> bool:
        if len(self.histories.get(part.run.run_key, ())) != part.after:
            return False
        first = part.records[0].event
        if not isinstance(first, RunCreated):
            return True
        is_dealt_with = first.slot is not None and (first.dag_id, first.slot) in self._slots
        return (first.dag_id, first.run_id) not in self._names and not is_dealt_with

    def _write(self, part: Part) -> bool:
        if not self._fits(part):
            return False
        first = part.records[0].event
        if isinstance(first, RunCreated):
            self._names[first.dag_id, first.run_id] = part.run.run_key
            if first.slot is not None:
                self._slots.add((first.dag_id, first.slot))
        self.histories.setdefault(part.run.run_key, []).extend(part.records)
        if part.run.callbacks:
            self._calling.add(part.run.run_key)
        else:
            self._calling.discard(part.run.run_key)
        return True

    def read(self, run_key: int, *, after: int = 0, limit: int | None = None) -> list[Recorded]:
        facts = self.histories.get(run_key, [])[after:]
        return facts if limit is None else facts[:limit]

    def facts(self, run_key: int, seqs: Sequence[int]) -> dict[int, Recorded]:
        return {seq: self.histories[run_key][seq - 1] for seq in seqs}

    # ── Projections ──────────────────────────────────────────────────────────────────────────────────────

    def open_runs(self) -> list[int]:
        return [key for key, facts in self.histories.items() if key in self._calling or not _is_ended(facts)]

    def run_key(self, dag_id: str, run_id: str) -> int | None:
        return self._names.get((dag_id, run_id))

    def requests(self) -> list[PendingRequest]:
        return [PendingRequest(id=key, request=request) for key, request in self._requests.items()]

    def pools(self) -> dict[str, int]:
        return dict(self._pools)

    def cursors(self) -> dict[str, datetime]:
        return dict(self._cursors)

    def latest_ends(self, dag_id: str, count: int) -> list[tuple[RunState, datetime | None]]:
        found = [
            (first.logical_date or facts[0].at, run_key, replay(run_key, facts, self._plan))
            for run_key, facts in self.histories.items()
            if isinstance(first := facts[0].event, RunCreated) and first.dag_id == dag_id
        ]
        newest = sorted(found, key=lambda one: one[:2], reverse=True)[:count]
        return [(run.state, self.histories[key][-1].at if run.is_ended else None) for _, key, run in newest]

    def run_before(self, dag_id: str, logical_date: datetime, *, but_manual: bool) -> RunBefore | None:
        found = [
            (run.logical_date, run_key, run.run_id)
            for run_key, run in self._earlier(dag_id, logical_date)
            if not (but_manual and run.run_type is RunType.MANUAL)
            and not (run.imported and not _is_ended(self.histories[run_key]))
        ]
        return RunBefore(run_key=max(found)[1], run_id=max(found)[2]) if found else None

    def task_states(self, run_key: int, task_ids: Collection[str]) -> dict[str, frozenset[TaskState]]:
        return states_of(replay(run_key, self.histories[run_key], self._plan), task_ids)

    def has_had(self, dag_id: str, task_id: str, *, before: datetime) -> bool:
        return any(self.task_states(run_key, [task_id]) for run_key, _ in self._earlier(dag_id, before))

    def _earlier(self, dag_id: str, date: datetime) -> Iterator[tuple[int, RunCreated]]:
        for run_key, facts in self.histories.items():
            first = facts[0].event
            assert isinstance(first, RunCreated)
            if first.dag_id == dag_id and first.logical_date is not None and first.logical_date < date:
                yield run_key, first

    def _plan(self, version_id: int) -> Plan:
        return Plan(self.spec(version_id), version_id)

    # ── DagCatalog ───────────────────────────────────────────────────────────────────────────────────────

    def changes(self, since: int) -> tuple[int, list[DagEntry]]:
        return self._revision, [entry for revision, entry in self._entries.values() if revision > since]

    def spec(self, version_id: int) -> DagSpec:
        if not 1 <= version_id <= len(self._specs):
            raise NotFoundError(f"there is no DAG version {version_id}")
        return self._specs[version_id - 1]

    def number(self, version_id: int) -> int:
        if not 1 <= version_id <= len(self._specs):
            return 0
        dag_id = self._specs[version_id - 1].dag_id
        return sum(spec.dag_id == dag_id for spec in self._specs[:version_id])

    def code(self, version_id: int) -> str:
        return f"versions/{version_id}"


def _is_ended(facts: Sequence[Recorded]) -> bool:
    """Whether the last word about the run is that it ended; a clear or a reset after that opens it again."""
    for fact in reversed(facts):
        name = type(fact.event).__name__
        if name in ("ActivityCleared", "RunReset"):
            return False
        if isinstance(fact.event, RunEnded):
            return True
    return False
