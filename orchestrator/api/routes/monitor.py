"""``/monitor/health`` and ``/version``: what programs that watch this one ask, without signing in."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from orchestrator.assembly.home import Home
from orchestrator.storage.signs import MISSED, Role

router = APIRouter(tags=["Monitor"])

Status = Literal["healthy", "unhealthy"]


class Part(BaseModel):
    """One part of the program."""

    status: Status


class SchedulerPart(Part):
    """The scheduler, and its last sign of life."""

    latest_scheduler_heartbeat: datetime | None = None


class TriggererPart(Part):
    """What waits for what is deferred, and its last sign of life."""

    latest_triggerer_heartbeat: datetime | None = None


class DagProcessorPart(Part):
    """What reads the DAG files, and its last sign of life."""

    latest_dag_processor_heartbeat: datetime | None = None


class ExecutorPart(Part):
    """What activities run by, and its last sign of life."""

    latest_executor_heartbeat: datetime | None = None


class Health(BaseModel):
    """How the parts are."""

    metadatabase: Part
    scheduler: SchedulerPart
    triggerer: TriggererPart
    dag_processor: DagProcessorPart
    executor: ExecutorPart


class Version(BaseModel):
    """What runs here."""

    version: str


@router.get("/monitor/health")
def get_health(request: Request) -> Health:
    """How the parts are. It answers 200 also where one is unhealthy."""
    home: Home = request.app.state.home
    now, found = datetime.now(UTC), home.reads.scheduler()
    seen = {
        role: max((part.seen_at for part in home.reads.parts() if part.role is role), default=None) for role in Role
    }

    def status(role: Role) -> Status:
        at = seen[role]
        return "healthy" if at is not None and now - at < MISSED else "unhealthy"

    return Health(
        metadatabase=Part(status="healthy"),
        scheduler=SchedulerPart(
            status="healthy" if found is not None and found.is_alive(now) else "unhealthy",
            latest_scheduler_heartbeat=None if found is None else found.seen,
        ),
        triggerer=TriggererPart(status=status(Role.TRIGGERER), latest_triggerer_heartbeat=seen[Role.TRIGGERER]),
        dag_processor=DagProcessorPart(
            status=status(Role.DAG_PROCESSOR), latest_dag_processor_heartbeat=seen[Role.DAG_PROCESSOR]
        ),
        executor=ExecutorPart(status=status(Role.EXECUTOR), latest_executor_heartbeat=seen[Role.EXECUTOR]),
    )


@router.get("/version")
def get_version() -> Version:
    """The version of this program."""
    return Version(version=version("orchestrator"))
