"""The pages of connections."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from orchestrator.core.rights import Right
from orchestrator.web.page import Fields, Opened, Page, done
from orchestrator.web.views.connection_types import FIELDS, TYPES
from orchestrator.web.views.connections import (
    ConnectionForm,
    connection_form,
    connection_page,
    delete_connection,
    save_connection,
)

router = APIRouter(prefix="/connections")


@router.get("")
def show(page: Opened, q: Annotated[str, Query(max_length=250)] = "") -> Response:
    return page.show("connections.html", view=connection_page(page.home, q))


@router.get("/edit")
def edit(page: Opened, conn_id: str = "") -> Response:
    page.require(Right.EDIT)
    return _form(page, connection_form(page.home, conn_id))


@router.post("/edit")
def save(page: Opened, fields: Fields) -> Response:
    form = save_connection(page.home, fields)
    return done("The connection is saved.") if form is None else _form(page, form, status=422)


@router.post("/delete")
def delete(page: Opened, conn_id: str) -> Response:
    delete_connection(page.home, conn_id)
    return done("The connection is deleted.")


def _form(page: Page, form: ConnectionForm, status: int = 200) -> Response:
    return page.show("connection_form.html", form=form, types=TYPES, fields=FIELDS, status=status)
