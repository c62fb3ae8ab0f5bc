"""Finding what a command names: a run by its id or date, a task in its version."""

from orchestrator.assembly.home import Home
from orchestrator.cli.dates import date_or_none
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import NotFoundError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.views import ActivityRow, RunRow


def find_run(home: Home, dag_id: str, run: str | None) -> RunRow:
    """The run of that id or logical date; the DAG's latest where none is named."""
    try:
        return home.reads.run(dag_id, run)
    except NotFoundError:
        at = date_or_none(run or "", home.config)
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
