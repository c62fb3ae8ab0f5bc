"""The first page: what runs, what failed, what is late, and how the parts are."""

from fastapi import APIRouter, Response

from orchestrator.web.page import Opened
from orchestrator.web.views.overview import overview

router = APIRouter()


@router.get("/")
def show(page: Opened) -> Response:
    return page.show("home.html", view=overview(page.home, page.now))
