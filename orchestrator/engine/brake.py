"""Brake: pauses a DAG whose last runs have all failed, where it says after how many."""

from datetime import datetime

import msgspec

from orchestrator.core.run import Run
from orchestrator.engine.schedules import Schedules
from orchestrator.engine.turn import Turn
from orchestrator.names import RunState
from orchestrator.ports import DagEntry, Pause, Projections


class Brake:
    """Asks at the beginning of a turn, when all ends of runs are recorded; after a restart it looks at every DAG once.

    A run that ended before somebody unpaused the DAG is no reason to pause it again, until another fails.
    """

    def __init__(self, schedules: Schedules, projections: Projections) -> None:
        self._schedules = schedules
        self._projections = projections
        self._asked: dict[str, datetime] = {}

    def meet(self, entry: DagEntry, now: datetime) -> None:
        """A DAG is seen for the first time since the start."""
        if entry.spec.max_consecutive_failed_dag_runs and not entry.is_paused:
            self._asked[entry.dag_id] = now

    def look(self, run: Run, now: datetime) -> None:
        """Its facts are recorded."""
        if run.state is RunState.FAILED and run.is_ended:
            entry = self._schedules.entry(run.dag_id)
            if entry is not None:
                self.meet(entry, now)

    def next_due(self) -> datetime | None:
        """Now, while there is something to ask."""
        return min(self._asked.values(), default=None)

    def pull(self, turn: Turn) -> None:
        """Pause those that are to be paused, before the turn makes another run of them."""
        for dag_id in self._asked:
            entry = self._schedules.entry(dag_id)
            if entry is not None and not entry.is_paused and self._has_had_enough(entry):
                count = entry.spec.max_consecutive_failed_dag_runs
                turn.pauses.append(Pause(dag_id=dag_id, reason=f"its last {count} runs failed"))
                self._schedules.update(msgspec.structs.replace(entry, is_paused=True), turn.now)

    def recorded(self) -> None:
        """What was pulled is committed."""
        self._asked.clear()

    def _has_had_enough(self, entry: DagEntry) -> bool:
        count = entry.spec.max_consecutive_failed_dag_runs
        latest = self._projections.latest_ends(entry.dag_id, count)
        since = [ended_at for state, ended_at in latest if state is RunState.FAILED and ended_at is not None]
        return len(since) == count and max(since) >= entry.unpaused_at
