"""The pages of pools."""

from fastapi import APIRouter, Response

from orchestrator.core.rights import Right
from orchestrator.web.page import Fields, Opened, done
from orchestrator.web.views.pools import pool_form, pool_page, save_pool

router = APIRouter(prefix="/pools")


@router.get("")
def show(page: Opened) -> Response:
    return page.show("pools.html", view=pool_page(page.home))


@router.get("/edit")
def edit(page: Opened, name: str = "") -> Response:
    page.require(Right.EDIT)
    return page.show("pool_form.html", form=pool_form(page.home, name))


@router.post("/edit")
def save(page: Opened, fields: Fields) -> Response:
    page.require(Right.EDIT)
    form = save_pool(page.home, fields)
    if form is not None:
        return page.show("pool_form.html", form=form, status=422)
    page.home.ring()
    return done("The pool is saved.")


@router.post("/delete")
def delete(page: Opened, name: str) -> Response:
    page.home.records.delete_pool(name, by="")
    page.home.ring()
    return done("The pool is deleted: tasks that name it wait until it is there again.")
