"""Required actions: what waits for people, and their answers."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from orchestrator.assembly.settling import settle
from orchestrator.core.requests import AnyRequest
from orchestrator.storage.views import Verdict
from orchestrator.web.navigation import REQUIRED
from orchestrator.web.page import Fields, Opened, awaited, done
from orchestrator.web.place import PATH, At
from orchestrator.web.views.activity_head import activity_head
from orchestrator.web.views.answering import Refused, answer_of, answering, resolution_of
from orchestrator.web.views.required import answered, required

router = APIRouter()

Text = Annotated[str, Query(max_length=250)]
Number = Annotated[int, Query(ge=1, le=1_000_000, alias="page")]
Before = Annotated[int | None, Query(ge=1, le=2**62)]


@router.get(REQUIRED)
def show(page: Opened, dag_id: Text = "", run_id: Text = "", number: Number = 1) -> Response:
    return page.show("required.html", view=required(page.home, dag_id=dag_id, run_id=run_id, page=number))


@router.get(REQUIRED + "/answered")
def past(page: Opened, dag_id: Text = "", run_id: Text = "", before: Before = None) -> Response:
    return page.show("required.html", view=answered(page.home, dag_id=dag_id, run_id=run_id, before=before))


@router.get(REQUIRED + "/count")
def count(page: Opened) -> Response:
    """For the number in the navigation."""
    return page.json(b'{"count": %d}' % awaited(page.home))


@router.get(PATH + "/answer")
def ask(page: Opened, at: At) -> Response:
    head = activity_head(page.home, at, "answer")
    return page.show("activity_answer.html", head=head, view=answering(page.home, head, page.query))


@router.post(PATH + "/answer")
def answer(page: Opened, at: At, fields: Fields) -> Response:
    head = activity_head(page.home, at, "answer")
    try:
        request = answer_of(page.home, head, fields)
    except Refused as refused:
        return page.show("activity_answer.html", head=head, view=refused.view, status=422)
    return _said(page, request, f"{head.name} has its answer: {', '.join(request.options)}.")


@router.post(PATH + "/resolve")
def resolve(page: Opened, at: At, fields: Fields) -> Response:
    head = activity_head(page.home, at, "answer")
    try:
        request = resolution_of(page.home, head, fields)
    except Refused as refused:
        return page.show("activity_answer.html", head=head, view=refused.view, status=422)
    return _said(page, request, f"What became of {head.name} is recorded.")


def _said(page: Opened, request: AnyRequest, message: str) -> Response:
    if settle(page.home, request) is Verdict.PENDING:
        return done("This is kept; the scheduler will take it up when it runs.")
    return done(message)
