"""``/dags/{dag_id}/clearTaskInstances``: running tasks again."""

from fastapi import APIRouter

from orchestrator.api.asked import Asked
from orchestrator.api.models.tasks import ClearBody, TaskInstanceCollection, task_instance_of
from orchestrator.api.paging import DagId
from orchestrator.assembly.clearing import Place, clearing_of
from orchestrator.assembly.home import Home
from orchestrator.assembly.settling import settle
from orchestrator.core.requests import ClearTasks
from orchestrator.storage.views import RunRow

router = APIRouter(tags=["Task Instance"])


@router.post("/dags/{dag_id}/clearTaskInstances")
def clear_task_instances(home: Asked, dag_id: DagId, body: ClearBody) -> TaskInstanceCollection:
    """Forget the outcome of tasks, so that they run again. With ``dry_run``, which is the default, only list them."""
    run = home.reads.run(dag_id, body.dag_run_id)
    request = clearing_of(
        home,
        run,
        [_place(named) for named in body.task_ids or ()],
        upstream=body.include_upstream,
        downstream=body.include_downstream,
        only_failed=body.only_failed,
        same_version=not body.run_on_latest_version,
        same_key=body.same_key,
    )
    found = cleared(home, run, request)
    if not body.dry_run:
        settle(home, request)
    return found


def cleared(home: Home, run: RunRow, request: ClearTasks) -> TaskInstanceCollection:
    """The instances that a request is about, as they are now."""
    wanted = set(request.tasks)
    found = [
        task_instance_of(run, row)
        for row in home.reads.tasks(run)
        if wanted & {(row.task_id, None), (row.task_id, row.map_index)}
    ]
    return TaskInstanceCollection(task_instances=found, total_entries=len(found))


def _place(named: str | tuple[str, int]) -> Place:
    return (named, None) if isinstance(named, str) else named
