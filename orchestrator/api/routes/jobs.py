"""``/jobs``: the parts of the program that work for this home, and their last signs of life."""

import zlib
from datetime import UTC, datetime

from fastapi import APIRouter

from orchestrator.api.asked import Asked
from orchestrator.api.cutting import Keys, cut
from orchestrator.api.models.jobs import Job, JobCollection
from orchestrator.api.paging import Paged
from orchestrator.storage.signs import PartRow, Role

router = APIRouter(tags=["Job"])

_TYPES = {
    Role.SCHEDULER: "SchedulerJob",
    Role.DAG_PROCESSOR: "DagProcessorJob",
    Role.EXECUTOR: "ExecutorJob",
    Role.TRIGGERER: "TriggererJob",
}
_KEYS: Keys[PartRow] = {
    "job_type": lambda row: _TYPES[row.role],
    "start_date": lambda row: row.started_at,
    "latest_heartbeat": lambda row: row.seen_at,
    "hostname": lambda row: row.host,
}


@router.get("/jobs")
def get_jobs(
    home: Asked, paging: Paged, job_type: str | None = None, hostname: str | None = None, is_alive: bool | None = None
) -> JobCollection:
    """The parts that gave a sign of life within a day."""
    now = datetime.now(UTC)
    found = [
        row
        for row in home.reads.parts()
        if job_type in (None, _TYPES[row.role])
        and hostname in (None, row.host)
        and is_alive in (None, row.is_alive(now))
    ]
    return JobCollection(jobs=[_job(row, now) for row in cut(found, paging, _KEYS)], total_entries=len(found))


def _job(row: PartRow, now: datetime) -> Job:
    alive = row.is_alive(now)
    executor = row.facts.get("executor")
    return Job(
        id=zlib.crc32(f"{row.role} {row.host} {row.pid} {row.started_at}".encode()),
        job_type=_TYPES[row.role],
        state="running" if alive else "failed",
        start_date=row.started_at,
        end_date=None if alive else row.seen_at,
        latest_heartbeat=row.seen_at,
        hostname=row.host,
        pid=row.pid,
        executor_class=str(executor) if executor else None,
    )
