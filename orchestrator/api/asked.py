"""Asked: the home as whoever sent the request may see it. Everything that a route reads or changes goes through it."""

from typing import Annotated

from fastapi import Depends, Request

from orchestrator.api.visitor import SignedIn
from orchestrator.assembly.home import Home


def asked_home(request: Request, visitor: SignedIn) -> Home:
    """See storage.guard: what may not be seen is not there."""
    home: Home = request.app.state.home
    return home.seen_by(visitor.who)


Asked = Annotated[Home, Depends(asked_home)]
