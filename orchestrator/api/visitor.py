"""Visitor: whoever sent a request, found by its bearer token or by the session of a browser."""

import hmac
from typing import Annotated, Protocol

import msgspec
from fastapi import Depends, Request

from orchestrator.core.rights import Principal
from orchestrator.exceptions import ForbiddenError, OrchestratorError

COOKIE = "orchestrator_session"
CSRF_HEADER = "x-csrf-token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInNeededError(OrchestratorError):
    """Nobody has signed in, or no longer."""


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. ``csrf`` is what a page of theirs must send along to change anything; None where no browser does."""

    who: Principal
    csrf: str | None = None


class Accounts(Protocol):
    """Where secrets are looked up; each call may take a query."""

    def by_token(self, secret: str) -> Principal | None: ...

    def by_session(self, secret: str) -> Visitor | None: ...


def visitor_of(request: Request) -> Visitor:
    """SignInNeededError where nobody has signed in; ForbiddenError where a browser is made to ask by another site."""
    accounts: Accounts = request.app.state.accounts
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        who = accounts.by_token(token.strip()) if scheme.lower() == "bearer" else None
        if who is None:
            raise SignInNeededError("this token is unknown, revoked or expired; make one with `tokens create`")
        return Visitor(who=who)
    cookie = request.cookies.get(COOKIE)
    found = accounts.by_session(cookie) if cookie else None
    if found is None:
        raise SignInNeededError("sign in, or send a token: Authorization: Bearer TOKEN")
    if request.method not in _SAFE and not _is_ours(request, found.csrf or ""):
        raise ForbiddenError(f"a browser's request that changes something needs the header {CSRF_HEADER}")
    return found


def _is_ours(request: Request, csrf: str) -> bool:
    sent = request.headers.get(CSRF_HEADER, "")
    return bool(csrf) and hmac.compare_digest(sent.encode(), csrf.encode())


SignedIn = Annotated[Visitor, Depends(visitor_of)]
