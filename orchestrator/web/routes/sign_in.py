"""Signing in with a password, and out."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from orchestrator.api.visitor import COOKIE, SignedIn
from orchestrator.exceptions import ForbiddenError, SignInError, TooManyAttemptsError
from orchestrator.web import wording
from orchestrator.web.coming_in import (
    InTurn,
    LocalPath,
    address_of,
    come_in,
    door_of,
    is_secure,
    local_path,
    sentence,
    sign_in_form,
)
from orchestrator.web.page import Fields, last

router = APIRouter()


@router.get("/sign-in")
def ask(request: Request, path: LocalPath) -> Response:
    """The form; who is signed in already goes on."""
    return RedirectResponse(path, 303) if _is_signed_in(request) else sign_in_form(request, path)


def _require_same_site(request: Request) -> None:
    """A form of another site signs nobody in: what they did then, they would do under a name that is not theirs."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_ours = site in ("same-origin", "none") if site else origin is None or _host(origin) == request.headers["host"]
    if not is_ours:
        raise ForbiddenError("sign in on the page of this server itself: another site has sent this form")


@router.post("/sign-in", dependencies=[Depends(_require_same_site), InTurn])
def enter(request: Request, fields: Fields) -> Response:
    """Begin a session, and go on to where they were going."""
    name, password = last(fields, "name"), last(fields, "password")
    path = local_path(last(fields, "next"))
    try:
        secret = door_of(request).with_password(name, password, address_of(request))
    except TooManyAttemptsError as error:
        wait = max(1.0, (error.until - datetime.now(UTC)).total_seconds())
        said = f"Too many attempts. Try again in {wording.duration(float(round(wait)))}."
        return sign_in_form(request, path, name=name, error=said, status=429, headers={"Retry-After": str(round(wait))})
    except SignInError as error:
        return sign_in_form(request, path, name=name, error=sentence(str(error)), status=401)
    return come_in(request, secret, path)


@router.post("/sign-out")
def leave(request: Request, _visitor: SignedIn) -> Response:
    """End the session."""
    door_of(request).sign_out(request.cookies.get(COOKIE, ""))
    answer = Response(status_code=204, headers={"x-go-to": "/sign-in"})
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=is_secure(request))
    return answer


def _is_signed_in(request: Request) -> bool:
    cookie = request.cookies.get(COOKIE)
    return bool(cookie) and door_of(request).by_session(cookie or "") is not None


def _host(origin: str) -> str:
    return urlsplit(origin).netloc
