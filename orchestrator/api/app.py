"""The app: what is served, and what every request goes through."""

from collections.abc import Sequence
from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from orchestrator.api.live import Live
from orchestrator.api.problems import add_problems
from orchestrator.api.routes import events, monitor, rpc
from orchestrator.api.safety import Safety
from orchestrator.api.visitor import Accounts
from orchestrator.assembly.home import Home

API = "/api/v2"
MAX_BODY = 4 * 1024**2

ROUTERS: tuple[APIRouter, ...] = (monitor.router, events.router, rpc.router)
"""Everything below ``/api/v2``."""


def make_app(home: Home, accounts: Accounts, *, pages: Sequence[APIRouter] = ()) -> FastAPI:
    """The REST API of an open home, and what else is served beside it."""
    app = FastAPI(
        title="orchestrator",
        version=version("orchestrator"),
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # its assets are not ours
        redoc_url=None,
        max_body_size=MAX_BODY,
    )
    app.state.home = home
    app.state.accounts = accounts
    app.state.live = Live(home.reads)
    app.add_middleware(Safety)
    add_problems(app)
    for router in ROUTERS:
        app.include_router(router, prefix=API)
    for page in pages:
        app.include_router(page, include_in_schema=False)
    return app
