"""``/dags``: what there is, and switching it on and off."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from orchestrator.api.asked import Asked
from orchestrator.api.cutting import Keys, cut
from orchestrator.api.etags import heed
from orchestrator.api.models.dags import (
    Dag,
    DagCollection,
    DagDetails,
    DagPatch,
    Task,
    TaskCollection,
    dag_of,
    details_of,
    task_of,
)
from orchestrator.api.paging import DagId, Paged, Pattern, TaskId
from orchestrator.assembly.home import Home
from orchestrator.core.rights import Right
from orchestrator.exceptions import ForbiddenError, NotFoundError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.listing import Paging, fits
from orchestrator.storage.views import DagRow

router = APIRouter(tags=["DAG"])

Words = Annotated[list[str] | None, Query(max_length=100)]
_KEYS: Keys[DagRow] = {
    "dag_id": lambda dag: dag.dag_id,
    "dag_display_name": lambda dag: dag.header.display_name or dag.dag_id,
    "is_paused": lambda dag: dag.is_paused,
    "is_stale": lambda dag: dag.is_stale,
}


def _wanted(
    home: Asked,
    tags: Words = None,
    tags_match_mode: Annotated[str, Query(pattern="^(any|all)$")] = "any",
    owners: Words = None,
    dag_id_pattern: Pattern = None,
    dag_display_name_pattern: Pattern = None,
    exclude_stale: bool = True,
    paused: bool | None = None,
) -> list[DagRow]:
    match = all if tags_match_mode == "all" else any
    return [
        dag
        for dag in home.reads.dags()
        if not (exclude_stale and dag.is_stale)
        and paused in (None, dag.is_paused)
        and (not tags or match(tag in dag.header.tags for tag in tags))
        and (not owners or dag.header.owner in owners)
        and fits(dag_id_pattern, dag.dag_id)
        and fits(dag_display_name_pattern, dag.header.display_name or dag.dag_id)
    ]


Wanted = Annotated[list[DagRow], Depends(_wanted)]


@router.get("/dags")
def get_dags(home: Asked, paging: Paged, found: Wanted) -> DagCollection:
    """List the DAGs."""
    return _page(home, found, paging)


@router.patch("/dags")
def patch_dags(home: Asked, paging: Paged, found: Wanted, body: DagPatch) -> DagCollection:
    """Pause the DAGs of a page of the list, or let their schedules make runs again; all of them, or none."""
    page = cut(found, paging, _KEYS)
    for dag in page:
        if not home.who.may(Right.EDIT, dag.dag_id):
            raise ForbiddenError(f"{home.who.name} may see the DAG {dag.dag_id!r}, but not change it: none was")
    for dag in page:
        home.records.set_paused(dag.dag_id, body.is_paused, by="")
    home.ring()
    return _page(home, [home.reads.dag(dag.dag_id) for dag in page], Paging(limit=paging.limit))


def _page(home: Home, found: list[DagRow], paging: Paging) -> DagCollection:
    broken = _broken(home)
    page = cut(found, paging, _KEYS)
    return DagCollection(
        dags=[dag_of(dag, has_import_errors=dag.header.file in broken) for dag in page], total_entries=len(found)
    )


@router.get("/dags/{dag_id}")
def get_dag(request: Request, response: Response, home: Asked, dag_id: DagId) -> Dag:
    """A DAG."""
    dag, broken = home.reads.dag(dag_id), _broken(home)
    heed(request, response, dag.version_id, dag.is_paused, dag.is_stale, dag.header.file in broken)
    return dag_of(dag, has_import_errors=dag.header.file in broken)


@router.get("/dags/{dag_id}/details")
def get_dag_details(home: Asked, dag_id: DagId) -> DagDetails:
    """A DAG, and all that its file says of it besides its tasks."""
    dag = home.reads.dag(dag_id)
    return details_of(dag, has_import_errors=dag.header.file in _broken(home))


@router.patch("/dags/{dag_id}")
def patch_dag(home: Asked, dag_id: DagId, body: DagPatch) -> Dag:
    """Pause a DAG, or let its schedule make runs again."""
    home.records.set_paused(dag_id, body.is_paused, by="")
    home.ring()
    return dag_of(home.reads.dag(dag_id))


@router.get("/dags/{dag_id}/tasks")
def get_tasks(home: Asked, dag_id: DagId) -> TaskCollection:
    """The tasks of a DAG's latest version."""
    spec = home.reads.spec(home.reads.dag(dag_id).version_id)
    return TaskCollection(tasks=[task_of(spec, task) for task in spec.tasks], total_entries=len(spec.tasks))


@router.get("/dags/{dag_id}/tasks/{task_id}")
def get_task(home: Asked, dag_id: DagId, task_id: TaskId) -> Task:
    """A task of a DAG's latest version."""
    spec = home.reads.spec(home.reads.dag(dag_id).version_id)
    for task in spec.tasks:
        if task.task_id == task_id:
            return task_of(spec, task)
    known = [task.task_id for task in spec.tasks]
    raise NotFoundError(f"the DAG {dag_id!r} has no task {task_id!r}{did_you_mean(task_id, known)}")


def _broken(home: Home) -> set[str]:
    return {error.file for error in home.reads.import_errors()}
