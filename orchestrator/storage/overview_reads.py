"""Questions about all DAGs at once: what goes on, what has ended lately. None of them reads all runs."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select

from orchestrator.names import RunState
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, visible
from orchestrator.storage.run_reads import RUNS, as_run
from orchestrator.storage.tables import dags, runs
from orchestrator.storage.views import RunRow

_OPEN = runs.c.ended_at.is_(None)


class OverviewReads(Guarded):
    """What is seen at a glance."""

    @visible
    def dag_count(self) -> int:
        """How many DAGs there are whose file is there."""
        query = select(func.count()).select_from(dags).where(dags.c.is_stale.is_(False), self._visible(dags.c.dag_id))
        with reading(self._engine) as connection:
            return connection.execute(query).scalar_one()

    @visible
    def open_runs(self, *, limit: int = 20) -> list[RunRow]:
        """Runs that have not ended, newest first."""
        query = RUNS.where(_OPEN, self._visible(runs.c.dag_id)).limit(limit)
        with reading(self._engine) as connection:
            return [as_run(row) for row in connection.execute(query)]

    @visible
    def open_run_count(self) -> int:
        """How many runs have not ended."""
        query = select(func.count()).select_from(runs).where(_OPEN, self._visible(runs.c.dag_id))
        with reading(self._engine) as connection:
            return connection.execute(query).scalar_one()

    @visible
    def ended_counts(self, since: datetime) -> dict[RunState, int]:
        """How many runs have ended since then, by state."""
        query = select(runs.c.state, func.count()).where(runs.c.ended_at >= since, self._visible(runs.c.dag_id))
        with reading(self._engine) as connection:
            return {RunState(state): count for state, count in connection.execute(query.group_by(runs.c.state))}

    @visible
    def ended_runs(self, since: datetime, *, states: Collection[RunState], limit: int = 20) -> list[RunRow]:
        """Runs that have ended since then in one of the states, the last first."""
        query = (
            RUNS.where(runs.c.ended_at >= since, runs.c.state.in_([state.value for state in states]))
            .where(self._visible(runs.c.dag_id))
            .order_by(None)
            .order_by(runs.c.ended_at.desc(), runs.c.run_key.desc())
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [as_run(row) for row in connection.execute(query)]
