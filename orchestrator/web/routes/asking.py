"""Asking: a request that a page makes of the scheduler, and how its outcome is told."""

from fastapi import Response

from orchestrator.assembly.settling import settle
from orchestrator.core.requests import AnyRequest
from orchestrator.storage.views import Verdict
from orchestrator.web.page import Page, done


def ask(page: Page, request: AnyRequest, message: str) -> Response:
    """``message`` says that it is done. 404 where there is no such run, 409 with the reason where the scheduler
    refuses.
    """
    page.home.reads.run(request.dag_id, request.run_id)
    if settle(page.home, request) is Verdict.PENDING:
        return done("This is asked for; the scheduler will do it when it runs.")
    return done(message)
