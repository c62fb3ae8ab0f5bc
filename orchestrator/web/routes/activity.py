"""The pages of an activity, but for its log and its answer."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from orchestrator.assembly.attempts import tries
from orchestrator.assembly.because import reasons
from orchestrator.assembly.outputs import RESULT
from orchestrator.names import TaskState
from orchestrator.web.page import Opened
from orchestrator.web.place import PATH, At
from orchestrator.web.views.activity_details import activity_details
from orchestrator.web.views.activity_head import INSTANCES, activity_head
from orchestrator.web.views.instances import instances
from orchestrator.web.views.result import result_page, whole_output

router = APIRouter(prefix=PATH)

Key = Annotated[str, Query(max_length=512)]
Number = Annotated[int, Query(ge=1, le=1_000_000, alias="page")]


@router.get("/instances")
def list_instances(page: Opened, at: At, state: TaskState | None = None, number: Number = 1) -> Response:
    head = activity_head(page.home, at, INSTANCES)
    return page.show("activity_instances.html", head=head, view=instances(page.home, head, state, number))


@router.get("/result")
def result(page: Opened, at: At) -> Response:
    head = activity_head(page.home, at, "result")
    return page.show("activity_result.html", head=head, view=result_page(page.home, head))


@router.get("/result/json")
def download(page: Opened, at: At, key: Key = RESULT) -> Response:
    """The recorded JSON, as a file."""
    head = activity_head(page.home, at, "result")
    data = whole_output(page.home, head.row, key)
    name = quote(f"{head.run.dag_id}-{head.name}-{key}.json", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(data, headers=headers, media_type="application/json")


@router.get("/attempts")
def attempts(page: Opened, at: At) -> Response:
    head = activity_head(page.home, at, "attempts")
    return page.show("activity_attempts.html", head=head, tries=tries(page.home, head.row)[::-1])


@router.get("/details")
def details(page: Opened, at: At) -> Response:
    head = activity_head(page.home, at, "details")
    return page.show("activity_details.html", head=head, view=activity_details(page.home, head))


@router.get("/why")
def why(page: Opened, at: At) -> Response:
    """A part of the head, which takes as long as the run's history is."""
    head = activity_head(page.home, at, "")
    is_told = head.row.state is not TaskState.SUCCESS and not head.run.is_pending
    found = reasons(page.home, head.run, at.task_id) if is_told else []
    own = [
        reason.sentence for reason in found if (reason.task_id, reason.map_index) == (at.task_id, head.row.map_index)
    ]
    others = [reason.sentence for reason in found if reason.task_id != at.task_id]
    return page.show("activity_why.html", head=head, reasons=[*own, *others] or [one.sentence for one in found])
