"""Pausing: the flag of a DAG, set in the caller's transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from orchestrator.ports import Pause
from orchestrator.storage.audit import note
from orchestrator.storage.database import advance
from orchestrator.storage.tables import dags

_SCHEDULER = "scheduler"


def set_paused(connection: Connection, dag_id: str, paused: bool, at: datetime) -> bool | None:
    """Whether that changed anything; None where there is no such DAG."""
    revision = advance(connection, "catalog")
    was = connection.execute(select(dags.c.is_paused).where(dags.c.dag_id == dag_id)).scalar()
    if was is None or was == paused:
        return None if was is None else False
    values: dict[str, Any] = {"is_paused": paused, "revision": revision}
    if not paused:
        values["unpaused_at"] = at
    connection.execute(update(dags).where(dags.c.dag_id == dag_id).values(**values))
    return True


def pause(connection: Connection, pauses: Iterable[Pause], at: datetime) -> None:
    """Pause DAGs in the scheduler's name; the audit says why."""
    for one in pauses:
        if set_paused(connection, one.dag_id, True, at):
            note(connection, at, _SCHEDULER, "pause_dag", dag_id=one.dag_id, reason=one.reason)
