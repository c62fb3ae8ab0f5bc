"""Schedules: which DAG is due for its next scheduled run."""

from datetime import datetime

from orchestrator.core.timetables import Slot, next_slot
from orchestrator.engine.alarms import Alarms
from orchestrator.ports import DagEntry


class Schedules:
    """The DAGs as they stand now, and the next slot of each that has one."""

    def __init__(self, cursors: dict[str, datetime]) -> None:
        self._cursors = cursors
        self._entries: dict[str, DagEntry] = {}
        self._slots: dict[str, Slot] = {}
        self._alarms: Alarms[str] = Alarms()

    def take_cursors(self, cursors: dict[str, datetime]) -> None:
        """The last slot dealt with of each DAG, as recorded."""
        self._cursors = cursors

    def entry(self, dag_id: str) -> DagEntry | None:
        return self._entries.get(dag_id)

    def update(self, entry: DagEntry, now: datetime) -> None:
        """A DAG is new, has changed, or was paused or unpaused."""
        self._entries[entry.dag_id] = entry
        self._aim(entry, now)

    def due(self, now: datetime) -> list[tuple[DagEntry, Slot]]:
        """The slots that have come, one a DAG; say what became of each with ``dealt_with`` or ``hold``."""
        return [(self._entries[dag_id], self._slots[dag_id]) for dag_id in self._alarms.take(now)]

    def dealt_with(self, dag_id: str, slot: datetime, now: datetime) -> None:
        """The slot has its run; look for the one after."""
        self._cursors[dag_id] = slot
        self._aim(self._entries[dag_id], now)

    def look_again(self, dag_id: str, now: datetime) -> None:
        """A DAG that had no room for another run may have it now."""
        entry = self._entries.get(dag_id)
        if entry is not None:
            self._aim(entry, now)

    def next_due(self) -> datetime | None:
        return self._alarms.next_due()

    def _aim(self, entry: DagEntry, now: datetime) -> None:
        slot = None
        if entry.spec.schedule is not None and not entry.is_paused and not entry.is_stale:
            last = self._cursors.get(entry.dag_id)
            slot = next_slot(entry.spec, last=last, unpaused_at=entry.unpaused_at, now=now)
        if slot is None:
            self._slots.pop(entry.dag_id, None)
            self._alarms.set(entry.dag_id, None)
        else:
            self._slots[entry.dag_id] = slot
            self._alarms.set(entry.dag_id, slot.fire_at)
