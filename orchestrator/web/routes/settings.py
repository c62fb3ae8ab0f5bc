"""The pages of settings and of plugins."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from orchestrator.core.rights import Right
from orchestrator.web.page import Opened
from orchestrator.web.views.settings import plugin_page, settings_page

router = APIRouter()


@router.get("/config")
def show_settings(
    page: Opened, q: Annotated[str, Query(max_length=250)] = "", changed: Annotated[bool, Query(alias="set")] = False
) -> Response:
    return page.show("settings.html", view=settings_page(page.home, q, changed=changed))


@router.get("/plugins")
def show_plugins(page: Opened) -> Response:
    page.require(Right.ADMIN)
    return page.show("plugins.html", view=plugin_page(page.home))
