"""The pages of variables."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from orchestrator.core.rights import Right
from orchestrator.web.page import Fields, Opened, done
from orchestrator.web.views.variables import (
    ImportForm,
    delete_variable,
    export_file,
    import_sent,
    save_variable,
    variable_form,
    variable_page,
)
from orchestrator.web.wording import plural

router = APIRouter(prefix="/variables")


@router.get("")
def show(
    page: Opened,
    q: Annotated[str, Query(max_length=250)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> Response:
    return page.show("variables.html", view=variable_page(page.home, q, number))


@router.get("/edit")
def edit(page: Opened, key: str = "") -> Response:
    return page.show("variable_form.html", form=variable_form(page.home, key))


@router.post("/edit")
def save(page: Opened, fields: Fields) -> Response:
    form = save_variable(page.home, fields)
    if form is not None:
        return page.show("variable_form.html", form=form, status=422)
    return done("The variable is saved.")


@router.post("/delete")
def delete(page: Opened, key: str) -> Response:
    delete_variable(page.home, key)
    return done("The variable is deleted.")


@router.get("/import")
def ask_for_file(page: Opened) -> Response:
    page.require(Right.EDIT)
    return page.show("variable_import.html", form=ImportForm())


@router.post("/import")
def take_in(page: Opened, fields: Fields) -> Response:
    taken = import_sent(page.home, fields)
    if isinstance(taken, ImportForm):
        return page.show("variable_import.html", form=taken, status=422)
    skipped = f"; {taken.skipped} stayed as they were" if taken.skipped else ""
    return done(f"{plural(taken.taken, 'variable')} set{skipped}.")


@router.get("/export")
def export(page: Opened) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="variables.json"'}
    return Response(export_file(page.home).encode(), headers=headers, media_type="application/json")
