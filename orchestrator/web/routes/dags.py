"""The list of DAGs, switching them on and off, and starting a run."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from orchestrator.web.page import Fields, Opened, done, go_to
from orchestrator.web.views.dag_list import Wanted, dag_list
from orchestrator.web.views.triggering import Refused, empty_form, trigger
from orchestrator.web.wording import segment

router = APIRouter()

Text = Annotated[str, Query(max_length=250)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]


@router.get("/dags")
def show(
    page: Opened,
    q: Text = "",
    tag: Text = "",
    owner: Text = "",
    on: Text = "",
    last: Text = "",
    sort: Text = "name",
    down: bool = False,
    number: Annotated[PageNumber, Query(alias="page")] = 1,
) -> Response:
    wanted = Wanted(q=q, tag=tag, owner=owner, on=on, last=last, sort=sort, down=down, page=number)
    return page.show("dags.html", view=dag_list(page.home, wanted, page.now))


@router.post("/dags/{dag_id}/pause")
def pause(page: Opened, dag_id: str) -> Response:
    return _switch(page, dag_id, paused=True)


@router.post("/dags/{dag_id}/unpause")
def unpause(page: Opened, dag_id: str) -> Response:
    return _switch(page, dag_id, paused=False)


def _switch(page: Opened, dag_id: str, *, paused: bool) -> Response:
    page.home.records.set_paused(dag_id, paused, by="")
    page.home.ring()
    return done(f"{dag_id} is {'off: its schedule starts nothing' if paused else 'on'}.")


@router.get("/dags/{dag_id}/trigger")
def ask(page: Opened, dag_id: str, like: Text = "") -> Response:
    """Filled in with what the run ``like`` was given."""
    return page.show("trigger.html", view=empty_form(page.home, dag_id, like))


@router.post("/dags/{dag_id}/trigger")
def start(page: Opened, dag_id: str, fields: Fields) -> Response:
    try:
        run = trigger(page.home, dag_id, fields)
    except Refused as refused:
        return page.show("trigger.html", view=refused.form, status=422)
    return go_to(f"/dags/{segment(run.dag_id)}/runs/{segment(run.run_id)}")
