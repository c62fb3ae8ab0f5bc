"""Questions about what goes on: slots, requests, who did what, and who schedules."""

from typing import Any

from sqlalchemy import and_, case, func, select, text

from orchestrator.exceptions import NotFoundError
from orchestrator.names import TaskState
from orchestrator.storage.claims import LEASE
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, of_request, visible
from orchestrator.storage.schema import SCHEDULER
from orchestrator.storage.tables import activities, audit, counters, leases, pools, requests, runs
from orchestrator.storage.views import OpenCount, PoolRow, RequestRow, SchedulerRow, Verdict

# Spelled out as in the partial index: with parameters in place of the words, no database would use that.
_is_open = text("activities.state IN ('queued', 'running', 'restarting')")

# An imported run that was open stays as it was, with attempts that hold nothing here.
_goes_on = and_(runs.c.run_key == activities.c.run_key, runs.c.ended_at.is_(None))
_at_work = activities.join(runs, _goes_on)


def _slots(*states: TaskState) -> Any:
    names = [state.value for state in states]
    return func.coalesce(func.sum(case((activities.c.state.in_(names), activities.c.pool_slots), else_=0)), 0)


_POOLS = (
    select(
        pools,
        _slots(TaskState.QUEUED).label("queued"),
        _slots(TaskState.RUNNING, TaskState.RESTARTING).label("running"),
    )
    .select_from(pools.outerjoin(_at_work, and_(activities.c.pool == pools.c.name, _is_open)))
    .group_by(pools.c.name, pools.c.slots, pools.c.description)
    .order_by(pools.c.name)
)
_OPEN = (
    select(
        runs.c.dag_id,
        activities.c.task_id,
        activities.c.pool,
        func.count().label("attempts"),
        func.sum(activities.c.pool_slots).label("slots"),
    )
    .join(runs, _goes_on)
    .where(_is_open)
    .group_by(runs.c.dag_id, activities.c.task_id, activities.c.pool)
    .order_by(runs.c.dag_id, activities.c.task_id)
)


class OperationReads(Guarded):
    """What goes on just now, and what was asked for."""

    @visible
    def pools(self) -> list[PoolRow]:
        """By name, with the slots that open attempts hold."""
        with reading(self._engine) as connection:
            return [PoolRow(**row) for row in connection.execute(_POOLS).mappings()]

    @visible
    def open_attempts(self) -> list[OpenCount]:
        """What is queued or running just now, by DAG, task and pool."""
        with reading(self._engine) as connection:
            query = _OPEN.where(self._visible(runs.c.dag_id))
            return [OpenCount(**row) for row in connection.execute(query).mappings()]

    @of_request
    def request(self, request_id: int) -> RequestRow:
        """What became of a request."""
        with reading(self._engine) as connection:
            if connection.execute(select(requests.c.id).where(requests.c.id == request_id)).first() is not None:
                return RequestRow(id=request_id, verdict=Verdict.PENDING)
            row = connection.execute(select(audit.c.refusal).where(audit.c.request_id == request_id)).first()
        if row is None:
            raise NotFoundError(f"there is no request {request_id}")
        verdict = Verdict.CARRIED_OUT if row.refusal is None else Verdict.REFUSED
        return RequestRow(id=request_id, verdict=verdict, refusal=row.refusal)

    @visible
    def pending_requests(self) -> int:
        """How many wait for a scheduler."""
        with reading(self._engine) as connection:
            return connection.execute(select(func.count()).select_from(requests)).scalar_one()

    @visible
    def pulse(self) -> str:
        """A text that changes whenever facts, requests, DAGs or their pause flags do."""
        query = select(counters.c.name, counters.c.value).order_by(counters.c.name)
        with reading(self._engine) as connection:
            return "-".join(str(row.value) for row in connection.execute(query))

    @visible
    def scheduler(self) -> SchedulerRow | None:
        """Who holds, or last held, the claim on this database; None where nobody ever did."""
        with reading(self._engine) as connection:
            row = connection.execute(select(leases).where(leases.c.name == SCHEDULER)).first()
        if row is None or row.epoch == 0:
            return None
        return SchedulerRow(
            owner=row.owner,
            since=row.acquired_at,
            seen=row.expires_at - LEASE,
            expires_at=row.expires_at,
            epoch=row.epoch,
        )
