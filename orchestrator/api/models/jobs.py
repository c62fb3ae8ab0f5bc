"""Jobs: parts of the program, as Airflow calls them."""

from datetime import datetime

from orchestrator.api.models.base import Told


class Job(Told):
    """A part that works, or did; ``id`` is a number of its own, made of who it is."""

    id: int
    job_type: str
    state: str
    start_date: datetime
    end_date: datetime | None
    latest_heartbeat: datetime
    hostname: str
    pid: int
    executor_class: str | None


class JobCollection(Told):
    """A page of parts."""

    jobs: list[Job]
    total_entries: int
