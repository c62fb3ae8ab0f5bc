"""Coming in: what all ways to sign in share: whose turn it is, where to go afterwards, and the cookie of a session."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from orchestrator.api.hosts import base_url
from orchestrator.api.turnstile import Turnstile
from orchestrator.api.visitor import COOKIE
from orchestrator.assembly.home import Home
from orchestrator.core.sign_in import address_key
from orchestrator.web.door import Door
from orchestrator.web.rendering import render


async def _turn(request: Request) -> AsyncIterator[None]:
    """It is taken in the event loop, so whoever is sent away has cost no thread."""
    turnstile: Turnstile = request.app.state.turnstile
    with turnstile.passed(address_key(address_of(request))):
        yield


InTurn = Depends(_turn)
"""For routes that compute or wait on behalf of somebody who is not known yet."""


def local_path(path: str) -> str:
    """``path`` if it is one of this server, else its first page: nobody is sent to another site from here."""
    try:
        parts = urlsplit(path) if path.isprintable() else None
    except ValueError:
        return "/"
    if parts is None or parts.scheme or parts.netloc or "\\" in path or not path.startswith("/"):
        return "/"
    return "/" if path.startswith("//") else path


def _asked_path(request: Request) -> str:
    return local_path(request.query_params.get("next", "/"))


LocalPath = Annotated[str, Depends(_asked_path)]
"""Where whoever comes in was going: the parameter ``next``."""


def sign_in_form(
    request: Request,
    path: str,
    *,
    name: str = "",
    error: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> HTMLResponse:
    """The page of all ways in; ``path`` is where whoever comes in goes on to."""
    values = {"next": path, "name": name, "error": error, "layout": "bare.html", "provider": _provider(request)}
    return HTMLResponse(render(request.app.state.templates, "sign_in.html", values), status, headers)


def come_in(request: Request, secret: str, path: str) -> Response:
    """On to ``path``, with the cookie of a session that has just begun; the one that this browser had ends."""
    if before := request.cookies.get(COOKIE):
        door_of(request).sign_out(before)
    home: Home = request.app.state.home
    answer = RedirectResponse(path, 303)
    lifetime = int(home.config.auth.session_lifetime.total_seconds())
    answer.set_cookie(
        COOKIE, secret, max_age=lifetime, path="/", httponly=True, samesite="lax", secure=is_secure(request)
    )
    return answer


def own_url(request: Request) -> str:
    """What this server is called, as its visitors write it; without a slash at the end."""
    home: Home = request.app.state.home
    return base_url(home.config) or str(request.base_url).rstrip("/")


def door_of(request: Request) -> Door:
    door: Door = request.app.state.accounts
    return door


def is_secure(request: Request) -> bool:
    """Whether the browser came by HTTPS: so said a proxy, or it came to the address that is known to be so."""
    own = urlsplit(own_url(request))
    return request.url.scheme == "https" or (own.scheme == "https" and own.hostname == request.url.hostname)


def address_of(request: Request) -> str:
    return "" if request.client is None else request.client.host


def sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _provider(request: Request) -> str:
    """What the provider of identities is called; "" where there is none."""
    home: Home = request.app.state.home
    return home.config.oidc.name or urlsplit(home.config.oidc.issuer).hostname or home.config.oidc.issuer
