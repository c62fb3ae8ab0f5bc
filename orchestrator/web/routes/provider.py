"""Signing in at a provider of identities (OpenID Connect): to it, and back from it."""

import logging

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from orchestrator.assembly.oidc import PATIENCE, Oidc
from orchestrator.exceptions import ConfigError, SignInError
from orchestrator.web.coming_in import (
    InTurn,
    LocalPath,
    address_of,
    come_in,
    door_of,
    is_secure,
    local_path,
    own_url,
    sentence,
    sign_in_form,
)

COOKIE = "orchestrator_oidc"
BACK = "/auth/oidc"
"""Where the provider sends browsers back to: it has to be told."""

_LOG = logging.getLogger(__name__)

router = APIRouter()


@router.get(f"{BACK}/begin", dependencies=[InTurn])
def begin(request: Request, path: LocalPath) -> Response:
    """Off to the provider."""
    try:
        begun = _oidc(request).begin(f"{own_url(request)}{BACK}", path)
    except SignInError as error:
        return sign_in_form(request, path, error=sentence(str(error)), status=502)
    answer = RedirectResponse(begun.url, 303)
    answer.set_cookie(
        COOKIE,
        begun.sealed,
        max_age=int(PATIENCE.total_seconds()),
        path=BACK,
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )
    return answer


@router.get(BACK, dependencies=[InTurn])
def finish(request: Request) -> Response:
    """Back from the provider: begin a session, and go on to where they were going. What came back is of use once."""
    sealed, path = request.cookies.get(COOKIE, ""), "/"
    try:
        oidc = _oidc(request)
        path = local_path(oidc.goes_to(sealed))
        secret = oidc.finish(dict(request.query_params), sealed, address_of(request))
        answer = come_in(request, secret, path)
    except SignInError as error:
        answer = sign_in_form(request, path, error=sentence(str(error)), status=401)
    answer.delete_cookie(COOKIE, path=BACK, httponly=True, samesite="lax", secure=is_secure(request))
    return answer


def _oidc(request: Request) -> Oidc:
    """What is wrong with the settings is for the log: whoever asks is not known."""
    try:
        found = door_of(request).oidc
    except ConfigError as error:
        _LOG.error("signing in at the provider does not work: %s", error)
        raise SignInError("signing in this way is not set up as it should be; the server's log says why") from None
    if found is None:
        raise HTTPException(404, "people sign in with a password here; [oidc] issuer names no provider")
    return found
