"""SqlProjections: what the scheduler reads at its edges."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Engine, func, select

from orchestrator.core.past import RunBefore
from orchestrator.names import RunState, TaskState
from orchestrator.ports import PendingRequest
from orchestrator.storage import past_reads
from orchestrator.storage.database import reading
from orchestrator.storage.requests import decode_request
from orchestrator.storage.tables import cursors, pools, requests, runs

_OPEN_RUNS = select(runs.c.run_key).where(runs.c.ended_at.is_(None))
_CALLING = select(runs.c.run_key).where(runs.c.open_callbacks > 0)
_REQUESTS = select(requests.c.id, requests.c.body).order_by(requests.c.id)


class SqlProjections:
    """The Projections of SQLite and PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_runs(self) -> list[int]:
        """Keys of the runs that have not ended, or whose callbacks have not, oldest first."""
        with reading(self._engine) as connection:
            return sorted({key for query in (_OPEN_RUNS, _CALLING) for key in connection.execute(query).scalars()})

    def run_key(self, dag_id: str, run_id: str) -> int | None:
        query = select(runs.c.run_key).where(runs.c.dag_id == dag_id, runs.c.run_id == run_id)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar()

    def requests(self) -> list[PendingRequest]:
        """The requests that no commit has answered yet, in order."""
        with reading(self._engine) as connection:
            return [
                PendingRequest(id=number, request=decode_request(body))
                for number, body in connection.execute(_REQUESTS)
            ]

    def pools(self) -> dict[str, int]:
        """Slots by pool name; -1 means no limit."""
        with reading(self._engine) as connection:
            return {row.name: row.slots for row in connection.execute(select(pools))}

    def cursors(self) -> dict[str, datetime]:
        """The last slot dealt with, by dag_id."""
        with reading(self._engine) as connection:
            return {row.dag_id: row.slot for row in connection.execute(select(cursors))}

    def latest_ends(self, dag_id: str, count: int) -> list[tuple[RunState, datetime | None]]:
        """State and end of the ``count`` latest runs."""
        latest = func.coalesce(runs.c.logical_date, runs.c.created_at).desc()
        query = (
            select(runs.c.state, runs.c.ended_at).where(runs.c.dag_id == dag_id).order_by(latest, runs.c.run_key.desc())
        )
        with reading(self._engine) as connection:
            return [(RunState(row.state), row.ended_at) for row in connection.execute(query.limit(count))]

    def run_before(self, dag_id: str, logical_date: datetime, *, but_manual: bool) -> RunBefore | None:
        """The run of the DAG with the last logical date before that one."""
        with reading(self._engine) as connection:
            row = connection.execute(past_reads.run_before(dag_id, logical_date, but_manual=but_manual)).first()
        return None if row is None else RunBefore(run_key=row.run_key, run_id=row.run_id)

    def task_states(self, run_key: int, task_ids: Collection[str]) -> dict[str, frozenset[TaskState]]:
        """What has become of these tasks of an ended run; those that it has not had are left out."""
        with reading(self._engine) as connection:
            return past_reads.task_states(connection, run_key, task_ids)

    def has_had(self, dag_id: str, task_id: str, *, before: datetime) -> bool:
        """Whether a run of the DAG with an earlier logical date has had the task."""
        with reading(self._engine) as connection:
            return connection.execute(past_reads.earlier_with(dag_id, task_id, before)).first() is not None
