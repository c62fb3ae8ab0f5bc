"""Finding what a command names: a run by its id or date, a task in its version."""

from orchestrator.assembly.home import Home
from orchestrator.assembly.run_spec import require_task, spec_version
from orchestrator.cli.dates import date_or_none
from orchestrator.exceptions import NotFoundError
from orchestrator.storage.views import ActivityRow, RunRow

__all__ = ["find_activity", "find_run", "require_task", "spec_version"]


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
