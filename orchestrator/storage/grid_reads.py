"""What the grid of a DAG asks: the states of all tasks in many runs, in one query."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, of_dag
from orchestrator.storage.tables import activities, runs

_MOST = 500


class Cell(NamedTuple):
    """``number``: how many activities of a task are in a state in a run, when the first began and the last ended."""

    run_key: int
    task_id: str
    state: str
    number: int
    is_mapped: bool
    started_at: datetime | None = None
    ended_at: datetime | None = None


_STATES = (
    select(
        activities.c.run_key,
        activities.c.task_id,
        activities.c.state,
        func.count(),
        func.max(activities.c.map_index) >= 0,
    )
    .join(runs, runs.c.run_key == activities.c.run_key)
    .group_by(activities.c.run_key, activities.c.task_id, activities.c.state)
)
_TIMES = (
    func.min(activities.c.started_at, type_=activities.c.started_at.type),
    func.max(activities.c.ended_at, type_=activities.c.ended_at.type),
)


class GridReads(Guarded):
    """Runs beside each other."""

    @of_dag
    def cells(self, dag_id: str, run_keys: Collection[int], *, with_times: bool = True) -> list[Cell]:
        """Of these runs of the DAG: what is recorded of their activities, by run, task and state."""
        columns = _STATES.add_columns(*_TIMES) if with_times else _STATES
        query = columns.where(activities.c.run_key.in_(list(run_keys)[:_MOST]), runs.c.dag_id == dag_id)
        with reading(self._engine) as connection:
            return [Cell(*row) for row in connection.execute(query)]
