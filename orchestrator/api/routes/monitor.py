"""``/monitor/health`` and ``/version``: what programs that watch this one ask, without signing in."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from orchestrator.assembly.home import Home

router = APIRouter(tags=["Monitor"])

Status = Literal["healthy", "unhealthy"]


class Part(BaseModel):
    """One part of the program."""

    status: Status


class SchedulerPart(Part):
    """The scheduler, and its last sign of life."""

    latest_scheduler_heartbeat: datetime | None = None


class Health(BaseModel):
    """How the parts are."""

    metadatabase: Part
    scheduler: SchedulerPart


class Version(BaseModel):
    """What runs here."""

    version: str


@router.get("/monitor/health")
def get_health(request: Request) -> Health:
    """How the parts are. It answers 200 also where one is unhealthy."""
    home: Home = request.app.state.home
    found = home.reads.scheduler()
    alive = found is not None and found.is_alive(datetime.now(UTC))
    return Health(
        metadatabase=Part(status="healthy"),
        scheduler=SchedulerPart(
            status="healthy" if alive else "unhealthy",
            latest_scheduler_heartbeat=None if found is None else found.seen,
        ),
    )


@router.get("/version")
def get_version() -> Version:
    """The version of this program."""
    return Version(version=version("orchestrator"))
