"""The page of how the parts are, and the one of files that cannot be read."""

from fastapi import APIRouter, Response

from orchestrator.web.page import Opened
from orchestrator.web.views.health import health_page

router = APIRouter()


@router.get("/health")
def show(page: Opened) -> Response:
    return page.show("health.html", view=health_page(page.home, page.now))


@router.get("/import-errors")
def import_errors(page: Opened) -> Response:
    reads = page.home.reads
    return page.show("import_errors.html", errors=reads.import_errors(), warnings=reads.import_warnings())
