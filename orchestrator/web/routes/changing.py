"""Clearing and marking tasks of a run: the forms, which show what they are about as they are filled in."""

from fastapi import APIRouter, Response

from orchestrator.assembly.settling import settle_all
from orchestrator.storage.views import Verdict
from orchestrator.web.page import Fields, Opened, Page, done
from orchestrator.web.views.changing import MARKS, Changing, clearing, marking, require_doable
from orchestrator.web.wording import in_words, plural

router = APIRouter(prefix="/dags/{dag_id}/runs/{run_id}")


@router.get("/clear")
def ask_to_clear(page: Opened, dag_id: str, run_id: str) -> Response:
    return page.show("clear.html", view=clearing(page.home, dag_id, run_id, page.query))


@router.post("/clear")
def clear(page: Opened, dag_id: str, run_id: str, fields: Fields) -> Response:
    view = clearing(page.home, dag_id, run_id, fields)
    said = "runs again" if view.total == 1 else "run again"
    return _do(page, view, f"{plural(view.total, 'activity', 'activities')} {said}.")


@router.get("/mark")
def ask_to_mark(page: Opened, dag_id: str, run_id: str) -> Response:
    return page.show("mark.html", view=marking(page.home, dag_id, run_id, page.query), marks=MARKS)


@router.post("/mark")
def mark(page: Opened, dag_id: str, run_id: str, fields: Fields) -> Response:
    view = marking(page.home, dag_id, run_id, fields)
    said = "counts" if view.total == 1 else "count"
    return _do(page, view, f"{plural(view.total, 'activity', 'activities')} {said} as {in_words(view.choice.state)}.")


def _do(page: Page, view: Changing, message: str) -> Response:
    """Two who ask for the same of the same attempts have asked for it once."""
    require_doable(view)
    if settle_all(page.home, view.requests, view.keys) is Verdict.PENDING:
        return done("This is asked for; the scheduler will do it when it runs.")
    return done(message)
