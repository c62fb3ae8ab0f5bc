"""The app: what is served, and what every request goes through."""

from collections.abc import Sequence
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI

from orchestrator.api.live import Live
from orchestrator.api.paging import no_nul
from orchestrator.api.problems import PROBLEMS, add_problems
from orchestrator.api.routes import (
    clearing,
    connections,
    dag_details,
    dag_runs,
    dags,
    events,
    histories,
    hitl,
    jobs,
    logs,
    monitor,
    observed,
    outputs,
    pools,
    rpc,
    talking,
    task_instances,
    time_travel,
    variables,
)
from orchestrator.api.safety import Safety, Short
from orchestrator.api.turnstile import Turnstile
from orchestrator.api.visitor import Accounts
from orchestrator.assembly.home import Home

API = "/api/v2"
MAX_BODY = 4 * 1024**2

ROUTERS: tuple[APIRouter, ...] = (
    dags.router,
    dag_details.router,
    dag_runs.router,
    outputs.router,
    logs.router,
    task_instances.router,  # after those whose paths its map_index would fit
    clearing.router,
    hitl.router,
    histories.router,
    talking.router,
    time_travel.router,
    pools.router,
    variables.router,
    connections.router,
    observed.router,
    events.router,
    monitor.router,
    jobs.router,
    rpc.router,
)
"""Everything below ``/api/v2``."""


def make_app(home: Home, accounts: Accounts, *, pages: Sequence[APIRouter] = ()) -> FastAPI:
    """The REST API of an open home, and what else is served beside it."""
    app = FastAPI(
        title="orchestrator",
        version=version("orchestrator"),
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # its assets are not ours
        redoc_url=None,
    )
    app.state.home = home
    app.state.accounts = accounts
    app.state.turnstile = Turnstile()
    app.state.live = Live(home.reads)
    app.add_middleware(Short, most=MAX_BODY)
    app.add_middleware(Safety)
    add_problems(app)
    for router in ROUTERS:
        app.include_router(router, prefix=API, dependencies=[Depends(no_nul)], responses=PROBLEMS)
    for page in pages:
        app.include_router(page, include_in_schema=False)
    return app
