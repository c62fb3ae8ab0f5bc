"""The pages of users, of their sessions and tokens, and of one's own account."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from orchestrator.core.rights import Right, Role, grant_of
from orchestrator.exceptions import UsageError
from orchestrator.web.page import Fields, Opened, Page, done, go_to, last
from orchestrator.web.views import people
from orchestrator.web.wording import plural

router = APIRouter()


@router.get("/users")
def show_users(page: Opened, q: Annotated[str, Query(max_length=250)] = "") -> Response:
    return page.show("users.html", view=people.user_list(page.accounts, q))


@router.get("/users/new")
def ask_for_user(page: Opened) -> Response:
    page.require(Right.ADMIN)
    return _user_form(page, people.UserForm())


@router.post("/users/new")
def make_user(page: Opened, fields: Fields) -> Response:
    made = people.create_user(page.accounts, fields)
    if isinstance(made, people.UserForm):
        return _user_form(page, made, status=422)
    return page.show("once.html", once=made) if isinstance(made, people.Once) else done(f"{made.name} has an account.")


def _user_form(page: Page, form: people.UserForm, status: int = 200) -> Response:
    return page.show("user_form.html", form=form, roles=list(Role), status=status)


@router.get("/users/{name}")
def show_user(page: Opened, name: str) -> Response:
    view = people.user_page(page.accounts, name, page.visitor.who.name, page.session_id)
    return page.show("user.html", view=view, roles=list(Role))


@router.get("/users/{name}/password")
def ask_for_reset(page: Opened, name: str) -> Response:
    return page.show("password_reset.html", user=page.accounts.user(name))


@router.post("/users/{name}/password")
def reset_password(page: Opened, name: str) -> Response:
    return page.show("once.html", once=people.reset_password(page.accounts, name))


@router.post("/users/{name}/disable")
def disable(page: Opened, name: str) -> Response:
    page.accounts.set_active(name, False, by="")
    return done(f"{name} is disabled: their sessions have ended, and their tokens let nobody in.")


@router.post("/users/{name}/enable")
def enable(page: Opened, name: str) -> Response:
    page.accounts.set_active(name, True, by="")
    return done(f"{name} may sign in again.")


@router.post("/users/{name}/delete")
def delete(page: Opened, name: str) -> Response:
    page.accounts.delete_user(name, by="")
    return go_to("/users")


@router.post("/users/{name}/grant")
def grant(page: Opened, name: str, fields: Fields) -> Response:
    page.require(Right.ADMIN)
    given = people.sent_grant(fields)
    return done(f"{name} is {given}." if page.accounts.grant(name, given, by="") else f"{name} is {given} already.")


@router.post("/users/{name}/revoke")
def revoke(page: Opened, name: str, role: str) -> Response:
    page.require(Right.ADMIN)
    gone = grant_of(role)
    if not page.accounts.revoke(name, gone, by=""):
        raise UsageError(f"{name!r} was not granted {gone}")
    return done(f"{name} is not {gone} any longer.")


@router.get("/account")
def show_account(page: Opened) -> Response:
    return page.show("account.html", view=people.own_page(page.accounts, page.session_id))


@router.get("/account/password")
def ask_for_password(page: Opened) -> Response:
    return page.show("password_form.html", errors={})


@router.post("/account/password")
def change_password(page: Opened, fields: Fields) -> Response:
    errors = people.change_password(page.accounts, fields, page.address, page.now)
    if errors:
        return page.show("password_form.html", errors=errors, status=422)
    return go_to("/sign-in?next=/account")


@router.post("/sessions/end")
def end_session(page: Opened, user: str, session: str) -> Response:
    page.accounts.end_session(user, session, by="")
    return go_to("/sign-in") if session == page.session_id else done("That session has ended.")


@router.post("/sessions/end-all")
def end_sessions(page: Opened, user: str) -> Response:
    count = page.accounts.end_sessions(user, by="")
    is_own = user == page.visitor.who.name
    return go_to("/sign-in") if is_own else done(f"{plural(count, 'session')} of {user} ended.")


@router.get("/tokens")
def show_tokens(page: Opened) -> Response:
    return page.show("tokens.html", tokens=page.accounts.tokens())


@router.get("/tokens/new")
def ask_for_token(page: Opened, user: str = "") -> Response:
    return _token_form(page, _empty_token(page, user))


@router.post("/tokens/new")
def make_token(page: Opened, fields: Fields) -> Response:
    made = people.create_token(page.accounts, _empty_token(page, last(fields, "user")), fields)
    if isinstance(made, people.TokenForm):
        return _token_form(page, made, status=422)
    return page.show("once.html", once=made)


@router.post("/tokens/revoke")
def revoke_token(page: Opened, user: str, name: str) -> Response:
    page.accounts.revoke_token(user, name, by="")
    return done(f"The token {name} of {user} lets nobody in any longer.")


def _empty_token(page: Page, user: str) -> people.TokenForm:
    return people.token_form(page.accounts, page.visitor.who.name, user, of_all=page.may(Right.ADMIN))


def _token_form(page: Page, form: people.TokenForm, status: int = 200) -> Response:
    return page.show("token_form.html", form=form, lifetimes=people.LIFETIMES, status=status)
