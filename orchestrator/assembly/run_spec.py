"""The spec that a run executes, and the tasks that it has."""

from orchestrator.assembly.home import Home
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import NotFoundError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.views import RunRow


def spec_version(home: Home, run: RunRow) -> int:
    """The version that the run executes, or will when a scheduler takes it up."""
    return run.version_id or home.reads.dag(run.dag_id).version_id


def require_task(spec: DagSpec, task_id: str) -> None:
    """NotFoundError unless the DAG has that task."""
    known = [task.task_id for task in spec.tasks]
    if task_id not in known:
        raise NotFoundError(f"DAG {spec.dag_id!r} has no task {task_id!r}{did_you_mean(task_id, known)}")
