"""How a run begins: from a schedule's slot, or from a request."""

import uuid
from collections.abc import Callable
from datetime import datetime

from orchestrator.core.activations import StartChild
from orchestrator.core.events import Recorded, RunCreated
from orchestrator.core.particulars import RunLink
from orchestrator.core.plan import Plan
from orchestrator.core.requests import TriggerRun
from orchestrator.core.run import Run
from orchestrator.core.runs import new_run
from orchestrator.core.timetables import Slot
from orchestrator.names import RunType
from orchestrator.ports import DagEntry, HistoryStore

_BLOCK = 256


class RunKeys:
    """Run keys, reserved from the store a block at a time."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        self._block = iter(range(0))

    def next(self) -> int:
        key = next(self._block, None)
        if key is None:
            self._block = iter(self._store.reserve_run_keys(_BLOCK))
            key = next(self._block)
        return key


def new_uid() -> str:
    """A random id that no other run has."""
    return uuid.uuid4().hex


def from_slot(entry: DagEntry, slot: Slot, uid: Callable[[], str]) -> RunCreated:
    """The run that a schedule asks for."""
    return RunCreated(
        dag_id=entry.dag_id,
        run_id=f"{RunType.SCHEDULED}__{slot.logical_date.isoformat()}",
        run_uid=uid(),
        run_type=RunType.SCHEDULED,
        version_id=entry.version_id,
        fingerprint=entry.fingerprint,
        kind=entry.spec.kind,
        logical_date=slot.logical_date,
        data_interval_start=slot.data_interval_start,
        data_interval_end=slot.data_interval_end,
        slot=slot.fire_at,
        triggered_by="timetable",
    )


def from_request(entry: DagEntry, request: TriggerRun, now: datetime) -> RunCreated:
    """The run that a person or a program asks for; its logical date is now where none was given."""
    logical_date = request.logical_date or now
    return RunCreated(
        dag_id=request.dag_id,
        run_id=request.run_id,
        run_uid=request.run_uid,
        run_type=request.run_type,
        version_id=entry.version_id,
        fingerprint=entry.fingerprint,
        kind=entry.spec.kind,
        logical_date=logical_date,
        data_interval_start=request.data_interval_start or logical_date,
        data_interval_end=request.data_interval_end or logical_date,
        conf=request.conf,
        triggered_by=request.by or "cli",
        note=request.note,
    )


def from_parent(entry: DagEntry, wish: StartChild, link: RunLink, run_id: str, uid: str, now: datetime) -> RunCreated:
    """The run that another run asks for."""
    date = wish.logical_date or now
    return RunCreated(
        dag_id=entry.dag_id,
        run_id=run_id,
        run_uid=uid,
        run_type=RunType.OPERATOR_TRIGGERED,
        version_id=entry.version_id,
        fingerprint=entry.fingerprint,
        kind=entry.spec.kind,
        logical_date=date,
        data_interval_start=date,
        data_interval_end=date,
        conf=wish.conf,
        triggered_by=f"{link.dag_id} {link.run_id}",
        parent=link,
        child_id=wish.child_id,
        close=wish.close,
    )


def begin(run_key: int, plan: Plan, created: RunCreated, now: datetime) -> tuple[Run, Recorded]:
    """A run at its first fact."""
    first = Recorded(1, now, created)
    return new_run(run_key, plan, first), first
