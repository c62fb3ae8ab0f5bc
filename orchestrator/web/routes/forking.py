"""Forking a run: the form, which shows what it means as it is filled in."""

from fastapi import APIRouter, Response

from orchestrator.assembly.settling import settle
from orchestrator.core.rights import Right
from orchestrator.exceptions import ConflictError
from orchestrator.storage.views import Verdict
from orchestrator.web.page import Fields, Opened, done, go_to
from orchestrator.web.views.forking import fork_form, forking
from orchestrator.web.wording import segment

router = APIRouter(prefix="/dags/{dag_id}/runs/{run_id}/fork")


@router.get("")
def ask(page: Opened, dag_id: str, run_id: str) -> Response:
    view = fork_form(page.home, dag_id, run_id, page.query)
    return page.show("fork.html", view=view, may=page.may(Right.EDIT, dag_id))


@router.post("")
def fork(page: Opened, dag_id: str, run_id: str, fields: Fields) -> Response:
    """409 with the reason where it cannot be done."""
    view = forking(page.home, dag_id, run_id, fields)
    if view.request is None:
        raise ConflictError(view.refusal)
    if settle(page.home, view.request) is Verdict.PENDING:
        return done("This is asked for; the scheduler makes the run when it runs.")
    return go_to(f"/dags/{segment(dag_id)}/runs/{segment(view.request.run_id)}")
