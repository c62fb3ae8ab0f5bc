"""States of runs and of their tasks, for a body that waits for them: read from the projections."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select

from orchestrator.core.events import TaskExpanded
from orchestrator.core.spec import DagSpec
from orchestrator.storage.catalog_reads import spec_of
from orchestrator.storage.database import reading
from orchestrator.storage.history import recorded
from orchestrator.storage.tables import activities, dags, history, runs


class StateReads:
    """What a DAG's runs have come to: by their ids, or the latest one of each logical date."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def position(self) -> int:
        """A number that has risen whenever anything here has changed."""
        with reading(self._engine) as connection:
            return int(connection.execute(select(func.max(history.c.position))).scalar() or 0)

    def spec(self, dag_id: str) -> DagSpec | None:
        """The DAG as it is now; None where there is none."""
        with reading(self._engine) as connection:
            version = connection.execute(
                select(dags.c.version_id).where(dags.c.dag_id == dag_id, dags.c.is_stale.is_(False))
            ).scalar()
            return None if version is None else spec_of(connection, version)

    def run_state(self, dag_id: str, run: datetime | str) -> str | None:
        """None where there is no such run."""
        with reading(self._engine) as connection:
            found = _run(connection, dag_id, run)
        return None if found is None else found[1]

    def task_states(self, dag_id: str, run: datetime | str, task_ids: Collection[str]) -> dict[str, set[str]]:
        """The states that the activities of each task are in; "none" is among them where one has not begun."""
        states: dict[str, set[str]] = {task_id: {"none"} for task_id in task_ids}
        with reading(self._engine) as connection:
            found = _run(connection, dag_id, run)
            if found is None:
                return states
            for task_id in task_ids:
                states[task_id] = _states(connection, found[0], task_id)
        return states


def _run(connection: Connection, dag_id: str, run: datetime | str) -> tuple[int, str] | None:
    query = (
        select(runs.c.run_key, runs.c.state)
        .where(runs.c.dag_id == dag_id, runs.c.run_id == run if isinstance(run, str) else runs.c.logical_date == run)
        .order_by(runs.c.run_key.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else (int(row.run_key), str(row.state))


def _states(connection: Connection, run_key: int, task_id: str) -> set[str]:
    query = select(activities.c.map_index, activities.c.state).where(
        activities.c.run_key == run_key, activities.c.task_id == task_id
    )
    rows = connection.execute(query).all()
    mapped = [row.state for row in rows if row.map_index >= 0]
    if not mapped:
        return {row.state for row in rows} or {"none"}
    missing = len(mapped) < _size(connection, run_key, task_id)
    return {*mapped, "none"} if missing else set(mapped)


def _size(connection: Connection, run_key: int, task_id: str) -> int:
    """How many activities the task was expanded to last."""
    query = (
        select(history.c.seq, history.c.at, history.c.type, history.c.version, history.c.body)
        .where(history.c.run_key == run_key, history.c.type == TaskExpanded.__name__)
        .order_by(history.c.seq.desc())
    )
    for row in connection.execute(query):
        event = recorded(*row).event
        if isinstance(event, TaskExpanded) and event.task_id == task_id:
            size = 1
            for number in event.shape:
                size *= number
            return size
    return 0
