"""Runs whose facts a test tells one by one, and commits when it likes."""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityScheduled,
    ActivityStarted,
    AnyEvent,
    Recorded,
    RunCreated,
    RunEnded,
)
from orchestrator.core.plan import Plan
from orchestrator.core.runs import new_run, take_in
from orchestrator.core.spec import DagSpec, TaskSpec, mapping_over
from orchestrator.names import RunState, RunType
from orchestrator.ports import Group, HistoryStore, Part

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

SPEC = DagSpec(
    dag_id="etl",
    file="etl.py",
    tasks=(
        TaskSpec(task_id="extract"),
        TaskSpec(task_id="load", upstream=("extract",), pool="slow", pool_slots=2, operator="BashOperator"),
        TaskSpec(task_id="each", mapping=mapping_over("item")),
    ),
)

_uids = itertools.count(1)


class Story:
    """One run. ``tell`` records a fact, ``part`` is what was told since the last part."""

    def __init__(
        self,
        run_key: int,
        *,
        spec: DagSpec = SPEC,
        run_id: str | None = None,
        version_id: int = 1,
        versions: Mapping[int, DagSpec] | None = None,
        at: datetime = NOW,
        **fields: Any,
    ) -> None:
        self.at = at
        self._versions = versions or {}
        created = RunCreated(
            dag_id=spec.dag_id,
            run_id=run_id or f"manual__{run_key}",
            run_uid=f"uid-{next(_uids)}",
            run_type=fields.pop("run_type", RunType.MANUAL),
            version_id=version_id,
            fingerprint="f" * 64,
            **fields,
        )
        first = Recorded(1, at, created)
        self.run = new_run(run_key, Plan(spec, version_id), first)
        self._plans = {version_id: self.run.plan}
        self._told = [first]
        self._after = 0
        self._records = [first]

    @property
    def run_key(self) -> int:
        return self.run.run_key

    def tell(self, *events: AnyEvent) -> "Story":
        for event in events:
            self.at += timedelta(microseconds=1)
            fact = Recorded(self.run.seq + 1, self.at, event)
            self._told.append(fact)
            self._records.append(fact)
            take_in(self.run, fact, self._plan, lambda: self._told)
        return self

    def _plan(self, version_id: int) -> Plan:
        if version_id not in self._plans:
            self._plans[version_id] = Plan(self._versions[version_id], version_id)
        return self._plans[version_id]

    def works(self, task_id: str, map_index: int = -1, *, result: bytes = b'{"rows":3}') -> "Story":
        """One attempt that succeeds."""
        place = {"task_id": task_id, "map_index": map_index, "attempt": self.run.next_attempt(task_id, map_index)}
        return self.tell(
            ActivityScheduled(**place),
            ActivityStarted(**place, worker="host:7"),
            ActivityCompleted(**place, result=msgspec.Raw(result), length=1),
        )

    def ends(self, state: RunState = RunState.SUCCESS) -> "Story":
        return self.tell(RunEnded(state=state, reason="all of its leaves succeeded"))

    def part(self) -> Part:
        part = Part(run=self.run, after=self._after, records=self._records, activities=tuple(self.run.touched))
        self._after, self._records, self.run.touched = self.run.seq, [], set()
        return part


def begin(store: HistoryStore, **fields: Any) -> Story:
    """A new run with a key of its own; nothing of it is committed yet."""
    return Story(store.reserve_run_keys(1)[0], **fields)


def commit(store: HistoryStore, *stories: Story) -> frozenset[int]:
    """Commit what the stories have told, as one group."""
    return store.commit(Group(at=NOW, parts=[story.part() for story in stories]))
