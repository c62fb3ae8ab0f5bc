"""Signing in and out."""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from orchestrator.api.visitor import COOKIE, SignedIn
from orchestrator.assembly.home import Home
from orchestrator.exceptions import ForbiddenError, SignInError, TooManyAttemptsError
from orchestrator.web import wording
from orchestrator.web.door import Door
from orchestrator.web.page import Fields
from orchestrator.web.rendering import render

router = APIRouter()


@router.get("/sign-in")
def ask(request: Request, path: Annotated[str, Query(alias="next")] = "/") -> Response:
    """The form; who is signed in already goes on."""
    if _is_signed_in(request):
        return RedirectResponse(local_path(path), 303)
    return _form(request, local_path(path))


def _require_same_site(request: Request) -> None:
    """A form of another site signs nobody in: what they did then, they would do under a name that is not theirs."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_ours = site in ("same-origin", "none") if site else origin is None or _host(origin) == request.headers["host"]
    if not is_ours:
        raise ForbiddenError("sign in on the page of this server itself: another site has sent this form")


@router.post("/sign-in", dependencies=[Depends(_require_same_site)])
def enter(request: Request, fields: Fields) -> Response:
    """Begin a session, and go on to where they were going."""
    name, password = _last(fields, "name"), _last(fields, "password")
    path = local_path(_last(fields, "next"))
    try:
        secret = _door(request).with_password(name, password, _address(request))
    except TooManyAttemptsError as error:
        wait = max(1.0, (error.until - datetime.now(UTC)).total_seconds())
        said = f"Too many attempts. Try again in {wording.duration(float(round(wait)))}."
        return _form(request, path, name=name, error=said, status=429, headers={"Retry-After": str(round(wait))})
    except SignInError as error:
        return _form(request, path, name=name, error=_sentence(str(error)), status=401)
    answer = RedirectResponse(path, 303)
    _set_cookie(request, answer, secret)
    return answer


@router.post("/sign-out")
def leave(request: Request, _visitor: SignedIn) -> Response:
    """End the session."""
    _door(request).sign_out(request.cookies.get(COOKIE, ""))
    answer = Response(status_code=204, headers={"x-go-to": "/sign-in"})
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=_is_secure(request))
    return answer


def local_path(path: str) -> str:
    """``path`` if it is one of this server, else its first page: nobody is sent to another site from here."""
    parts = urlsplit(path) if path.isprintable() else None
    if parts is None or parts.scheme or parts.netloc or "\\" in path or not path.startswith("/"):
        return "/"
    return "/" if path.startswith("//") else path


def _form(
    request: Request,
    path: str,
    *,
    name: str = "",
    error: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> HTMLResponse:
    values = {"next": path, "name": name, "error": error, "layout": "bare.html"}
    return HTMLResponse(render(request.app.state.templates, "sign_in.html", values), status, headers)


def _set_cookie(request: Request, answer: Response, secret: str) -> None:
    home: Home = request.app.state.home
    lifetime = int(home.config.auth.session_lifetime.total_seconds())
    answer.set_cookie(
        COOKIE, secret, max_age=lifetime, path="/", httponly=True, samesite="lax", secure=_is_secure(request)
    )


def _is_signed_in(request: Request) -> bool:
    cookie = request.cookies.get(COOKIE)
    return bool(cookie) and _door(request).by_session(cookie or "") is not None


def _door(request: Request) -> Door:
    door: Door = request.app.state.accounts
    return door


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


def _last(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[-1]


def _host(origin: str) -> str:
    return urlsplit(origin).netloc


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
