"""SqlProjections: what the scheduler reads at its edges."""

from datetime import datetime

from sqlalchemy import Engine, select

from orchestrator.ports import PendingRequest
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
