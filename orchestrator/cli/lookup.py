"""Finding what a command names: a run by its id or date, a task in its version, a moment from its text."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from orchestrator.assembly.home import Home
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.views import ActivityRow, RunRow


def find_run(home: Home, dag_id: str, run: str | None) -> RunRow:
    """The run of that id or logical date; the DAG's latest where none is named."""
    try:
        return home.reads.run(dag_id, run)
    except NotFoundError:
        at = _date_or_none(run or "", home)
        found = home.reads.runs(dag_id, since=at, until=at, limit=1) if at is not None else []
        if not found:
            raise
        return found[0]


def find_activity(home: Home, run: RunRow, task_id: str, map_index: int) -> ActivityRow:
    """A task in a run; NotFoundError names the nearest one that the run's version has."""
    require_task(home.reads.spec(spec_version(home, run)), task_id)
    return home.reads.activity(run, task_id, map_index)


def spec_version(home: Home, run: RunRow) -> int:
    """The version that the run executes, or will when a scheduler takes it up."""
    return run.version_id or home.reads.dag(run.dag_id).version_id


def require_task(spec: DagSpec, task_id: str) -> None:
    """NotFoundError unless the DAG has that task."""
    known = [task.task_id for task in spec.tasks]
    if task_id not in known:
        raise NotFoundError(f"DAG {spec.dag_id!r} has no task {task_id!r}{did_you_mean(task_id, known)}")


def read_date(text: str, home: Home) -> datetime:
    """An ISO date or date and time; without a zone it is in [core] default_timezone."""
    at = _date_or_none(text, home)
    if at is None:
        raise UsageError(f"{text!r} is no date; write it like 2026-01-31 or 2026-01-31T06:00:00+00:00")
    return at


def _date_or_none(text: str, home: Home) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(home.config.core.default_timezone))
    return at.astimezone(UTC)
